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
	pending int64  // of the owner when left was counted
	left    int64  // entries of the owner still to come; negative if unknown
	done    bool

	skipped  int // segments passed over since the last leap
	patience int // how many to pass over before the next one

	byIdle     bool // only NACKed entries and those delivered by maxSinceMS
	maxSinceMS int64

	at entry
}

// Pendings walks all pending entries from an id on.
func (g *Group) Pendings(from stream.ID) PendingCursor { return PendingCursor{g: g, from: from} }

// PendingsOf walks the pending entries of one consumer from an id on.
func (g *Group) PendingsOf(c *Consumer, from stream.ID) PendingCursor {
	at := PendingCursor{g: g, from: from, owner: c.number, pending: c.pending, left: -1, done: c.pending == 0}
	if !c.low.Less(from) {
		at.from, at.left = c.low, c.pending
	}
	return at
}

// SkipIdle makes the cursor leave out owned entries delivered after maxSinceMS (the time now less the least idle time);
// NACKed entries always stay in.
func (c *PendingCursor) SkipIdle(maxSinceMS int64) {
	c.byIdle, c.maxSinceMS, c.patience = true, maxSinceMS, minPatience
}

// Pending returns the entry that Next found.
func (c *PendingCursor) Pending() Pending { return c.g.unpack(&c.at) }

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
	if owner := c.owner; owner == 0 || c.g.table[owner] == nil || c.g.table[owner].pending != c.pending {
		c.left = -1
	}
	for c.seg != nil && c.left != 0 {
		if !c.skips(c.seg) && c.nextIn(c.seg) {
			c.skipped = 0
			var more bool
			c.from, more = c.at.id.Next()
			c.done = !more
			return true
		}
		if c.skipped++; c.byIdle && c.skipped > c.patience {
			c.seg, c.i = c.leap(c.seg), 0
			continue
		}
		c.seg, c.i = c.g.segmentAfter(c.seg), 0
	}
	c.done = true
	return false
}

// minPatience is how many segments a cursor passes over before it looks for the next one of interest in the age tree.
const minPatience = 16

// leap returns the first segment behind seg that is not passed over by idle time: it looks at all that are old enough, in the
// age tree and in the zone, and pays for it by passing over that many segments, each far dearer, before it is called again.
func (c *PendingCursor) leap(seg *segment) *segment {
	g, looked := c.g, int(c.g.NumNacked())
	if seg == g.tail {
		return nil
	}
	found, after, next := false, seg.lastID(), stream.MaxID
	if g.age != nil {
		g.age.Scan(func(item agedSegment) bool {
			if item.oldest > c.maxSinceMS {
				return false
			}
			looked++
			if after.Less(item.first) && item.first.Less(next) {
				next, found = item.first, true
			}
			return true
		})
	}
	if g.zone != nil {
		g.zone.Scan(func(_ uint64, id stream.ID) bool {
			if after.Less(id) && id.Less(next) {
				next, found = id, true
			}
			return true
		})
	}
	c.skipped, c.patience = 0, max(minPatience, looked/8)
	if found {
		if ahead := g.floor(next); ahead != nil && after.Less(ahead.lastID()) {
			return ahead
		}
	}
	return g.liveTail()
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
		seg.read(i, &c.at)
		if c.left > 0 {
			c.left--
		}
		if !c.byIdle || c.at.owner == 0 || c.at.since <= c.maxSinceMS {
			return true
		}
	}
	return false
}
