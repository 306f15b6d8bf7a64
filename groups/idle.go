package groups

import (
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
	g.home.walk = walkBuffers{w.fronts[:0], w.batch[:0], w.visited[:0]}
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
	left, rest := false, position{}
	for i, p := range seg.view() {
		since, owner := seg.lowSince+int64(p.since), p.meta>>countBits
		if p.isWide() {
			since, owner = seg.wide[p.since].since, seg.wide[p.since].owner
		}
		if owner == 0 || since > w.max.since || w.started && since < w.after.since {
			continue
		}
		at := position{since, seg.idOf(p)}
		switch {
		case w.started && at.compare(w.after) <= 0:
		case at.compare(end) <= 0:
			if !w.wasVisited(at.id) {
				w.batch = append(w.batch, seg.load(i))
			}
		case !left || at.compare(rest) < 0:
			left, rest = true, at
		}
	}
	if left {
		f.next = rest
		w.push(*f)
	}
	order := func(a, b entry) int { return position{a.since, a.id}.compare(position{b.since, b.id}) }
	if !slices.IsSortedFunc(w.batch, order) {
		slices.SortFunc(w.batch, order)
	}
}

// wasVisited tells whether id was visited before the walk came to its end, and stands there because it was claimed.
func (w *walk) wasVisited(id stream.ID) bool {
	if !w.atMax {
		return false
	}
	_, found := slices.BinarySearchFunc(w.visited, id, stream.ID.Compare)
	return found
}

// visit hands out the batch; false when the visitor has enough.
func (w *walk) visit(visit func(Pending) bool) bool {
	for i := range w.batch {
		e := &w.batch[i]
		w.after, w.started = position{e.since, e.id}, true
		if !w.atMax {
			w.visited = append(w.visited, e.id)
		}
		if !visit(w.g.unpack(*e)) {
			return false
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
