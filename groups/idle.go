package groups

import (
	"math"
	"slices"

	"github.com/streamd/streamd/stream"
)

// The entries a walk by idle time collects at once: few at first, for most walks stop early, then twice as many each
// time, because every batch looks again at segments whose entries all stayed.
const (
	firstBatch = 64
	lastBatch  = 1 << 15
)

// ByIdle calls visit for pending entries in delivery order until it returns false: the NACKed zone first, in the order
// the entries came there, then the owned entries with SinceMS <= maxSinceMS by ascending SinceMS, ties in id order. It
// walks the entries that were there when it began, each once. visit may acknowledge the entry it is given or Put it with
// a time not before maxSinceMS; it must not change anything else of the group.
func (g *Group) ByIdle(maxSinceMS int64, visit func(Pending) bool) {
	w := walk{
		g: g, max: position{maxSinceMS, stream.MaxID}, after: position{math.MinInt64, stream.MinID},
		batch: g.home.walkBatch, visited: g.home.walkVisited,
	}
	// A walk within this one gets buffers of its own.
	g.home.walkBatch, g.home.walkVisited = nil, nil
	more := w.visitZone(visit)
	for limit := firstBatch; more; limit = min(2*limit, lastBatch) {
		more = w.collect(limit)
		more = w.visit(visit) && more
	}
	g.home.walkBatch, g.home.walkVisited = w.batch[:0], w.visited[:0]
}

// visitZone is the part of the walk before the owned entries; false when the visitor has enough.
func (w *walk) visitZone(visit func(Pending) bool) bool {
	g := w.g
	if g.zone == nil {
		return true
	}
	var batch [firstBatch]stream.ID
	from, end := uint64(0), g.nextZone
	for {
		n := 0
		g.zone.Ascend(from, func(place uint64, id stream.ID) bool {
			if n == len(batch) || place > end {
				return false
			}
			batch[n] = id
			n++
			from = place + 1
			return true
		})
		if n == 0 {
			return true
		}
		for _, id := range batch[:n] {
			w.visited = append(w.visited, id)
			if p, ok := g.Get(id); ok && !visit(p) {
				return false
			}
		}
	}
}

// position is a place in the delivery order of the owned entries.
type position struct {
	since int64
	id    stream.ID
}

func (p position) compare(q position) int {
	switch {
	case p.since < q.since:
		return -1
	case p.since > q.since:
		return 1
	}
	return p.id.Compare(q.id)
}

func (e *entry) position() position { return position{e.since, e.id} }

// walk is a ByIdle under way.
type walk struct {
	g       *Group
	after   position // the entry visited last
	max     position // the end of the walk
	started bool     // after is set
	batch   []entry
	visited []stream.ID // all that were visited, sorted before a batch is collected
	bound   position    // the end of this batch
}

// collect fills the batch with the next entries of the walk, limit at most, and tells whether there may be more.
func (w *walk) collect(limit int) (more bool) {
	g := w.g
	w.batch, w.bound = w.batch[:0], w.max
	slices.SortFunc(w.visited, stream.ID.Compare)
	for item, ok := g.oldestSealed(); ok; {
		if w.bound.compare(position{item.oldest, item.first}) < 0 {
			break
		}
		seg := g.floor(item.first)
		if !seg.tight && g.mayTighten(seg) {
			g.summarize(seg)
		}
		// A segment that turned out to be younger comes again at its right place.
		if seg.oldest == item.oldest {
			more = w.scan(seg, limit) || more
		}
		item, ok = g.sealedAfter(item)
	}
	if t := g.liveTail(); t != nil && t.oldest <= w.bound.since {
		more = w.scan(t, limit) || more
	}
	return w.cut(limit) || more
}

// scan adds the entries of seg that the batch may need, and tells whether some were cut off again.
func (w *walk) scan(seg *segment, limit int) (cut bool) {
	for i := range seg.live {
		e := seg.load(i)
		if e.owner == 0 || e.since > w.bound.since || w.started && w.after.compare(e.position()) >= 0 {
			continue
		}
		if e.since == w.max.since {
			// Perhaps it was claimed during this very walk.
			if _, seen := slices.BinarySearchFunc(w.visited, e.id, stream.ID.Compare); seen {
				continue
			}
		}
		w.batch = append(w.batch, e)
	}
	return len(w.batch) >= 2*limit && w.cut(limit)
}

// cut sorts the batch and leaves the first limit entries, and tells whether there were more.
func (w *walk) cut(limit int) bool {
	order := func(a, b entry) int { return a.position().compare(b.position()) }
	if !slices.IsSortedFunc(w.batch, order) {
		slices.SortFunc(w.batch, order)
	}
	if len(w.batch) <= limit {
		return false
	}
	w.batch = w.batch[:limit]
	w.bound = w.batch[limit-1].position()
	return true
}

// visit hands out the batch; false when the visitor has enough.
func (w *walk) visit(visit func(Pending) bool) bool {
	for i := range w.batch {
		e := &w.batch[i]
		w.after, w.started = e.position(), true
		w.visited = append(w.visited, e.id)
		if !visit(w.g.unpack(*e)) {
			return false
		}
	}
	return true
}

// OldestSince returns 0 if there is a NACKed entry, else the smallest SinceMS of all pending entries; false when nothing
// is pending.
func (g *Group) OldestSince() (ms int64, ok bool) {
	if g.NumNacked() > 0 {
		return 0, true
	}
	oldest := noSince
	if t := g.liveTail(); t != nil {
		oldest = g.exactOldest(t)
	}
	for item, ok := g.oldestSealed(); ok && item.oldest < oldest; {
		oldest = min(oldest, g.exactOldest(g.floor(item.first)))
		item, ok = g.sealedAfter(item)
	}
	return oldest, oldest != noSince
}

// exactOldest returns the oldest delivery time in seg.
func (g *Group) exactOldest(seg *segment) int64 {
	switch {
	case seg.tight:
		return seg.oldest
	case g.mayTighten(seg):
		g.summarize(seg)
		return seg.oldest
	}
	oldest, _ := seg.exact()
	return oldest
}

// mayTighten tells whether the summary of seg may be brought up to date where the entries do not change.
func (g *Group) mayTighten(seg *segment) bool {
	return seg.epoch == g.epoch && g.epoch == g.home.epoch
}

// oldestSealed returns the first item of the age tree.
func (g *Group) oldestSealed() (agedSegment, bool) {
	if g.age == nil {
		return agedSegment{}, false
	}
	return g.age.Min()
}

// sealedAfter returns the item of the age tree that follows the place of item, which may be gone.
func (g *Group) sealedAfter(item agedSegment) (next agedSegment, ok bool) {
	g.age.Ascend(item, func(other agedSegment) bool {
		if other == item {
			return true
		}
		next, ok = other, true
		return false
	})
	return next, ok
}
