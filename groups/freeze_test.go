package groups

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/streamd/streamd/stream"
)

// TestImageIsReadWhileTheSetChanges is for the race detector above all.
func TestImageIsReadWhileTheSetChanges(t *testing.T) {
	x := New()
	for n := range 3 {
		g := x.Create(fmt.Appendf(nil, "g%d", n), stream.MinID, 0)
		c := g.AddConsumer([]byte("c"), 1)
		for seq := range uint64(2000) {
			g.Put(stream.ID{MS: 1, Seq: seq}, c, int64(seq), 1)
		}
		g.Nack(stream.ID{MS: 1, Seq: 100}, 5)
	}
	var readers sync.WaitGroup
	next := uint64(2000)
	for round := range uint64(20) {
		want := x.Encode(nil)
		image := x.Freeze()
		readers.Go(func() {
			if !bytes.Equal(image.Encode(nil), want) {
				t.Error("the image changed")
			}
			image.Ascend(func(g *Group) bool {
				for c := g.PendingsOf(g.Consumer([]byte("c")), stream.MinID); c.Next(); {
					if c.Pending().Owner == nil {
						t.Error("entry without owner")
					}
				}
				return image.Get(g.Name()) == g
			})
			if err := image.Check(); err != nil {
				t.Error(err)
			}
		})
		for n := range 3 {
			g := x.Get(fmt.Appendf(nil, "g%d", n))
			c := g.Consumer([]byte("c"))
			c.SeenMS++
			for i := range uint64(300) {
				g.Put(stream.ID{MS: 1, Seq: next + i}, c, int64(next+i), 1)
				g.Ack(stream.ID{MS: 1, Seq: round*300 + i})
			}
			g.ByIdle(int64(next), func(p Pending) bool {
				g.Put(p.ID, c, int64(next), p.Count+1)
				return p.Count < 2
			})
			g.OldestSince()
			g.SetLastID(stream.ID{MS: next})
			g.DeleteConsumer([]byte("d"))
			g.AddConsumer([]byte("d"), 1)
		}
		next += 300
		x.Drop(stream.ID{MS: 1, Seq: next - 1})
		x.Referenced(stream.MinID)
	}
	readers.Wait()
	if err := x.Check(); err != nil {
		t.Error(err)
	}
}

func TestStalePointersAreRefused(t *testing.T) {
	x := New()
	g := x.Create([]byte("g"), stream.MinID, 0)
	image := x.Freeze()
	for name, change := range map[string]func(){
		"stale group": func() { g.SetLastID(stream.MaxID) },
		"image group": func() { image.Get([]byte("g")).Nack(stream.MinID, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the change went through", name)
				}
			}()
			change()
		}()
	}
	x.Get([]byte("g")).SetLastID(stream.MaxID)
	if got := image.Get([]byte("g")).LastID(); got != stream.MinID {
		t.Errorf("image has %v", got)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	x := sampleSet()
	before := x.Encode(nil)
	c := x.Clone()
	id := stream.ID{MS: 1000, Seq: 1}
	c.Drop(id)
	if !bytes.Equal(x.Encode(nil), before) {
		t.Error("the original changed with the clone")
	}
	after := c.Encode(nil)
	x.Destroy([]byte("g"))
	if !bytes.Equal(c.Encode(nil), after) {
		t.Error("the clone changed with the original")
	}
	if _, ok := c.Get([]byte("g")).Get(id); ok {
		t.Error("the dropped entry is still pending in the clone")
	}
}
