package machine

import (
	"math"

	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/stream"
)

// Servable tells whether op, an XREAD or XREADGROUP, would answer something now, be it an error. It changes nothing, so a
// parked read that would come back empty costs no record in the log. A key whose deadline has passed by nowMS is not there.
func (m *Machine) Servable(op *Op, nowMS int64) bool {
	if op.Err != nil {
		return true
	}
	m.readMS, m.nowS = nowMS, uint32(nowMS/1000)
	for i := range op.Args {
		if op.Kind == XReadGroup && m.deliverable(op, i, nowMS) || op.Kind == XRead && m.readable(op, i) {
			return true
		}
	}
	return false
}

// readable tells whether XREAD has an answer for key i of op.
func (m *Machine) readable(op *Op, i int) bool {
	if _, err := m.lookupStream(op.DB, op.Args[i]); err != nil {
		return true
	}
	_, ok := m.unread(op, i)
	return ok
}

// deliverable tells whether XREADGROUP has an answer for key i of op.
func (m *Machine) deliverable(op *Op, i int, nowMS int64) bool {
	o, g, err := m.lookupGroup(op.DB, op.Args[i], op.Group)
	if err != nil || g == nil || op.IDs[i] != stream.MaxID {
		return true
	}
	if o.stream.Len() > 0 && g.LastID().Less(o.stream.LastEntryID()) {
		return true
	}
	if op.N[3] < 0 {
		return false
	}
	_, ok := oldestWithData(o, g, overdueSince(nowMS, op.N[3]))
	return ok
}

// oldestWithData returns the smallest delivery time, up to maxSinceMS, of a pending entry that still has data.
func oldestWithData(o *object, g *groups.Group, maxSinceMS int64) (sinceMS int64, ok bool) {
	find := finder{s: o.stream}
	g.ByIdle(maxSinceMS, func(p groups.Pending) bool {
		sinceMS, ok = p.SinceMS, find.find(p.ID)
		return !ok
	})
	return sinceMS, ok
}

// ResolveMarks fixes what '$' means for an XREAD that begins to wait: what is last now. '+' keeps its meaning.
func (m *Machine) ResolveMarks(op *Op) {
	for i, mark := range op.Marks {
		if mark != '$' {
			continue
		}
		op.Marks[i] = 0
		if o, err := m.lookupStream(op.DB, op.Args[i]); err == nil && o != nil {
			op.IDs[i] = o.stream.LastID()
		} else {
			op.IDs[i] = stream.MinID
		}
	}
}

// ClaimDueMS tells when a waiting XREADGROUP CLAIM is to be looked at again because the oldest pending entry reaches the
// min-idle time, or a min-idle time from now when none is pending. False: op has no CLAIM.
func (m *Machine) ClaimDueMS(op *Op, nowMS int64) (ms int64, ok bool) {
	if op.Kind != XReadGroup || op.N[3] < 0 {
		return 0, false
	}
	m.readMS, m.nowS = nowMS, uint32(nowMS/1000)
	oldest := nowMS
	for _, key := range op.Args {
		o, g, err := m.lookupGroup(op.DB, key, op.Group)
		if err != nil || g == nil {
			continue
		}
		if since, some := oldestWithData(o, g, math.MaxInt64); some {
			oldest = min(oldest, since)
		}
	}
	if oldest > math.MaxInt64-op.N[3] {
		return math.MaxInt64, true
	}
	return oldest + op.N[3], true
}
