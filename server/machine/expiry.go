package machine

import (
	"cmp"
	"slices"

	"github.com/streamd/streamd/resp"
)

// Deadline returns when key expires; false: it does not exist or never expires.
func (m *Machine) Deadline(db int, key []byte) (ms int64, ok bool) {
	if m.dbs[db].due.Len() == 0 {
		return 0, false
	}
	o := m.find(db, key)
	if o == nil || o.deadlineMS == 0 {
		return 0, false
	}
	return o.deadlineMS, true
}

// Volatile returns how many keys of db expire.
func (m *Machine) Volatile(db int) int64 { return int64(m.dbs[db].due.Len()) }

// NextDue returns the earliest deadline of all keys; false: none expires.
func (m *Machine) NextDue() (ms int64, ok bool) {
	for _, d := range m.dbs {
		if first, found := d.due.Min(); found && (!ok || first.ms < ms) {
			ms, ok = first.ms, true
		}
	}
	return ms, ok
}

// dueKey is a key whose deadline has passed.
type dueKey struct {
	ms  int64
	db  int
	key string
}

// DueKeys visits at most limit keys whose deadline is nowMS or earlier, oldest first. visit may apply ops; key is valid during
// the call only.
func (m *Machine) DueKeys(nowMS int64, limit int, visit func(db int, key []byte)) {
	m.dues = m.dues[:0]
	for i, d := range m.dbs {
		first, ok := d.due.Min()
		if !ok || first.ms > nowMS {
			continue
		}
		n := 0
		d.due.Scan(func(x due) bool {
			if n == limit || x.ms > nowMS {
				return false
			}
			n++
			m.dues = append(m.dues, dueKey{x.ms, i, x.o.key})
			return true
		})
	}
	slices.SortStableFunc(m.dues, func(a, b dueKey) int { return cmp.Compare(a.ms, b.ms) })
	for i, x := range m.dues {
		if i < limit {
			m.dueBuf = append(m.dueBuf[:0], x.key...)
			visit(x.db, m.dueBuf)
		}
		m.dues[i] = dueKey{}
	}
}

// applyExpire removes a key of which the sequencer found that its deadline has passed.
func (m *Machine) applyExpire(op *Op) Result {
	o := m.find(op.DB, op.Key)
	if o == nil || o.deadlineMS == 0 || o.deadlineMS > op.AtMS {
		return 0
	}
	m.remove(o)
	m.event(op.DB, 'x', "expired", op.Key)
	m.changed(op.DB, op.Key, o.gone())
	return Changed
}

// applyExpireAt is the EXPIRE family.
func (m *Machine) applyExpireAt(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	o := m.lookup(op.DB, op.Key)
	if o == nil || !expiryAllowed(o.deadlineMS, op) {
		w.Int(0)
		return 0
	}
	w.Int(1)
	m.expireAt(op, o, op.N[0])
	return Changed
}

// expiryAllowed applies NX, XX, GT and LT; no expiry counts as infinite.
func expiryAllowed(now int64, op *Op) bool {
	switch {
	case op.Flags&FlagNX != 0 && now != 0,
		op.Flags&FlagXX != 0 && now == 0,
		op.Flags&FlagGT != 0 && (now == 0 || op.N[0] <= now),
		op.Flags&FlagLT != 0 && now != 0 && op.N[0] >= now:
		return false
	}
	return true
}

// expireAt gives o the deadline ms, or deletes it if that is not in the future of op.
func (m *Machine) expireAt(op *Op, o *object, ms int64) {
	if ms <= op.AtMS {
		m.remove(o)
		m.event(op.DB, 'g', "del", op.Key)
		m.changed(op.DB, op.Key, o.gone())
		return
	}
	m.change(o)
	m.setDeadline(o, ms)
	m.event(op.DB, 'g', "expire", op.Key)
	m.changed(op.DB, op.Key, Dirty)
}

func (m *Machine) applyPersist(op *Op, w *resp.Writer) Result {
	o := m.lookup(op.DB, op.Key)
	if o == nil || o.deadlineMS == 0 {
		w.Int(0)
		return 0
	}
	w.Int(1)
	m.persist(op, o)
	return Changed
}

// persist drops o's expiry.
func (m *Machine) persist(op *Op, o *object) {
	m.change(o)
	m.setDeadline(o, 0)
	m.event(op.DB, 'g', "persist", op.Key)
	m.changed(op.DB, op.Key, Dirty)
}

func (m *Machine) queryTTL(op *Op, w *resp.Writer, nowMS int64) Result {
	o := m.lookup(op.DB, op.Key)
	if o == nil {
		m.miss(op.DB, op.Key)
		w.Int(-2)
		return 0
	}
	if o.deadlineMS == 0 {
		w.Int(-1)
		return 0
	}
	ms := o.deadlineMS
	if op.Flags&FlagAbsolute == 0 {
		ms = max(ms-nowMS, 0)
	}
	if op.Flags&FlagMS == 0 {
		ms = ms/1000 + ms%1000/500 // rounded, without overflow
	}
	w.Int(ms)
	return 0
}
