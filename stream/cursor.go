package stream

import (
	"encoding/binary"
	"slices"
	"strconv"
)

// Cursor walks live entries. It is a value and allocates nothing but the room Fields needs for numbers. Any change of the
// stream ends its validity; a change of an image it does not read leaves it alone.
//
//	for c := s.Scan(start, end); c.Next(); {
//		reply = c.AppendEntry(reply)
//	}
type Cursor struct {
	s     *Stream
	b     *block // nil at the end
	bound ID     // last id, in the direction of the walk
	from  ID     // reverse: ids above are skipped
	id    ID     // of the entry the cursor stands on; forward: of the one passed last, if it was deleted
	flags byte
	body  int // offset behind the entry's ids
	end   int // offset behind the entry

	next int // forward: offset of the next entry

	reverse bool
	group   int // reverse: the run the offsets are of
	left    int // reverse: places not yet visited
	places  [indexEvery]place

	// The form read last and the block it is in: its offset, how many names, where they start and end.
	formOf                       *block
	form, pairs, names, namesEnd int

	headMS  uint64
	headSeq int // 0 at first
	headLen int
	head    [30 + wordSlack]byte // *2 $<length> <ms>- of an entry with headMS and headSeq digits of seq

	text []byte // room for the numbers of Fields
}

// place is where a live entry of a run is.
type place struct {
	off   uint32
	full  uint32 // where the entry with an id is that it follows without one; off if it has its own
	steps uint32 // how many entries it is behind that
}

// Scan walks the entries from start to end, both included, upwards.
func (s *Stream) Scan(start, end ID) Cursor {
	c := Cursor{s: s, bound: end}
	if s.length == 0 || end.Less(start) || s.lastLive.Less(start) {
		return c
	}
	if !s.first.Less(start) {
		c.b = s.oldest()
		c.next, c.id = c.b.begin()
		return c
	}
	if c.b = s.floor(start); c.b == nil {
		c.b = s.oldest()
	}
	c.next, c.id = c.b.seekLive(start)
	return c
}

// ScanReverse walks the entries from end to start, both included, downwards.
func (s *Stream) ScanReverse(start, end ID) Cursor {
	c := Cursor{s: s, bound: start, from: end, reverse: true}
	if s.length == 0 || end.Less(start) || end.Less(s.first) {
		return c
	}
	if c.b = s.floor(end); c.b != nil {
		c.group = c.b.groupOf(end)
		c.load()
	}
	return c
}

// Next goes to the next entry; false when there is none.
func (c *Cursor) Next() bool {
	if c.reverse {
		return c.previous()
	}
	for c.b != nil {
		b := c.b
		if c.next >= len(b.buf) {
			c.b = nil
			if b != c.s.tail {
				above, _ := b.base.Next()
				if c.b = c.s.ceiling(above); c.b != nil {
					c.next, c.id = c.b.begin()
				}
			}
			continue
		}
		flags, body, end := b.head(c.next)
		c.next = end
		c.id, c.body = b.idAt(flags, body, c.id)
		if flags&flagDeleted != 0 {
			continue
		}
		if c.bound.Less(c.id) {
			c.b = nil
			return false
		}
		c.flags, c.end = flags, end
		return true
	}
	return false
}

func (c *Cursor) previous() bool {
	for c.b != nil {
		b := c.b
		if c.left == 0 {
			if c.group--; c.group < 0 || b.group(c.group+1) <= int(b.start) {
				below, _ := b.base.Prev()
				if c.b = c.s.floor(below); c.b == nil {
					return false
				}
				c.group = c.b.groups() - 1
			}
			c.load()
			continue
		}
		c.left--
		at := c.places[c.left]
		flags, body, end := b.head(int(at.off))
		if at.steps == 0 {
			c.id, c.body = b.idAt(flags, body, ID{})
		} else {
			c.id, c.body = b.idOf(int(at.full)), body
			c.id.Seq += uint64(at.steps)
		}
		if c.from.Less(c.id) {
			continue
		}
		if c.id.Less(c.bound) {
			c.b = nil
			return false
		}
		c.flags, c.end = flags, end
		return true
	}
	return false
}

// load reads where the live entries of a run are.
func (c *Cursor) load() {
	b := c.b
	c.left = 0
	var at place
	for off, to := b.group(c.group), b.group(c.group+1); off < to; {
		flags, _, end := b.head(off)
		at.off = uint32(off)
		if at.steps++; flags&flagNear == 0 {
			at.full, at.steps = at.off, 0
		}
		if flags&flagDeleted == 0 && off >= int(b.start) {
			c.places[c.left] = at
			c.left++
		}
		off = end
	}
}

// ID is the id of the entry.
func (c *Cursor) ID() ID { return c.id }

// NumFields is the number of fields and values: twice the pairs.
func (c *Cursor) NumFields() int {
	c.readForm()
	return 2 * c.pairs
}

// readForm finds the entry's form, mostly that of the entry before, and returns where its values start.
func (c *Cursor) readForm() (values int) {
	b, p := c.b, c.body
	form := int(b.form)
	if c.flags&(flagForm|flagRef) != 0 {
		form, p = b.formOf(c.flags, p)
	}
	if form != c.form || b != c.formOf {
		c.form, c.formOf = form, b
		c.pairs, c.names, c.namesEnd = formAt(b.buf, form)
	}
	return p
}

// maxHead bounds the head of an array or a bulk string, maxIDReply an id as a bulk string.
const (
	maxHead    = 1 + maxIntText + 2
	maxIDReply = 5 + 41 + 2
)

// AppendFields appends the fields and values as a RESP array of bulk strings.
func (c *Cursor) AppendFields(dst []byte) []byte {
	values := c.readForm()
	dst = slices.Grow(dst, c.room(values))
	n := c.putFields(dst[len(dst):cap(dst)], values)
	return dst[:len(dst)+n]
}

// AppendEntry appends the entry as RESP: an array of its id and its fields.
func (c *Cursor) AppendEntry(dst []byte) []byte {
	values := c.readForm()
	dst = slices.Grow(dst, 4+maxIDReply+c.room(values))
	buf := dst[len(dst):cap(dst)]
	p := c.putEntryHead(buf)
	p += c.putFields(buf[p:], values)
	return dst[:len(dst)+p]
}

// putEntryHead writes the head of the entry and its id into buf, which has room, and returns the bytes used.
func (c *Cursor) putEntryHead(buf []byte) int {
	seq := digits(c.id.Seq)
	if c.id.MS != c.headMS || seq != c.headSeq {
		c.makeHead(seq)
	}
	*(*[32]byte)(buf) = *(*[32]byte)(c.head[:])
	p := c.headLen
	p += putDecimal(buf[p:], c.id.Seq)
	buf[p], buf[p+1] = '\r', '\n'
	return p + 2
}

// makeHead makes the head that entries share if their ms and the number of digits of their seq are the same: most neighbours.
func (c *Cursor) makeHead(seq int) {
	c.headMS, c.headSeq = c.id.MS, seq
	p := copy(c.head[:], "*2\r\n")
	p += putHead(c.head[p:], '$', digits(c.id.MS)+1+seq)
	p += putDecimal(c.head[p:], c.id.MS)
	c.head[p] = '-'
	c.headLen = p + 1
}

// room bounds what putFields writes.
func (c *Cursor) room(values int) int {
	// A number may become more text than it takes packed; text gains a head and an end.
	return maxHead + c.namesEnd - c.names + c.end - values + c.pairs*(maxHead+maxIntText+2) + wordSlack
}

// putFields writes the fields and values into buf, which has room, and returns the bytes used. Short names and small numbers
// are done on the spot: a call would cost more than they do.
func (c *Cursor) putFields(dst []byte, p int) int {
	buf, n, form := c.b.buf, c.pairs, c.names
	w := putHead(dst, '*', 2*n)
	for ; n > 0; n-- {
		if size := int(buf[form]); size < 10 && form+17 <= len(buf) {
			*(*[16]byte)(dst[w:]) = *(*[16]byte)(buf[form+1:])
			w += size + 6
			form += size + 7
		} else {
			longSize, q := uvarint(buf, form)
			form = q + bulkSize(int(longSize))
			w += copy(dst[w:], buf[q:form])
		}
		tag := buf[p]
		if tag >= tagInt && tag <= tagInt+3 && p+5 <= len(buf) {
			shift := 8 * (3 - (tag & 3))
			u := binary.LittleEndian.Uint32(buf[p+1:]) << (shift & 31) >> (shift & 31)
			if u&1 == 0 && u < 2e8 {
				w += putBulkSmall(dst[w:], u/2)
				p += 2 + int(tag&3)
				continue
			}
		}
		if isInt(tag) {
			var v int64
			v, p = intAt(buf, p)
			w += putBulkInt(dst[w:], v)
			continue
		}
		from, to := textAt(buf, p)
		p = to
		w += putHead(dst[w:], '$', to-from)
		w += copy(dst[w:], buf[from:to])
		dst[w], dst[w+1] = '\r', '\n'
		w += 2
	}
	return w
}

// EntrySize is the number of bytes AppendEntry appends.
func (c *Cursor) EntrySize() int {
	buf := c.b.buf
	p := c.readForm()
	n, form := c.pairs, c.names
	idText := digits(c.id.MS) + 1 + digits(c.id.Seq)
	total := 4 + bulkSize(idText) + 1 + sizeDigits(2*n) + 2
	for ; n > 0; n-- {
		size, q := uvarint(buf, form)
		form = q + bulkSize(int(size))
		total += form - q
		if isInt(buf[p]) {
			var v int64
			v, p = intAt(buf, p)
			total += bulkSize(intDigits(v))
			continue
		}
		from, to := textAt(buf, p)
		p = to
		total += bulkSize(to - from)
	}
	return total
}

// Fields appends field, value, field, value … to dst. The slices alias the stream and the cursor: they are valid until the
// next call of Next or Fields, or any change of the stream, and must not be written to.
func (c *Cursor) Fields(dst [][]byte) [][]byte {
	buf := c.b.buf
	p := c.readForm()
	n, form := c.pairs, c.names
	if room := n * maxIntText; cap(c.text) < room {
		c.text = make([]byte, 0, room)
	}
	text := c.text[:0]
	for ; n > 0; n-- {
		size, q := uvarint(buf, form)
		name := q + 3 + sizeDigits(int(size))
		form = q + bulkSize(int(size))
		dst = append(dst, buf[name:name+int(size):name+int(size)])
		if isInt(buf[p]) {
			var v int64
			v, p = intAt(buf, p)
			at := len(text)
			text = strconv.AppendInt(text, v, 10)
			dst = append(dst, text[at:len(text):len(text)])
			continue
		}
		from, to := textAt(buf, p)
		p = to
		dst = append(dst, buf[from:to:to])
	}
	return dst
}
