package groups

import (
	"cmp"
	"math"
	"slices"

	"github.com/streamd/streamd/stream"
)

// ByIdle calls visit for pending entries in delivery order until it returns false: the NACKed zone first, in the order
// the entries came there, then the owned entries with SinceMS <= maxSinceMS by ascending SinceMS, ties in id order. It
// walks the entries that were there when it began, each once. visit may acknowledge the entry it is given or Put it with
// a time not before maxSinceMS; it must not change anything else of the group.
func (g *Group) ByIdle(maxSinceMS int64, visit func(Pending) bool) {
	w := walk{g: g, max: position{maxSinceMS, stream.MaxID}, walkBuffers: g.home.walk}
	// A walk within this one gets buffers of its own.
	g.home.walk = walkBuffers{}
	if w.visitZone(visit) {
		w.begin()
		for w.collect() && w.visit(visit) {
		}
	}
	g.home.walk = walkBuffers{w.fronts[:0], w.ranks[:0], w.batch[:0], w.visited[:0]}
}

// visitZone is the part of the walk before the owned entries; false when the visitor has enough.
func (w *walk) visitZone(visit func(Pending) bool) bool {
	g := w.g
	if g.zone == nil {
		return true
	}
	var batch [64]stream.ID
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

func (a agedSegment) position() position { return position{a.oldest, a.first} }

// front is a segment that a walk has begun to look at, or will next.
type front struct {
	next position // no entry of the segment that is still to be visited comes before
	tail bool
	seg  stream.ID // segment.first, unless it is the tail
}

// walkBuffers are the parts of a walk that are worth keeping for the next one.
type walkBuffers struct {
	fronts  []front // a heap, the smallest next at its top
	ranks   []rank
	batch   []entry
	visited []stream.ID
}

// walk is a ByIdle under way. It takes the segments in the order of the age tree, as late as possible, and goes on with
// whichever has the next entry. Everything is found by position, so it does not matter that the visitor changes the tree,
// nor that a segment may therefore come twice.
type walk struct {
	g       *Group
	max     position // the end of the walk
	after   position // the entry visited last
	started bool     // after is set
	atMax   bool     // what is left has since == max.since
	coming  agedSegment
	more    bool // coming is the next segment that is not among the fronts
	walkBuffers
}

func (w *walk) begin() {
	if t := w.g.liveTail(); t != nil && t.oldest != noSince {
		w.push(front{next: position{t.oldest, t.firstID()}, tail: true})
	}
	if w.g.age != nil {
		w.coming, w.more = w.g.age.Min()
	}
}

// collect fills the batch with the entries that come next and lie in one segment; false at the end of the walk.
func (w *walk) collect() bool {
	for w.batch = w.batch[:0]; len(w.batch) == 0; {
		for w.more && (len(w.fronts) == 0 || w.coming.position().compare(w.fronts[0].next) <= 0) {
			w.push(front{next: w.coming.position(), seg: w.coming.first})
			w.coming, w.more = w.g.sealedAfter(w.coming)
		}
		if len(w.fronts) == 0 || w.fronts[0].next.since > w.max.since {
			return false
		}
		f := w.pop()
		if !w.atMax && f.next.since == w.max.since {
			w.atMax = true
			slices.SortFunc(w.visited, stream.ID.Compare)
		}
		if seg := w.segment(f); seg != nil {
			w.scan(seg, &f)
		}
	}
	return true
}

// segment returns the segment of f, or nil if it is gone.
func (w *walk) segment(f front) *segment {
	if f.tail {
		return w.g.liveTail()
	}
	seg := w.g.floor(f.seg)
	if seg == nil || seg.first != f.seg {
		return nil
	}
	if !seg.tight && w.g.mayTighten(seg) {
		w.g.summarize(seg)
	}
	return seg
}

// rank is the place of an entry in the delivery order of its segment: ties are in the order of at.
type rank struct {
	since int64
	at    int // in the view
}

func (r rank) compare(other rank) int {
	if c := cmp.Compare(r.since, other.since); c != 0 {
		return c
	}
	return r.at - other.at
}

// batchSize is how many entries are taken from a segment at a time: a visitor often wants no more.
const batchSize = 128

// scan moves the entries of seg that come before any other segment's to the batch. If some are left, f goes back to the
// fronts.
func (w *walk) scan(seg *segment, f *front) {
	// What stands at the end of the walk is left to the end, for it must be told from what was claimed on the way.
	end := position{w.max.since - 1, stream.MaxID}
	if w.atMax {
		end = w.max
	}
	if len(w.fronts) > 0 && w.fronts[0].next.compare(end) < 0 {
		end = w.fronts[0].next
	}
	if w.more && w.coming.position().compare(end) < 0 {
		end = w.coming.position()
	}
	first := rank{since: math.MinInt64}
	if w.started {
		first = rank{w.after.since, seg.above(w.after.id)}
	}
	rest, left := w.rank(seg, first, rank{end.since, seg.above(end.id)})
	if n := len(w.ranks); n > batchSize {
		rest, left = w.ranks[batchSize], true
		w.ranks = w.ranks[:batchSize]
	}
	w.batch = slices.Grow(w.batch, len(w.ranks))[:len(w.ranks)]
	for i, r := range w.ranks {
		seg.read(r.at, &w.batch[i])
	}
	if left {
		f.next = position{rest.since, seg.idOf(seg.slots[seg.head+rest.at])}
		w.push(*f)
	}
}

// rank gathers the owned entries of seg from first on and before end that are to be visited, in delivery order. left tells whether more stand behind
// that are for this walk, and rest is the first of them.
func (w *walk) rank(seg *segment, first, end rank) (rest rank, left bool) {
	w.ranks = w.ranks[:0]
	inOrder, last := true, first
	for i, p := range seg.view() {
		r, owner := rank{seg.lowSince + int64(p.since), i}, p.meta>>countBits
		if p.isWide() {
			r.since, owner = seg.wide[p.since].since, seg.wide[p.since].owner
		}
		switch {
		case owner == 0 || r.since > w.max.since || r.since < first.since || r.since == first.since && i < first.at:
		case w.atMax && w.wasVisited(seg.idOf(p)):
		case r.since < end.since || r.since == end.since && i < end.at:
			w.ranks = append(w.ranks, r)
			inOrder = inOrder && r.since >= last.since
			last = r
		case !left || r.since < rest.since:
			rest, left = r, true
		}
	}
	if !inOrder {
		slices.SortFunc(w.ranks, rank.compare)
	}
	return rest, left
}

// wasVisited tells whether id was visited before the walk came to its end, and stands there because it was claimed.
func (w *walk) wasVisited(id stream.ID) bool {
	_, found := slices.BinarySearchFunc(w.visited, id, stream.ID.Compare)
	return found
}

// visit hands out the batch; false when the visitor has enough.
func (w *walk) visit(visit func(Pending) bool) bool {
	for i := range w.batch {
		if !visit(w.g.unpack(&w.batch[i])) {
			return false
		}
	}
	last := &w.batch[len(w.batch)-1]
	w.after, w.started = position{last.since, last.id}, true
	if !w.atMax {
		for i := range w.batch {
			w.visited = append(w.visited, w.batch[i].id)
		}
	}
	return true
}

// push puts f into the heap.
func (w *walk) push(f front) {
	w.fronts = append(w.fronts, f)
	h := w.fronts
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if h[parent].next.compare(h[i].next) <= 0 {
			break
		}
		h[parent], h[i] = h[i], h[parent]
		i = parent
	}
}

// pop takes the front with the smallest next from the heap.
func (w *walk) pop() front {
	h := w.fronts
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h[child+1].next.compare(h[child].next) < 0 {
			child++
		}
		if h[i].next.compare(h[child].next) <= 0 {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	w.fronts = h
	return top
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
	if g.age != nil {
		for item, ok := g.age.Min(); ok && item.oldest < oldest; item, ok = g.sealedAfter(item) {
			oldest = min(oldest, g.exactOldest(g.floor(item.first)))
		}
	}
	return oldest, oldest != noSince
}

// oldestBound returns a time that no owned entry was delivered before.
func (g *Group) oldestBound() int64 {
	bound := noSince
	if t := g.liveTail(); t != nil {
		bound = t.oldest
	}
	if g.age != nil {
		if item, ok := g.age.Min(); ok {
			bound = min(bound, item.oldest)
		}
	}
	return bound
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
