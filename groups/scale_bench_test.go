package groups

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/streamd/streamd/stream"
)

var scale = flag.Int("scale", 10, "the largest group that BenchmarkScale makes, in 100,000 pending entries")

// BenchmarkScale shows that what an operation costs does not grow with the number of pending entries:
//
//	go test -run - -bench Scale -scale 100 ./groups
func BenchmarkScale(b *testing.B) {
	for times := 1; times <= *scale; times *= 10 {
		n := times * 100_000
		g, ids := delivered(n)
		rare := g.AddConsumer([]byte("rare"), 0)
		g.Put(ids[n-1], rare, -1, 1)
		c := g.AddConsumer([]byte("b"), 0)
		r := rand.New(rand.NewPCG(1, 1))
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%dk", name, n/1000), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		last, now := ids[n-1], int64(n)
		run("deliver, ack", func() {
			last.MS++
			g.Put(last, c, now, 1)
			g.Ack(last)
		})
		run("ack, deliver anywhere", func() {
			id := ids[r.IntN(n-1)]
			g.Ack(id)
			g.Put(id, c, now, 1)
		})
		run("claim 100 by idle", func() {
			left := 100
			now++
			g.ByIdle(now-1, func(p Pending) bool {
				g.Put(p.ID, c, now, p.Count)
				left--
				return left > 0
			})
		})
		run("claim 100 by id", func() {
			at := g.Pendings(ids[r.IntN(n-1)])
			for left := 100; left > 0 && at.Next(); left-- {
				g.Put(at.Pending().ID, c, now, 1)
			}
		})
		g.Put(ids[n-1], rare, -1, 1)
		run("10 idle ones of all, the oldest last", func() {
			at := g.Pendings(stream.MinID)
			at.SkipIdle(-1)
			for left := 10; left > 0 && at.Next(); left-- {
			}
		})
		run("history of a consumer with one, the last", func() {
			for at := g.PendingsOf(rare, stream.MinID); at.Next(); {
			}
		})
		run("oldest, first, last", func() {
			g.OldestSince()
			g.FirstPending()
			g.LastPending()
		})
	}
}
