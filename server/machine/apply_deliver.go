package machine

import (
	"math"

	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// allowance is what COUNT, MAXCOUNT and MAXSIZE leave of a reply over several keys. Bytes are those of the entries in RESP2
// whoever reads, so that replay, which writes no reply, stops at the same entry.
type allowance struct {
	perKey  int64 // COUNT
	key     int64 // entries left for this key
	entries int64 // entries left in all
	bytes   int64 // bytes left; meaningful with bySize
	bySize  bool
	full    bool // a cap over all keys was reached: the keys that follow are left out
	any     bool // an entry was let in; MAXSIZE never keeps out the first
}

// newAllowance reads COUNT, MAXCOUNT and MAXSIZE from op.N[0:3]; what is not positive is no limit.
func newAllowance(op *Op) allowance {
	orNone := func(n int64) int64 {
		if n <= 0 {
			return math.MaxInt64
		}
		return n
	}
	return allowance{perKey: orNone(op.N[0]), entries: orNone(op.N[1]), bytes: op.N[2], bySize: op.N[2] > 0}
}

// nextKey begins the next key; false: it is to be left out.
func (a *allowance) nextKey() bool {
	a.key = a.perKey
	return !a.full
}

// more tells whether an entry more may be looked at for this key.
func (a *allowance) more() bool { return a.key > 0 && !a.full }

// admit lets in an entry of size bytes (which is looked at only with MAXSIZE), or declares the reply full.
func (a *allowance) admit(size int64) bool {
	if a.bySize {
		if a.any && size > a.bytes {
			a.full = true
			return false
		}
		a.bytes -= size
	}
	a.any = true
	a.key--
	a.entries--
	a.full = a.entries == 0
	return true
}

// left is how many entries may follow, if their bytes do not matter.
func (a *allowance) left() int64 { return min(a.key, a.entries) }

// grant lets in n entries, which are at most left.
func (a *allowance) grant(n int64) int64 {
	a.key -= n
	a.entries -= n
	a.full = a.entries == 0
	return n
}

// admitEntry is admit for the entry under c and extra bytes.
func (a *allowance) admitEntry(c *stream.Cursor, extra int64) bool {
	if a.bySize {
		return a.admit(int64(c.EntrySize()) + extra)
	}
	return a.admit(0)
}

// applyXReadGroup delivers to one consumer, key by key. Nothing happens if any key fails.
func (m *Machine) applyXReadGroup(op *Op, w *resp.Writer) Result {
	if err := m.checkXReadGroup(op); err != nil {
		return refuse(w, err)
	}
	d, minIdle := delivery{op: op, w: w, room: newAllowance(op)}, op.N[3]
	start := w.Len()
	top, served := w.Begin(), 0
	for i, key := range op.Args {
		o, _ := m.lookupStream(op.DB, key)
		d.s, d.sets, d.g = o.stream, o.groups, m.changeGroup(o, op.Group)
		consumers := d.g.NumConsumers()
		c, touched := m.seen(op, key, d.g)
		d.to, d.changed, d.loud = c, d.changed || touched, d.loud || d.g.NumConsumers() > consumers
		isNew := op.IDs[i] == stream.MaxID
		if !isNew {
			minIdle = -1 // a history id turns CLAIM off for the keys that follow
		}
		if !d.room.nextKey() {
			continue
		}
		before := w.Len()
		head, n := beginKey(w, key), 0
		if isNew {
			n = d.news(minIdle)
		} else {
			n = d.history(op.IDs[i])
		}
		if n == 0 && (isNew || d.room.full) {
			w.Rewind(before)
			continue
		}
		w.End(head, n)
		served++
	}
	if served == 0 {
		w.Rewind(start)
		return Empty | d.result()
	}
	endKeys(w, top, served)
	return d.result()
}

// checkXReadGroup returns the error of the first key that has one.
func (m *Machine) checkXReadGroup(op *Op) error {
	for i, key := range op.Args {
		_, g, err := m.lookupGroup(op.DB, key, op.Group)
		switch {
		case err != nil:
			return err
		case g == nil:
			return noGroupRead(key, op.Group)
		case op.Err != nil && i == op.ErrAt:
			return op.Err
		}
	}
	return op.Err
}

// beginKey begins what XREAD and XREADGROUP answer for one key: a pair in RESP2, a map's key and value in RESP3.
func beginKey(w *resp.Writer, key []byte) resp.Mark {
	if w != nil && !w.RESP3 {
		w.Array(2)
	}
	w.Bulk(key)
	return w.Begin()
}

// endKeys ends the reply over all keys.
func endKeys(w *resp.Writer, top resp.Mark, keys int) {
	if w != nil && w.RESP3 {
		w.EndMap(top, keys)
	} else {
		w.End(top, keys)
	}
}

// delivery is an XREADGROUP under way, serving one key after the other. The allowance is part of it and not pointed to:
// so all of it stays on the stack.
type delivery struct {
	op      *Op
	w       *resp.Writer
	room    allowance
	changed bool // something changed so far
	loud    bool // more than times and delivery counts

	// Of the key being served.
	s    *stream.Stream
	sets *groups.Set
	g    *groups.Group // until sets is frozen
	to   *groups.Consumer
}

// result tells what the op did to the state.
func (d *delivery) result() Result {
	if d.changed && !d.loud {
		return Changed | Quiet
	}
	return changedIf(d.changed)
}

// news serves '>': with CLAIM (minIdle not negative) what has been pending too long, then what was never delivered.
func (d *delivery) news(minIdle int64) int {
	if minIdle < 0 {
		return d.fresh(false)
	}
	n := d.overdue(minIdle)
	return n + d.fresh(true)
}

// fresh delivers entries beyond the group's last-delivered id; claiming ones have four elements.
func (d *delivery) fresh(claiming bool) int {
	from, ok := d.g.LastID().Next()
	if !ok {
		return 0
	}
	n, extra, noAck := 0, int64(0), d.op.Flags&FlagNoAck != 0
	if claiming {
		extra = 2 * intSize(0)
	}
	var rest *entryRest               // what is delivered without being written
	c := d.s.Scan(from, stream.MaxID) // before the loop, which would copy it each time round
	for ; d.room.more() && c.Next(); n++ {
		if !d.room.admitEntry(&c, extra) {
			break
		}
		id := c.ID()
		d.g.Advance(d.s, id)
		if !noAck {
			d.g.Put(id, d.to, d.op.AtMS, 1)
		}
		if rest != nil {
			rest.left++
			continue
		}
		if claiming {
			appendClaimed(d.w, &c, 0, 0)
		} else {
			appendEntry(d.w, &c)
		}
		if d.w.Full() {
			rest = &entryRest{c: c, claimed: claiming}
			rest.c.Detach()
		}
	}
	if rest != nil && rest.left > 0 {
		d.w.PutOff(rest)
	}
	if n > 0 {
		d.changed, d.loud = true, true
		if !noAck {
			d.to.ActiveMS = d.op.AtMS
		}
	}
	return n
}

// overdue takes over entries that have been pending for minIdle, in delivery order. Entries whose data is gone stay pending.
func (d *delivery) overdue(minIdle int64) int {
	n, find := 0, finder{s: d.s}
	d.g.ByIdle(overdueSince(d.op.AtMS, minIdle), func(p groups.Pending) bool {
		if !d.room.more() {
			return false
		}
		if !find.find(p.ID) {
			return true
		}
		idle := max(d.op.AtMS-p.SinceMS, 0)
		if !d.room.admitEntry(&find.c, intSize(idle)+intSize(p.Count)) {
			return false
		}
		appendClaimed(d.w, &find.c, idle, p.Count)
		d.g.Put(p.ID, d.to, d.op.AtMS, oneMore(p.Count))
		n++
		return true
	})
	if n > 0 {
		d.changed, d.loud = true, true
		d.to.ActiveMS = d.op.AtMS
	}
	return n
}

// overdueSince returns the latest delivery time that is minIdle ago. It is never below 0, so NACKed entries (time 0) always
// qualify.
func overdueSince(nowMS, minIdle int64) int64 { return max(nowMS-minIdle, 0) }

// appendClaimed writes the entry under c as XREADGROUP CLAIM does: with idle time and earlier deliveries.
func appendClaimed(w *resp.Writer, c *stream.Cursor, idleMS, count int64) {
	if w == nil {
		return
	}
	w.Array(4)
	appendID(w, c.ID())
	w.Buf = c.AppendFields(w.Buf)
	w.Int(idleMS)
	w.Int(count)
}

// intSize is the length of n, which is not negative, as a RESP integer.
func intSize(n int64) int64 {
	size := int64(len(":0\r\n"))
	for ; n >= 10; n /= 10 {
		size++
	}
	return size
}

// history serves the consumer's own pending entries after the given id, counting a delivery for each that still has data.
func (d *delivery) history(after stream.ID) int {
	from, ok := after.Next()
	if !ok {
		return 0
	}
	n, find := 0, finder{s: d.s}
	var rest historyRest // what is not written
	at := d.g.PendingsOf(d.to, from)
	for ; d.room.more() && at.Next(); n++ {
		p := at.Pending()
		there := find.find(p.ID)
		if there && !d.room.admitEntry(&find.c, 0) || !there && !d.room.admit(goneSize(p.ID)) {
			break
		}
		switch {
		case rest.left > 0 || d.w.Full():
			if rest.left++; rest.left == 1 {
				from = p.ID
			}
		case there:
			appendEntry(d.w, &find.c)
		default:
			appendGone(d.w, p.ID)
		}
		if there {
			d.g.Put(p.ID, d.to, d.op.AtMS, oneMore(p.Count))
			d.changed = true
		}
	}
	if rest.left > 0 {
		g := d.sets.Freeze().Get(d.g.Name())
		rest.at, rest.find = g.PendingsOf(g.Consumer(d.to.Name()), from), finder{s: d.s.Freeze()}
		later := rest // only what is put off goes to the heap
		d.w.PutOff(&later)
	}
	return n
}

// appendGone writes a pending entry without data.
func appendGone(w *resp.Writer, id stream.ID) {
	w.Array(2)
	appendID(w, id)
	w.NullArray()
}

// goneSize is what appendGone writes in RESP2.
func goneSize(id stream.ID) int64 {
	var scratch [64]byte
	return int64(len("*2\r\n") + len(id.AppendRESP(scratch[:0])) + len("*-1\r\n"))
}
