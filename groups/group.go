package groups

import (
	"slices"

	"github.com/tidwall/btree"

	"github.com/streamd/streamd/stream"
)

// Group is one consumer group. See the package comment for how long a pointer to it is valid.
type Group struct {
	name  []byte // never changes; shared by copies
	home  *Set   // the set this copy belongs to
	epoch uint64 // the home's epoch in which this copy was made

	last        stream.ID // last-delivered-id
	entriesRead int64     // -1 unknown

	// names finds a consumer's number; table holds the consumers by number, nil where a number is vacant. Number 0 is
	// nobody. Invariant: a vacant number owns no pending entry, so that it may be given again.
	names  btree.Map[string, uint32]
	table  []*Consumer
	vacant []uint32

	pending int64 // all pending entries, NACKed ones included

	// tail is the segment that holds the highest ids and takes appends; nil before the first one. It is in no tree.
	tail *segment
	// sealed holds the segments before the tail by their first id; nil while there never was one.
	sealed *btree.BTreeG[sealedSegment]
	// age orders the sealed segments that have an owned entry by segment.oldest; nil together with sealed.
	age *btree.BTreeG[agedSegment]
	// recent is the sealed segment of the last change, a shortcut for changes in id order.
	recent *segment
	// hint is the slot at which the next change is expected, in whatever segment it is.
	hint int

	// zone holds the NACKed entries by the position at which they were given back; nil while there never was one.
	zone     *btree.Map[uint64, stream.ID]
	nextZone uint64 // the position given next, minus 1

	// version counts the changes to the layout: a cursor that finds another one seeks its place again.
	version uint64

	sizeBytes int64
}

// sealedSegment is an item of Group.sealed. Invariant: first is at most the first id of the segment, and above the last
// id of the segment before.
type sealedSegment struct {
	first stream.ID
	seg   *segment
}

// agedSegment is an item of Group.age.
type agedSegment struct {
	oldest int64
	first  stream.ID
}

func sealedLess(a, b sealedSegment) bool { return a.first.Less(b.first) }

func agedLess(a, b agedSegment) bool {
	return a.oldest < b.oldest || a.oldest == b.oldest && a.first.Less(b.first)
}

// Name returns the name; the caller must not change it.
func (g *Group) Name() []byte { return g.name }

// LastID returns the last-delivered-id.
func (g *Group) LastID() stream.ID { return g.last }

// SetLastID moves the last-delivered-id, also backwards.
func (g *Group) SetLastID(id stream.ID) {
	g.mustOwn()
	g.home.moved(g.last, id)
	g.last = id
}

// EntriesRead returns the read counter, -1 when unknown.
func (g *Group) EntriesRead() int64 { return g.entriesRead }

// SetEntriesRead sets the read counter, -1 for unknown.
func (g *Group) SetEntriesRead(n int64) {
	g.mustOwn()
	g.entriesRead = n
}

// mustOwn stops a change through a pointer that outlived a Freeze or Clone: it would change the image.
func (g *Group) mustOwn() {
	if g.epoch != g.home.epoch || g.home.frozen {
		panic("groups: change through a stale or frozen group")
	}
}

// charge accounts for memory taken (or given back, if negative).
func (g *Group) charge(sizeBytes int64) {
	g.sizeBytes += sizeBytes
	g.home.sizeBytes += sizeBytes
}

// copyFor returns the copy of a shared group that x may change. Segments and trees stay shared and are copied on their
// own first change; consumers are few and small and are copied at once.
func (g *Group) copyFor(x *Set) *Group {
	c := *g
	c.home, c.epoch = x, x.epoch
	c.names = *g.names.Copy()
	c.table = make([]*Consumer, len(g.table))
	slab := make([]Consumer, g.names.Len())
	for number, consumer := range g.table {
		if consumer != nil {
			slab[0] = *consumer
			c.table[number], slab = &slab[0], slab[1:]
		}
	}
	c.vacant = slices.Clone(g.vacant)
	if g.sealed != nil {
		c.sealed, c.age = g.sealed.Copy(), g.age.Copy()
	}
	if g.zone != nil {
		c.zone = g.zone.Copy()
	}
	c.version++
	return &c
}
