package groups

import (
	"github.com/tidwall/btree"

	"github.com/streamd/streamd/stream"
)

// Pending is one pending entry.
type Pending struct {
	ID      stream.ID
	Owner   *Consumer // nil: NACKed
	SinceMS int64     // delivery time, 0 when NACKed
	Count   int64     // deliveries
}

// NumPending returns the number of pending entries, NACKed ones included.
func (g *Group) NumPending() int64 { return g.pending }

// NumNacked returns the number of pending entries without an owner.
func (g *Group) NumNacked() int64 {
	if g.zone == nil {
		return 0
	}
	return int64(g.zone.Len())
}

// FirstPending returns the lowest pending id.
func (g *Group) FirstPending() (stream.ID, bool) {
	if seg := g.firstSegment(); seg != nil {
		return seg.firstID(), true
	}
	return stream.ID{}, false
}

// LastPending returns the highest pending id.
func (g *Group) LastPending() (stream.ID, bool) {
	if t := g.tail; t != nil && t.live > 0 {
		return t.lastID(), true
	}
	if seg := g.lastSealed(); seg != nil {
		return seg.lastID(), true
	}
	return stream.ID{}, false
}

// Get returns the pending entry of that id.
func (g *Group) Get(id stream.ID) (Pending, bool) {
	seg, i, found := g.locate(id)
	if !found {
		return Pending{}, false
	}
	e := seg.load(i)
	return g.unpack(&e), true
}

// holds tells whether id is pending.
func (g *Group) holds(id stream.ID) bool {
	if g.pending == 0 {
		return false
	}
	_, _, found := g.locate(id)
	return found
}

// unpack gives the caller's view of e.
func (g *Group) unpack(e *entry) Pending {
	if e.owner == 0 {
		return Pending{ID: e.id, Count: e.count}
	}
	return Pending{ID: e.id, Owner: g.table[e.owner], SinceMS: e.since, Count: e.count}
}

// Put makes id a pending entry of owner, or gives an existing one new values: delivery, claim, forced claim. The count is
// not negative.
func (g *Group) Put(id stream.ID, owner *Consumer, sinceMS, count int64) {
	g.mustOwn()
	if g.table[owner.number] != owner {
		panic("groups: owner is no consumer of this group")
	}
	owner.gain(id)
	g.put(entry{id: id, since: min(sinceMS, noSince-1), count: count, owner: owner.number})
}

// Nack takes the entry from its owner and puts it at the end of the NACKed zone with the given count, also when it is
// there already. It makes the entry if id is not pending.
func (g *Group) Nack(id stream.ID, count int64) {
	g.mustOwn()
	g.put(entry{id: id, since: g.appendZone(id), count: count})
}

// appendZone gives id the next place in the zone. An older place is given up by the caller.
func (g *Group) appendZone(id stream.ID) int64 {
	if g.zone == nil {
		g.zone = new(btree.Map[uint64, stream.ID])
	}
	g.nextZone++
	g.zone.Set(g.nextZone, id)
	g.charge(zoneBytes)
	return int64(g.nextZone)
}

// zoneBytes estimates what an entry of the zone takes there.
const zoneBytes = 32

// Ack removes a pending entry and tells whether there was one.
func (g *Group) Ack(id stream.ID) bool {
	g.mustOwn()
	seg, i, found := g.locate(id)
	if !found {
		return false
	}
	seg = g.own(seg)
	if owner := seg.owner(seg.slots[seg.head+i]); owner != 0 && g.table[owner].low == id {
		g.table[owner].low, _ = id.Next()
	}
	g.forget(seg, i)
	seg.remove(i)
	g.pending--
	g.version++
	g.hint = i
	g.removed(seg, i > 0)
	return true
}

// put writes e, whose owner already counts it.
func (g *Group) put(e entry) {
	if t := g.tail; t != nil && t.live > 0 && t.epoch == g.epoch && t.pushPacked(e) {
		g.pending++
		g.version++
		return
	}
	seg, i, found := g.locate(e.id)
	if found {
		seg = g.own(seg)
		g.replace(seg, i, e)
		seg.stale++
		if seg.stale >= staleLimit {
			g.summarize(seg)
		}
		g.hint = i + 1
		return
	}
	g.pending++
	g.version++
	if g.isNewest(e.id) {
		g.push(e)
		return
	}
	g.insert(seg, i, e)
}

// replace gives the entry at i the values of e.
func (g *Group) replace(seg *segment, i int, e entry) {
	p := seg.slots[seg.head+i]
	if !seg.repack(i, e) {
		g.forget(seg, i)
		g.store(seg, i, e)
		return
	}
	if seg != g.tail && seg != g.recent {
		g.recent = seg
	}
	g.table[p.meta>>countBits].pending--
	if seg.lowSince+int64(p.since) == seg.oldest {
		seg.tight = false
	}
	if e.since <= seg.oldest {
		g.refile(seg, e.since)
		seg.tight = true
	}
}

// forget takes the entry at i out of all counts; its slot is overwritten or removed next.
func (g *Group) forget(seg *segment, i int) {
	if seg != g.tail && seg != g.recent {
		g.recent = seg
	}
	if p := seg.slots[seg.head+i]; p.meta>>countBits != 0 && !p.isWide() {
		g.table[p.meta>>countBits].pending--
		if seg.lowSince+int64(p.since) == seg.oldest {
			seg.tight = false
		}
		return
	}
	e := seg.load(i)
	seg.release(i)
	if e.owner == 0 {
		seg.unowned--
		g.zone.Delete(uint64(e.since))
		g.charge(-zoneBytes)
		return
	}
	g.table[e.owner].pending--
	if e.since == seg.oldest {
		seg.tight = false
	}
}

// place writes e, whose key is given, into the free slot at i.
func (g *Group) place(seg *segment, i int, key uint64, e entry) {
	p := &seg.slots[seg.head+i]
	*p = slot{ms: uint32(key >> 32), seq: uint32(key)}
	g.store(seg, i, e)
}

// store packs what is not the id into the slot at i and brings the summary up to date.
func (g *Group) store(seg *segment, i int, e entry) {
	if e.owner != 0 && seg.live == 1 {
		seg.lowSince = e.since - sinceBack
	}
	had := cap(seg.wide)
	if !seg.store(i, e) {
		g.charge(wideBytes * int64(cap(seg.wide)-had))
	}
	if e.owner == 0 {
		seg.unowned++
		return
	}
	seg.owners |= ownerBit(e.owner)
	if e.since <= seg.oldest {
		g.refile(seg, e.since)
		seg.tight = true
	}
}

// locate finds id. If it is not pending, seg and i say where it would be put; seg is nil when id is below all entries.
func (g *Group) locate(id stream.ID) (seg *segment, i int, found bool) {
	if t := g.tail; t != nil && t.live > 0 {
		if key, ok := t.keyOf(id); ok {
			if key >= t.slots[t.head].key() {
				i, found = t.find(key, g.hint)
				return t, i, found
			}
		} else if t.firstID().Less(id) {
			i, found = t.seek(id, g.hint) // above all of the tail, or between two of it and too far from either to fit
			return t, i, found
		}
	}
	if r := g.recent; r != nil {
		if key, ok := r.keyOf(id); ok && key >= r.slots[r.head].key() && key <= r.slots[r.head+r.live-1].key() {
			i, found = r.find(key, g.hint)
			return r, i, found
		}
	}
	if seg = g.floor(id); seg == nil {
		return nil, 0, false
	}
	i, found = seg.seek(id, g.hint)
	return seg, i, found
}

// isNewest tells whether id, which is not pending, is above all pending entries.
func (g *Group) isNewest(id stream.ID) bool {
	last, ok := g.LastPending()
	return !ok || last.Less(id)
}
