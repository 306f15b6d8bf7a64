//go:build linux

package loop

import (
	"errors"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/shard"
	"golang.org/x/sys/unix"
)

const (
	// parkedInput bounds what is read ahead from a connection whose command waits; the rest stays in the kernel.
	parkedInput = 1 << 20
	// smallInput is what a connection may keep of a read buffer without giving it back: ten thousand clients that send a byte
	// each must not hold ten thousand buffers.
	smallInput = 1 << 10
)

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

	out       []byte // taken from s.W, not yet sent: out[sent:]
	sent      int
	free      int       // out[:free] may leave
	marks     []mark    // of out[free:], in order
	later     []part    // what follows out, of a reply that goes on
	laterText int       // bytes in later that are made already
	made      int64     // bytes of pieces not yet in the statistics
	softSince time.Time // when out grew past the soft limit; zero: it is not past it

	events   uint32 // what epoll was last told to watch
	readable bool   // epoll said so
	queued   bool   // in ready or pending
	eof      bool
	wantOut  bool // the socket is full
	deaf     bool // takes no input: parked with parkedInput bytes waiting
	held     bool // in Loop.held
	going    bool // in Loop.going
	closing  bool // close once out is sent

	// Guarded by the shard's lock.
	dirty                       bool   // in Loop.dirty
	resuming                    bool   // in Loop.resumed
	parked                      bool   // a command waits: execute nothing
	closed                      bool   // written by the loop alone, which may read it without the lock
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
	if c.reason == "" {
		c.reason = reason
	}
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
	if !c.readable || c.eof || c.closing || c.closed {
		return
	}
	c.readable = false
	if c.in == nil {
		c.in = c.l.buffer()
	}
	c.makeRoom()
	c.l.reads++
	n, err := receive(c.fd, c.in[len(c.in):cap(c.in)])
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
	var grown []byte
	if cap(c.in) < readBytes {
		grown = c.l.buffer()
	} else {
		grown = make([]byte, 0, 2*cap(c.in))
	}
	grown = append(grown, c.in...)
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
	c.queryLen, c.queryFree, c.outLen = len(c.in)-c.start, cap(c.in)-len(c.in), c.waiting()
	if c.s.W.Buf == nil {
		c.s.W.Buf = c.l.outBuffer()
	}
	if c.account(); c.s.W.Len() > 0 && len(c.later) == 0 {
		c.Flush() // pushed while a reply went on
	}
	budget := roundBytes
	for !c.parked && !c.s.CloseAfter && !c.goesOn() {
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
	if c.eof && !c.queued && !c.goesOn() {
		c.Close("", false) // half-closed: what it sent is carried out and answered
	}
	c.afterExecute()
}

// one parses and carries out one request; more is false when the input is used up or the connection must wait. cost is the
// bytes read and written: what a round grants to one connection.
func (c *conn) one() (cost int, more bool) {
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
	cost = n + c.s.W.Len() - before
	if c.s.W.Len() > before {
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
		return cost, false
	}
	return cost, out == shard.Done
}

func (c *conn) protocolError(err error) {
	if errors.Is(err, resp.ErrHTTP) {
		c.Close(c.l.tellHTTP(err), true)
		return
	}
	c.s.W.Error(err)
	c.s.Answers++
	c.Flush()
	c.Close("protocol error: "+err.Error(), false)
}

// tellHTTP returns the reason to log, at most once a minute: a web page can make a browser try without end.
func (l *Loop) tellHTTP(err error) string {
	now := time.Now()
	if now.Sub(l.toldHTTP) < time.Minute {
		return ""
	}
	l.toldHTTP = now
	return "protocol error: " + err.Error() + "; further ones are not logged for a minute"
}

// afterExecute keeps what is unconsumed, or gives the buffer back.
func (c *conn) afterExecute() {
	if int64(len(c.in)-c.start) > c.l.settings.QueryBufferLimit() {
		c.l.node.Stats.QueryLimitClosed++
		c.Close("query buffer limit reached (client-query-buffer-limit)", true)
	}
	switch rest := c.in[c.start:]; {
	case len(rest) == 0:
		c.l.release(c.in)
		c.in, c.start = nil, 0
	case len(rest) <= smallInput && cap(c.in) >= readBytes:
		kept := append([]byte(nil), rest...)
		c.l.release(c.in)
		c.in, c.start = kept, 0
	}
	if deaf := (c.parked || c.goesOn()) && len(c.in)-c.start > parkedInput; deaf != c.deaf && !c.closed {
		c.deaf = deaf
		c.rearm()
	}
}

// rearm tells epoll what the connection waits for: input no more once it ended or does not matter, since epoll would report
// it again and again.
func (c *conn) rearm() {
	var events uint32
	if !c.eof && !c.closing && !c.l.draining {
		events = unix.EPOLLRDHUP
		if !c.deaf {
			events |= unix.EPOLLIN
		}
	}
	if c.wantOut {
		events |= unix.EPOLLOUT
	}
	if events == c.events {
		return
	}
	c.events = events
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
	c.account()
	c.s.W.Rewind(0)
	c.l.shard.Drop(c.s)
	c.l.conns.remove(c)
	_ = unix.Close(c.fd)
	c.l.release(c.in)
	c.in, c.out, c.marks, c.later = nil, nil, nil, nil
	c.start, c.sent, c.free = 0, 0, 0
	if c.reason != "" {
		c.l.logger.Info("client closed", "id", c.s.ID, "addr", c.remote, "reason", string(resp.Error(c.reason).Safe()))
	}
}
