package machine

import "math/bits"

const (
	// bucketRoom is how many keys a bucket holds before it splits: half a kilobyte of entries, scanned linearly.
	bucketRoom = 32
	// segmentBits bounds a segment's directory to 1024 slots, so that no insert ever copies more than that (the top
	// directory, doubled once per thousandfold growth, has one slot per 20,000 keys).
	segmentBits = 10
	// depthSlack is how many bits deeper than an even spread needs a bucket may be. Hashes that agree in more bits make the
	// bucket longer instead: directories stay in proportion to the number of keys, whatever the hashes.
	depthSlack = 8
)

// table is the hash table of one database: two levels of extendible hashing by the leading bits of the hash.
//
//	top ──▶ segment ──▶ bucket      top: 1<<bits slots, a segment covers the slots that share its first depth bits
//	                                 segment: 1<<bits slots, a bucket covers those that share its first depth bits
//
// Buckets partition the hash space into ranges, in order. A cursor is therefore just the lower bound of the hashes not yet
// visited, and stays right whatever splits or merges meanwhile: a key present throughout is met exactly once.
//
// Invariant: every bucket's depth exceeds its segment's, unless it is the segment's only bucket (then bits is 0).
type table struct {
	bits uint8
	top  []*segment
	n    int
}

type segment struct {
	depth uint8 // leading bits that select the segment
	bits  uint8
	deep  int // buckets of depth depth+bits: the directory halves when none is left
	slots []*bucket
}

type bucket struct {
	depth   uint8 // leading bits that all its hashes share
	entries []entry
}

type entry struct {
	hash uint64
	o    *object
}

func newTable() table {
	b := &bucket{}
	return table{top: []*segment{{deep: 1, slots: []*bucket{b}}}}
}

func (t *table) segment(hash uint64) *segment { return t.top[hash>>(64-t.bits)] }

func (s *segment) slot(hash uint64) int { return int(hash << s.depth >> (64 - s.bits)) }

func (t *table) bucket(hash uint64) *bucket {
	s := t.segment(hash)
	return s.slots[s.slot(hash)]
}

// find returns the object of key, nil if there is none.
func (t *table) find(hash uint64, key []byte) *object {
	b := t.bucket(hash)
	for i := range b.entries {
		if e := &b.entries[i]; e.hash == hash && e.o.key == string(key) {
			return e.o
		}
	}
	return nil
}

// insert adds o, whose key is not there yet.
func (t *table) insert(hash uint64, o *object) {
	b := t.bucket(hash)
	for len(b.entries) >= bucketRoom && int(b.depth) < bits.Len(uint(t.n))+depthSlack {
		t.split(hash)
		b = t.bucket(hash)
	}
	b.entries = append(b.entries, entry{hash, o})
	t.n++
}

// remove takes o out, which is there.
func (t *table) remove(hash uint64, o *object) {
	s := t.segment(hash)
	b := s.slots[s.slot(hash)]
	for i := range b.entries {
		if b.entries[i].o == o {
			last := len(b.entries) - 1
			b.entries[i] = b.entries[last]
			b.entries[last] = entry{}
			b.entries = b.entries[:last]
			break
		}
	}
	if t.n--; t.n == 0 {
		*t = newTable()
		return
	}
	for s.merge(hash) {
	}
}

// split divides the bucket of hash in two.
func (t *table) split(hash uint64) {
	s := t.segment(hash)
	b := s.slots[s.slot(hash)]
	if b.depth == s.depth+s.bits {
		if s.bits == segmentBits {
			t.splitSegment(hash)
			s = t.segment(hash)
		}
		if b.depth == s.depth+s.bits {
			s.double()
		}
	}
	b.depth++
	right := &bucket{depth: b.depth, entries: make([]entry, 0, bucketRoom)}
	left := make([]entry, 0, bucketRoom)
	for _, e := range b.entries {
		if e.hash<<(b.depth-1)>>63 == 1 {
			right.entries = append(right.entries, e)
		} else {
			left = append(left, e)
		}
	}
	b.entries = left
	span := 1 << (s.depth + s.bits - b.depth) // slots of each half
	first := s.slot(hash) &^ (2*span - 1)
	for i := first + span; i < first+2*span; i++ {
		s.slots[i] = right
	}
	if b.depth == s.depth+s.bits {
		s.deep += 2
	}
}

// double gives the directory one more bit.
func (s *segment) double() {
	slots := make([]*bucket, 2*len(s.slots))
	for i, b := range s.slots {
		slots[2*i], slots[2*i+1] = b, b
	}
	s.slots, s.deep = slots, 0
	s.bits++
}

// merge joins the bucket of hash with its neighbour if both together are less than half full.
func (s *segment) merge(hash uint64) bool {
	i := s.slot(hash)
	b := s.slots[i]
	if b.depth == s.depth {
		return false
	}
	span := 1 << (s.depth + s.bits - b.depth)
	other := s.slots[i^span]
	if other.depth != b.depth || len(b.entries)+len(other.entries) > bucketRoom/2 {
		return false
	}
	if b.depth == s.depth+s.bits {
		s.deep -= 2
	}
	b.entries = append(b.entries, other.entries...)
	b.depth--
	first := i &^ (2*span - 1)
	for j := first; j < first+2*span; j++ {
		s.slots[j] = b
	}
	s.settle()
	return true
}

// settle halves the directory as often as no bucket needs its last bit.
func (s *segment) settle() {
	for s.deep == 0 {
		slots := make([]*bucket, len(s.slots)/2)
		s.bits--
		for i := range slots {
			slots[i] = s.slots[2*i]
			if slots[i].depth == s.depth+s.bits {
				s.deep++
			}
		}
		s.slots = slots
	}
}

// splitSegment divides the segment of hash, whose directory is full, in two.
func (t *table) splitSegment(hash uint64) {
	s := t.segment(hash)
	if s.depth == t.bits {
		top := make([]*segment, 2*len(t.top))
		for i, x := range t.top {
			top[2*i], top[2*i+1] = x, x
		}
		t.top = top
		t.bits++
	}
	half := len(s.slots) / 2
	left := s.part(s.slots[:half])
	right := s.part(s.slots[half:])
	span := 1 << (t.bits - left.depth)
	first := int(hash>>(64-t.bits)) &^ (2*span - 1)
	for i := range span {
		t.top[first+i], t.top[first+span+i] = left, right
	}
}

// part makes a segment of one half of s.
func (s *segment) part(slots []*bucket) *segment {
	p := &segment{depth: s.depth + 1, bits: s.bits - 1, slots: append([]*bucket(nil), slots...)}
	for _, b := range p.slots {
		if b.depth == p.depth+p.bits {
			p.deep++
		}
	}
	p.settle()
	return p
}

// after returns the lower bound of the hashes behind b, which holds hash; 0 when b is the last bucket.
func (b *bucket) after(hash uint64) uint64 {
	return (hash | (1<<(64-b.depth) - 1)) + 1
}

// walk visits about count objects whose hashes are at least cursor, in hash order between batches, and returns where to go
// on; 0 means all were visited. It looks at no more than 10 buckets per object wanted. visit must not change the table.
func (t *table) walk(cursor uint64, count int, visit func(*object)) uint64 {
	for looks := 10 * count; count > 0 && looks > 0; looks-- {
		b := t.bucket(cursor)
		next := b.after(cursor)
		n := 0
		for i := range b.entries {
			if b.entries[i].hash >= cursor {
				n++
			}
		}
		if n > count {
			next = b.bound(cursor, count)
		}
		for i := range b.entries {
			if e := &b.entries[i]; e.hash >= cursor && e.hash <= next-1 {
				visit(e.o)
			}
		}
		count -= n
		cursor = next
		if cursor == 0 {
			break
		}
	}
	return cursor
}

// each visits all objects.
func (t *table) each(visit func(*object)) {
	for cursor := uint64(0); ; {
		if cursor = t.walk(cursor, t.n+1, visit); cursor == 0 {
			return
		}
	}
}

// bound returns the smallest bound such that at least count hashes of b lie in [cursor, bound).
func (b *bucket) bound(cursor uint64, count int) uint64 {
	for low := cursor; ; {
		least := ^uint64(0)
		for i := range b.entries {
			if h := b.entries[i].hash; h >= low && h < least {
				least = h
			}
		}
		for i := range b.entries {
			if b.entries[i].hash == least {
				count--
			}
		}
		low = least + 1
		if count <= 0 || low == 0 {
			return low
		}
	}
}
