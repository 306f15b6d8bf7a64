package stream

import (
	"fmt"
	"slices"
	"testing"
)

// pair is one field and its value.
func pair(field, value string) [][]byte { return [][]byte{[]byte(field), []byte(value)} }

func mustAppend(t testing.TB, s *Stream, id ID, lim Limits) {
	t.Helper()
	if err := s.Append(id, pair("a", "b"), lim); err != nil {
		t.Fatalf("append %v: %v", id, err)
	}
}

// numbered returns a stream of entries 1-0 … n-0.
func numbered(t testing.TB, n int, lim Limits) *Stream {
	t.Helper()
	s := New()
	for i := 1; i <= n; i++ {
		mustAppend(t, s, ID{uint64(i), 0}, lim)
	}
	return s
}

var tens = Limits{NodeMaxBytes: 4096, NodeMaxEntries: 10}

// The examples T1 … T20 of the specification.
func TestTrimExamples(t *testing.T) {
	tests := []struct {
		name    string
		lim     Limits
		prepare func(s *Stream)
		trim    Trim
		removed int64
		length  int64
		first   ID
	}{
		{"T1", tens, nil, Trim{MaxLen: 12, Approx: true}, 10, 15, ID{11, 0}},
		{"T2", tens, nil, Trim{MaxLen: 15, Approx: true}, 10, 15, ID{11, 0}},
		{"T3", tens, nil, Trim{MaxLen: 16, Approx: true}, 0, 25, ID{1, 0}},
		{"T4", tens, nil, Trim{MaxLen: 5, Approx: true}, 20, 5, ID{21, 0}},
		{"T5", tens, nil, Trim{MaxLen: 5, Approx: true, Limit: 9}, 0, 25, ID{1, 0}},
		{"T6", tens, nil, Trim{MaxLen: 5, Approx: true, Limit: 10}, 10, 15, ID{11, 0}},
		{"T7", tens, nil, Trim{MaxLen: 5, Approx: true, Limit: 19}, 10, 15, ID{11, 0}},
		{"T8", tens, nil, Trim{MaxLen: 0, Approx: true}, 25, 0, ID{}},
		{"T9", tens, nil, Trim{MaxLen: 12}, 13, 12, ID{14, 0}},
		{"T10", tens, nil, Trim{ByMinID: true, MinID: ID{11, 0}, Approx: true}, 10, 15, ID{11, 0}},
		{"T11", tens, nil, Trim{ByMinID: true, MinID: ID{10, 0}, Approx: true}, 0, 25, ID{1, 0}},
		{"T12", tens, nil, Trim{ByMinID: true, MinID: ID{26, 0}, Approx: true}, 25, 0, ID{}},
		{"T13", tens, nil, Trim{ByMinID: true, MinID: ID{15, 0}}, 14, 11, ID{15, 0}},
		{"T14", tens, nil, Trim{ByMinID: true, MinID: ID{15, 1}}, 15, 10, ID{16, 0}},
		{"T15", tens, nil, Trim{ByMinID: true, MinID: ID{30, 0}, Approx: true, Limit: 15}, 10, 15, ID{11, 0}},
		{"T16", tens, func(s *Stream) { mustAppend(t, s, ID{100, 0}, tens) }, Trim{MaxLen: 12, Approx: true}, 10, 16, ID{11, 0}},
		{"T17", tens, func(s *Stream) { mustAppend(t, s, ID{100, 0}, tens) }, Trim{MaxLen: 3}, 23, 3, ID{24, 0}},
		{"T18", tens, func(s *Stream) { mustAppend(t, s, ID{100, 0}, tens) }, Trim{ByMinID: true, MinID: ID{200, 0}}, 26, 0, ID{}},
		{"T19", tens, func(s *Stream) { s.Delete(ID{1, 0}); s.Delete(ID{2, 0}) }, Trim{MaxLen: 15, Approx: true}, 8, 15, ID{11, 0}},
		{"T20", Limits{}, nil, Trim{MaxLen: 1, Approx: true}, 0, 25, ID{1, 0}},
		{"minimum of 0-0", tens, nil, Trim{ByMinID: true}, 0, 25, ID{1, 0}},
		{"the highest id", tens, nil, Trim{ByMinID: true, MinID: MaxID}, 25, 0, ID{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := numbered(t, 25, test.lim)
			if test.prepare != nil {
				test.prepare(s)
			}
			added, last, maxDeleted := s.EntriesAdded(), s.LastID(), s.MaxDeletedID()
			if got := s.Trim(test.trim); got != test.removed {
				t.Errorf("removed %d, want %d", got, test.removed)
			}
			if s.Len() != test.length || s.FirstID() != test.first {
				t.Errorf("got %d entries from %v, want %d from %v", s.Len(), s.FirstID(), test.length, test.first)
			}
			if s.EntriesAdded() != added || s.LastID() != last || s.MaxDeletedID() != maxDeleted {
				t.Error("trimming moved a counter")
			}
			if err := s.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTrimTellsEveryRemoval(t *testing.T) {
	s := numbered(t, 25, tens)
	var told []ID
	// "~" with DELREF goes down to the exact target.
	removed := s.Trim(Trim{MaxLen: 22, Approx: true, Removed: func(id ID) { told = append(told, id) }})
	if want := []ID{{1, 0}, {2, 0}, {3, 0}}; removed != 3 || !slices.Equal(told, want) {
		t.Errorf("got %d %v, want %v", removed, told, want)
	}
}

func TestTrimPassesOverWhatIsKept(t *testing.T) {
	s := numbered(t, 25, tens)
	removed := s.Trim(Trim{MaxLen: 5, Keep: func(id ID) bool { return id.MS%2 == 0 }})
	// All three nodes are walked: keeping makes the first two qualify, the last one is the first that does not.
	if removed != 13 || s.Len() != 12 || s.FirstID() != (ID{2, 0}) {
		t.Errorf("got %d, %d entries from %v", removed, s.Len(), s.FirstID())
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestNodes(t *testing.T) {
	s := New()
	lim := Limits{NodeMaxBytes: 4096, NodeMaxEntries: 100}
	for i := range 250 {
		mustAppend(t, s, ID{1, uint64(i + 1)}, lim)
	}
	if got := s.Nodes(); got != 3 {
		t.Errorf("got %d nodes, want 3", got)
	}
	for i := 100; i < 200; i++ {
		s.Delete(ID{1, uint64(i + 1)})
	}
	if got := s.Nodes(); got != 2 {
		t.Errorf("got %d nodes, want 2: one has no entry left", got)
	}
	s.Trim(Trim{})
	if got := s.Nodes(); got != 0 {
		t.Errorf("got %d nodes, want 0", got)
	}
}

// A stream trimmed to a few entries at every append stays in a few small blocks.
func TestTrimmedStreamStaysSmall(t *testing.T) {
	s := New()
	fields := pair("field", fmt.Sprintf("%0100d", 0)+"x")
	for i := range 10000 {
		if err := s.Append(ID{uint64(i + 1), 0}, fields, tens); err != nil {
			t.Fatal(err)
		}
		s.Trim(Trim{MaxLen: 10})
	}
	if got := s.SizeBytes(); got > 8<<10 {
		t.Errorf("10 entries of 100 bytes take %d bytes", got)
	}
}
