package machine

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/iotest"
)

// snapshot returns the machine's image, encoded.
func snapshot(t testing.TB, m *Machine) []byte {
	t.Helper()
	img := m.Freeze()
	for !img.Step(10) {
	}
	return encoded(t, img)
}

func encoded(t testing.TB, img *Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := img.Encode(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// checkSize compares the memory account with a count.
func checkSize(t testing.TB, m *Machine) {
	t.Helper()
	want := int64(0)
	for _, d := range m.dbs {
		d.keys.each(func(o *object) {
			want += o.sizeBytes()
			if o.home != d || o.open {
				t.Errorf("key %q: home %v, open %v", o.key, o.home == d, o.open)
			}
		})
		volatile := 0
		d.keys.each(func(o *object) {
			if _, ok := d.due.Get(due{o.deadlineMS, o}); ok != (o.deadlineMS != 0) {
				t.Errorf("key %q: indexed %v, deadline %d", o.key, ok, o.deadlineMS)
			}
			if o.deadlineMS != 0 {
				volatile++
			}
		})
		if volatile != d.due.Len() {
			t.Errorf("%d keys expire, %d indexed", volatile, d.due.Len())
		}
	}
	if got := m.SizeBytes(); got != want {
		t.Errorf("%d bytes are accounted for, counted %d", got, want)
	}
}

// Equal ops make equal states: live, replayed from the log, restored from a snapshot, and restored from an earlier snapshot
// with the rest of the log.
func TestDeterminism(t *testing.T) {
	for seed := range uint64(20) {
		x := newWorld(t)
		x.m = NewSeeded(4, seed)
		gen := newRandomOps(seed)
		var early []byte
		mark := 0
		for i := range 3000 {
			if i == 1500 {
				early, mark = snapshot(t, x.m), len(x.log)
			}
			x.do(gen.next())
		}
		want := x.m.Digest()
		checkSize(t, x.m)

		compare := func(name string, m *Machine) {
			t.Helper()
			if m.Digest() != want {
				t.Errorf("seed %d: the %s state differs", seed, name)
			}
			if m.LastMS() != x.m.LastMS() || m.Ops() != x.m.Ops() || m.Params() != x.m.Params() {
				t.Errorf("seed %d: the %s header differs", seed, name)
			}
			checkSize(t, m)
		}
		replayed := New(4)
		replay(t, replayed, x.log)
		compare("replayed", replayed)

		restored := New(4)
		if err := restored.Restore(iotest.OneByteReader(bytes.NewReader(snapshot(t, x.m)))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		compare("restored", restored)

		caughtUp := New(4)
		if err := caughtUp.Restore(bytes.NewReader(early)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		replay(t, caughtUp, x.log[mark:])
		compare("restored and replayed", caughtUp)
	}
}

func replay(t testing.TB, m *Machine, log []byte) {
	t.Helper()
	var op Op
	for len(log) > 0 {
		rest, err := DecodeOp(log, &op)
		if err != nil {
			t.Fatal(err)
		}
		if res := m.Apply(&op, nil); res&Changed == 0 {
			t.Fatalf("%+v did not change anything in replay", op)
		}
		log = rest
	}
}

// An image is the state at Freeze, whatever happens while it is walked and encoded.
func TestImageWhileChanging(t *testing.T) {
	for seed := range uint64(30) {
		x := newWorld(t)
		x.m = NewSeeded(4, seed)
		gen := newRandomOps(seed)
		for range 1000 {
			x.do(gen.next())
		}
		for i := range 200 {
			x.do(on(Set, fmt.Sprint("extra", i), "v").in(i % 4))
		}
		for round := range 3 {
			want, header := x.m.Digest(), x.m.header()
			img := x.m.Freeze()
			if x.m.Freeze() != nil {
				t.Fatal("a second image while one is walked")
			}
			var buf bytes.Buffer
			enc := NewEncoder(&buf, img)
			for steps := 0; ; steps++ {
				for range gen.r.IntN(60) {
					x.do(gen.next())
				}
				if steps == 3 && round == 2 {
					x.do(Op{Kind: FlushAll, AtMS: gen.nowMS})
				}
				done := img.Step(1 + gen.r.IntN(20))
				batch := img.Take()
				for range gen.r.IntN(20) { // the batch is encoded while the machine goes on
					x.do(gen.next())
				}
				if err := enc.Objects(batch); err != nil {
					t.Fatal(err)
				}
				if done {
					break
				}
			}
			if err := enc.Close(); err != nil {
				t.Fatal(err)
			}
			restored := New(4)
			if err := restored.Restore(&buf); err != nil {
				t.Fatalf("seed %d round %d: %v", seed, round, err)
			}
			if restored.Digest() != want || restored.header() != header {
				t.Errorf("seed %d round %d: the image is not the state at Freeze", seed, round)
			}
			checkSize(t, x.m)
		}
		replayed := New(4)
		replay(t, replayed, x.log)
		if replayed.Digest() != x.m.Digest() {
			t.Errorf("seed %d: images disturbed the state", seed)
		}
	}
}

// What was taken is encoded on another goroutine while the machine goes on: run with -race.
func TestEncodingBesideChanges(t *testing.T) {
	x := newWorld(t)
	gen := newRandomOps(1)
	for range 2000 {
		x.do(gen.next())
	}
	want := x.m.Digest()
	img := x.m.Freeze()
	batches, result := make(chan []Frozen, 1000), make(chan error)
	var buf bytes.Buffer
	go func() {
		enc := NewEncoder(&buf, img)
		for batch := range batches {
			_ = enc.Objects(batch) // Close tells
		}
		result <- enc.Close()
	}()
	for done := false; !done; {
		x.do(gen.next())
		done = img.Step(1)
		batches <- img.Take()
	}
	for range 2000 {
		x.do(gen.next())
	}
	close(batches)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	restored := New(4)
	if err := restored.Restore(&buf); err != nil || restored.Digest() != want {
		t.Errorf("the image is not the state at Freeze: %v", err)
	}
}

func TestAbandonedImage(t *testing.T) {
	x := newWorld(t)
	x.fill("a", "1", "b", "2")
	img := x.m.Freeze()
	img.Abandon()
	x.fill("a", "3")
	if got := img.Take(); got != nil || !img.Step(1) {
		t.Errorf("an abandoned image got %d keys", len(got))
	}
	if img := x.m.Freeze(); img == nil {
		t.Error("no image after one was abandoned")
	} else if err := img.Encode(&bytes.Buffer{}); !errors.Is(err, errNotWalked) {
		t.Errorf("encoding half an image: %v", err)
	}
}

func TestDigest(t *testing.T) {
	x, y := newWorld(t), newWorld(t)
	if x.m.Digest() != [20]byte{} {
		t.Error("the digest of nothing is not zero")
	}
	x.fill("a", "1", "b", "2")
	y.fill("b", "2", "a", "1")
	if x.m.Digest() != y.m.Digest() {
		t.Error("order makes a difference")
	}
	before := x.m.Digest()
	for _, op := range []Op{
		on(Set, "a", "2"), on(Set, "c", "1"), on(Set, "a", "1").with(0, 5e6), on(Set, "a", "1").in(1), {Kind: SetParams, N: [4]int64{1}},
	} {
		z := newWorld(t)
		z.fill("a", "1", "b", "2")
		z.do(op)
		if z.m.Digest() == before {
			t.Errorf("%+v makes no difference", op)
		}
	}
}

// Damage anywhere is refused, and leaves the machine as it was.
func TestRestoreRefusesDamage(t *testing.T) {
	x := newWorld(t)
	gen := newRandomOps(5)
	for range 300 {
		x.do(gen.next())
	}
	good := snapshot(t, x.m)
	m := New(4)
	m.Apply(&Op{Kind: Set, Key: []byte("k"), Args: list("v"), AtMS: 1}, nil)
	want := m.Digest()
	refuse := func(what string, data []byte) {
		t.Helper()
		if err := m.Restore(bytes.NewReader(data)); !errors.Is(err, ErrBadSnapshot) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	step := max(1, len(good)/2000)
	for i := 0; i < len(good); i += step {
		refuse(fmt.Sprint("cut to ", i), good[:i])
		damaged := bytes.Clone(good)
		damaged[i] ^= 1 << (i % 8)
		refuse(fmt.Sprint("bit of byte ", i), damaged)
	}
	refuse("a byte more", append(bytes.Clone(good), 0))
	if m.Digest() != want {
		t.Error("a refused snapshot changed the machine")
	}
	if err := New(1).Restore(bytes.NewReader(good)); !errors.Is(err, ErrBadSnapshot) {
		t.Errorf("keys of databases that do not exist: %v", err)
	}
	broken := errors.New("disk on fire")
	if err := m.Restore(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("error of the reader: %v", err)
	}
}

func FuzzRestore(f *testing.F) {
	for seed := range uint64(3) {
		x := newWorld(f)
		gen := newRandomOps(seed)
		for range 60 {
			x.do(gen.next())
		}
		f.Add(snapshot(f, x.m))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := New(4)
		if err := m.Restore(bytes.NewReader(data)); err != nil {
			return
		}
		again := New(4)
		if err := again.Restore(bytes.NewReader(snapshot(t, m))); err != nil || again.Digest() != m.Digest() {
			t.Fatalf("restored state is not stable: %v", err)
		}
	})
}

// The bytes of a snapshot are frozen: they are on disk.
func TestSnapshotBytes(t *testing.T) {
	x := newWorld(t)
	x.do(Op{Kind: Set, DB: 1, Key: []byte("k"), Args: list("v"), N: [4]int64{5}, AtMS: 3})
	got := snapshot(t, x.m)
	const want = "5354524d534e4150" + "01" + "04" + "06" + "01" + "8040" + "c801" + "c801" + "c801" + "d740c05c1dd33598" +
		"01" + "01" + "016b" + "0a" + "00" + "0176" + "00" + "01" + "7e107ddcc9a99745c2d44108dbd56b0a24a8f944"
	if fmt.Sprintf("%x", got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}
