package stream

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

func TestAutoID(t *testing.T) {
	tests := []struct {
		last ID
		ms   uint64
		want ID
		ok   bool
	}{
		{ID{}, 0, ID{0, 1}, true},
		{ID{}, 5, ID{5, 0}, true},
		{ID{5, 3}, 5, ID{5, 4}, true},
		{ID{5, 3}, 4, ID{5, 4}, true},
		{ID{5, math.MaxUint64}, 5, ID{6, 0}, true},
		{ID{math.MaxUint64, math.MaxUint64 - 1}, 5, MaxID, true},
		{MaxID, 5, ID{}, false},
	}
	for _, test := range tests {
		s := New()
		s.SetID(test.last, ID{}, 0)
		if got, ok := s.AutoID(test.ms); ok != test.ok || ok && got != test.want {
			t.Errorf("after %v at %d: got %v %v, want %v %v", test.last, test.ms, got, ok, test.want, test.ok)
		}
	}
}

func TestAutoSeq(t *testing.T) {
	tests := []struct {
		last ID
		ms   uint64
		want ID
		ok   bool
	}{
		{ID{}, 0, ID{0, 1}, true},
		{ID{7, 0}, 7, ID{7, 1}, true},
		{ID{7, 0}, 8, ID{8, 0}, true},
		{ID{7, 1}, 6, ID{}, false},
		{ID{10, math.MaxUint64}, 10, ID{}, false},
		{MaxID, math.MaxUint64, ID{}, false},
	}
	for _, test := range tests {
		s := New()
		s.SetID(test.last, ID{}, 0)
		if got, ok := s.AutoSeq(test.ms); ok != test.ok || ok && got != test.want {
			t.Errorf("after %v, %d-*: got %v %v, want %v %v", test.last, test.ms, got, ok, test.want, test.ok)
		}
	}
}

func TestFailedAppendChangesNothing(t *testing.T) {
	s := numbered(t, 3, tens)
	before := s.Encode(nil)
	if err := s.Append(ID{3, 0}, pair("a", "b"), tens); !errors.Is(err, ErrNotAbove) {
		t.Errorf("got %v, want ErrNotAbove", err)
	}
	if err := New().Append(ID{}, pair("a", "b"), tens); !errors.Is(err, ErrNotAbove) {
		t.Errorf("0-0: got %v, want ErrNotAbove", err)
	}
	half := make([]byte, 1<<29)
	large := [][]byte{half, half, {}, {0}}
	if err := s.Append(ID{4, 0}, large, tens); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if err := s.Append(ID{3, 0}, large, tens); !errors.Is(err, ErrNotAbove) {
		t.Errorf("got %v, want ErrNotAbove before ErrTooLarge", err)
	}
	if !bytes.Equal(before, s.Encode(nil)) {
		t.Error("a failed append left a trace")
	}
}

func TestAppendCopies(t *testing.T) {
	s := New()
	fields := pair("field", "value")
	if err := s.Append(ID{1, 1}, fields, tens); err != nil {
		t.Fatal(err)
	}
	copy(fields[0], "XXXXX")
	copy(fields[1], "XXXXX")
	c := s.Scan(MinID, MaxID)
	if !c.Next() || string(c.AppendEntry(nil)) != "*2\r\n$3\r\n1-1\r\n*2\r\n$5\r\nfield\r\n$5\r\nvalue\r\n" {
		t.Errorf("got %q", c.AppendEntry(nil))
	}
}

// Sizes on both sides of every step of the packed form.
func TestLargeEntries(t *testing.T) {
	s := New()
	var want [][]byte
	for i, size := range []int{0, 127, 128, 0xffff - 64, 0xffff, 1 << 16, maxBlock, wideBlock, wideBlock + 1, 3 << 20} {
		value := bytes.Repeat([]byte{'a' + byte(i)}, size)
		want = append(want, value)
		if err := s.Append(ID{1, uint64(i + 1)}, [][]byte{[]byte("f"), value, value, []byte("1")}, tens); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	s, _, err := Decode(s.Encode(nil))
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for c := s.Scan(MinID, MaxID); c.Next(); i++ {
		if f := c.Fields(nil); !bytes.Equal(f[1], want[i]) || !bytes.Equal(f[2], want[i]) {
			t.Errorf("entry %d came back as %d and %d bytes, want %d", i, len(f[1]), len(f[2]), len(want[i]))
		}
	}
}

func TestHas(t *testing.T) {
	s := numbered(t, 2000, tens)
	s.Delete(ID{1000, 0})
	s.Trim(Trim{MaxLen: 1500})
	for id, want := range map[ID]bool{
		{}: false, {1, 0}: false, {499, 0}: false, {500, 0}: true, {500, 1}: false, {1000, 0}: false, {2000, 0}: true, MaxID: false,
	} {
		if got := s.Has(id); got != want {
			t.Errorf("%v: got %v, want %v", id, got, want)
		}
	}
}

// After ACKED removed the last entries, XSETID may lower the last id below what the tail once held.
func TestAppendBelowRemovedEntries(t *testing.T) {
	s := numbered(t, 5, tens)
	s.Trim(Trim{Keep: func(id ID) bool { return id.MS == 1 }})
	s.SetID(ID{1, 0}, ID{}, 5)
	for _, id := range []ID{{1, 5}, {3, 0}, {9, 0}} {
		mustAppend(t, s, id, tens)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	var got []ID
	for c := s.Scan(MinID, MaxID); c.Next(); {
		got = append(got, c.ID())
	}
	for c := s.ScanReverse(MinID, MaxID); c.Next(); {
		if c.ID() != got[len(got)-1] {
			t.Errorf("backwards %v, want %v", c.ID(), got[len(got)-1])
		}
		got = got[:len(got)-1]
	}
	if len(got) > 0 {
		t.Errorf("backwards without %v", got)
	}
}

// The estimates and tombstones behind the examples L1 … L20 of the specification.
func TestEstimate(t *testing.T) {
	five := func() *Stream { return numbered(t, 5, tens) }
	with := func(s *Stream, change func(s *Stream)) *Stream { change(s); return s }
	without3 := func(s *Stream) { s.Delete(ID{3, 0}) }
	tests := []struct {
		name      string
		s         *Stream
		x         ID
		want      int64
		tombstone bool
	}{
		{"L1: before the first", five(), ID{}, 0, false},
		{"L2: the last", five(), ID{5, 0}, 5, false},
		{"L3: inside", five(), ID{3, 0}, -1, false},
		{"L4: the first", five(), ID{1, 0}, 1, false},
		{"L5: beyond", five(), ID{99, 0}, -1, false},
		{"L10: a tombstone ahead", with(five(), without3), ID{1, 0}, -1, true},
		{"L11: before the tombstone", with(five(), without3), ID{2, 0}, -1, true},
		{"L12: the last, behind the tombstone", with(five(), without3), ID{5, 0}, 5, false},
		{"at the tombstone", with(five(), without3), ID{3, 0}, -1, true},
		{"L14: behind the first entry", with(five(), func(s *Stream) { without3(s); s.Trim(Trim{MaxLen: 1}) }), ID{4, 0}, 4, false},
		{"L15: trimmed away", with(five(), func(s *Stream) { s.Trim(Trim{}) }), ID{2, 0}, 5, false},
		{"L16: beyond, trimmed away", with(five(), func(s *Stream) { s.Trim(Trim{}) }), ID{99, 0}, -1, false},
		{"L17: trimmed in front", with(five(), func(s *Stream) { s.Trim(Trim{MaxLen: 2}) }), ID{}, 3, false},
		{"L18: the first after a trim", with(five(), func(s *Stream) { s.Trim(Trim{MaxLen: 2}) }), ID{4, 0}, 4, false},
		{"L20: nothing added", New(), ID{}, 0, false},
		{"0-0 with a tombstone inside", with(five(), without3), ID{}, -1, true},
		{"deleted in front", with(five(), func(s *Stream) { s.Delete(ID{1, 0}) }), ID{}, 1, true},
	}
	for _, test := range tests {
		if got := test.s.Estimate(test.x); got != test.want {
			t.Errorf("%s: estimate %d, want %d", test.name, got, test.want)
		}
		if got := test.s.TombstoneAhead(test.x); got != test.tombstone {
			t.Errorf("%s: tombstone %v, want %v", test.name, got, test.tombstone)
		}
	}
}
