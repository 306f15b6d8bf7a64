package groups

import "github.com/streamd/streamd/stream"

// PendingCursor walks pending entries in id order:
//
//	for c := g.Pendings(from); c.Next(); {
//		use(c.Pending())
//	}
//
// The group may change during the walk; the cursor goes on behind the entry it gave last, on the group as it is then. It
// must not outlive the pointer to its group (see the package comment).
type PendingCursor struct {
	g       *Group
	seg     *segment // nil: seek from
	i       int      // place of the next entry in seg
	version uint64   // of g when seg and i were found
	from    stream.ID
	owner   uint32 // only this consumer's entries; 0 for all
	done    bool

	byIdle     bool // only NACKed entries and those delivered by maxSinceMS
	maxSinceMS int64

	at entry
}

// Pendings walks all pending entries from an id on.
func (g *Group) Pendings(from stream.ID) PendingCursor { return PendingCursor{g: g, from: from} }

// PendingsOf walks the pending entries of one consumer from an id on.
func (g *Group) PendingsOf(c *Consumer, from stream.ID) PendingCursor {
	return PendingCursor{g: g, from: from, owner: c.number, done: c.pending == 0}
}

// SkipIdle makes the cursor leave out owned entries delivered after maxSinceMS (the time now less the least idle time);
// NACKed entries always stay in.
func (c *PendingCursor) SkipIdle(maxSinceMS int64) { c.byIdle, c.maxSinceMS = true, maxSinceMS }

// Pending returns the entry that Next found.
func (c *PendingCursor) Pending() Pending { return c.g.unpack(c.at) }

// Next goes to the next entry and tells whether there is one.
func (c *PendingCursor) Next() bool {
	if c.done {
		return false
	}
	if c.seg == nil || c.version != c.g.version {
		if c.byIdle && c.g.NumNacked() == 0 && c.g.oldestBound() > c.maxSinceMS {
			c.done = true
			return false
		}
		c.version = c.g.version
		if c.seg, c.i, _ = c.g.locate(c.from); c.seg == nil {
			c.seg = c.g.firstSegment()
		}
	}
	for c.seg != nil {
		if !c.skips(c.seg) && c.nextIn(c.seg) {
			var more bool
			c.from, more = c.at.id.Next()
			c.done = !more
			return true
		}
		c.seg, c.i = c.g.segmentAfter(c.seg), 0
	}
	c.done = true
	return false
}

// skips tells whether nothing in seg can be of interest.
func (c *PendingCursor) skips(seg *segment) bool {
	return c.owner != 0 && seg.owners&ownerBit(c.owner) == 0 ||
		c.byIdle && seg.unowned == 0 && seg.oldest > c.maxSinceMS
}

// nextIn finds the next entry within seg.
func (c *PendingCursor) nextIn(seg *segment) bool {
	for c.i < seg.live {
		i := c.i
		c.i++
		if c.owner != 0 && seg.owner(seg.slots[seg.head+i]) != c.owner {
			continue
		}
		c.at = seg.load(i)
		if !c.byIdle || c.at.owner == 0 || c.at.since <= c.maxSinceMS {
			return true
		}
	}
	return false
}
