package groups

import (
	"github.com/tidwall/btree"

	"github.com/streamd/streamd/stream"
)

// staleLimit is how many changes make a summary worth computing anew: half a segment.
const staleLimit = segmentSlots / 2

// push appends e, which is above all pending entries.
func (g *Group) push(e entry) {
	if g.tail == nil {
		g.newTail(firstSlots, e.id)
	}
	t := g.own(g.tail)
	if t.live == 0 {
		t.empty(e.id)
	}
	key, ok := t.keyOf(e.id)
	if !ok || t.live == segmentSlots || t.head+t.live == segmentSlots && t.live > segmentSlots/2 {
		size := slotsFor(min(2*t.live, segmentSlots))
		g.seal(t)
		g.newTail(size, e.id)
		t = g.tail
		key, _ = t.keyOf(e.id)
	}
	g.reserve(t)
	t.live++
	g.place(t, t.live-1, key, e)
}

// insert puts e, which is not above all pending entries, at place i of seg, as locate found it.
func (g *Group) insert(seg *segment, i int, e entry) {
	if seg == nil {
		seg, i = g.firstSegment(), 0
	}
	seg = g.own(seg)
	key, ok := seg.keyOf(e.id)
	if !ok || seg.live == segmentSlots || seg.sealed && e.id.Less(seg.first) {
		g.rebuild(seg, i, e)
		return
	}
	if seg.head == 0 {
		g.reserve(seg)
	}
	seg.open(i)
	g.place(seg, i, key, e)
}

// reserve makes sure that seg, which holds fewer than segmentSlots entries, has a free slot behind its last one.
func (g *Group) reserve(seg *segment) {
	n := len(seg.slots)
	switch {
	case seg.head+seg.live < n:
	case seg.head > 0 && (seg.live <= n/2 || n == segmentSlots):
		copy(seg.slots, seg.view())
		seg.head = 0
	default:
		g.resize(seg, 2*n)
	}
}

// resize gives seg an array of n slots.
func (g *Group) resize(seg *segment, n int) {
	g.charge(slotBytes * int64(n-len(seg.slots)))
	seg.resize(n)
}

// rebuild replaces seg by as many segments as are needed to hold its entries and e, which comes at place i: one cannot,
// because it is full or because the ids lie too far apart.
func (g *Group) rebuild(seg *segment, i int, e entry) {
	var buffer [segmentSlots + 1]entry
	all := buffer[:0]
	for j := range seg.live {
		if j == i {
			all = append(all, e)
		}
		all = append(all, seg.load(j))
	}
	if i == seg.live {
		all = append(all, e)
	}
	wasTail := seg == g.tail
	g.detach(seg)
	most := segmentSlots
	if len(all) > most {
		most = most/2 + 1
	}
	var to *segment
	for n, e := range all {
		key, ok := uint64(0), false
		if to != nil && to.live < most {
			key, ok = to.keyOf(e.id)
		}
		if !ok {
			if to != nil {
				g.seal(to)
			}
			to = g.take(slotsFor(min(len(all)-n, most)), e.id)
			key, _ = to.keyOf(e.id)
		}
		g.reserve(to)
		to.live++
		g.place(to, to.live-1, key, e)
	}
	if wasTail {
		g.tail = to
	} else {
		g.seal(to)
	}
}

// removed looks after seg, from which an entry was removed. Only a segment that loses entries from its middle is made
// smaller: one that loses them from its front is soon gone.
func (g *Group) removed(seg *segment, fromMiddle bool) {
	seg.stale++
	switch {
	case seg.live == 0 && seg == g.tail:
		seg.empty(stream.ID{})
		g.hint = 0
	case seg.live == 0:
		g.detach(seg)
		g.hint = 0
	case fromMiddle && seg.live*8 <= len(seg.slots) && len(seg.slots) > firstSlots:
		g.resize(seg, slotsFor(2*seg.live))
	case seg.stale >= staleLimit:
		g.summarize(seg)
	}
}

// summarize computes the summary of seg anew.
func (g *Group) summarize(seg *segment) {
	oldest, owners := seg.exact()
	g.refile(seg, oldest)
	seg.owners, seg.tight, seg.stale = owners, true, 0
}

// refile sets seg.oldest, and the place in the age tree that goes with it.
func (g *Group) refile(seg *segment, oldest int64) {
	if seg.sealed && oldest != seg.oldest {
		if seg.oldest != noSince {
			g.age.Delete(agedSegment{seg.oldest, seg.first})
		}
		if oldest != noSince {
			g.age.Set(agedSegment{oldest, seg.first})
		}
	}
	seg.oldest = oldest
}

// take returns an empty segment for entries from id on, with at least n slots if it is a new one.
func (g *Group) take(n int, id stream.ID) *segment {
	var seg *segment
	if x := g.home; len(x.spare) > 0 {
		last := len(x.spare) - 1
		seg, x.spare = x.spare[last], x.spare[:last]
	} else {
		seg = &segment{slots: make([]slot, n)}
	}
	seg.epoch = g.epoch
	seg.empty(id)
	g.charge(seg.sizeBytes())
	return seg
}

// newTail begins a tail for entries from id on.
func (g *Group) newTail(n int, id stream.ID) { g.tail = g.take(n, id) }

// seal puts seg into the trees, where it stays until it is empty.
func (g *Group) seal(seg *segment) {
	if g.sealed == nil {
		g.sealed = btree.NewBTreeGOptions(sealedLess, btree.Options{NoLocks: true})
		g.age = btree.NewBTreeGOptions(agedLess, btree.Options{NoLocks: true})
	}
	seg.first, seg.sealed = seg.firstID(), true
	g.sealed.Set(sealedSegment{seg.first, seg})
	if seg.oldest != noSince {
		g.age.Set(agedSegment{seg.oldest, seg.first})
	}
	if seg == g.tail {
		g.tail = nil
	}
}

// detach takes seg, which the group owns, out of the group and keeps it for the next one that is needed.
func (g *Group) detach(seg *segment) {
	if seg.sealed {
		g.sealed.Delete(sealedSegment{first: seg.first})
		if seg.oldest != noSince {
			g.age.Delete(agedSegment{seg.oldest, seg.first})
		}
	}
	if seg == g.tail {
		g.tail = nil
	}
	if seg == g.recent {
		g.recent = nil
	}
	g.charge(-seg.sizeBytes())
	if x := g.home; len(x.spare) < maxSpare {
		seg.wide, seg.sealed = nil, false
		x.spare = append(x.spare, seg)
	}
}

// own returns seg, or the copy that replaces it if it is shared.
func (g *Group) own(seg *segment) *segment {
	if seg.epoch == g.epoch {
		return seg
	}
	c := seg.copyFor(g.epoch)
	g.charge(c.sizeBytes() - seg.sizeBytes())
	g.version++
	if seg == g.recent {
		g.recent = c
	}
	if seg == g.tail {
		g.tail = c
	} else {
		g.sealed.Set(sealedSegment{seg.first, c})
	}
	return c
}

// dropOwned removes all pending entries of c.
func (g *Group) dropOwned(c *Consumer) {
	for seg := g.firstSegment(); seg != nil && c.pending > 0; {
		next := g.segmentAfter(seg)
		if seg.owners&ownerBit(c.number) != 0 {
			g.dropFrom(g.own(seg), c)
		}
		seg = next
	}
	if c.pending != 0 {
		panic("groups: the pending count of a consumer is wrong")
	}
}

// dropFrom removes the entries of c from seg.
func (g *Group) dropFrom(seg *segment, c *Consumer) {
	var gone [segmentSlots]bool
	kept := 0
	for i, p := range seg.view() {
		if gone[i] = seg.owner(p) == c.number; !gone[i] {
			kept++
		}
	}
	if kept == seg.live {
		return
	}
	for i := range seg.live {
		if gone[i] {
			g.forget(seg, i)
		}
	}
	v := seg.view()
	to := 0
	for i, p := range v {
		if !gone[i] {
			v[to] = p
			to++
		}
	}
	g.pending -= int64(seg.live - kept)
	g.version++
	seg.live = kept
	if kept > 0 {
		g.summarize(seg)
	}
	g.removed(seg, true)
}

// floor returns the last sealed segment that begins at or before id, or nil.
func (g *Group) floor(id stream.ID) (seg *segment) {
	if g.sealed == nil {
		return nil
	}
	g.sealed.Descend(sealedSegment{first: id}, func(item sealedSegment) bool {
		seg = item.seg
		return false
	})
	return seg
}

// firstSegment returns the segment with the lowest ids, or nil when nothing is pending.
func (g *Group) firstSegment() *segment {
	if g.sealed != nil {
		if item, ok := g.sealed.Min(); ok {
			return item.seg
		}
	}
	return g.liveTail()
}

// lastSealed returns the sealed segment with the highest ids, or nil.
func (g *Group) lastSealed() *segment {
	if g.sealed != nil {
		if item, ok := g.sealed.Max(); ok {
			return item.seg
		}
	}
	return nil
}

// segmentAfter returns the segment that follows seg, or nil.
func (g *Group) segmentAfter(seg *segment) (next *segment) {
	if seg == g.tail {
		return nil
	}
	g.sealed.Ascend(sealedSegment{first: seg.first}, func(item sealedSegment) bool {
		if item.first == seg.first {
			return true
		}
		next = item.seg
		return false
	})
	if next == nil {
		next = g.liveTail()
	}
	return next
}

// liveTail returns the tail if it holds anything, else nil.
func (g *Group) liveTail() *segment {
	if g.tail != nil && g.tail.live > 0 {
		return g.tail
	}
	return nil
}
