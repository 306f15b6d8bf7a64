package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// detached is a walk interrupted by Detach, and what it has still to give.
type detached struct {
	c    Cursor
	left int64
	want []string
}

// TestDetach interrupts walks in both directions while a stream changes, and ends them when it has changed much.
func TestDetach(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 2))
		lim := Limits{NodeMaxBytes: int64(r.IntN(3)) * 300, NodeMaxEntries: int64(r.IntN(4)) * 5}
		f := follower{New(), &model{}}
		var walks []detached
		for op := range 400 {
			if err := modelOp(r, &f, lim, 4); err != nil {
				t.Fatalf("seed %d, op %d: %v", seed, op, err)
			}
			if r.IntN(4) == 0 {
				walks = append(walks, interrupted(r, &f)...)
			}
		}
		if err := f.m.same(f.s); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, walk := range walks {
			var got []string
			for walk.c.Next() {
				got = append(got, string(walk.c.AppendEntry(nil)))
			}
			if int64(len(got)) != walk.left || !slices.Equal(got, walk.want) {
				t.Fatalf("seed %d, walk %d: %d entries %q, counted %d, want %q", seed, i, len(got), got, walk.left, walk.want)
			}
		}
	}
}

// interrupted starts a walk somewhere, takes some entries and detaches it.
func interrupted(r *rand.Rand, f *follower) []detached {
	live := f.m.live()
	if len(live) == 0 {
		return nil
	}
	start, end := MinID, MaxID
	from, to := 0, len(live)
	if r.IntN(2) == 0 {
		from = r.IntN(len(live))
		to = from + 1 + r.IntN(len(live)-from)
		start, end = live[from].id, live[to-1].id
	}
	want := live[from:to]
	c := f.s.Scan(start, end)
	if r.IntN(2) == 0 {
		c = f.s.ScanReverse(start, end)
		want = slices.Clone(want)
		slices.Reverse(want)
	}
	taken := 1 + r.IntN(len(want))
	for range taken {
		c.Next()
	}
	d := detached{left: c.Left()}
	c.Detach()
	d.c = c
	for _, e := range want[taken:] {
		d.want = append(d.want, e.reply())
	}
	return []detached{d}
}

// TestCountInHugeNode: without limits all entries are in one node, and blocks are what is counted by.
func TestCountInHugeNode(t *testing.T) {
	s := New()
	const n = 5000
	for i := range uint64(n) {
		if err := s.Append(ID{i + 1, 0}, [][]byte{[]byte("f"), fmt.Appendf(nil, "value %d", i)}, Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	deleted := func(i uint64) bool { return i%3 == 0 || i > 1000 && i < 2500 }
	for i := range uint64(n) {
		if deleted(i) {
			s.Delete(ID{i + 1, 0})
		}
	}
	for _, tt := range [][2]uint64{{0, n + 5}, {1, n}, {7, 7}, {8, 8}, {500, 3000}, {1200, 2400}, {2400, 4800}, {n, n + 1}, {6000, 7000}, {4, 2}} {
		want := int64(0)
		for i := range uint64(n) {
			if !deleted(i) && i+1 >= tt[0] && i+1 <= tt[1] {
				want++
			}
		}
		if got := s.Count(ID{tt[0], 0}, ID{tt[1], 0}); got != want {
			t.Errorf("Count %v: got %d, want %d", tt, got, want)
		}
	}
}
