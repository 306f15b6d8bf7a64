package stream

import "strconv"

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
	id    ID
	flags byte
	body  int // offset behind the entry's ids
	end   int // offset behind the entry

	next int // forward: offset of the next entry

	reverse bool
	group   int // reverse: the run the offsets are of
	left    int // reverse: offsets not yet visited
	offsets [indexEvery]uint32

	text []byte // room for the numbers of Fields
}

// Scan walks the entries from start to end, both included, upwards.
func (s *Stream) Scan(start, end ID) Cursor {
	c := Cursor{s: s, bound: end}
	if s.length == 0 || end.Less(start) || s.lastLive.Less(start) {
		return c
	}
	if !s.first.Less(start) {
		c.b = s.oldest()
		c.next = int(c.b.start)
		return c
	}
	if c.b = s.floor(start); c.b == nil {
		c.b = s.oldest()
	}
	c.next = max(c.b.seek(start), int(c.b.start))
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
					c.next = int(c.b.start)
				}
			}
			continue
		}
		flags, body, end := b.head(c.next)
		c.next = end
		if flags&flagDeleted != 0 {
			continue
		}
		c.id, c.body = b.idAt(body)
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
		flags, body, end := b.head(int(c.offsets[c.left]))
		c.id, c.body = b.idAt(body)
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

// load reads the offsets of the live entries of a run.
func (c *Cursor) load() {
	b := c.b
	c.left = 0
	for off, to := b.group(c.group), b.group(c.group+1); off < to; {
		flags, _, end := b.head(off)
		if flags&flagDeleted == 0 && off >= int(b.start) {
			c.offsets[c.left] = uint32(off)
			c.left++
		}
		off = end
	}
}

// ID is the id of the entry.
func (c *Cursor) ID() ID { return c.id }

// NumFields is the number of fields and values: twice the pairs.
func (c *Cursor) NumFields() int {
	form, _ := c.b.formOf(c.flags, c.body)
	n, _ := uvarint(c.b.buf, form)
	return 2 * int(n)
}

// AppendFields appends the fields and values as a RESP array of bulk strings.
func (c *Cursor) AppendFields(dst []byte) []byte {
	buf := c.b.buf
	form, p := c.b.formOf(c.flags, c.body)
	n, form := uvarint(buf, form)
	dst = appendHead(dst, '*', 2*int(n))
	for ; n > 0; n-- {
		size, q := uvarint(buf, form)
		form = q + bulkSize(int(size))
		dst = append(dst, buf[q:form]...)
		if isInt(buf[p]) {
			var v int64
			v, p = intAt(buf, p)
			dst = appendBulkInt(dst, v)
			continue
		}
		from, to := textAt(buf, p)
		p = to
		dst = appendHead(dst, '$', to-from)
		dst = append(dst, buf[from:to]...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// AppendEntry appends the entry as RESP: an array of its id and its fields.
func (c *Cursor) AppendEntry(dst []byte) []byte {
	dst = append(dst, '*', '2', '\r', '\n')
	dst = c.id.AppendRESP(dst)
	return c.AppendFields(dst)
}

// EntrySize is the number of bytes AppendEntry appends.
func (c *Cursor) EntrySize() int {
	buf := c.b.buf
	form, p := c.b.formOf(c.flags, c.body)
	n, form := uvarint(buf, form)
	idText := uintDigits(c.id.MS) + 1 + uintDigits(c.id.Seq)
	total := 4 + bulkSize(idText) + 1 + digits(2*int(n)) + 2
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
	form, p := c.b.formOf(c.flags, c.body)
	n, form := uvarint(buf, form)
	if room := int(n) * maxIntText; cap(c.text) < room {
		c.text = make([]byte, 0, room)
	}
	text := c.text[:0]
	for ; n > 0; n-- {
		size, q := uvarint(buf, form)
		name := q + 3 + digits(int(size))
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

// appendHead appends the head of a bulk string or an array.
func appendHead(dst []byte, mark byte, n int) []byte {
	if n < 10 {
		return append(dst, mark, '0'+byte(n), '\r', '\n')
	}
	dst = strconv.AppendUint(append(dst, mark), uint64(n), 10)
	return append(dst, '\r', '\n')
}

// appendBulkInt appends a number as a bulk string.
func appendBulkInt(dst []byte, v int64) []byte {
	dst = appendHead(dst, '$', intDigits(v))
	dst = strconv.AppendInt(dst, v, 10)
	return append(dst, '\r', '\n')
}
