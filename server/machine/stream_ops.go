package machine

import (
	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// applyStreamOp carries out op if it is a stream or group change; false: it is neither.
func (m *Machine) applyStreamOp(op *Op, w *resp.Writer) (Result, bool) {
	switch op.Kind {
	case XAdd:
		return m.applyXAdd(op, w), true
	case XTrim:
		return m.applyXTrim(op, w), true
	case XDel:
		return m.applyXDel(op, w), true
	case XDelEx:
		return m.applyXDelEx(op, w), true
	case XSetID:
		return m.applyXSetID(op, w), true
	case XAck:
		return m.applyXAck(op, w), true
	case XAckDel:
		return m.applyXAckDel(op, w), true
	case XNack:
		return m.applyXNack(op, w), true
	case XReadGroup:
		return m.applyXReadGroup(op, w), true
	case XClaim:
		return m.applyXClaim(op, w), true
	case XAutoClaim:
		return m.applyXAutoClaim(op, w), true
	case XGroupCreate:
		return m.applyXGroupCreate(op, w), true
	case XGroupSetID:
		return m.applyXGroupSetID(op, w), true
	case XGroupDestroy:
		return m.applyXGroupDestroy(op, w), true
	case XGroupAddCons:
		return m.applyXGroupAddConsumer(op, w), true
	case XGroupDelCons:
		return m.applyXGroupDelConsumer(op, w), true
	case XCfgSet:
		return m.applyXCfgSet(op, w), true
	case XIdmpRecord:
		return m.applyXIdmpRecord(op, w), true
	}
	return 0, false
}

// queryStreamOp answers op if it is a stream or group query.
func (m *Machine) queryStreamOp(op *Op, w *resp.Writer, nowMS int64) (Result, bool) {
	switch op.Kind {
	case XLen:
		return m.queryXLen(op, w), true
	case XRange:
		return m.queryXRange(op, w), true
	case XRead:
		return m.queryXRead(op, w), true
	case XPendingSum:
		return m.queryXPendingSum(op, w), true
	case XPendingRange:
		return m.queryXPendingRange(op, w, nowMS), true
	case XInfoStream:
		return m.queryXInfoStream(op, w), true
	case XInfoGroups:
		return m.queryXInfoGroups(op, w), true
	case XInfoConsumers:
		return m.queryXInfoConsumers(op, w, nowMS), true
	}
	return 0, false
}

// refuse answers err; the caller has changed nothing.
func refuse(w *resp.Writer, err error) Result {
	w.Error(err)
	return Refused
}

// NOGROUP has three texts, by command family.

func noGroup(key, group []byte) resp.Error {
	return resp.Error("NOGROUP No such key '" + string(key) + "' or consumer group '" + string(group) + "'")
}

func noGroupRead(key, group []byte) resp.Error {
	return noGroup(key, group) + " in XREADGROUP with GROUP option"
}

func noGroupNamed(key, group []byte) resp.Error {
	return resp.Error("NOGROUP No such consumer group '" + string(group) + "' for key name '" + string(key) + "'")
}

// lookupGroup finds the stream and its group. A missing key or group is (nil, nil, nil), a key of another type an error.
func (m *Machine) lookupGroup(db int, key, name []byte) (*object, *groups.Group, error) {
	o, err := m.lookupStream(db, key)
	if err != nil || o == nil {
		return nil, nil, err
	}
	g := o.groups.Get(name)
	if g == nil {
		return nil, nil, nil
	}
	return o, g, nil
}

// changeGroup prepares o for a change and returns the group as it is after that.
func (m *Machine) changeGroup(o *object, name []byte) *groups.Group {
	m.change(o)
	return o.groups.Get(name)
}

// groupToChange is what the commands begin with that refuse a missing group: the group, prepared for a change, or the error of
// the state or else of the arguments.
func (m *Machine) groupToChange(op *Op) (*object, *groups.Group, error) {
	o, g, err := m.lookupGroup(op.DB, op.Key, op.Group)
	switch {
	case err != nil:
		return nil, nil, err
	case g == nil:
		return nil, nil, noGroup(op.Key, op.Group)
	case op.Err != nil:
		return nil, nil, op.Err
	}
	return o, m.changeGroup(o, op.Group), nil
}

// seen finds or creates the consumer and notes the attempt; changed tells whether that changed anything.
func (m *Machine) seen(op *Op, key []byte, g *groups.Group) (c *groups.Consumer, changed bool) {
	c = g.Consumer(op.Consumer)
	if c == nil {
		c = g.AddConsumer(op.Consumer, op.AtMS)
		m.event(op.DB, 't', "xgroup-createconsumer", key)
		return c, true
	}
	if c.SeenMS == op.AtMS {
		return c, false
	}
	c.SeenMS = op.AtMS
	return c, true
}

// finder looks up entries of a stream by ids that mostly ascend: runs of neighbours cost one seek.
type finder struct {
	s    *stream.Stream
	c    stream.Cursor
	open bool // c stands on an entry
}

// find puts f.c on the entry id and tells whether there is one.
func (f *finder) find(id stream.ID) bool {
	if f.open {
		at := f.c.ID()
		if at == id {
			return true
		}
		if at.Less(id) && f.c.Next() {
			if at = f.c.ID(); at == id {
				return true
			}
		}
	}
	f.c = f.s.Scan(id, stream.MaxID)
	f.open = f.c.Next()
	return f.open && f.c.ID() == id
}

// appendEntry writes the entry under the cursor.
func appendEntry(w *resp.Writer, c *stream.Cursor) {
	if w != nil {
		w.Buf = c.AppendEntry(w.Buf)
	}
}

// appendID writes id as a bulk string.
func appendID(w *resp.Writer, id stream.ID) {
	if w != nil {
		w.Buf = id.AppendRESP(w.Buf)
	}
}

// answerID is appendID for ids of which one mostly has the time of the one before.
func (m *Machine) answerID(w *resp.Writer, id stream.ID) {
	if w != nil {
		w.Buf = m.idText.AppendRESP(w.Buf, id)
	}
}
