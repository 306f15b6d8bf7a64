package machine

import (
	"strconv"

	"github.com/streamd/streamd/resp"
	"github.com/zeebo/xxh3"
)

// stringForm is what OBJECT ENCODING must remember of how a string was made. Numbers are frozen: they are in snapshots.
type stringForm uint8

const (
	formPlain  stringForm = 0 // decided by the bytes: int, embstr, raw
	formText   stringForm = 1 // never int: INCRBYFLOAT
	formEdited stringForm = 2 // raw: APPEND, SETRANGE
	lastForm              = formEdited
)

// maxStringBytes is the longest string, 512 MiB.
const maxStringBytes = 512 << 20

// setBytes replaces o's value by a copy of value, in place where no image needs the old bytes and the room is not far too big.
func (o *object) setBytes(value []byte, form stringForm) {
	if o.shared || cap(o.str) < len(value) || cap(o.str) > 2*len(value)+64 {
		o.str, o.shared = append([]byte(nil), value...), false
	} else {
		o.str = append(o.str[:0], value...)
	}
	o.form = form
}

// grow makes o.str at least n bytes long, zero-filled, and safe to overwrite.
func (o *object) grow(n int) {
	if o.shared || cap(o.str) < n {
		room := max(n, len(o.str))
		if n > len(o.str) && len(o.str) > 0 {
			room += min(room, 1<<20) // as Redis: double, at most 1 MiB ahead
		}
		str := make([]byte, len(o.str), room)
		copy(str, o.str)
		o.str, o.shared = str, false
	}
	if old := len(o.str); old < n {
		o.str = o.str[:n]
		clear(o.str[old:])
	}
}

// setString makes key a string, whatever it was, without expiry unless keep is set. old is the object before, nil if there
// was none.
func (m *Machine) setString(db int, key, value []byte, old *object, keep bool) *object {
	if old == nil {
		o := m.createString(db, key, value)
		m.changed(db, key, Dirty)
		return o
	}
	change, was := old.gone(), old.kind
	m.change(old)
	old.kind, old.streamBody = kindString, nil
	old.setBytes(value, formPlain)
	old.usedS = m.nowS
	if !keep {
		m.setDeadline(old, 0)
	}
	m.overwritten(db, key, was, kindString)
	m.changed(db, key, change)
	return old
}

// overwritten raises the events of a value that replaced another.
func (m *Machine) overwritten(db int, key []byte, was, is objectKind) {
	m.event(db, 'o', "overwritten", key)
	if was != is {
		m.event(db, 'c', "type_changed", key)
	}
}

// applySet is SET, SETNX, SETEX, PSETEX and GETSET.
func (m *Machine) applySet(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	old := m.lookup(op.DB, op.Key)
	get := op.Flags&FlagGet != 0
	compare := op.Flags&(FlagIfEq|FlagIfNe|FlagIfDeq|FlagIfDne) != 0
	if (get || compare) && old != nil && old.kind != kindString {
		return refuse(w, resp.ErrWrongType)
	}
	if get {
		if old == nil {
			m.miss(op.DB, op.Key)
			w.Null()
		} else {
			w.Bulk(old.str)
		}
	}
	if op.Flags&FlagNX != 0 && old != nil || op.Flags&FlagXX != 0 && old == nil || compare && !conditionHolds(op, old) {
		switch {
		case get:
		case op.Flags&FlagReplyInt != 0:
			w.Int(0)
		default:
			w.Null()
		}
		return 0
	}
	o := m.setString(op.DB, op.Key, op.Args[0], old, op.Flags&FlagKeepTTL != 0)
	m.event(op.DB, '$', "set", op.Key)
	if op.N[0] != 0 {
		m.setDeadline(o, op.N[0])
		m.event(op.DB, 'g', "expire", op.Key)
	}
	switch {
	case get:
	case op.Flags&FlagReplyInt != 0:
		w.Int(1)
	default:
		w.OK()
	}
	return Changed
}

// conditionHolds decides IFEQ, IFNE, IFDEQ and IFDNE; a missing key equals nothing.
func conditionHolds(op *Op, old *object) bool {
	want := op.Args[1]
	equal := false
	if old != nil {
		if op.Flags&(FlagIfEq|FlagIfNe) != 0 {
			equal = string(old.str) == string(want)
		} else {
			sum, ok := parseDigest(want)
			equal = ok && sum == xxh3.Hash(old.str)
		}
	}
	return equal == (op.Flags&(FlagIfEq|FlagIfDeq) != 0)
}

// parseDigest reads the 16 hexadecimal digits of DIGEST.
func parseDigest(text []byte) (uint64, bool) {
	if len(text) != 16 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | uint64(c)
	}
	return n, true
}

func (m *Machine) applyGetDel(op *Op, w *resp.Writer) Result {
	o, err := m.readString(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		w.Null()
		return 0
	}
	w.Bulk(o.str)
	m.remove(o)
	m.event(op.DB, 'g', "del", op.Key)
	m.changed(op.DB, op.Key, Dirty)
	return Changed
}

func (m *Machine) applyGetEx(op *Op, w *resp.Writer) Result {
	o, err := m.readString(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		w.Null()
		return 0
	}
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	w.Bulk(o.str)
	switch {
	case op.Flags&FlagExpire != 0:
		m.expireAt(op, o, op.N[0])
		return Changed
	case op.Flags&FlagPersist != 0 && o.deadlineMS != 0:
		m.persist(op, o)
		return Changed
	}
	return 0
}

// applyMSet is MSET and MSETNX.
func (m *Machine) applyMSet(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	nx := op.Flags&FlagNX != 0
	if nx {
		for i := 0; i+1 < len(op.Args); i += 2 {
			if m.lookup(op.DB, op.Args[i]) != nil {
				w.Int(0)
				return 0
			}
		}
	}
	for i := 0; i+1 < len(op.Args); i += 2 {
		key := op.Args[i]
		m.setString(op.DB, key, op.Args[i+1], m.lookup(op.DB, key), false)
		m.event(op.DB, '$', "set", key)
	}
	if nx {
		w.Int(1)
	} else {
		w.OK()
	}
	return Changed
}

func (m *Machine) applyAppend(op *Op, w *resp.Writer) Result {
	o, err := m.lookupString(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	value := op.Args[0]
	if o == nil {
		o = m.createString(op.DB, op.Key, value)
	} else {
		old := len(o.str)
		if int64(old)+int64(len(value)) > maxStringBytes {
			return refuse(w, resp.ErrStringTooLong)
		}
		m.change(o)
		o.grow(old + len(value))
		copy(o.str[old:], value)
		o.form = formEdited
	}
	m.changed(op.DB, op.Key, Dirty)
	m.event(op.DB, '$', "append", op.Key)
	w.Int(int64(len(o.str)))
	return Changed
}

func (m *Machine) applySetRange(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	o, err := m.lookupString(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	offset, value := op.N[0], op.Args[0]
	if len(value) == 0 {
		if o == nil {
			w.Int(0)
		} else {
			w.Int(int64(len(o.str)))
		}
		return 0
	}
	if offset < 0 {
		return refuse(w, errOffset)
	}
	if offset > maxStringBytes-int64(len(value)) {
		return refuse(w, resp.ErrStringTooLong)
	}
	if o == nil {
		o = m.createString(op.DB, op.Key, nil)
	} else {
		m.change(o)
	}
	o.grow(max(len(o.str), int(offset)+len(value)))
	copy(o.str[offset:], value)
	o.form = formEdited
	m.changed(op.DB, op.Key, Dirty)
	m.event(op.DB, '$', "setrange", op.Key)
	w.Int(int64(len(o.str)))
	return Changed
}

const errOffset resp.Error = "ERR offset is out of range"

// applyIncrBy is INCR, DECR, INCRBY and DECRBY.
func (m *Machine) applyIncrBy(op *Op, w *resp.Writer) Result {
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	o, err := m.lookupString(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	n := int64(0)
	if o != nil {
		var ok bool
		if n, ok = resp.ParseInt(o.str); !ok {
			return refuse(w, resp.ErrNotInteger)
		}
	}
	sum := n + op.N[0]
	if (sum > n) != (op.N[0] > 0) && op.N[0] != 0 {
		return refuse(w, resp.ErrOverflow)
	}
	var scratch [20]byte
	m.putNumber(op, o, strconv.AppendInt(scratch[:0], sum, 10), formPlain)
	m.event(op.DB, '$', "incrby", op.Key)
	w.Int(sum)
	return Changed
}

// putNumber stores text in o, which is made if nil; its expiry stays.
func (m *Machine) putNumber(op *Op, o *object, text []byte, form stringForm) {
	if o == nil {
		o = m.createString(op.DB, op.Key, text)
		o.form = form
	} else {
		m.change(o)
		o.setBytes(text, form)
	}
	m.changed(op.DB, op.Key, Dirty)
}

func (m *Machine) applyIncrByFloat(op *Op, w *resp.Writer) Result {
	o, err := m.lookupString(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	text := []byte("0")
	if o != nil {
		text = o.str
	}
	sum, err := addFloats(text, op.Args[0])
	if err != nil {
		return refuse(w, err)
	}
	m.putNumber(op, o, sum, formText)
	m.event(op.DB, '$', "incrbyfloat", op.Key)
	w.Bulk(sum)
	return Changed
}
