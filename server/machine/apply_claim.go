package machine

import (
	"math"

	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// applyXClaim takes pending entries over, in the order asked for.
func (m *Machine) applyXClaim(op *Op, w *resp.Writer) Result {
	o, g, err := m.groupToChange(op)
	if err != nil {
		return refuse(w, err)
	}
	ids, changed := op.IDs, false
	if op.Flags&FlagLastID != 0 {
		last := ids[len(ids)-1]
		ids = ids[:len(ids)-1]
		if g.LastID().Less(last) {
			g.SetLastID(last)
			changed = true
		}
	}
	c, touched := m.seen(op, op.Key, g)
	changed = changed || touched
	claim := claiming{op: op, w: w, g: g, to: c, sinceMS: claimSince(op), retries: op.N[1]}
	find := finder{s: o.stream}
	mark, claimed := w.Begin(), 0
	for _, id := range ids {
		p, pending := g.Get(id)
		switch {
		case !find.find(id):
			changed = pending && g.Ack(id) || changed
			continue
		case !pending && op.Flags&FlagForce == 0:
			continue
		case !pending:
			p = groups.Pending{ID: id, Count: 1}
		case tooYoung(p, op):
			continue
		}
		claim.take(p, &find.c)
		claimed++
	}
	w.End(mark, claimed)
	return changedIf(changed || claimed > 0)
}

// claimSince returns the delivery time that XCLAIM sets: now, unless IDLE or TIME give one in the past.
func claimSince(op *Op) int64 {
	since := op.AtMS
	switch {
	case op.Flags&FlagIdle != 0:
		since = op.AtMS - op.N[2]
	case op.Flags&FlagTime != 0:
		since = op.N[2]
	}
	if since < 0 || since > op.AtMS {
		return op.AtMS
	}
	return since
}

// tooYoung tells whether a min-idle time in op.N[0] protects p. An entry without owner is never protected.
func tooYoung(p groups.Pending, op *Op) bool {
	return p.Owner != nil && op.N[0] > 0 && op.AtMS-p.SinceMS < op.N[0]
}

// claiming is one XCLAIM or XAUTOCLAIM under way.
type claiming struct {
	op      *Op
	w       *resp.Writer
	g       *groups.Group
	to      *groups.Consumer
	sinceMS int64
	retries int64 // count to set; negative: one more than before, unless JUSTID
}

// take makes p the claimer's and answers its entry, on which c stands.
func (k *claiming) take(p groups.Pending, c *stream.Cursor) {
	justID := k.op.Flags&FlagJustID != 0
	count := p.Count
	switch {
	case k.retries >= 0:
		count = k.retries
	case !justID:
		count = oneMore(count)
	}
	k.g.Put(p.ID, k.to, k.sinceMS, count)
	k.to.ActiveMS = k.op.AtMS
	if justID {
		appendID(k.w, p.ID)
	} else {
		appendEntry(k.w, c)
	}
}

// oneMore counts a delivery.
func oneMore(count int64) int64 {
	if count == math.MaxInt64 {
		return count
	}
	return count + 1
}

// autoClaimBudget is how many pending entries XAUTOCLAIM examines for each one it may answer.
const autoClaimBudget = 10

// applyXAutoClaim first walks the PEL without changing it, since its reply begins with where the walk ended, then claims what
// it found and drops what is pending without an entry.
func (m *Machine) applyXAutoClaim(op *Op, w *resp.Writer) Result {
	o, g, err := m.groupToChange(op)
	if err != nil {
		return refuse(w, err)
	}
	c, changed := m.seen(op, op.Key, g)
	m.auto.look(op, o.stream, g)
	found, gone, next := m.auto.found, m.auto.gone, m.auto.next

	w.Array(3)
	appendID(w, next)
	w.Array(len(found))
	claim := claiming{op: op, w: w, g: g, to: c, sinceMS: op.AtMS, retries: -1}
	find := finder{s: o.stream}
	for _, p := range found {
		if find.find(p.ID) {
			claim.take(p, &find.c)
		}
	}
	w.Array(len(gone))
	for _, id := range gone {
		g.Ack(id)
		appendID(w, id)
	}
	m.auto.done()
	return changedIf(changed || len(found) > 0 || len(gone) > 0)
}

// autoClaim is what XAUTOCLAIM found in the PEL: entries to claim, ids whose entries are gone, and the first id not examined
// (0-0 at the end). The machine keeps it for its room.
type autoClaim struct {
	found []groups.Pending
	gone  []stream.ID
	next  stream.ID
}

// look examines the PEL from op's start id on.
func (a *autoClaim) look(op *Op, s *stream.Stream, g *groups.Group) {
	count := op.N[1]
	budget := int64(math.MaxInt64)
	if count < budget/autoClaimBudget {
		budget = count * autoClaimBudget
	}
	find := finder{s: s}
	at := g.Pendings(op.IDs[0])
	for ; at.Next(); budget-- {
		p := at.Pending()
		if budget <= 0 || int64(len(a.found)+len(a.gone)) >= count {
			a.next = p.ID
			return
		}
		switch {
		case !find.find(p.ID):
			a.gone = append(a.gone, p.ID)
		case !tooYoung(p, op):
			a.found = append(a.found, p)
		}
	}
	a.next = stream.MinID
}

// done forgets all but some room.
func (a *autoClaim) done() {
	if most := 1000; cap(a.found) > most || cap(a.gone) > most {
		*a = autoClaim{}
		return
	}
	clear(a.found)
	a.found, a.gone = a.found[:0], a.gone[:0]
}
