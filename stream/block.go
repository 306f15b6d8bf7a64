package stream

import (
	"encoding/binary"
	"math/bits"
	"sort"
	"unsafe"
)

// A block packs entries into one buffer without pointers, so that the garbage collector never looks inside:
//
//	entry = flags | length | [ms | seq] | [offset of its form] | [form] | values
//
//	flags    1 byte
//	length   of all that follows, little-endian, 2 bytes (4 with flagWide)
//	ms, seq  varints: ms above the base's; seq, above the base's if ms is 0. With flagNear neither stands here: the id is the
//	         successor of that of the entry before, deleted or not. Entries 0, 16, 32, 48 … have their id always
//	form     the entry's field names. With flagForm it stands here; with flagRef a varint says where in the buffer it
//	         stands; with neither it is the first entry's form
//	values   one packed value per field, see value.go
//
//	form     = varint n | varint size of what follows | n × (varint length | "$<length>\r\n" field "\r\n")
//
// Deleting an entry sets its flag, trimming moves the start: what is behind it stays, for its form may be in use.
type block struct {
	base     ID       // id of the first entry put in
	last     ID       // id of the last entry put in, deleted or not
	buf      []byte   // entries
	index    []uint32 // offsets of entries 16, 32, 48 …
	epoch    uint64   // of this struct: who may write to it
	bufEpoch uint64   // of buf and index: who may change what is in them; appending behind them needs epoch only
	startID  ID       // id of the first live entry
	start    uint32   // offset of the first live entry
	limit    uint32   // size of buf at which the block is sealed
	form     uint32   // offset of the first entry's form
	count    uint32   // entries in buf
	live     uint32   // entries not deleted and not trimmed; a block without any leaves the stream
}

const (
	flagDeleted = 1 << iota
	flagWide
	flagForm
	flagRef
	flagNear
	flagsKnown = flagDeleted | flagWide | flagForm | flagRef | flagNear
)

const (
	// indexEvery is the number of entries from one index offset to the next.
	indexEvery = 16

	minBlock  = 512       // limit of a stream's first blocks
	midBlock  = 16 << 10  // from here on blocks grow slower than the stream, so that trimming wastes little
	maxBlock  = 64 << 10  // limit of blocks once the stream has grown
	wideBlock = 256 << 10 // the most a block may grow to hold some large entries, instead of one or two
	// wideEntries is how many large entries a block should hold.
	wideEntries = 32
	// wideStep divides limits above maxBlock: what the allocator hands out are whole pages.
	wideStep = 64 << 10
	minBuf   = 128
	// maxPacked bounds what one entry takes in a buffer.
	maxPacked = 1 << 31

	blockBytes = int64(unsafe.Sizeof(block{})) + 32 // with its place in the tree
)

// head returns an entry's flags, where its ids start and where the next entry starts.
func (b *block) head(off int) (flags byte, body, end int) {
	buf := b.buf[off:]
	if flags = buf[0]; flags&flagWide == 0 {
		return flags, off + 3, off + 3 + int(uint16(buf[1])|uint16(buf[2])<<8)
	}
	return flags, off + 5, off + 5 + int(binary.LittleEndian.Uint32(buf[1:]))
}

// idAt reads the id of an entry, of which head gave flags and body and which comes behind the one with id before, and returns
// where the rest of the entry starts.
func (b *block) idAt(flags byte, body int, before ID) (ID, int) {
	if flags&flagNear != 0 {
		return ID{before.MS, before.Seq + 1}, body
	}
	ms, p := uvarint(b.buf, body)
	seq, p := uvarint(b.buf, p)
	if ms == 0 {
		return ID{b.base.MS, b.base.Seq + seq}, p
	}
	return ID{b.base.MS + ms, seq}, p
}

// idOf returns the id of the entry at off, which has one.
func (b *block) idOf(off int) ID {
	flags, body, _ := b.head(off)
	id, _ := b.idAt(flags, body, ID{})
	return id
}

// begin returns where the first live entry is, and an id that it comes behind for idAt.
func (b *block) begin() (off int, before ID) {
	return int(b.start), ID{b.startID.MS, b.startID.Seq - 1}
}

// groups is the number of runs of indexEvery entries.
func (b *block) groups() int { return len(b.index) + 1 }

// group returns the offset of run g; len(buf) for the one after the last.
func (b *block) group(g int) int {
	switch {
	case g == 0:
		return 0
	case g > len(b.index):
		return len(b.buf)
	}
	return int(b.index[g-1])
}

// groupOf returns the run that holds the last entry not above id, or 0.
func (b *block) groupOf(id ID) int {
	return sort.Search(len(b.index), func(i int) bool { return id.Less(b.idOf(int(b.index[i]))) })
}

// seek returns the offset of the first entry at or above id, deleted or not, and the id before it; len(buf) if there is none.
func (b *block) seek(id ID) (off int, before ID) {
	if !b.base.Less(id) {
		return 0, ID{}
	}
	for off = b.group(b.groupOf(id)); off < len(b.buf); {
		flags, body, end := b.head(off)
		at, _ := b.idAt(flags, body, before)
		if !at.Less(id) {
			break
		}
		off, before = end, at
	}
	return off, before
}

// seekLive is seek that passes over what was trimmed.
func (b *block) seekLive(id ID) (off int, before ID) {
	if off, before = b.seek(id); off < int(b.start) {
		return b.begin()
	}
	return off, before
}

// find returns the offset of the live entry with this id.
func (b *block) find(id ID) (int, bool) {
	off, before := b.seek(id)
	if off < int(b.start) || off == len(b.buf) {
		return 0, false
	}
	flags, body, _ := b.head(off)
	at, _ := b.idAt(flags, body, before)
	return off, at == id && flags&flagDeleted == 0
}

// liveAfter returns the offset and the id of the n-th live entry behind the one at off, whose id is given; there is one.
func (b *block) liveAfter(off int, id ID, n int64) (int, ID) {
	_, _, off = b.head(off)
	for {
		flags, body, end := b.head(off)
		id, _ = b.idAt(flags, body, id)
		if flags&flagDeleted == 0 {
			if n--; n == 0 {
				return off, id
			}
		}
		off = end
	}
}

// lastLive returns the id of the last live entry; there is one.
func (b *block) lastLive() ID {
	for g := b.groups() - 1; g >= 0; g-- {
		found := false
		var id, last ID
		for off, to := b.group(g), b.group(g+1); off < to; {
			flags, body, end := b.head(off)
			id, _ = b.idAt(flags, body, id)
			if flags&flagDeleted == 0 && off >= int(b.start) {
				found, last = true, id
			}
			off = end
		}
		if found {
			return last
		}
	}
	panic("stream: block without live entries")
}

// formOf returns where the form of an entry stands and where its values start; p is behind the entry's id.
func (b *block) formOf(flags byte, p int) (form, values int) {
	switch {
	case flags&flagForm != 0:
		_, _, end := formAt(b.buf, p)
		return p, end
	case flags&flagRef != 0:
		ref, p := uvarint(b.buf, p)
		return int(ref), p
	}
	return int(b.form), p
}

// formAt reads the head of the form at p: the number of names, where the first stands and where the form ends.
func formAt(buf []byte, p int) (n, names, end int) {
	pairs, p := uvarint(buf, p)
	size, p := uvarint(buf, p)
	return int(pairs), p, p + int(size)
}

// formSize bounds the size of the form of these fields from above.
func formSize(fields [][]byte) int {
	size := 2 * binary.MaxVarintLen32
	for i := 0; i < len(fields); i += 2 {
		size += len(fields[i]) + 2*binary.MaxVarintLen32 + 5
	}
	return size
}

// putForm writes the form of these fields, for which there is room, and returns the bytes used.
func putForm(buf []byte, fields [][]byte) int {
	size := 0
	for i := 0; i < len(fields); i += 2 {
		n := len(fields[i])
		size += (bits.Len64(uint64(n)|1)+6)/7 + bulkSize(n)
	}
	p := putUvarint(buf, uint64(len(fields)/2))
	p += putUvarint(buf[p:], uint64(size))
	for i := 0; i < len(fields); i += 2 {
		name := fields[i]
		p += putUvarint(buf[p:], uint64(len(name)))
		p += putHead(buf[p:], '$', len(name))
		p += copy(buf[p:], name)
		buf[p], buf[p+1] = '\r', '\n'
		p += 2
	}
	return p
}

// formIs tells whether the form at p names these fields, in this order.
func formIs(buf []byte, p int, fields [][]byte) bool {
	n, p, _ := formAt(buf, p)
	if n != len(fields)/2 {
		return false
	}
	for i := 0; i < len(fields); i += 2 {
		size, q := uvarint(buf, p)
		name := fields[i]
		if int(size) != len(name) {
			return false
		}
		q += 3 + sizeDigits(len(name))
		if string(buf[q:q+len(name)]) != string(name) {
			return false
		}
		p = q + len(name) + 2
	}
	return true
}

// memory is what the block takes.
func (b *block) memory() int64 { return blockBytes + int64(cap(b.buf)) + 4*int64(cap(b.index)) }

// ring remembers the forms last put into the tail, so that entries of a few kinds in turn share theirs. It is a function of
// the tail's buffer: replay rebuilds it.
type ring struct {
	made  uint32 // forms put into the tail
	slots [8]struct{ off, sum uint32 }
	hint  uint32 // slot that matched last; no part of the outcome
}

// sumOf mixes lengths and ends of the field names: enough to tell most forms apart.
func sumOf(fields [][]byte) uint32 {
	h := uint32(len(fields))
	for i := 0; i < len(fields); i += 2 {
		name := fields[i]
		h = h*31 + uint32(len(name))
		if len(name) > 0 {
			h = h*31 + uint32(name[0])<<8 + uint32(name[len(name)-1])
		}
	}
	return h
}

// find returns the offset of the form of these fields.
func (r *ring) find(buf []byte, fields [][]byte) (int, bool) {
	n := min(r.made, uint32(len(r.slots)))
	if n == 0 {
		return 0, false
	}
	if off := int(r.slots[r.hint].off); formIs(buf, off, fields) {
		return off, true
	}
	if n == 1 {
		return 0, false
	}
	sum := sumOf(fields)
	for i := range n {
		if s := r.slots[i]; s.sum == sum && i != r.hint && formIs(buf, int(s.off), fields) {
			r.hint = i
			return int(s.off), true
		}
	}
	return 0, false
}

// add remembers a form just written. The first stays: entries refer to it for free.
func (r *ring) add(off int, fields [][]byte) {
	i := r.made
	if n := uint32(len(r.slots)); i >= n {
		i = 1 + (i-1)%(n-1)
	}
	r.slots[i] = struct{ off, sum uint32 }{uint32(off), sumOf(fields)}
	r.hint = i
	r.made++
}
