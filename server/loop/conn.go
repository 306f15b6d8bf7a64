//go:build linux

package loop

import (
	"errors"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/shard"
	"golang.org/x/sys/unix"
)

const (
	// keepOut is the largest output buffer that is kept for reuse.
	keepOut = 64 << 10
	// parkedInput bounds what is read ahead from a connection whose command waits; the rest stays in the kernel.
	parkedInput = 1 << 20
)

// mark says that out up to end may leave once the log is durable up to index.
type mark struct {
	end   int
	index uint64
}

// conn is one connection. Fields are the loop's own unless said otherwise.
type conn struct {
	l      *Loop
	fd     int
	s      *session.Session // guarded by the shard's lock
	remote string
	local  string

	in     []byte // received, not yet consumed: in[start:]
	start  int
	parser resp.Parser
	again  bool // the request at in[start:] is to be offered again

	out   []byte // taken from s.W, not yet sent: out[sent:]
	sent  int
	marks []mark

	readable bool // epoll said so
	queued   bool // in ready or pending
	eof      bool
	wantOut  bool // EPOLLOUT is armed
	deaf     bool // EPOLLIN is off: parked with parkedInput bytes waiting
	held     bool // in Loop.held
	closing  bool // close once out is sent

	// Guarded by the shard's lock.
	answers                     int  // requests answered into Session.W in this round
	dirty                       bool // in Loop.dirty
	resuming                    bool // in Loop.resumed
	parked                      bool // a command waits: execute nothing
	closed                      bool
	closeNow                    bool   // drop output and close
	reason                      string // why it is being closed; "" the client did
	queryLen, queryFree, outLen int    // for CLIENT LIST
}

// Flush is session.Conn's.
func (c *conn) Flush() {
	if c.dirty || c.closed {
		return
	}
	c.dirty = true
	c.l.dirty = append(c.l.dirty, c)
	if !c.l.running {
		c.l.Wake()
	}
}

// Resume is session.Conn's.
func (c *conn) Resume() {
	c.parked = false
	if c.resuming || c.closed {
		return
	}
	c.resuming = true
	c.l.resumed = append(c.l.resumed, c)
	if !c.l.running {
		c.l.Wake()
	}
}

// Close is session.Conn's.
func (c *conn) Close(reason string, now bool) {
	if c.closed {
		return
	}
	c.reason = reason
	c.s.CloseAfter = true
	c.closeNow = c.closeNow || now
	c.parked = true
	c.l.closing = append(c.l.closing, c)
	if !c.l.running {
		c.l.Wake()
	}
}

// RemoteAddr is session.Conn's.
func (c *conn) RemoteAddr() string { return c.remote }

// LocalAddr is session.Conn's.
func (c *conn) LocalAddr() string { return c.local }

// FD is session.Conn's.
func (c *conn) FD() int { return c.fd }

// Buffers is session.Conn's. The figures are those of the connection's last round.
func (c *conn) Buffers() (query, queryFree, output int) {
	return c.queryLen, c.queryFree, c.outLen + c.s.W.Len()
}

// fill reads what the socket has, up to one buffer.
func (c *conn) fill() {
	if !c.readable || c.eof || c.closing {
		return
	}
	c.readable = false
	if c.in == nil {
		c.in = c.l.buffer()
	}
	c.makeRoom()
	c.l.reads++
	n, err := unix.Read(c.fd, c.in[len(c.in):cap(c.in)])
	switch {
	case n > 0:
		c.in = c.in[:len(c.in)+n]
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
	default:
		c.eof = true
		c.rearm()
	}
}

// makeRoom leaves at least half a buffer of room after what is unconsumed. A large request grows its buffer as its bytes
// arrive, by doubling; a length that was only announced allocates nothing.
func (c *conn) makeRoom() {
	if c.start > 0 {
		c.in = c.in[:copy(c.in, c.in[c.start:])]
		c.start = 0
	}
	if cap(c.in)-len(c.in) >= readBytes/2 {
		return
	}
	grown := make([]byte, len(c.in), max(2*cap(c.in), readBytes))
	copy(grown, c.in)
	c.l.release(c.in)
	c.in = grown
}

// execute carries out the requests received, under the lock.
func (c *conn) execute() {
	if c.closed {
		return
	}
	if c.eof && c.parked {
		c.shut() // hung up while its command waited: nothing is delivered to the dead
		return
	}
	c.queryLen, c.queryFree, c.outLen = len(c.in)-c.start, cap(c.in)-len(c.in), len(c.out)-c.sent
	budget := roundBytes
	for !c.parked && !c.s.CloseAfter {
		if budget <= 0 || c.l.shard.FrameFull() {
			c.l.pending = append(c.l.pending, c)
			c.queued = true
			break
		}
		n, more := c.one()
		budget -= n
		if !more {
			break
		}
	}
	if c.eof && !c.queued {
		c.Close("", false) // half-closed: what it sent is carried out and answered
	}
	c.afterExecute()
}

// one parses and carries out one request; more is false when the input is used up or the connection must wait.
func (c *conn) one() (consumed int, more bool) {
	limits := c.l.settings.Limits(c.s.Authenticated)
	args, n, err := c.parser.Parse(c.in[c.start:], limits)
	if err != nil {
		c.protocolError(err)
		return 0, false
	}
	if n == 0 {
		return 0, false
	}
	if len(args) == 0 {
		c.start += n
		return n, true
	}
	c.s.NetIn += int64(n)
	c.l.node.Stats.NetIn += int64(n)
	before := c.s.W.Len()
	out := c.l.shard.Execute(c.s, args)
	if c.s.W.Len() > before {
		c.answers++
		c.Flush()
	}
	if out == shard.Again {
		c.parked = true
		return 0, false
	}
	c.start += n
	switch out {
	case shard.Parked:
		c.parked = true
	case shard.Closing:
		c.Close("", false)
	}
	if c.overLimit() {
		return n, false
	}
	return n, out == shard.Done
}

func (c *conn) protocolError(err error) {
	if !errors.Is(err, resp.ErrHTTP) {
		c.s.W.Error(err)
		c.Flush()
	}
	c.Close("protocol error: "+err.Error(), errors.Is(err, resp.ErrHTTP))
}

// overLimit closes a connection whose input or output grew past its limit.
func (c *conn) overLimit() bool {
	if class, over := c.l.settings.OutputOver(c.s.Type(), c.s.Authenticated, len(c.out)-c.sent+c.s.W.Len()); over {
		c.l.node.Stats.OutputLimitClosed++
		c.Close("output buffer limit of class "+class+" reached (client-output-buffer-limit)", true)
		return true
	}
	return false
}

// afterExecute keeps what is unconsumed, or gives the buffer back.
func (c *conn) afterExecute() {
	if int64(len(c.in)-c.start) > c.l.settings.QueryBufferLimit() {
		c.l.node.Stats.QueryLimitClosed++
		c.Close("query buffer limit reached (client-query-buffer-limit)", true)
	}
	if c.start == len(c.in) {
		c.l.release(c.in)
		c.in, c.start = nil, 0
	}
	if deaf := c.parked && len(c.in)-c.start > parkedInput; deaf != c.deaf && !c.closed {
		c.deaf = deaf
		c.rearm()
	}
}

// errInDoubt is the answer of a round whose frame could not be written. Clients do not retry it by themselves, as they would
// after a redirect or a hang-up (P-E2).
const errInDoubt resp.Error = "INDOUBT the log could not be written: the command may or may not survive a restart"

// doubt replaces the answers of a round that was not logged. Under the lock.
func (c *conn) doubt() {
	c.s.W.Rewind(0)
	for range c.answers {
		c.s.W.Error(errInDoubt)
	}
}

// take moves what is in the session's writer to out, to leave once the log is durable up to index. Under the lock.
func (c *conn) take(index uint64) {
	w := &c.s.W
	c.answers = 0
	if len(w.Buf) == 0 {
		return
	}
	c.s.NetOut += int64(len(w.Buf))
	c.l.node.Stats.NetOut += int64(len(w.Buf))
	if len(c.out) == 0 {
		c.out, w.Buf = w.Buf, c.l.outBuffer()
	} else {
		c.out = append(c.out, w.Buf...)
		w.Buf = w.Buf[:0]
	}
	if n := len(c.marks); n > 0 && c.marks[n-1].index >= index {
		c.marks[n-1].end = len(c.out)
	} else {
		c.marks = append(c.marks, mark{len(c.out), index})
	}
}

// write sends what may leave. A connection held by the log, or by a full socket, is tried again when that changes.
func (c *conn) write() {
	if c.closed {
		return
	}
	for c.sent < len(c.out) {
		upTo := c.releasable()
		if upTo <= c.sent {
			if !c.held {
				c.held = true
				c.l.held = append(c.l.held, c)
			}
			return
		}
		c.l.writes++
		n, err := unix.Write(c.fd, c.out[c.sent:upTo])
		if n > 0 {
			c.sent += n
		}
		switch {
		case err == nil, errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if !c.wantOut {
				c.wantOut = true
				c.rearm()
			}
			return
		default:
			c.hangUp()
			return
		}
	}
	c.recycle()
	if c.closing {
		c.hangUp()
	}
}

// releasable returns how much of out is durable, and forgets the marks it passed.
func (c *conn) releasable() int {
	durable := c.l.shard.Durable()
	upTo := c.sent
	passed := 0
	for _, m := range c.marks {
		if m.index > durable {
			break
		}
		upTo = m.end
		passed++
	}
	if passed > 0 && passed < len(c.marks) {
		// The last passed mark stays as the bound of what may leave.
		c.marks = append(c.marks[:0], c.marks[passed-1:]...)
	}
	return upTo
}

// recycle gives the output buffer back when everything was sent.
func (c *conn) recycle() {
	if cap(c.out) <= keepOut && cap(c.out) > 0 && len(c.l.outs) < 4*batchConns {
		c.l.outs = append(c.l.outs, c.out[:0])
	}
	c.out, c.sent, c.marks = nil, 0, c.marks[:0]
}

func (l *Loop) outBuffer() []byte {
	if n := len(l.outs); n > 0 {
		b := l.outs[n-1]
		l.outs = l.outs[:n-1]
		return b
	}
	return nil
}

// rearm tells epoll what the connection waits for: input no more once it ended or does not matter, since epoll would report
// it again and again.
func (c *conn) rearm() {
	var events uint32
	if !c.eof && !c.closing {
		events = unix.EPOLLRDHUP
		if !c.deaf {
			events |= unix.EPOLLIN
		}
	}
	if c.wantOut {
		events |= unix.EPOLLOUT
	}
	ev := unix.EpollEvent{Events: events, Fd: int32(c.fd)}
	_ = unix.EpollCtl(c.l.epfd, unix.EPOLL_CTL_MOD, c.fd, &ev) // only fails for a closed descriptor
}

// hangUp closes from outside the lock.
func (c *conn) hangUp() {
	c.l.lock()
	c.shut()
	c.l.unlock()
}

// shut closes the connection at once and forgets the session. Under the lock.
func (c *conn) shut() {
	if c.closed {
		return
	}
	c.closed = true
	c.l.shard.Drop(c.s)
	delete(c.l.conns, c.fd)
	_ = unix.Close(c.fd)
	c.l.release(c.in)
	c.in, c.out, c.marks = nil, nil, nil
	c.start, c.sent = 0, 0
	if c.reason != "" {
		c.l.logger.Info("client closed", "id", c.s.ID, "addr", c.remote, "reason", string(resp.Error(c.reason).Safe()))
	}
}
