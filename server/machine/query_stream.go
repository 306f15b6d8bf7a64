package machine

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

func (m *Machine) queryXLen(op *Op, w *resp.Writer) Result {
	o, err := m.readStream(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		w.Int(0)
		return 0
	}
	w.Int(o.stream.Len())
	return 0
}

func (m *Machine) queryXRange(op *Op, w *resp.Writer) Result {
	o, err := m.readStream(op.DB, op.Key)
	count := op.N[0]
	switch {
	case err != nil:
		return refuse(w, err)
	case o == nil:
		w.Array(0)
		return 0
	case count == 0:
		w.NullArray()
		return 0
	}
	var c stream.Cursor
	if op.Flags&FlagReverse != 0 {
		c = o.stream.ScanReverse(op.IDs[0], op.IDs[1])
	} else {
		c = o.stream.Scan(op.IDs[0], op.IDs[1])
	}
	appendEntries(w, &c, count)
	return 0
}

// appendEntries writes up to count entries (negative: all) as an array. Where it becomes large, the rest is put off.
func appendEntries(w *resp.Writer, c *stream.Cursor, count int64) {
	mark, n := w.Begin(), int64(0)
	for n != count && c.Next() {
		appendEntry(w, c)
		n++
		if w.Full() {
			n += putOffEntries(w, c, count-n)
			break
		}
	}
	w.End(mark, int(n))
}

// queryXRead writes nothing and returns Empty when no key can be served.
func (m *Machine) queryXRead(op *Op, w *resp.Writer) Result {
	if err := m.checkXRead(op); err != nil {
		return refuse(w, err)
	}
	room := newAllowance(op)
	start := w.Len()
	top, served := w.Begin(), 0
	for i, key := range op.Args {
		if !room.nextKey() {
			break
		}
		c, ok := m.unread(op, i)
		if !ok {
			continue
		}
		before := w.Len()
		head, n := beginKey(w, key), 0
		for room.more() && c.Next() && room.admitEntry(&c, 0) {
			appendEntry(w, &c)
			n++
			if w.Full() && !room.bySize {
				n += int(room.grant(putOffEntries(w, &c, room.left())))
				break
			}
		}
		if n == 0 {
			w.Rewind(before)
			continue
		}
		w.End(head, n)
		served++
	}
	if served == 0 {
		w.Rewind(start)
		return Empty
	}
	endKeys(w, top, served)
	return 0
}

// checkXRead returns the error of the first key that has one.
func (m *Machine) checkXRead(op *Op) error {
	for i, key := range op.Args {
		if _, err := m.readStream(op.DB, key); err != nil {
			return err
		}
		if op.Err != nil && i == op.ErrAt {
			return op.Err
		}
	}
	return op.Err
}

// unread returns a cursor before what XREAD has to answer for key i of op; false: nothing.
func (m *Machine) unread(op *Op, i int) (stream.Cursor, bool) {
	o, err := m.lookupStream(op.DB, op.Args[i])
	if err != nil || o == nil || o.stream.Len() == 0 {
		return stream.Cursor{}, false
	}
	last, after := o.stream.LastEntryID(), op.IDs[i]
	switch markOf(op, i) {
	case '$':
		return stream.Cursor{}, false
	case '+':
		return o.stream.Scan(last, last), true
	}
	if !after.Less(last) {
		return stream.Cursor{}, false
	}
	from, _ := after.Next()
	return o.stream.Scan(from, last), true
}

// markOf returns the mark that stands for the id of key i, or 0.
func markOf(op *Op, i int) byte {
	if i < len(op.Marks) {
		return op.Marks[i]
	}
	return 0
}
