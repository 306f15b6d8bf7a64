//go:build linux

package loop

import (
	"errors"
	"time"

	"github.com/streamd/streamd/resp"
	"golang.org/x/sys/unix"
)

// keepOut is the largest output buffer that is kept for reuse.
const keepOut = 64 << 10

// errInDoubt is the answer of a round whose frame did not become durable. Clients do not retry it by themselves, as they would
// after a redirect or a hang-up (P-E2).
const errInDoubt resp.Error = "INDOUBT the log could not be written: the command may or may not survive a restart"

// mark says that out up to end may leave once the log is durable up to index.
type mark struct {
	end     int
	index   uint64
	answers int // replies since the mark before
}

// waiting is how many bytes of output were not yet sent.
func (c *conn) waiting() int { return len(c.out) - c.sent + c.laterText }

// doubt replaces the replies of a round that was not logged. Under the lock.
func (c *conn) doubt() {
	if len(c.s.W.Gaps) > 0 {
		c.again()
	}
	c.s.W.Rewind(0)
	for range c.s.Answers {
		c.s.W.Error(errInDoubt)
	}
}

// take moves what is in the session's writer to out, to leave once the log is durable up to index. Under the lock.
func (c *conn) take(index uint64) {
	if len(c.later) > 0 {
		return
	}
	w, answers := &c.s.W, c.s.Answers
	c.s.Answers = 0
	if len(w.Buf) == 0 || c.closed {
		return
	}
	if len(w.Gaps) > 0 {
		c.later, c.laterText = split(w)
	}
	c.s.NetOut += int64(len(w.Buf))
	c.l.node.Stats.NetOut += int64(len(w.Buf))
	if len(c.out) == 0 {
		c.out, w.Buf = w.Buf, nil
	} else {
		c.compact()
		c.out = append(c.out, w.Buf...)
		c.l.recycle(w.Buf)
		w.Buf = nil
	}
	if n := len(c.marks); n > 0 && c.marks[n-1].index == index {
		c.marks[n-1].end = len(c.out)
		c.marks[n-1].answers += answers
	} else {
		c.marks = append(c.marks, mark{len(c.out), index, answers})
	}
	c.outLen = c.waiting()
}

// compact drops what was sent from the front of out, once that is at least half: a client that is always a little behind
// must not make it grow for ever.
func (c *conn) compact() {
	sent := c.sent
	if sent < len(c.out)-sent {
		return
	}
	c.out = c.out[:copy(c.out, c.out[sent:])]
	c.sent, c.free = 0, c.free-sent
	for i := range c.marks {
		c.marks[i].end -= sent
	}
}

// write sends what may leave. A connection held by the log, or by a full socket, is tried again when that changes.
func (c *conn) write() {
	if c.closed || c.wantOut {
		return
	}
	for c.sent < len(c.out) {
		if c.release(); c.free == c.sent {
			if !c.held {
				c.held = true
				c.l.held = append(c.l.held, c)
			}
			return
		}
		c.l.writes++
		n, err := send(c.fd, c.out[c.sent:c.free])
		if n > 0 {
			c.sent += n
		}
		switch {
		case err == nil, errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			c.wantOut = true
			c.rearm()
			return
		default:
			c.hangUp()
			return
		}
	}
	c.l.recycle(c.out)
	c.out, c.sent, c.free = nil, 0, 0
	if len(c.later) > 0 {
		c.goOn()
		return
	}
	if c.closing {
		c.hangUp()
	}
}

// release frees what is durable. Once the log has failed the rest never will be: its replies become INDOUBT, which may leave.
func (c *conn) release() {
	if len(c.marks) == 0 {
		return
	}
	broken := c.l.shard.Broken() // before Durable, which does not move any more then
	durable := c.l.shard.Durable()
	n := 0
	for n < len(c.marks) && c.marks[n].index <= durable {
		c.free = c.marks[n].end
		n++
	}
	c.marks = append(c.marks[:0], c.marks[n:]...)
	if broken && len(c.marks) > 0 {
		c.doubtHeld(durable)
	}
}

// doubtHeld replaces the replies that wait for an index above durable. What was answered since the failure waits for none.
func (c *conn) doubtHeld(durable uint64) {
	n, answers := 0, 0
	for n < len(c.marks) && c.marks[n].index > durable {
		answers += c.marks[n].answers
		n++
	}
	if n == len(c.marks) && len(c.later) > 0 {
		c.again() // the last of them goes on
	}
	w := resp.Writer{Buf: append([]byte(nil), c.out[:c.free]...)}
	for range answers {
		w.Error(errInDoubt)
	}
	c.out = append(w.Buf, c.out[c.marks[n-1].end:]...)
	c.free, c.marks = len(c.out), c.marks[:0]
}

// overLimit closes a connection whose output grew past its limit. Under the lock.
func (c *conn) overLimit() bool {
	if c.closed || c.closeNow {
		return true
	}
	class, over := c.l.settings.OutputOver(c.s.Type(), c.s.Authenticated, c.waiting()+c.s.W.Len())
	if over {
		c.dropSlow("output buffer limit of class " + class + " reached (client-output-buffer-limit)")
	}
	return over
}

func (c *conn) dropSlow(reason string) {
	c.l.node.Stats.OutputLimitClosed++
	c.Close(reason, true)
}

// overSoft tells whether the waiting output is past the soft limit of the connection's class, and for how many seconds it may
// be. Under the lock.
func (c *conn) overSoft() (seconds int64, over bool) {
	limit := c.l.settings.OutputLimit(c.s.Type())
	return limit.SoftSeconds, limit.Soft > 0 && int64(c.waiting()+c.s.W.Len()) > limit.Soft
}

// noteSoft starts the clock of a connection whose output grew past its soft limit. Under the lock.
func (c *conn) noteSoft() {
	if _, over := c.overSoft(); over && c.softSince.IsZero() && !c.closed {
		c.softSince = time.Now()
		c.l.soft = append(c.l.soft, c)
	}
}

// checkSoft closes the connections that have been past their soft limit for too long. Under the lock, about once a second.
func (l *Loop) checkSoft() {
	if len(l.soft) == 0 || time.Since(l.softChecked) < softEvery {
		return
	}
	l.softChecked = time.Now()
	kept := l.soft[:0]
	for _, c := range l.soft {
		seconds, over := c.overSoft()
		switch {
		case c.closed:
		case !over:
			c.softSince = time.Time{}
		case time.Since(c.softSince) > time.Duration(seconds)*time.Second:
			c.dropSlow("output was past the soft limit for too long (client-output-buffer-limit)")
		default:
			kept = append(kept, c)
		}
	}
	clear(l.soft[len(kept):])
	l.soft = kept
}

// outBuffer returns a free output buffer, or nil.
func (l *Loop) outBuffer() []byte {
	if n := len(l.outs); n > 0 {
		b := l.outs[n-1]
		l.outs = l.outs[:n-1]
		return b
	}
	return nil
}

// recycle keeps an output buffer for reuse unless it is large.
func (l *Loop) recycle(b []byte) {
	if cap(b) > 0 && cap(b) <= keepOut && len(l.outs) < 4*batchConns {
		l.outs = append(l.outs, b[:0])
	}
}
