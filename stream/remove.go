package stream

// floor returns the last block whose base is not above id, nil if there is none.
func (s *Stream) floor(id ID) *block {
	if s.tail != nil && !id.Less(s.tail.base) {
		return s.tail
	}
	var found *block
	if s.tree != nil {
		s.tree.Descend(item{first: id}, func(at item) bool {
			found = at.block
			return false
		})
	}
	return found
}

// ceiling returns the first block whose base is not below id, nil if there is none.
func (s *Stream) ceiling(id ID) *block {
	var found *block
	if s.tree != nil {
		s.tree.Ascend(item{first: id}, func(at item) bool {
			found = at.block
			return false
		})
	}
	if found == nil && s.tail != nil && !s.tail.base.Less(id) {
		found = s.tail
	}
	return found
}

// oldest returns the first block, nil if the stream is empty.
func (s *Stream) oldest() *block {
	if s.tree != nil {
		if at, ok := s.tree.Min(); ok {
			return at.block
		}
	}
	return s.tail
}

// newest returns the last block, nil if the stream is empty.
func (s *Stream) newest() *block {
	if s.tail != nil || s.tree == nil {
		return s.tail
	}
	at, _ := s.tree.Max()
	return at.block
}

// own returns the block for writing to its struct.
func (s *Stream) own(b *block) *block {
	if b.epoch == s.epoch {
		return b
	}
	c := *b
	c.epoch = s.epoch
	s.tree.Set(item{c.base, &c})
	return &c
}

// ownBytes returns the block for writing to what is in its buffer.
func (s *Stream) ownBytes(b *block) *block {
	b = s.own(b)
	if b.bufEpoch != s.epoch {
		s.refit(b, cap(b.buf))
	}
	return b
}

// drop takes a block out of the stream, whose live entries are counted elsewhere.
func (s *Stream) drop(b *block) {
	s.packed -= int64(len(b.buf)) - int64(b.start)
	s.memory -= b.memory()
	if b == s.tail {
		s.tail = nil
	} else {
		s.tree.Delete(item{first: b.base})
	}
	if b.epoch == s.epoch && b.bufEpoch == s.epoch && cap(b.buf) <= wideBlock {
		s.spare[0], s.spare[1] = b, s.spare[0]
	}
}

// advance moves the start of a block the stream owns by n live entries; there are more behind it.
func (s *Stream) advance(b *block, n int64) {
	off, id := b.liveAfter(int(b.start), b.startID, n)
	s.packed -= int64(off) - int64(b.start)
	b.start, b.startID = uint32(off), id
}

// Has tells whether the stream has a live entry with this id.
func (s *Stream) Has(id ID) bool {
	if b := s.floor(id); b != nil {
		_, ok := b.find(id)
		return ok
	}
	return false
}

// Delete removes one entry and raises MaxDeletedID; false if there is no such entry.
func (s *Stream) Delete(id ID) bool {
	if !s.remove(id) {
		return false
	}
	if s.maxDeleted.Less(id) {
		s.maxDeleted = id
	}
	return true
}

// remove takes one entry out; false if there is no such entry.
func (s *Stream) remove(id ID) bool {
	b := s.floor(id)
	if b == nil {
		return false
	}
	off, ok := b.find(id)
	if !ok {
		return false
	}
	s.length--
	r, _ := s.nodes.find(id)
	newestGone := s.nodes.take(r, 1, s.epoch)
	if b.live == 1 {
		s.drop(b)
	} else {
		b = s.ownBytes(b)
		b.buf[off] |= flagDeleted
		b.live--
		if off == int(b.start) {
			s.advance(b, 1)
		}
	}
	if s.length == 0 {
		s.first, s.lastLive = ID{}, ID{}
	} else {
		if id == s.first {
			s.first = s.firstLive()
		}
		if id == s.lastLive {
			s.lastLive = s.newest().lastLive()
		}
	}
	if newestGone {
		s.masterForm = -1
	}
	return true
}

// firstLive looks up the first live entry of a stream that is not empty.
func (s *Stream) firstLive() ID {
	b := s.oldest()
	return b.startID
}

// dropOldest removes the first n live entries from the blocks; the nodes are the caller's.
func (s *Stream) dropOldest(n int64) {
	if n == 0 {
		return
	}
	s.length -= n
	for n > 0 {
		b := s.oldest()
		if int64(b.live) <= n {
			n -= int64(b.live)
			s.drop(b)
			continue
		}
		b = s.own(b)
		b.live -= uint32(n)
		s.advance(b, n)
		n = 0
	}
	if s.length == 0 {
		s.first, s.lastLive = ID{}, ID{}
		return
	}
	s.first = s.firstLive()
}
