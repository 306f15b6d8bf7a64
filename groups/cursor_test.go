package groups

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamd/streamd/stream"
)

// Walks by idle time and by owner leap over what they do not want; they find the same as a walk over everything, also when
// entries are acknowledged on the way.
func TestLeapsMissNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 60 {
		const n = 20_000
		g, ids := delivered(n)
		rare := g.AddConsumer([]byte("rare"), 0)
		wanted := r.IntN(40) * r.IntN(40)
		lowest := r.IntN(n)
		for range wanted {
			id := ids[lowest+r.IntN(n-lowest)]
			switch r.IntN(8) {
			case 0:
				g.Nack(id, 1)
			case 1:
				g.Put(id, rare, -1, 1)
			case 2:
				g.Put(id, rare, 1000, 1)
			default:
				g.Put(id, g.Consumer([]byte("a")), -1, 1)
			}
		}
		from := stream.MinID
		if round%2 == 1 {
			from = ids[r.IntN(n)]
		}
		var idle, owned []stream.ID
		for at := g.Pendings(from); at.Next(); {
			p := at.Pending()
			if p.Owner == nil || p.SinceMS < 0 {
				idle = append(idle, p.ID)
			}
			if p.Owner == rare {
				owned = append(owned, p.ID)
			}
		}
		byIdle := g.Pendings(from)
		byIdle.SkipIdle(-1)
		walk := func(at PendingCursor, change bool) (got []stream.ID) {
			for at.Next() {
				p := at.Pending()
				got = append(got, p.ID)
				switch {
				case !change || len(got)%3 == 0:
				case p.Owner == nil || r.IntN(2) == 0:
					g.Ack(p.ID)
				default:
					g.Put(p.ID, p.Owner, p.SinceMS, p.Count+1)
				}
			}
			return got
		}
		expect := func(what string, got, want []stream.ID) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Fatalf("round %d: %d %s, want %d", round, len(got), what, len(want))
			}
		}
		expect("idle", walk(byIdle, false), idle)
		expect("of one owner", walk(g.PendingsOf(rare, from), false), owned)
		if round%4 < 2 {
			expect("idle and changed on the way", walk(byIdle, true), idle)
		} else {
			expect("of one owner and changed on the way", walk(g.PendingsOf(rare, from), true), owned)
		}
		if err := g.home.Check(); err != nil {
			t.Fatal(err)
		}
	}
}
