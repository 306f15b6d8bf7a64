package groups

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"github.com/streamd/streamd/stream"
)

// sampleSet has every feature of the encoding.
func sampleSet() *Set {
	x := New()
	x.Create([]byte("empty"), stream.MaxID, -1)
	g := x.Create([]byte("g"), stream.ID{MS: 1000, Seq: 7}, 12)
	bob := g.AddConsumer([]byte("bob"), 5000)
	alice := g.AddConsumer([]byte("alice"), 6000)
	alice.ActiveMS = 6001
	g.Put(stream.ID{MS: 1000, Seq: 1}, bob, 5000, 1)
	g.Put(stream.ID{MS: 1000, Seq: 2}, alice, 6001, 2)
	g.Put(stream.ID{MS: 1001}, bob, 5000, math.MaxInt64)
	g.Nack(stream.ID{MS: 1002, Seq: 3}, 4)
	g.Nack(stream.ID{MS: 900}, math.MaxInt64)
	return x
}

func TestEncodeGolden(t *testing.T) {
	const want = "01" + "02" +
		"05" + "656d707479" + "ffffffffffffffffff01" + "ffffffffffffffffff01" + "01" + "00" + "00" +
		"01" + "67" + "e807" + "07" + "18" + "02" +
		"05" + "616c696365" + "e05d" + "e25d" + "01" +
		"03" + "626f62" + "904e" + "01" + "02" +
		"05" +
		"00" + "8407" + "00" + "ffffffffffffffff7f" +
		"02" + "64" + "01" + "904e" + "01" +
		"01" + "00" + "01" + "d20f" + "02" +
		"02" + "01" + "00" + "d10f" + "ffffffffffffffff7f" +
		"00" + "01" + "03" + "04" +
		"ea07" + "03" + "8407" + "00"
	if got := hex.EncodeToString(sampleSet().Encode(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeDoesNotDependOnTheLayout(t *testing.T) {
	straight, crooked := New(), New()
	g := straight.Create([]byte("g"), stream.MinID, 0)
	a, b := g.AddConsumer([]byte("a"), 1), g.AddConsumer([]byte("b"), 1)
	for n := range uint64(1000) {
		owner := a
		if n%3 == 0 {
			owner = b
		}
		g.Put(stream.ID{MS: 5, Seq: n}, owner, 9, 1)
	}
	g = crooked.Create([]byte("g"), stream.MinID, 0)
	g.AddConsumer([]byte("x"), 1)
	b = g.AddConsumer([]byte("b"), 1)
	g.DeleteConsumer([]byte("x"))
	a = g.AddConsumer([]byte("a"), 1)
	for n := uint64(2000); n > 0; n-- {
		owner := a
		if (n-1)%3 == 0 {
			owner = b
		}
		g.Put(stream.ID{MS: 5, Seq: n - 1}, owner, 9, 1)
	}
	for n := range uint64(1000) {
		g.Ack(stream.ID{MS: 5, Seq: 1000 + n})
	}
	if !bytes.Equal(straight.Encode(nil), crooked.Encode(nil)) {
		t.Error("equal content, different encodings")
	}
	if err := crooked.Check(); err != nil {
		t.Error(err)
	}
}

// TestEncodeTo asks for the same bytes as Encode, over several writes.
func TestEncodeTo(t *testing.T) {
	x := sampleSet()
	g := x.Get([]byte("g"))
	c := g.Consumer([]byte("bob"))
	for n := range uint64(50_000) {
		g.Put(stream.ID{MS: 2000 + n, Seq: n % 3}, c, int64(n), 1)
	}
	w := &countingWriter{}
	if err := x.EncodeTo(w); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.Bytes(), x.Encode(nil)) || w.writes < 3 {
		t.Errorf("%d writes, %d bytes", w.writes, w.Len())
	}
	if err := x.EncodeTo(failingWriter{}); !errors.Is(err, errWrite) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type countingWriter struct {
	bytes.Buffer
	writes int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.writes++
	return w.Buffer.Write(p)
}

var errWrite = errors.New("disk full")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errWrite }

func TestDecodeRefusesEveryPrefix(t *testing.T) {
	encoded := sampleSet().Encode(nil)
	for n := range encoded {
		if _, _, err := Decode(encoded[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("prefix of %d bytes: %v", n, err)
		}
	}
}

func TestDecodeRefusesWrongContent(t *testing.T) {
	const head = "01" + "01" + "0167" + "00" + "00" + "01"
	for name, text := range map[string]string{
		"version":             "0200",
		"groups out of order": "0102" + "0162" + "0000010000" + "0161" + "0000010000",
		"group twice":         "0102" + "0161" + "0000010000" + "0161" + "0000010000",
		"read counter":        "0101" + "0161" + "0000030000",
		"long number":         "018000",
		"consumer twice":      head + "02" + "0161000000" + "0161000000" + "00",
		"count too low":       head + "01" + "0161000000" + "01" + "0101010001",
		"count too high":      head + "01" + "0161000002" + "01" + "0101010001",
		"unknown owner":       head + "01" + "0161000001" + "01" + "0201010001",
		"entry twice":         head + "01" + "0161000002" + "02" + "0101010001" + "0100000001",
		"id wraps around":     head + "01" + "0161000002" + "02" + "0101010001" + "01ffffffffffffffffff01000001",
		"negative count":      head + "00" + "01" + "000101" + "ffffffffffffffffff01" + "0101",
		"zone entry twice":    head + "00" + "02" + "00010101" + "00000101" + "0101" + "0101",
		"zone entry unknown":  head + "00" + "01" + "00010101" + "0102",
		"zone entry owned":    head + "01" + "0161000001" + "02" + "0101010001" + "00000101" + "0101",
	} {
		data, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Decode(data); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(sampleSet().Encode(nil))
	f.Add(New().Encode(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, rest, err := Decode(data)
		if err != nil {
			return
		}
		if err := x.Check(); err != nil {
			t.Fatal(err)
		}
		if used := data[:len(data)-len(rest)]; !bytes.Equal(x.Encode(nil), used) {
			t.Fatalf("%x decodes to %x", used, x.Encode(nil))
		}
	})
}
