package stream

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestIdempotency(t *testing.T) {
	s := New()
	x := s.Idmp()
	x.Record([]byte("p1"), []byte("i1"), ID{1000, 1})
	x.Record([]byte("p2"), []byte("i1"), ID{2000, 2})
	for _, test := range []struct {
		pid, iid string
		want     ID
		ok       bool
	}{{"p1", "i1", ID{1000, 1}, true}, {"p2", "i1", ID{2000, 2}, true}, {"p1", "i2", ID{}, false}, {"p3", "i1", ID{}, false}} {
		if got, ok := x.Lookup([]byte(test.pid), []byte(test.iid)); got != test.want || ok != test.ok {
			t.Errorf("%s %s: got %v %v, want %v %v", test.pid, test.iid, got, ok, test.want, test.ok)
		}
	}
	if x.Producers() != 2 || x.Iids() != 2 || x.Added() != 2 {
		t.Errorf("got %d producers, %d iids, %d added", x.Producers(), x.Iids(), x.Added())
	}

	// An iid goes when the ms part of its id is at most now - duration.
	x.Expire(1000 + 100_000 - 1)
	if x.Iids() != 2 {
		t.Errorf("expired a millisecond early: %d iids", x.Iids())
	}
	x.Expire(1000 + 100_000)
	if _, ok := x.Lookup([]byte("p1"), []byte("i1")); ok || x.Producers() != 1 || x.Iids() != 1 {
		t.Errorf("not expired: %d producers, %d iids", x.Producers(), x.Iids())
	}

	x.SetConfig(100, 100)
	if x.Iids() != 1 {
		t.Error("equal settings dropped iids")
	}
	x.SetConfig(101, 100)
	if x.Iids() != 0 || x.Producers() != 0 || x.Added() != 2 {
		t.Errorf("changed settings: %d iids, %d producers, %d added", x.Iids(), x.Producers(), x.Added())
	}
}

func TestIdempotencyDropsTheOldestInsertion(t *testing.T) {
	x := New().Idmp()
	x.SetConfig(100, 3)
	// The order is that of insertion, not of ids.
	for i, ms := range []uint64{50, 10, 40, 30, 20} {
		x.Record([]byte("p"), fmt.Append(nil, "i", i), ID{ms, 0})
	}
	for i, want := range []bool{false, false, true, true, true} {
		if _, ok := x.Lookup([]byte("p"), fmt.Append(nil, "i", i)); ok != want {
			t.Errorf("i%d: got %v, want %v", i, ok, want)
		}
	}
	x.Expire(100_000 + 30)
	for i, want := range []bool{false, false, true, false, false} {
		if _, ok := x.Lookup([]byte("p"), fmt.Append(nil, "i", i)); ok != want {
			t.Errorf("expired: i%d: got %v, want %v", i, ok, want)
		}
	}
	if err := x.check(); err != nil {
		t.Error(err)
	}
}

// Random calls against a plain list, with images on the way.
func TestIdempotencyModel(t *testing.T) {
	type rec struct {
		pid, iid string
		id       ID
	}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := New()
		size := 1 + r.IntN(30)
		s.Idmp().SetConfig(1, int64(size))
		var want []rec
		var images []*Stream
		var encoded [][]byte
		now := int64(5000)
		for range 600 {
			x := s.Idmp()
			now += int64(r.IntN(60))
			x.Expire(now)
			kept := want[:0]
			for _, w := range want {
				if int64(w.id.MS) > now-1000 {
					kept = append(kept, w)
				}
			}
			want = kept
			pid, iid := fmt.Sprint("p", r.IntN(5)), fmt.Sprint("i", r.IntN(80))
			at := -1
			for i, w := range want {
				if w.pid == pid && w.iid == iid {
					at = i
				}
			}
			id, ok := x.Lookup([]byte(pid), []byte(iid))
			if ok != (at >= 0) || ok && id != want[at].id {
				t.Fatalf("seed %d: %s %s: got %v %v, want %d", seed, pid, iid, id, ok, at)
			}
			if !ok {
				id := ID{uint64(now), 0}
				if r.IntN(4) == 0 {
					id.MS -= uint64(r.IntN(900))
				}
				x.Record([]byte(pid), []byte(iid), id)
				want = append(want, rec{pid, iid, id})
				held, first := 0, -1
				for i, w := range want {
					if w.pid == pid {
						if held++; first < 0 {
							first = i
						}
					}
				}
				if held > size {
					want = append(want[:first], want[first+1:]...)
				}
			}
			if x.Iids() != int64(len(want)) {
				t.Fatalf("seed %d: %d iids, want %d", seed, x.Iids(), len(want))
			}
			later := now + int64(r.IntN(2000))
			live := map[string]int64{}
			for _, w := range want {
				if int64(w.id.MS) > later-1000 {
					live[w.pid]++
				}
			}
			producers, iids := x.Tracked(later)
			for _, n := range live {
				iids -= n
			}
			if producers != len(live) || iids != 0 {
				t.Fatalf("seed %d: tracked at %d: %d producers, want %d; %d iids too many", seed, later, producers, len(live), iids)
			}
			switch r.IntN(30) {
			case 0:
				image := s.Freeze()
				images, encoded = append(images, image), append(encoded, image.Encode(nil))
			case 1:
				restored, rest, err := Decode(s.Encode(nil))
				if err != nil || len(rest) > 0 || !bytes.Equal(restored.Encode(nil), s.Encode(nil)) {
					t.Fatalf("seed %d: decode: %v", seed, err)
				}
				s = restored
			}
			if err := s.Check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for i, image := range images {
			if !bytes.Equal(image.Encode(nil), encoded[i]) {
				t.Fatalf("seed %d: an image changed", seed)
			}
		}
	}
}

func TestAutoIdentity(t *testing.T) {
	of := func(text ...string) string {
		var fields [][]byte
		for _, s := range text {
			fields = append(fields, []byte(s))
		}
		return hex.EncodeToString(AutoIdentity(nil, fields))
	}
	if of("a", "1", "b", "2") != of("b", "2", "a", "1") {
		t.Error("the order of pairs matters")
	}
	for _, other := range [][]string{{"a", "1"}, {"a", "2", "b", "1"}, {"a", "1", "b", "2", "b", "2"}, {"a1", "", "b", "2"}} {
		if of("a", "1", "b", "2") == of(other...) {
			t.Errorf("%q has the same identity", other)
		}
	}
	if got := of("a", "1"); len(got) != 32 {
		t.Errorf("got %q, want 16 bytes", got)
	}
	large := [][]byte{[]byte("f"), bytes.Repeat([]byte("v"), 4096)}
	if got := len(AutoIdentity(make([]byte, 3), large)); got != 19 {
		t.Errorf("got %d bytes behind 3, want 16", got-3)
	}
}
