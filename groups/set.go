package groups

import (
	"unsafe"

	"github.com/tidwall/btree"

	"github.com/streamd/streamd/stream"
)

// Set holds the groups of one stream by name, in bytewise order. The zero value is an empty set. A Set must not be copied
// by value: its groups point back to it.
type Set struct {
	groups btree.Map[string, *Group]

	// epoch is what own groups and segments are marked with. Freeze and Clone raise it, and then nothing is owned until
	// it is copied.
	epoch  uint64
	frozen bool

	// lowest is the smallest LastID of all groups and atLowest how many groups are there; valid while atLowest > 0.
	lowest   stream.ID
	atLowest int

	sizeBytes int64

	// spare keeps a few emptied segments for the next ones that are needed; none of them is part of any group.
	spare []*segment

	found []*Group    // scratch of Drop
	walk  walkBuffers // scratch of ByIdle, absent while a walk uses it
}

// New returns an empty set.
func New() *Set { return &Set{} }

// maxSpare bounds the emptied segments a set keeps, 4 KiB each at most.
const maxSpare = 2

// groupOverheadBytes estimates a group without name, consumers and pending entries.
const groupOverheadBytes = 320

// text views a name as a string for a lookup; it must not outlive the call.
func text(name []byte) string { return unsafe.String(unsafe.SliceData(name), len(name)) }

// Len returns the number of groups.
func (x *Set) Len() int { return x.groups.Len() }

// Get returns the group of that name, or nil. The pointer may be used for changes until the next Freeze or Clone. On a
// frozen image the group is for reading only.
func (x *Set) Get(name []byte) *Group {
	g, ok := x.groups.Get(text(name))
	if !ok {
		return nil
	}
	return x.owned(g)
}

// owned returns g, or the copy that replaces it if g is shared with an image or a clone.
func (x *Set) owned(g *Group) *Group {
	if g.epoch == x.epoch && g.home == x || x.frozen {
		return g
	}
	g = g.copyFor(x)
	x.groups.Set(text(g.name), g)
	return g
}

// Create adds a group; the caller has checked that the name is free. entriesRead is -1 when unknown.
func (x *Set) Create(name []byte, last stream.ID, entriesRead int64) *Group {
	g := &Group{name: append([]byte{}, name...), home: x, epoch: x.epoch, last: last, entriesRead: entriesRead}
	g.charge(groupOverheadBytes + int64(len(name)))
	if _, replaced := x.groups.Set(text(g.name), g); replaced {
		panic("groups: a group was created twice")
	}
	switch {
	case x.groups.Len() == 1:
		x.lowest, x.atLowest = last, 1
	case x.atLowest > 0:
		x.arrived(last)
	}
	return g
}

// Destroy removes a group with its consumers and pending entries, and tells whether it existed.
func (x *Set) Destroy(name []byte) bool {
	g, ok := x.groups.Delete(text(name))
	if !ok {
		return false
	}
	x.sizeBytes -= g.sizeBytes
	if x.atLowest > 0 && g.last == x.lowest {
		x.atLowest--
	}
	return true
}

// Ascend calls visit for each group in bytewise order of the names until it returns false. The groups are for reading
// only, and the set must not change during the walk.
func (x *Set) Ascend(visit func(*Group) bool) {
	x.groups.Scan(func(_ string, g *Group) bool { return visit(g) })
}

// Referenced tells whether a group has not read id yet (its LastID is smaller) or has it pending.
func (x *Set) Referenced(id stream.ID) bool {
	if x.groups.Len() == 0 {
		return false
	}
	if x.lowestLast().Less(id) {
		return true
	}
	pending := false
	x.groups.Scan(func(_ string, g *Group) bool {
		pending = g.holds(id)
		return !pending
	})
	return pending
}

// Drop removes id from the PEL of every group.
func (x *Set) Drop(id stream.ID) {
	found := x.found[:0]
	x.groups.Scan(func(_ string, g *Group) bool {
		if g.holds(id) {
			found = append(found, g)
		}
		return true
	})
	for _, g := range found {
		x.owned(g).Ack(id)
	}
	clear(found)
	x.found = found[:0]
}

// lowestLast returns the smallest LastID of all groups; there is at least one.
func (x *Set) lowestLast() stream.ID {
	if x.atLowest == 0 {
		x.lowest = stream.MaxID
		x.groups.Scan(func(_ string, g *Group) bool {
			x.arrived(g.last)
			return true
		})
	}
	return x.lowest
}

// arrived accounts for a group that came to stand at id.
func (x *Set) arrived(id stream.ID) {
	switch id.Compare(x.lowest) {
	case -1:
		x.lowest, x.atLowest = id, 1
	case 0:
		x.atLowest++
	}
}

// moved accounts for a group whose LastID went from one id to another.
func (x *Set) moved(from, to stream.ID) {
	if x.atLowest == 0 || from == to {
		return
	}
	left := from == x.lowest
	x.arrived(to)
	if left && from == x.lowest {
		x.atLowest--
	}
}

// SizeBytes estimates the memory of the set.
func (x *Set) SizeBytes() int64 { return x.sizeBytes }

// Freeze returns an image that never changes, in constant time. Another goroutine may read it while x goes on: all that
// only reads, but for ByIdle and OldestSince, which tidy up summaries. Pointers obtained from x before must be got again.
func (x *Set) Freeze() *Set {
	image := x.share()
	image.frozen = true
	return image
}

// Clone returns an independent set of the same content, in constant time. Pointers obtained from x before must be got
// again.
func (x *Set) Clone() *Set { return x.share() }

// share raises the epoch, so that both sets copy what they change.
func (x *Set) share() *Set {
	x.epoch++
	return &Set{
		groups: *x.groups.Copy(), epoch: x.epoch, lowest: x.lowest, atLowest: x.atLowest, sizeBytes: x.sizeBytes,
	}
}
