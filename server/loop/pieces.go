//go:build linux

package loop

import (
	"bytes"
	"slices"

	"github.com/streamd/streamd/resp"
)

const (
	// pieceBytes is the size of a piece, the first one included: it fits into a buffer that is used again. Larger ones are
	// slower, for their memory is not in the cache.
	pieceBytes = keepOut * 3 / 4
	// turnBytes bounds the pieces of all replies in one round: it is what other clients wait for.
	turnBytes = 256 << 10
)

// part is what comes behind the output of a connection whose reply goes on: what belongs into a gap, then text.
type part struct {
	gap  resp.Gap
	text []byte
}

// split leaves in w what stands before its first gap and returns what follows, and how many bytes of that are made already.
func split(w *resp.Writer) (later []part, text int) {
	later, text = make([]part, len(w.Gaps)), len(w.Buf)-w.Gaps[0].At
	for i, gap := range slices.Backward(w.Gaps) {
		later[i] = part{gap, bytes.Clone(w.Buf[gap.At:])}
		w.Buf = w.Buf[:gap.At]
	}
	w.Gaps = nil
	return later, text
}

// goesOn tells whether the last reply is not complete. Until it is, the connection executes nothing, and what is pushed to
// its session waits there: so replies keep their order, and nothing lands inside one. Under the lock.
func (c *conn) goesOn() bool { return len(c.later) > 0 || len(c.s.W.Gaps) > 0 }

// goOn asks for a turn.
func (c *conn) goOn() {
	if !c.going {
		c.going = true
		c.l.going = append(c.l.going, c)
	}
}

// goOn gives turns to connections whose reply goes on and that have sent all before it: so at most one piece is in memory
// for a client that takes its time. It needs no lock, for what a Rest reads belongs to it.
func (l *Loop) goOn() {
	budget, i := turnBytes, 0
	for ; i < len(l.going) && budget > 0; i++ {
		c := l.going[i]
		if c.going = false; !c.closed {
			budget -= c.nextPiece()
		}
	}
	n := copy(l.going, l.going[i:])
	clear(l.going[n:])
	l.going = l.going[:n]
}

// nextPiece makes the next piece and sends it. What it tells was durable before the bytes in front of it left.
func (c *conn) nextPiece() int {
	w := resp.Writer{Buf: slices.Grow(c.l.outBuffer(), keepOut)}
	for len(c.later) > 0 && w.Len() < pieceBytes {
		at := &c.later[0]
		w.RESP3 = at.gap.RESP3
		if at.gap.Rest.Append(&w, pieceBytes-w.Len()) {
			continue
		}
		w.Raw(at.text)
		c.laterText -= len(at.text)
		*at = part{} // lets go of the image
		c.later = c.later[1:]
	}
	c.out, c.sent, c.free = w.Buf, 0, len(w.Buf)
	c.made += int64(len(w.Buf))
	if len(c.later) == 0 {
		c.again()
	}
	c.write()
	return len(w.Buf)
}

// again lets the connection carry out in the next round what it sent behind a reply that ended.
func (c *conn) again() {
	c.later, c.laterText = nil, 0
	if !c.queued {
		c.queued = true
		c.l.pending = append(c.l.pending, c)
	}
}

// account counts the pieces made since it was last called. A client that takes them is not idle. Under the lock.
func (c *conn) account() {
	if c.made == 0 {
		return
	}
	c.s.NetOut += c.made
	c.l.node.Stats.NetOut += c.made
	c.made = 0
	c.s.LastMS = c.l.node.Host.NowMS()
}

// doubtPushes drops what was pushed behind replies that go on, when the log has failed: it tells of what may be lost. Under
// the lock.
func (l *Loop) doubtPushes() {
	for c := range l.conns.all {
		if len(c.later) > 0 {
			c.doubt()
		}
	}
}
