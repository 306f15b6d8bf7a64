package machine

import (
	"math"

	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// applyXGroupCreate makes a group, and its stream with MKSTREAM once nothing can fail any more.
func (m *Machine) applyXGroupCreate(op *Op, w *resp.Writer) Result {
	o, err := m.lookupStream(op.DB, op.Key)
	switch {
	case err != nil:
		return refuse(w, err)
	case o == nil && op.Flags&FlagMkStream == 0:
		return refuse(w, resp.ErrXGroupNeedsKey)
	case op.Err != nil:
		return refuse(w, op.Err)
	case o != nil && o.groups.Get(op.Group) != nil:
		return refuse(w, resp.ErrBusyGroup)
	}
	if o == nil {
		o = m.createStream(op.DB, op.Key)
		m.changed(op.DB, op.Key, Dirty|Ready)
	} else {
		m.change(o)
	}
	o.groups.Create(op.Group, startOf(o, op), entriesReadOf(o, op))
	m.event(op.DB, 't', "xgroup-create", op.Key)
	w.OK()
	return Changed
}

// startOf returns the id that XGROUP CREATE and SETID name.
func startOf(o *object, op *Op) stream.ID {
	if op.Flags&FlagDollar != 0 {
		return o.stream.LastID()
	}
	return op.IDs[0]
}

// entriesReadOf returns the ENTRIESREAD of XGROUP CREATE and SETID. A group cannot have read more than was ever added.
func entriesReadOf(o *object, op *Op) int64 {
	return min(op.N[0], o.stream.EntriesAdded())
}

func (m *Machine) applyXGroupSetID(op *Op, w *resp.Writer) Result {
	o, g, err := m.namedGroup(op)
	if err == nil {
		err = op.Err
	}
	if err != nil {
		return refuse(w, err)
	}
	w.OK()
	m.event(op.DB, 't', "xgroup-setid", op.Key)
	last, entriesRead := startOf(o, op), entriesReadOf(o, op)
	if g.LastID() == last && g.EntriesRead() == entriesRead {
		return 0
	}
	g = m.changeGroup(o, op.Group)
	g.SetLastID(last)
	g.SetEntriesRead(entriesRead)
	return Changed
}

// namedGroup finds the group that an XGROUP subcommand changes.
func (m *Machine) namedGroup(op *Op) (*object, *groups.Group, error) {
	o, err := m.lookupStream(op.DB, op.Key)
	if err != nil {
		return nil, nil, err
	}
	if o == nil {
		return nil, nil, resp.ErrXGroupNeedsKey
	}
	g := o.groups.Get(op.Group)
	if g == nil {
		return nil, nil, noGroupNamed(op.Key, op.Group)
	}
	return o, g, nil
}

func (m *Machine) applyXGroupDestroy(op *Op, w *resp.Writer) Result {
	o, err := m.lookupStream(op.DB, op.Key)
	if err == nil && o == nil {
		err = resp.ErrXGroupNeedsKey
	}
	if err != nil {
		return refuse(w, err)
	}
	if o.groups.Get(op.Group) == nil {
		w.Int(0)
		return 0
	}
	m.change(o)
	o.groups.Destroy(op.Group)
	m.event(op.DB, 't', "xgroup-destroy", op.Key)
	m.changed(op.DB, op.Key, Ready|Gone)
	w.Int(1)
	return Changed
}

func (m *Machine) applyXGroupAddConsumer(op *Op, w *resp.Writer) Result {
	o, g, err := m.namedGroup(op)
	if err != nil {
		return refuse(w, err)
	}
	if g.Consumer(op.Consumer) != nil {
		w.Int(0)
		return 0
	}
	m.changeGroup(o, op.Group).AddConsumer(op.Consumer, op.AtMS)
	m.event(op.DB, 't', "xgroup-createconsumer", op.Key)
	w.Int(1)
	return Changed
}

func (m *Machine) applyXGroupDelConsumer(op *Op, w *resp.Writer) Result {
	o, g, err := m.namedGroup(op)
	if err != nil {
		return refuse(w, err)
	}
	if g.Consumer(op.Consumer) == nil {
		w.Int(0)
		return 0
	}
	dropped, _ := m.changeGroup(o, op.Group).DeleteConsumer(op.Consumer)
	m.event(op.DB, 't', "xgroup-delconsumer", op.Key)
	w.Int(dropped)
	return Changed
}

func (m *Machine) applyXAck(op *Op, w *resp.Writer) Result {
	o, g, err := m.lookupGroup(op.DB, op.Key, op.Group)
	if err != nil {
		return refuse(w, err)
	}
	if g == nil {
		w.Int(0)
		return 0
	}
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	g = m.changeGroup(o, op.Group)
	var acked int64
	for _, id := range op.IDs {
		if g.Ack(id) {
			acked++
		}
	}
	w.Int(acked)
	return changedIf(acked > 0)
}

func changedIf(changed bool) Result {
	if changed {
		return Changed
	}
	return 0
}

// Elements of the replies of XDELEX and XACKDEL.
const (
	deleteAbsent = -1
	deleteDone   = 1
	deleteKept   = 2 // ACKED and still referenced
)

// applyXAckDel acknowledges and deletes. An error of the options has no IDs beside it and wins over a missing key; an error
// of an id stands beside as many IDs as the command counted and does not.
func (m *Machine) applyXAckDel(op *Op, w *resp.Writer) Result {
	o, g, err := m.lookupGroup(op.DB, op.Key, op.Group)
	if err == nil && (g != nil || len(op.IDs) == 0) {
		err = op.Err
	}
	if err != nil {
		return refuse(w, err)
	}
	w.Array(len(op.IDs))
	if g == nil {
		for range op.IDs {
			w.Int(deleteAbsent)
		}
		return 0
	}
	g = m.changeGroup(o, op.Group)
	acked, deleted := false, false
	for _, id := range op.IDs {
		if !g.Ack(id) {
			w.Int(deleteAbsent)
			continue
		}
		acked = true
		if op.Flags&FlagAcked != 0 && o.groups.Referenced(id) {
			w.Int(deleteKept)
			continue
		}
		if op.Flags&FlagDelRef != 0 {
			o.groups.Drop(id)
		}
		if o.stream.Delete(id) {
			deleted = true
		}
		w.Int(deleteDone)
	}
	if deleted {
		m.deleted(op)
	}
	return changedIf(acked)
}

// deleted tells the world that entries of op's key went.
func (m *Machine) deleted(op *Op) {
	m.event(op.DB, 't', "xdel", op.Key)
	m.changed(op.DB, op.Key, Dirty)
}

func (m *Machine) applyXNack(op *Op, w *resp.Writer) Result {
	o, g, err := m.groupToChange(op)
	if err != nil {
		return refuse(w, err)
	}
	var nacked int64
	for _, id := range op.IDs {
		p, ok := g.Get(id)
		if !ok && (op.Flags&FlagForce == 0 || !o.stream.Has(id)) {
			continue
		}
		g.Nack(id, nackCount(op, p.Count))
		nacked++
	}
	w.Int(nacked)
	if nacked > 0 {
		m.changed(op.DB, op.Key, Ready)
	}
	return changedIf(nacked > 0)
}

// nackCount returns the delivery count that XNACK leaves behind.
func nackCount(op *Op, count int64) int64 {
	switch mode := op.N[0]; {
	case op.N[1] >= 0:
		return op.N[1]
	case mode == NackFatal:
		return math.MaxInt64
	case mode == NackSilent && count > 0:
		return count - 1
	}
	return count
}
