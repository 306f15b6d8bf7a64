package stream

// Trim says what to remove from the oldest end.
type Trim struct {
	MaxLen  int64 // keep that many entries, unless ByMinID
	MinID   ID    // with ByMinID: keep this one and all above
	ByMinID bool
	Approx  bool  // "~": whole nodes only, unless Keep or Removed is set
	Limit   int64 // stop before a node that would bring the entries removed above it; 0 none
	// Keep, if set, is asked before each removal; entries it wants are passed over (ACKED).
	Keep func(ID) bool
	// Removed, if set, hears of each entry removed (DELREF). Neither may touch the stream.
	Removed func(ID)
}

// Trim removes entries and returns how many. Like Redis it goes node by node and ends after the first node that cannot go
// entirely. It touches no counter but Len and FirstID.
func (s *Stream) Trim(t Trim) int64 {
	if t.Keep == nil && t.Removed == nil {
		return s.trimUnasked(t)
	}
	var removed int64
	from := ID{}
	for s.length > 0 && (t.ByMinID || s.length > t.MaxLen) {
		r, ok := s.nodeFrom(from)
		if !ok {
			break
		}
		n := *r
		live := int64(n.live)
		if t.Limit > 0 && removed+live > t.Limit {
			break
		}
		whole := t.takesWhole(&n, s.length)
		removed += s.trimSingly(n, t)
		if !whole {
			break
		}
		from, ok = n.last.Next()
		if !ok {
			break
		}
	}
	return removed
}

// takesWhole tells whether all of a node is to go from a stream of this length.
func (t *Trim) takesWhole(n *node, length int64) bool {
	if t.ByMinID {
		return n.last.Less(t.MinID)
	}
	return length-int64(n.live) >= t.MaxLen
}

// trimUnasked is Trim for entries that go without a question: it looks at nodes and drops blocks, and at entries in one
// block only.
func (s *Stream) trimUnasked(t Trim) int64 {
	nodes, length, edge := 0, s.length, false
	s.nodes.each(func(n *node) bool {
		live := int64(n.live)
		if !t.ByMinID && length <= t.MaxLen || t.Limit > 0 && s.length-length+live > t.Limit {
			return false
		}
		if !t.takesWhole(n, length) {
			edge = !t.Approx
			return false
		}
		nodes++
		length -= live
		return true
	})
	removed := s.length - length
	if nodes > 0 {
		if s.nodes.dropOldest(nodes, s.epoch); s.nodes.count == 0 {
			s.masterForm = -1
		}
		s.dropOldest(removed)
	}
	if edge {
		n := s.length - t.MaxLen
		if t.ByMinID {
			n = s.below(t.MinID)
		}
		s.takeOldest(n)
		removed += n
	}
	return removed
}

// nodeFrom returns the first node that has entries at or above id; nodes below were walked already and kept some.
func (s *Stream) nodeFrom(id ID) (*node, bool) {
	if n := s.nodes.oldest(); !n.first.Less(id) {
		return n, true
	}
	return s.nodes.ceiling(id)
}

// takeOldest removes the first n live entries, all of one node.
func (s *Stream) takeOldest(n int64) {
	if n == 0 {
		return
	}
	newestGone := s.nodes.takeOldest(uint32(n), s.epoch)
	s.dropOldest(n)
	if newestGone {
		s.masterForm = -1
	}
}

// trimSingly removes entries of a node one by one, asking and telling.
func (s *Stream) trimSingly(n node, t Trim) int64 {
	var removed int64
	last := n.last
	if t.ByMinID && !last.Less(t.MinID) {
		prev, ok := t.MinID.Prev()
		if !ok {
			return 0
		}
		last = prev
	}
	for from := n.first; t.ByMinID || s.length > t.MaxLen; {
		c := s.Scan(from, last)
		if !c.Next() {
			break
		}
		id := c.ID()
		if t.Keep == nil || !t.Keep(id) {
			if t.Removed != nil {
				t.Removed(id)
			}
			s.remove(id)
			removed++
		}
		next, ok := id.Next()
		if !ok {
			break
		}
		from = next
	}
	return removed
}
