package groups

import (
	"math"
	"testing"

	"github.com/streamd/streamd/stream"
)

// An id between two entries of a segment may be too far from its bases to be packed there: the segment is taken apart, and
// the order stays.
func TestPutBetweenEntriesThatCannotHoldIt(t *testing.T) {
	for _, order := range [][]stream.ID{
		{{MS: 11, Seq: 1}, {MS: 9}, {MS: 9, Seq: math.MaxUint64}},
		{{MS: 9}, {MS: 11, Seq: 1}, {MS: 9, Seq: math.MaxUint64}},
		{{MS: 1 << 40}, {MS: 1}, {MS: 5, Seq: 1 << 40}, {MS: 3, Seq: 7}, {MS: 5}},
	} {
		g := new(Set).Create([]byte("g"), stream.ID{}, -1)
		c := g.AddConsumer([]byte("c"), 1)
		for _, id := range order {
			g.Put(id, c, 1, 1)
			g.Put(id, c, 2, 2)
		}
		last, n := stream.ID{}, 0
		for p := g.Pendings(stream.ID{}); p.Next(); n++ {
			if id := p.Pending().ID; !last.Less(id) && n > 0 {
				t.Errorf("%v: %v comes after %v", order, id, last)
			}
			last = p.Pending().ID
		}
		if n != len(order) || c.Pending() != int64(n) {
			t.Errorf("%v: %d pending entries, the consumer counts %d", order, n, c.Pending())
		}
	}
}
