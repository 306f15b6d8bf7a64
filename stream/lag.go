package stream

// TombstoneAhead tells whether an entry may have been deleted at or after x, so that counting from x on is not safe.
func (s *Stream) TombstoneAhead(x ID) bool {
	return s.length > 0 && !s.maxDeleted.IsZero() && !s.maxDeleted.Less(x)
}

// Estimate returns how many entries were added up to and including x, -1 if that is not known. It is what Redis answers, rule
// by rule, where a better answer would be possible as well.
func (s *Stream) Estimate(x ID) int64 {
	switch {
	case s.added == 0:
		return 0
	case s.length == 0 && !s.lastID.Less(x):
		return s.added
	case !x.IsZero() && x.Less(s.maxDeleted):
		return -1
	case x == s.lastID:
		return s.added
	case s.lastID.Less(x):
		return -1
	case !s.maxDeleted.IsZero() && !s.maxDeleted.Less(s.first):
		return -1
	case x.Less(s.first):
		return s.added - s.length
	case x == s.first:
		return s.added - s.length + 1
	}
	return -1
}
