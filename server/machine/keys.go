package machine

import "github.com/streamd/streamd/resp"

// applyDel is DEL and UNLINK.
func (m *Machine) applyDel(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	n := int64(0)
	for _, key := range op.Args {
		if o := m.lookup(op.DB, key); o != nil {
			m.remove(o)
			m.event(op.DB, 'g', "del", key)
			m.changed(op.DB, key, o.gone())
			n++
		}
	}
	w.Int(n)
	if n == 0 {
		return 0
	}
	return Changed
}

// applyRename is RENAME and RENAMENX.
func (m *Machine) applyRename(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	from, to := op.Key, op.Group
	nx := op.Flags&FlagNX != 0
	o := m.lookup(op.DB, from)
	if o == nil {
		return refuse(w, resp.ErrNoSuchKey)
	}
	old := m.lookup(op.DB, to)
	if old == o || old != nil && nx {
		if nx {
			w.Int(0)
		} else {
			w.OK()
		}
		return 0
	}
	change := o.came()
	if old != nil {
		m.remove(old)
		change |= old.gone()
	}
	m.remove(o)
	m.adopt(op.DB, to, o)
	m.event(op.DB, 'g', "rename_from", from)
	m.event(op.DB, 'g', "rename_to", to)
	if old != nil {
		m.overwritten(op.DB, to, old.kind, o.kind)
	}
	m.changed(op.DB, from, o.gone())
	m.changed(op.DB, to, change)
	if nx {
		w.Int(1)
	} else {
		w.OK()
	}
	return Changed
}

// adopt gives the value and expiry of o, which was just removed, to key, which does not exist.
func (m *Machine) adopt(db int, key []byte, o *object) {
	m.insert(db, &object{
		key: string(key), kind: o.kind, form: o.form, str: o.str, streamBody: o.streamBody, shared: o.shared, deadlineMS: o.deadlineMS,
	})
	m.event(db, 'n', "new", key)
}

// destination returns the database that N[0] names for COPY and MOVE.
func (m *Machine) destination(op *Op) (int, bool) {
	if op.N[0] == -1 && op.Kind == Copy {
		return op.DB, true
	}
	return int(op.N[0]), op.N[0] >= 0 && op.N[0] < int64(len(m.dbs))
}

func (m *Machine) applyCopy(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	db, ok := m.destination(op)
	if !ok {
		return refuse(w, resp.ErrDBIndex)
	}
	to := op.Group
	if db == op.DB && string(op.Key) == string(to) {
		return refuse(w, resp.ErrSameObject)
	}
	o := m.lookup(op.DB, op.Key)
	if o == nil {
		m.miss(op.DB, op.Key)
		w.Int(0)
		return 0
	}
	m.touch(o)
	old := m.lookup(db, to)
	if old != nil && op.Flags&FlagReplace == 0 {
		w.Int(0)
		return 0
	}
	change := o.came()
	if old != nil {
		m.remove(old)
		change |= old.gone()
	}
	copied := &object{key: string(to), kind: o.kind, form: o.form, deadlineMS: o.deadlineMS}
	if o.kind == kindStream {
		m.change(o) // cloning marks what both share
		copied.streamBody = &streamBody{stream: o.stream.Clone(), groups: o.groups.Clone()}
	} else {
		copied.str = append([]byte(nil), o.str...)
	}
	m.insert(db, copied)
	m.event(db, 'n', "new", to)
	m.event(db, 'g', "copy_to", to)
	if old != nil {
		m.overwritten(db, to, old.kind, o.kind)
	}
	m.changed(db, to, change)
	w.Int(1)
	return Changed
}

func (m *Machine) applyMove(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	db, ok := m.destination(op)
	if !ok {
		return refuse(w, resp.ErrDBIndex)
	}
	if db == op.DB {
		return refuse(w, resp.ErrSameObject)
	}
	o := m.lookup(op.DB, op.Key)
	if o == nil || m.lookup(db, op.Key) != nil {
		w.Int(0)
		return 0
	}
	m.remove(o)
	m.adopt(db, op.Key, o)
	m.event(op.DB, 'g', "move_from", op.Key)
	m.event(db, 'g', "move_to", op.Key)
	m.changed(op.DB, op.Key, o.gone())
	m.changed(db, op.Key, o.came())
	w.Int(1)
	return Changed
}

// applyFlush is FLUSHDB, with db -1 FLUSHALL: the tables are dropped whole, an image under way keeps them.
func (m *Machine) applyFlush(op *Op, w *resp.Writer, db int) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	first, last := db, db
	if db < 0 {
		first, last = 0, len(m.dbs)-1
	}
	keys := 0
	for i := first; i <= last; i++ {
		keys += m.dbs[i].keys.n
	}
	w.OK()
	if m.Observer != nil {
		m.Observer.Flushed(db) // of an empty database too: clients hear of every FLUSH (CLIENT TRACKING)
	}
	if keys == 0 {
		return 0
	}
	for i := first; i <= last; i++ {
		m.dbs[i] = newDatabase()
	}
	return Changed
}

func (m *Machine) applySwapDB(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	a, b, n := op.N[0], op.N[1], int64(len(m.dbs))
	if a < 0 || b < 0 || a >= n || b >= n {
		return refuse(w, resp.ErrDBIndex)
	}
	w.OK()
	if a == b || m.dbs[a].keys.n == 0 && m.dbs[b].keys.n == 0 {
		return 0
	}
	m.dbs[a], m.dbs[b] = m.dbs[b], m.dbs[a]
	if m.Observer != nil { // after the fact: who watches a key that came has to see it
		m.Observer.Flushed(int(a))
		m.Observer.Flushed(int(b))
	}
	return Changed
}
