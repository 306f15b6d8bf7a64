package machine

import (
	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// Limits of one entry: the bytes and the number of its fields and values. The second keeps the entry's size in memory, which
// has some bytes for each, within what a stream takes.
const (
	maxEntryBytes  = 1 << 30
	maxEntryFields = 1 << 24
)

func (m *Machine) limits() stream.Limits {
	return stream.Limits{NodeMaxBytes: m.params.NodeMaxBytes, NodeMaxEntries: m.params.NodeMaxEntries}
}

// applyXAdd appends, then trims. `*` and `ms-*` become an id here, from the op's time and the stream's last id.
func (m *Machine) applyXAdd(op *Op, w *resp.Writer) Result {
	o, err := m.lookupStream(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	if o == nil && op.Flags&FlagNoMkStream != 0 {
		w.Null()
		return 0
	}
	var iid []byte
	if op.Flags&(FlagIdmp|FlagIdmpAuto) != 0 {
		iid = idempotentID(op)
		if m.repeated(o, op, iid, w) {
			return Changed
		}
	}
	id, err := stream.ID{}, error(nil)
	if o != nil {
		id, err = nextID(o.stream, op)
	} else {
		id, err = nextID(stream.New(), op)
	}
	if err == nil && !storable(op.Args) {
		err = resp.ErrEntryTooLarge
	}
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		o = m.createStream(op.DB, op.Key)
	} else {
		m.change(o)
	}
	if err := o.stream.Append(id, op.Args, m.limits()); err != nil {
		panic("machine: append of a checked entry: " + err.Error())
	}
	o.stream.Idmp().Expire(op.AtMS)
	if iid != nil {
		o.stream.Idmp().Record(op.Group, iid, id)
	}
	m.event(op.DB, 't', "xadd", op.Key)
	if op.Flags&(FlagMaxLen|FlagMinID) != 0 && m.trim(o, op, 1) > 0 {
		m.event(op.DB, 't', "xtrim", op.Key)
	}
	m.changed(op.DB, op.Key, Dirty|Ready)
	m.answerID(w, id)
	return Changed
}

// idempotentID returns what names an XADD for its producer.
func idempotentID(op *Op) []byte {
	if op.Flags&FlagIdmpAuto != 0 {
		return stream.AutoIdentity(nil, op.Args)
	}
	return op.Consumer
}

// repeated answers an XADD that was done before with the id it got then. Only the count of duplicates changes.
func (m *Machine) repeated(o *object, op *Op, iid []byte, w *resp.Writer) bool {
	if o == nil {
		return false
	}
	idmp := o.stream.Idmp()
	id, known := idmp.Lookup(op.Group, iid)
	duration, _ := idmp.Config()
	if !known || expired(id, op.AtMS-duration*1000) {
		return false
	}
	m.change(o)
	idmp = o.stream.Idmp()
	idmp.Expire(op.AtMS)
	idmp.CountDuplicate()
	m.answerID(w, id)
	return true
}

// expired tells whether the idempotent id recorded with an entry id is no longer valid at cutoffMS.
func expired(id stream.ID, cutoffMS int64) bool {
	return cutoffMS >= 0 && id.MS <= uint64(cutoffMS)
}

// nextID returns the id of the entry that op appends to s.
func nextID(s *stream.Stream, op *Op) (id stream.ID, err error) {
	if s.LastID() == stream.MaxID {
		return id, resp.ErrIDExhausted
	}
	ok := true
	switch {
	case op.Flags&FlagAutoID != 0:
		id, ok = s.AutoID(uint64(op.AtMS))
	case op.Flags&FlagAutoSeq != 0:
		id, ok = s.AutoSeq(op.IDs[0].MS)
	default:
		id = op.IDs[0]
	}
	if !ok || !s.LastID().Less(id) {
		return id, resp.ErrIDTooSmall
	}
	return id, nil
}

// storable tells whether an entry of these fields is within the limits.
func storable(fields [][]byte) bool {
	var n int64
	for _, f := range fields {
		n += int64(len(f))
	}
	return n <= maxEntryBytes && len(fields) <= maxEntryFields
}

// Bounds of the work that `~` without LIMIT may do, in entries.
const (
	trimLimitNodes     = 100 // times stream-node-max-entries
	trimLimitNoNodes   = 10000
	trimLimitAtMost    = 1000000
	trimLimitUnlimited = 0
)

// trimLimit returns LIMIT, or what stands for it.
func (m *Machine) trimLimit(op *Op) int64 {
	per := m.params.NodeMaxEntries
	switch {
	case op.Flags&FlagApprox == 0:
		return trimLimitUnlimited
	case op.Flags&FlagHasLimit != 0:
		return op.N[1]
	case per <= 0:
		return trimLimitNoNodes
	case per > trimLimitAtMost/trimLimitNodes:
		return trimLimitAtMost
	}
	return per * trimLimitNodes
}

// trim removes what XADD or XTRIM ask for; MINID is op.IDs[minID]. The caller has called change.
func (m *Machine) trim(o *object, op *Op, minID int) int64 {
	t := stream.Trim{MaxLen: op.N[0], Approx: op.Flags&FlagApprox != 0, Limit: m.trimLimit(op)}
	if op.Flags&FlagMinID != 0 {
		t.ByMinID, t.MinID = true, op.IDs[minID]
	}
	switch {
	case op.Flags&FlagAcked != 0:
		t.Keep = o.groups.Referenced
	case op.Flags&FlagDelRef != 0:
		t.Removed = o.groups.Drop
	}
	return o.stream.Trim(t)
}

func (m *Machine) applyXTrim(op *Op, w *resp.Writer) Result {
	o, err := m.lookupStream(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		w.Int(0)
		return 0
	}
	m.change(o)
	removed := m.trim(o, op, 0)
	if removed > 0 {
		m.event(op.DB, 't', "xtrim", op.Key)
		m.changed(op.DB, op.Key, Dirty)
	}
	w.Int(removed)
	return changedIf(removed > 0)
}

func (m *Machine) applyXDel(op *Op, w *resp.Writer) Result {
	o, err := m.lookupStream(op.DB, op.Key)
	if err == nil && o != nil {
		err = op.Err
	}
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		w.Int(0)
		return 0
	}
	m.change(o)
	var removed int64
	for _, id := range op.IDs {
		if o.stream.Delete(id) {
			removed++
		}
	}
	if removed > 0 {
		m.deleted(op)
	}
	w.Int(removed)
	return changedIf(removed > 0)
}

// applyXDelEx deletes with regard to references. An error of the options has no IDs beside it and wins over a missing key;
// an error of an id stands beside as many IDs as the command counted and does not.
func (m *Machine) applyXDelEx(op *Op, w *resp.Writer) Result {
	o, err := m.lookupStream(op.DB, op.Key)
	if err == nil && (o != nil || len(op.IDs) == 0) {
		err = op.Err
	}
	if err != nil {
		return refuse(w, err)
	}
	w.Array(len(op.IDs))
	if o == nil {
		for range op.IDs {
			w.Int(deleteAbsent)
		}
		return 0
	}
	m.change(o)
	removed, dropped := false, false
	for _, id := range op.IDs {
		if op.Flags&FlagAcked != 0 && o.groups.Referenced(id) {
			w.Int(deleteKept)
			continue
		}
		if op.Flags&FlagDelRef != 0 && pendingAnywhere(o.groups, id) {
			o.groups.Drop(id)
			dropped = true
		}
		if o.stream.Delete(id) {
			removed = true
			w.Int(deleteDone)
		} else {
			w.Int(deleteAbsent)
		}
	}
	if removed {
		m.deleted(op)
	}
	return changedIf(removed || dropped)
}

// pendingAnywhere tells whether some group has id in its PEL.
func pendingAnywhere(x *groups.Set, id stream.ID) bool {
	found := false
	x.Ascend(func(g *groups.Group) bool {
		_, found = g.Get(id)
		return !found
	})
	return found
}

// existingStream finds the stream of a command that insists on it.
func (m *Machine) existingStream(op *Op) (*object, error) {
	o, err := m.lookupStream(op.DB, op.Key)
	if err == nil && o == nil {
		err = resp.ErrNoSuchKey
	}
	return o, err
}

func (m *Machine) applyXSetID(op *Op, w *resp.Writer) Result {
	o, err := m.existingStream(op)
	if err == nil {
		err = checkXSetID(o.stream, op)
	}
	if err != nil {
		return refuse(w, err)
	}
	m.event(op.DB, 't', "xsetid", op.Key)
	w.OK()
	s := o.stream
	last, deleted, added := op.IDs[0], s.MaxDeletedID(), s.EntriesAdded()
	if op.Flags&FlagHasLimit != 0 && !op.IDs[1].IsZero() {
		deleted = op.IDs[1]
	}
	if op.N[0] >= 0 {
		added = op.N[0]
	}
	if last == s.LastID() && deleted == s.MaxDeletedID() && added == s.EntriesAdded() {
		return 0
	}
	m.change(o)
	o.stream.SetID(last, deleted, added)
	return Changed
}

// Errors of XSETID.
const (
	errSetIDBelowDeleted resp.Error = "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
	errSetIDBelowTop     resp.Error = "ERR The ID specified in XSETID is smaller than the target stream top item"
	errSetIDAdded        resp.Error = "ERR The entries_added specified in XSETID is smaller than the target stream length"
)

func checkXSetID(s *stream.Stream, op *Op) error {
	switch {
	case op.IDs[0].Less(s.MaxDeletedID()):
		return errSetIDBelowDeleted
	case op.IDs[0].Less(s.LastEntryID()):
		return errSetIDBelowTop
	case op.N[0] >= 0 && op.N[0] < s.Len():
		return errSetIDAdded
	}
	return nil
}

func (m *Machine) applyXCfgSet(op *Op, w *resp.Writer) Result {
	o, err := m.existingStream(op)
	if err == nil {
		err = op.Err
	}
	if err != nil {
		return refuse(w, err)
	}
	w.OK()
	duration, maxSize := o.stream.Idmp().Config()
	wantDuration, wantMaxSize := duration, maxSize
	if op.N[0] > 0 {
		wantDuration = op.N[0]
	}
	if op.N[1] > 0 {
		wantMaxSize = op.N[1]
	}
	if wantDuration == duration && wantMaxSize == maxSize {
		return 0
	}
	m.change(o)
	o.stream.Idmp().SetConfig(wantDuration, wantMaxSize)
	return Changed
}

// Errors of XIDMPRECORD.
const (
	errIdmpNoEntry resp.Error = "ERR No such message in stream"
	errIdmpOtherID resp.Error = "ERR IID already exists for this producer with a different stream ID"
)

// applyXIdmpRecord restores one idempotent id. One that has expired but was not swept yet is still known; the next XADD
// sweeps.
func (m *Machine) applyXIdmpRecord(op *Op, w *resp.Writer) Result {
	o, err := m.existingStream(op)
	if err == nil && !o.stream.Has(op.IDs[0]) {
		err = errIdmpNoEntry
	}
	if err != nil {
		return refuse(w, err)
	}
	switch id, known := o.stream.Idmp().Lookup(op.Group, op.Consumer); {
	case known && id != op.IDs[0]:
		return refuse(w, errIdmpOtherID)
	case known:
		w.OK()
		return 0
	}
	m.change(o)
	o.stream.Idmp().Record(op.Group, op.Consumer, op.IDs[0])
	w.OK()
	return Changed
}
