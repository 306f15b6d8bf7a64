package groups

import (
	"math"
	"slices"

	"github.com/streamd/streamd/stream"
)

const (
	segmentSlots = 256 // most slots of a segment
	firstSlots   = 8   // slots of the first segment of a small group

	countBits = 12
	wideCount = 1<<countBits - 1       // the count that says: see the wide table
	maxOwner  = 1<<(32-countBits) - 1  // highest consumer number a slot can hold
	noSince   = int64(math.MaxInt64)   // oldest of a segment without owned entries
	seqBelow  = uint64(1) << 31        // room for smaller seqs below the first one of a segment
	sinceBack = int64(1) << 30         // room for older times below the first one: 12 days, and 37 above
	maxDelta  = uint64(math.MaxUint32) // what a slot's fields can hold
	slotBytes = 16
	wideBytes = 24

	// segmentOverheadBytes is a segment without its slots, with its items in the two trees.
	segmentOverheadBytes = 224
)

// entry is one pending entry, unpacked.
type entry struct {
	id    stream.ID
	since int64 // owned: delivery time in ms; NACKed: its position in the zone
	count int64
	owner uint32 // consumer number, 0 when NACKed
}

// slot is one pending entry, packed.
//
//	ms    id.MS - segment.lowMS
//	seq   id.Seq - segment.lowSeq
//	since owned: since - segment.lowSince; NACKed: position; count == wideCount: index in segment.wide
//	meta  owner << 12 | count
type slot struct{ ms, seq, since, meta uint32 }

// wideSlot holds what did not fit into a slot.
type wideSlot struct {
	since int64
	count int64
	owner uint32
}

// key orders the slots of one segment like their ids.
func (s slot) key() uint64 { return uint64(s.ms)<<32 | uint64(s.seq) }

func (s slot) isWide() bool { return s.meta&wideCount == wideCount }

// segment is a run of pending entries in id order. It belongs to the group whose epoch it carries; any other epoch means
// that it is shared and must be copied before it changes.
type segment struct {
	epoch uint64
	first stream.ID // the key in Group.sealed; unused in a tail

	lowMS, lowSeq uint64
	lowSince      int64

	// The entries are slots[head:head+live].
	slots      []slot
	head, live int
	wide       []wideSlot

	// Summary. oldest is a lower bound of the delivery times of the owned entries, and attained while tight; owners has
	// bit number%64 set for every owner, perhaps for some more; unowned counts the NACKed entries.
	oldest  int64
	owners  uint64
	unowned int
	stale   int // removals and changes of owner since the summary was exact
	tight   bool
	sealed  bool // in Group.sealed, and in Group.age unless oldest == noSince
}

// view returns the entries in id order.
func (s *segment) view() []slot { return s.slots[s.head : s.head+s.live] }

// empty makes s a segment without entries, whose bases fit entries from id on.
func (s *segment) empty(id stream.ID) {
	s.lowMS, s.lowSeq = id.MS, id.Seq-min(id.Seq, seqBelow)
	s.head, s.live = 0, 0
	s.wide = s.wide[:0]
	s.oldest, s.owners, s.unowned, s.stale, s.tight, s.sealed = noSince, 0, 0, 0, true, false
}

// keyOf returns the key of id in s; false when id does not fit, because it is below the bases or too far above.
func (s *segment) keyOf(id stream.ID) (uint64, bool) {
	ms, seq := id.MS-s.lowMS, id.Seq-s.lowSeq
	return ms<<32 | seq, ms|seq <= maxDelta && id.MS >= s.lowMS && id.Seq >= s.lowSeq
}

func (s *segment) idOf(p slot) stream.ID {
	return stream.ID{MS: s.lowMS + uint64(p.ms), Seq: s.lowSeq + uint64(p.seq)}
}

// firstID and lastID ask for a segment that is not empty.
func (s *segment) firstID() stream.ID { return s.idOf(s.slots[s.head]) }
func (s *segment) lastID() stream.ID  { return s.idOf(s.slots[s.head+s.live-1]) }

// find returns the place of key in the view, or where it would be. The hint is tried first.
func (s *segment) find(key uint64, hint int) (i int, found bool) {
	v := s.view()
	if hint < len(v) && v[hint].key() == key {
		return hint, true
	}
	low, high := 0, len(v)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if v[mid].key() < key {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(v) && v[low].key() == key
}

// seek is find by id, also for ids that do not fit.
func (s *segment) seek(id stream.ID, hint int) (i int, found bool) {
	if key, ok := s.keyOf(id); ok {
		return s.find(key, hint)
	}
	v := s.view()
	low, high := 0, len(v)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if s.idOf(v[mid]).Less(id) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, false
}

// above returns the place of the first entry with an id above this one.
func (s *segment) above(id stream.ID) int {
	i, found := s.seek(id, 0)
	if found {
		i++
	}
	return i
}

// load unpacks the entry at i.
func (s *segment) load(i int) (e entry) {
	s.read(i, &e)
	return e
}

// read is load into a place: copying an entry just written costs more than writing it.
func (s *segment) read(i int, e *entry) {
	p := s.slots[s.head+i]
	e.id.MS, e.id.Seq = s.lowMS+uint64(p.ms), s.lowSeq+uint64(p.seq)
	e.count, e.owner = int64(p.meta&wideCount), p.meta>>countBits
	switch {
	case p.isWide():
		w := &s.wide[p.since]
		e.since, e.count, e.owner = w.since, w.count, w.owner
	case e.owner == 0:
		e.since = int64(p.since)
	default:
		e.since = s.lowSince + int64(p.since)
	}
}

// owner returns the consumer number of p, which is a slot of s.
func (s *segment) owner(p slot) uint32 {
	if p.isWide() {
		return s.wide[p.since].owner
	}
	return p.meta >> countBits
}

// repack gives the entry at i the values of e; false if either is not an owned entry that fits into a slot.
func (s *segment) repack(i int, e entry) bool {
	p := &s.slots[s.head+i]
	since := uint64(e.since) - uint64(s.lowSince)
	if p.isWide() || p.meta>>countBits == 0 || since > maxDelta || uint64(e.count) >= wideCount || e.owner == 0 || e.owner > maxOwner {
		return false
	}
	p.since, p.meta = uint32(since), e.owner<<countBits|uint32(e.count)
	s.owners |= ownerBit(e.owner)
	return true
}

// pushPacked appends e to a segment that is not empty nor sealed, if it is above all, fits into a slot and finds one free.
func (s *segment) pushPacked(e entry) bool {
	end := s.head + s.live
	key, ok := s.keyOf(e.id)
	since := uint64(e.since) - uint64(s.lowSince)
	if !ok || end >= len(s.slots) || key <= s.slots[end-1].key() || since > maxDelta ||
		uint64(e.count) >= wideCount || e.owner == 0 || e.owner > maxOwner {
		return false
	}
	s.slots[end] = slot{uint32(key >> 32), uint32(key), uint32(since), e.owner<<countBits | uint32(e.count)}
	s.live++
	s.owners |= ownerBit(e.owner)
	if e.since <= s.oldest {
		s.oldest, s.tight = e.since, true
	}
	return true
}

// store packs since, count and owner into the slot at i, whose former wide entry was released. It returns false when that
// took a place in the wide table.
func (s *segment) store(i int, e entry) bool {
	p := &s.slots[s.head+i]
	if uint64(e.count) < wideCount && e.owner <= maxOwner {
		low := s.lowSince
		if e.owner == 0 {
			low = 0
		}
		delta := uint64(e.since) - uint64(low)
		if delta > maxDelta && e.owner != 0 && s.moveSince(i, e.since) {
			delta = uint64(e.since) - uint64(s.lowSince)
		}
		if delta <= maxDelta {
			p.since, p.meta = uint32(delta), e.owner<<countBits|uint32(e.count)
			return true
		}
	}
	p.since, p.meta = uint32(len(s.wide)), wideCount
	s.wide = append(s.wide, wideSlot{since: e.since, count: e.count, owner: e.owner})
	return false
}

// moveSince chooses a new base for the delivery times, so that since fits beside those of all packed slots but slot i;
// false when they lie too far apart.
func (s *segment) moveSince(i int, since int64) bool {
	oldest, newest := since, since
	v := s.view()
	for j, p := range v {
		if j != i && !p.isWide() && p.meta>>countBits != 0 {
			t := s.lowSince + int64(p.since)
			oldest, newest = min(oldest, t), max(newest, t)
		}
	}
	spread := uint64(newest) - uint64(oldest)
	if spread > maxDelta {
		return false
	}
	// A quarter of the room that is left goes below the oldest time.
	low := oldest - int64((maxDelta-spread)/4)
	if low > oldest {
		low = oldest
	}
	shift := uint32(uint64(s.lowSince) - uint64(low))
	for j, p := range v {
		if j != i && !p.isWide() && p.meta>>countBits != 0 {
			v[j].since += shift
		}
	}
	s.lowSince = low
	return true
}

// release gives back the wide entry of the slot at i, if it has one.
func (s *segment) release(i int) {
	v := s.view()
	if !v[i].isWide() {
		return
	}
	gone, last := v[i].since, uint32(len(s.wide)-1)
	if gone != last {
		s.wide[gone] = s.wide[last]
		for j := range v {
			if v[j].isWide() && v[j].since == last {
				v[j].since = gone
				break
			}
		}
	}
	s.wide = s.wide[:last]
	// The slot is no longer wide, so that nobody follows its index.
	v[i].meta = 0
}

// remove closes the gap at i by moving the shorter side.
func (s *segment) remove(i int) {
	v := s.view()
	switch {
	case i == 0:
		s.head++
	case i < len(v)/2:
		copy(v[1:i+1], v[:i])
		s.head++
	default:
		copy(v[i:], v[i+1:])
	}
	s.live--
}

// open makes a gap at i; there is a free slot at either end.
func (s *segment) open(i int) {
	if s.head > 0 && (i < s.live/2 || s.head+s.live == len(s.slots)) {
		s.head--
		s.live++
		v := s.view()
		copy(v[:i], v[1:i+1])
		return
	}
	s.live++
	v := s.view()
	copy(v[i+1:], v[i:len(v)-1])
}

// resize moves the entries to a new array of n slots.
func (s *segment) resize(n int) {
	slots := make([]slot, n)
	copy(slots, s.view())
	s.slots, s.head = slots, 0
}

// exact computes the summary anew.
func (s *segment) exact() (oldest int64, owners uint64) {
	oldest = noSince
	for _, p := range s.view() {
		since, owner := s.lowSince+int64(p.since), p.meta>>countBits
		if p.isWide() {
			since, owner = s.wide[p.since].since, s.wide[p.since].owner
		}
		if owner != 0 {
			oldest = min(oldest, since)
			owners |= ownerBit(owner)
		}
	}
	return oldest, owners
}

// copyFor returns a copy of s, no bigger than it needs to be, that belongs to the given epoch.
func (s *segment) copyFor(epoch uint64) *segment {
	c := *s
	c.epoch = epoch
	c.resize(slotsFor(s.live))
	c.wide = slices.Clip(slices.Clone(s.wide))
	return &c
}

// sizeBytes estimates the memory of s.
func (s *segment) sizeBytes() int64 {
	return segmentOverheadBytes + slotBytes*int64(len(s.slots)) + wideBytes*int64(cap(s.wide))
}

// ownerBit returns the bit of a consumer in segment.owners.
func ownerBit(number uint32) uint64 { return 1 << (number % 64) }

// slotsFor returns the size of an array for n entries.
func slotsFor(n int) int {
	size := firstSlots
	for size < n {
		size *= 2
	}
	return size
}
