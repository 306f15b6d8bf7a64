package stream

// Count is the number of live entries from start to end, both included. It costs a number read for every chunk of nodes in
// the shorter part of the stream on either side, and a walk over the entries of two nodes.
func (s *Stream) Count(start, end ID) int64 {
	if s.length == 0 || end.Less(start) {
		return 0
	}
	n := s.length - s.below(start)
	if above, ok := end.Next(); ok {
		n -= s.length - s.below(above)
	}
	return n
}

// below counts the live entries below id.
func (s *Stream) below(id ID) int64 {
	if !s.first.Less(id) {
		return 0
	}
	if s.lastLive.Less(id) {
		return s.length
	}
	chunks := s.nodes.chunks
	r, _ := s.nodes.find(id) // there is one: the first entry is below id
	var n int64
	if r.chunk < len(chunks)/2 {
		for _, c := range chunks[:r.chunk] {
			n += c.live
		}
	} else {
		n = s.length
		for _, c := range chunks[r.chunk:] {
			n -= c.live
		}
	}
	c := chunks[r.chunk]
	for i := c.head; i < r.at; i++ {
		n += int64(c.recs[i].live)
	}
	if in := &c.recs[r.at]; in.last.Less(id) {
		n += int64(in.live)
	} else if last, ok := id.Prev(); ok {
		n += s.walkCount(in.first, last)
	}
	return n
}

// walkCount counts the live entries from start to end, both included, in as many steps as there are blocks, and entries in
// the first and the last of them.
func (s *Stream) walkCount(start, end ID) int64 {
	var n int64
	b := s.floor(start)
	if b == nil {
		b = s.oldest()
	}
	for b != nil && !end.Less(b.base) {
		if !b.base.Less(start) && !end.Less(b.last) {
			n += int64(b.live)
		} else {
			n += b.countLive(start, end)
		}
		if b == s.tail {
			break
		}
		above, _ := b.base.Next()
		b = s.ceiling(above)
	}
	return n
}

// countLive counts the live entries from start to end, both included.
func (b *block) countLive(start, end ID) int64 {
	var n int64
	for off, id := b.seekLive(start); off < len(b.buf); {
		flags, body, next := b.head(off)
		if id, _ = b.idAt(flags, body, id); end.Less(id) {
			break
		}
		if flags&flagDeleted == 0 {
			n++
		}
		off = next
	}
	return n
}

// Left counts the entries behind the one that the cursor stands on: how often Next will succeed.
func (c *Cursor) Left() int64 {
	if c.reverse {
		last, ok := c.id.Prev()
		if !ok {
			return 0
		}
		return c.s.Count(c.bound, last)
	}
	from, ok := c.id.Next()
	if !ok {
		return 0
	}
	return c.s.Count(from, c.bound)
}

// Detach makes the cursor go on over an image of the stream as it is now: it stays valid whatever the stream does next, and
// may be used without the lock.
func (c *Cursor) Detach() {
	image := c.s.Freeze()
	if c.b == c.s.tail {
		c.b = image.tail
	}
	c.s = image
}
