package groups

import (
	"fmt"

	"github.com/streamd/streamd/stream"
)

// Check tells which invariant of the set is broken, if any. It reads everything; it is for tests.
func (x *Set) Check() (err error) {
	sizeBytes, atLowest := int64(0), 0
	x.Ascend(func(g *Group) bool {
		if err = g.check(); err != nil {
			err = fmt.Errorf("group %q: %w", g.name, err)
			return false
		}
		sizeBytes += g.sizeBytes
		if g.last.Less(x.lowest) && x.atLowest > 0 {
			err = fmt.Errorf("group %q is below the lowest last id %v", g.name, x.lowest)
			return false
		}
		if g.last == x.lowest {
			atLowest++
		}
		return true
	})
	switch {
	case err != nil:
		return err
	case sizeBytes != x.sizeBytes:
		return fmt.Errorf("size is %d, groups have %d", x.sizeBytes, sizeBytes)
	case x.atLowest > 0 && x.atLowest != atLowest:
		return fmt.Errorf("%d groups at the lowest last id, counted %d", x.atLowest, atLowest)
	}
	return nil
}

// check is Check for one group.
func (g *Group) check() error {
	c := counts{owned: make([]int64, len(g.table)+1)}
	for seg := g.firstSegment(); seg != nil; seg = g.segmentAfter(seg) {
		if err := g.checkSegment(seg, &c); err != nil {
			return fmt.Errorf("segment at %v: %w", seg.firstID(), err)
		}
	}
	if t := g.tail; t != nil && t.live == 0 {
		c.sizeBytes += t.sizeBytes()
	}
	sealed, aged := 0, 0
	if g.sealed != nil {
		sealed, aged = g.sealed.Len(), g.age.Len()
	}
	switch {
	case c.pending != g.pending:
		return fmt.Errorf("%d pending, counted %d", g.pending, c.pending)
	case c.unowned != g.NumNacked():
		return fmt.Errorf("%d in the zone, counted %d", g.NumNacked(), c.unowned)
	case c.sealed != sealed || c.aged != aged:
		return fmt.Errorf("%d sealed and %d aged, counted %d and %d", sealed, aged, c.sealed, c.aged)
	}
	numbers := 0
	for number, consumer := range g.table {
		if consumer == nil {
			if c.owned[number] != 0 {
				return fmt.Errorf("vacant number %d owns entries", number)
			}
			continue
		}
		numbers++
		if consumer.number != uint32(number) || g.Consumer(consumer.name) != consumer {
			return fmt.Errorf("consumer %q is not found", consumer.name)
		}
		if consumer.pending != c.owned[number] {
			return fmt.Errorf("consumer %q has %d pending, counted %d", consumer.name, consumer.pending, c.owned[number])
		}
		c.sizeBytes += consumerOverheadBytes + int64(len(consumer.name))
	}
	if numbers != g.NumConsumers() || len(g.table) > 0 && numbers+len(g.vacant)+1 != len(g.table) {
		return fmt.Errorf("%d consumers, counted %d", g.NumConsumers(), numbers)
	}
	c.sizeBytes += groupOverheadBytes + int64(len(g.name)) + zoneBytes*c.unowned
	if c.sizeBytes != g.sizeBytes {
		return fmt.Errorf("size is %d, counted %d", g.sizeBytes, c.sizeBytes)
	}
	return nil
}

// counts is what checkSegment adds up.
type counts struct {
	pending, unowned int64
	owned            []int64 // by consumer number
	sealed, aged     int
	sizeBytes        int64
	last             stream.ID
}

func (g *Group) checkSegment(seg *segment, c *counts) error {
	if seg.live == 0 || seg.sealed == (seg == g.tail) {
		return fmt.Errorf("live %d, sealed %v", seg.live, seg.sealed)
	}
	if seg.sealed {
		c.sealed++
		if item, ok := g.sealed.Get(sealedSegment{first: seg.first}); !ok || item.seg != seg || seg.firstID().Less(seg.first) {
			return fmt.Errorf("wrong key %v", seg.first)
		}
		if seg.oldest != noSince {
			c.aged++
			if _, ok := g.age.Get(agedSegment{seg.oldest, seg.first}); !ok {
				return fmt.Errorf("not filed under %d", seg.oldest)
			}
		}
	}
	var wide [segmentSlots]bool
	wides, unowned := 0, int64(0)
	for i, p := range seg.view() {
		e := seg.load(i)
		if c.pending > 0 && !c.last.Less(e.id) {
			return fmt.Errorf("%v after %v", e.id, c.last)
		}
		if p.isWide() {
			wides++
			if int(p.since) >= len(seg.wide) || wide[p.since] {
				return fmt.Errorf("bad wide index at %v", e.id)
			}
			wide[p.since] = true
		}
		if e.owner != 0 && g.table[e.owner] != nil && e.id.Less(g.table[e.owner].low) {
			return fmt.Errorf("%v is below the lowest of its owner", e.id)
		}
		if e.owner == 0 {
			unowned++
			if id, ok := g.zone.Get(uint64(e.since)); !ok || id != e.id {
				return fmt.Errorf("%v is not in the zone", e.id)
			}
		} else if g.table[e.owner] == nil || seg.owners&ownerBit(e.owner) == 0 {
			return fmt.Errorf("bad owner at %v", e.id)
		}
		c.owned[e.owner]++
		c.pending++
		c.last = e.id
	}
	c.owned[0] = 0
	c.unowned += unowned
	c.sizeBytes += seg.sizeBytes()
	oldest, _ := seg.exact()
	switch {
	case wides != len(seg.wide):
		return fmt.Errorf("%d wide entries, counted %d", len(seg.wide), wides)
	case unowned != int64(seg.unowned):
		return fmt.Errorf("%d NACKed, counted %d", seg.unowned, unowned)
	case oldest < seg.oldest || seg.tight && oldest != seg.oldest:
		return fmt.Errorf("oldest is %d, summary has %d", oldest, seg.oldest)
	}
	return nil
}
