package machine

import (
	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// queryXPendingSum answers XPENDING's short form: all pending entries count, but only consumers are listed, so NACKed
// entries are in the total alone.
func (m *Machine) queryXPendingSum(op *Op, w *resp.Writer) Result {
	_, g, err := m.readGroup(op)
	if err != nil {
		return refuse(w, err)
	}
	w.Array(4)
	w.Int(g.NumPending())
	first, ok := g.FirstPending()
	if !ok {
		w.Null()
		w.Null()
		w.NullArray()
		return 0
	}
	last, _ := g.LastPending()
	appendID(w, first)
	appendID(w, last)
	mark, n := w.Begin(), 0
	g.Ascend(func(c *groups.Consumer) bool {
		if c.Pending() > 0 {
			w.Array(2)
			w.Bulk(c.Name())
			w.BulkInt(c.Pending())
			n++
		}
		return true
	})
	w.End(mark, n)
	return 0
}

// readGroup finds the group that XPENDING asks about.
func (m *Machine) readGroup(op *Op) (*object, *groups.Group, error) {
	o, err := m.readStream(op.DB, op.Key)
	if err != nil {
		return nil, nil, err
	}
	if o != nil {
		if g := o.groups.Get(op.Group); g != nil {
			return o, g, nil
		}
	}
	return nil, nil, noGroup(op.Key, op.Group)
}

func (m *Machine) queryXPendingRange(op *Op, w *resp.Writer, nowMS int64) Result {
	o, g, err := m.readGroup(op)
	if err != nil {
		return refuse(w, err)
	}
	var c *groups.Consumer
	if op.Flags&FlagConsumer != 0 {
		if c = g.Consumer(op.Consumer); c == nil {
			w.Array(0)
			return 0
		}
	}
	from, to, count, minIdle := op.IDs[0], op.IDs[1], op.N[0], op.N[1]
	form := pendingForm{owner: true, idle: true, nowMS: nowMS}
	if from == stream.MinID && to == stream.MaxID && minIdle <= 0 {
		set, image := o.steadyGroups(w, count)
		if image {
			g = set.Get(op.Group)
			c = sameConsumer(g, c)
		}
		appendPendings(w, g, c, count, form, image)
		return 0
	}
	at := pendingsFrom(g, c, from)
	if minIdle > 0 {
		at.SkipIdle(nowMS - minIdle)
	}
	mark, n := w.Begin(), int64(0)
	for n < count && at.Next() {
		p := at.Pending()
		if to.Less(p.ID) {
			break
		}
		form.put(w, p)
		n++
	}
	w.End(mark, int(n))
	return 0
}

// ownerName is empty for a NACKed entry.
func ownerName(p groups.Pending) []byte {
	if p.Owner == nil {
		return nil
	}
	return p.Owner.Name()
}

// infoStream finds the stream that XINFO asks about.
func (m *Machine) infoStream(op *Op) (*object, error) {
	o, err := m.readStream(op.DB, op.Key)
	if err == nil && o == nil {
		err = resp.ErrNoSuchKey
	}
	return o, err
}

func (m *Machine) queryXInfoStream(op *Op, w *resp.Writer) Result {
	o, err := m.infoStream(op)
	if err == nil {
		err = op.Err
	}
	if err != nil {
		return refuse(w, err)
	}
	full := op.Flags&FlagFull != 0
	if full {
		w.Map(15)
	} else {
		w.Map(16)
	}
	s := o.stream
	idmp := s.Idmp()
	duration, maxSize := idmp.Config()
	pids, iids := idmp.Tracked(m.readMS)
	infoInt(w, "length", s.Len())
	infoInt(w, "radix-tree-keys", s.Nodes())
	infoInt(w, "radix-tree-nodes", s.Nodes()+1)
	infoID(w, "last-generated-id", s.LastID())
	infoID(w, "max-deleted-entry-id", s.MaxDeletedID())
	infoInt(w, "entries-added", s.EntriesAdded())
	infoID(w, "recorded-first-entry-id", s.FirstID())
	infoInt(w, "idmp-duration", duration)
	infoInt(w, "idmp-maxsize", maxSize)
	infoInt(w, "pids-tracked", int64(pids))
	infoInt(w, "iids-tracked", iids)
	infoInt(w, "iids-added", idmp.Added())
	infoInt(w, "iids-duplicates", idmp.Duplicates())
	if full {
		infoFull(w, o, op.N[0])
		return 0
	}
	infoInt(w, "groups", int64(o.groups.Len()))
	w.BulkString("first-entry")
	infoEntry(w, s.Scan(stream.MinID, stream.MaxID))
	w.BulkString("last-entry")
	infoEntry(w, s.ScanReverse(stream.MinID, stream.MaxID))
	return 0
}

func infoInt(w *resp.Writer, name string, n int64) {
	w.BulkString(name)
	w.Int(n)
}

func infoID(w *resp.Writer, name string, id stream.ID) {
	w.BulkString(name)
	appendID(w, id)
}

// infoEntry writes the first entry c comes to, or null.
func infoEntry(w *resp.Writer, c stream.Cursor) {
	if c.Next() {
		appendEntry(w, &c)
	} else {
		w.Null()
	}
}

// infoProgress writes how far a group has read, null where it is unknown.
func infoProgress(w *resp.Writer, s *stream.Stream, g *groups.Group) {
	w.BulkString("entries-read")
	if n := g.EntriesRead(); n >= 0 {
		w.Int(n)
	} else {
		w.Null()
	}
	w.BulkString("lag")
	if n, known := g.Lag(s); known {
		w.Int(n)
	} else {
		w.Null()
	}
}

// infoFull writes what FULL adds: entries and groups with their PELs, count of each (0: all).
func infoFull(w *resp.Writer, o *object, count int64) {
	if count <= 0 {
		count = -1
	}
	w.BulkString("entries")
	c := o.stream.Scan(stream.MinID, stream.MaxID)
	appendEntries(w, &c, count)
	set, image := o.steadyGroups(w, count)
	w.BulkString("groups")
	w.Array(int(set.Len()))
	set.Ascend(func(g *groups.Group) bool {
		infoFullGroup(w, o.stream, g, count, image)
		return true
	})
}

func infoFullGroup(w *resp.Writer, s *stream.Stream, g *groups.Group, count int64, image bool) {
	w.Map(8)
	w.BulkString("name")
	w.Bulk(g.Name())
	infoID(w, "last-delivered-id", g.LastID())
	infoProgress(w, s, g)
	infoInt(w, "pel-count", g.NumPending())
	infoInt(w, "nacked-count", g.NumNacked())
	w.BulkString("pending")
	appendPendings(w, g, nil, count, pendingForm{owner: true}, image)
	w.BulkString("consumers")
	w.Array(int(g.NumConsumers()))
	g.Ascend(func(c *groups.Consumer) bool {
		infoFullConsumer(w, g, c, count, image)
		return true
	})
}

func infoFullConsumer(w *resp.Writer, g *groups.Group, c *groups.Consumer, count int64, image bool) {
	w.Map(5)
	w.BulkString("name")
	w.Bulk(c.Name())
	infoInt(w, "seen-time", c.SeenMS)
	infoInt(w, "active-time", c.ActiveMS)
	infoInt(w, "pel-count", c.Pending())
	w.BulkString("pending")
	appendPendings(w, g, c, count, pendingForm{}, image)
}

func (m *Machine) queryXInfoGroups(op *Op, w *resp.Writer) Result {
	o, err := m.infoStream(op)
	if err != nil {
		return refuse(w, err)
	}
	w.Array(int(o.groups.Len()))
	o.groups.Ascend(func(g *groups.Group) bool {
		w.Map(6)
		w.BulkString("name")
		w.Bulk(g.Name())
		infoInt(w, "consumers", int64(g.NumConsumers()))
		infoInt(w, "pending", g.NumPending())
		infoID(w, "last-delivered-id", g.LastID())
		infoProgress(w, o.stream, g)
		return true
	})
	return 0
}

func (m *Machine) queryXInfoConsumers(op *Op, w *resp.Writer, nowMS int64) Result {
	o, err := m.infoStream(op)
	if err != nil {
		return refuse(w, err)
	}
	g := o.groups.Get(op.Group)
	if g == nil {
		return refuse(w, noGroupNamed(op.Key, op.Group))
	}
	w.Array(int(g.NumConsumers()))
	g.Ascend(func(c *groups.Consumer) bool {
		w.Map(4)
		w.BulkString("name")
		w.Bulk(c.Name())
		infoInt(w, "pending", c.Pending())
		infoInt(w, "idle", max(nowMS-c.SeenMS, 0))
		inactive := int64(-1)
		if c.ActiveMS >= 0 {
			inactive = max(nowMS-c.ActiveMS, 0)
		}
		infoInt(w, "inactive", inactive)
		return true
	})
	return 0
}
