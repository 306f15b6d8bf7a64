package groups

import "github.com/streamd/streamd/stream"

// Lag returns how many entries of s the group has still to read; known is false where Redis answers null. The counters
// decide, not the entries, so the answer is exactly the one Redis gives.
func (g *Group) Lag(s *stream.Stream) (n int64, known bool) {
	first := s.FirstID()
	switch {
	case s.EntriesAdded() == 0 || s.Len() == 0:
		return 0, true
	case g.last.Less(first) && s.MaxDeletedID().Less(first):
		return s.Len(), true
	case g.entriesRead != -1 && !s.TombstoneAhead(g.last):
		return s.EntriesAdded() - g.entriesRead, true
	}
	if read := s.Estimate(g.last); read != -1 {
		return s.EntriesAdded() - read, true
	}
	return 0, false
}

// Advance accounts for the delivery of the new entry id, which is above LastID, and makes it the LastID. The counter goes
// up by one while nothing deleted can lie ahead; otherwise the position of id is estimated, and may become unknown.
func (g *Group) Advance(s *stream.Stream, id stream.ID) {
	g.mustOwn()
	switch {
	case g.entriesRead != -1 && !g.last.Less(s.FirstID()) && !s.TombstoneAhead(g.last):
		g.entriesRead++
	case s.EntriesAdded() != 0:
		g.entriesRead = s.Estimate(id)
	}
	g.home.moved(g.last, id)
	g.last = id
}
