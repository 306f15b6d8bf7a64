package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readRoom    = 256 << 10             // offered to one read; more only for what cannot be checked in pieces
	maxEvents   = 512                   // connections ready at once
	glanceEvery = 50 * time.Millisecond // how late the end of a run and a cancelled context are noticed at most
)

// conn is one connection and what is on its way. Invariant: a closed-loop conn with awaiting false has nothing to write and nothing
// to read.
type conn struct {
	fd       int
	index    int // in engine.conns
	script   script
	out      []byte // what the socket did not take yet
	rest     []byte // bytes that were read, but are no whole reply yet
	awaiting bool   // replies are outstanding
	open     bool   // open loop: may write while replies are outstanding
	writable bool   // epoll watches for room to write
}

// engine drives the connections of one run.
type engine struct {
	meter   *meter
	conns   []*conn
	epoll   int
	wait    func(epoll int, events []unix.EpollEvent, ms int) (int, error)
	timer   int // descriptor of the alarm; -1: none
	alarmed *conn
	failed  error // the alarm's, or that the context ended
	buf     []byte
	kicked  []*conn // to be asked for a batch, because of what another connection heard
	waiting int     // connections with awaiting set
	start   time.Time
	// When the server last got on, not counting that consumers found nothing.
	heardAt  int64
	opsHeard int64 // of the meter
	stall    time.Duration
}

// newEngine connects one connection for each script.
func newEngine(t Target, m *meter, scripts []script, stall time.Duration) (*engine, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	e := &engine{meter: m, epoll: fd, timer: -1, buf: make([]byte, readRoom), start: time.Now(), stall: stall}
	if e.wait = rawWait; t.PID == os.Getpid() {
		e.wait = unix.EpollWait // a server in this process, as in tests, needs the processor in the meantime
	}
	for _, s := range scripts {
		if err := e.connect(t, s); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

func (e *engine) connect(t Target, s script) error {
	a, err := dialAdmin(t)
	if err != nil {
		return err
	}
	defer a.close()
	socket, ok := a.conn.(syscall.Conn)
	if !ok {
		return errors.New("the connection has no socket")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	c := &conn{script: s, index: len(e.conns)}
	var dupErr error
	// The copy stays non-blocking, and the runtime's poller forgets the original when it is closed.
	err = raw.Control(func(fd uintptr) { c.fd, dupErr = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(err, dupErr); err != nil {
		return fmt.Errorf("take over a socket: %w", err)
	}
	e.conns = append(e.conns, c)
	s.attach(e, c)
	return e.watch(unix.EPOLL_CTL_ADD, c, unix.EPOLLIN)
}

func (e *engine) watch(op int, c *conn, events uint32) error {
	if err := unix.EpollCtl(e.epoll, op, c.fd, &unix.EpollEvent{Events: events, Fd: int32(c.index)}); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

func (e *engine) close() {
	for _, c := range e.conns {
		_ = unix.Close(c.fd)
	}
	if e.timer >= 0 {
		_ = unix.Close(e.timer)
	}
	_ = unix.Close(e.epoll)
}

// now is the time since the engine was made, in ns.
func (e *engine) now() int64 { return int64(time.Since(e.start)) }

// run works until the meter has stopped and nothing is outstanding.
func (e *engine) run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, maxEvents)
	e.heardAt = e.now()
	if err := e.meter.begin(e.heardAt); err != nil {
		return err
	}
	for _, c := range e.conns {
		if err := e.say(c, e.heardAt); err != nil {
			return err
		}
	}
	for {
		now := e.now()
		if err := e.meter.tick(now); err != nil {
			return err
		}
		if e.failed == nil && ctx.Err() != nil {
			// What is on its way is awaited, so that nothing makes keys anew after they were deleted.
			e.failed = errors.Join(ctx.Err(), e.meter.finish(now))
		}
		if e.meter.stopping && e.waiting == 0 {
			return e.failed
		}
		if e.waiting > 0 && now-e.heardAt > int64(e.stall) {
			return fmt.Errorf("%w: nothing got on for %v, and %d connections wait for replies", errStalled, e.stall, e.waiting)
		}
		n, err := e.wait(e.epoll, events, e.patience(now))
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("epoll: %w", err)
		}
		for i := range max(n, 0) {
			if err := e.ready(&events[i]); err != nil {
				return err
			}
		}
	}
}

// patience is how long epoll may wait, in ms.
func (e *engine) patience(now int64) int {
	left := min(time.Duration(e.meter.next-now), glanceEvery)
	return int(max((left+time.Millisecond-1)/time.Millisecond, 0))
}

func (e *engine) ready(ev *unix.EpollEvent) error {
	if ev.Fd < 0 {
		var expirations [8]byte
		_, _ = unix.Read(e.timer, expirations[:])
		return e.say(e.alarmed, e.now())
	}
	c := e.conns[ev.Fd]
	if ev.Events&unix.EPOLLOUT != 0 {
		if err := e.flush(c, c.out); err != nil {
			return err
		}
	}
	if ev.Events&^unix.EPOLLOUT == 0 {
		return nil
	}
	if err := e.read(c); err != nil {
		return err
	}
	for len(e.kicked) > 0 {
		k := e.kicked[len(e.kicked)-1]
		e.kicked = e.kicked[:len(e.kicked)-1]
		if err := e.say(k, e.now()); err != nil {
			return err
		}
	}
	return nil
}

// read reads once and has the script check it.
func (e *engine) read(c *conn) error {
	have := copy(e.buf, c.rest)
	if have == len(e.buf) {
		e.buf = append(e.buf, make([]byte, len(e.buf))...)
		copy(e.buf, c.rest)
	}
	n, err := rawRead(c.fd, e.buf[have:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case err != nil:
		return fmt.Errorf("the connection broke: %w", err)
	case n == 0:
		return errors.New("the server closed the connection")
	}
	now := e.now()
	b := e.buf[:have+n]
	used, answered, err := c.script.hear(now, b)
	if err != nil {
		return err
	}
	if e.meter.ops != e.opsHeard {
		e.opsHeard, e.heardAt = e.meter.ops, now
	}
	c.rest = append(c.rest[:0], b[used:]...)
	if !answered {
		return nil
	}
	if len(c.rest) > 0 {
		return fmt.Errorf("the server said more than it was asked for: %s", excerpt(c.rest))
	}
	if c.awaiting {
		c.awaiting = false
		e.waiting--
	}
	return e.say(c, now)
}

// say sends the next batch of c, if it has one now.
func (e *engine) say(c *conn, now int64) error {
	if len(c.out) > 0 || c.awaiting && !c.open {
		return nil
	}
	batch := c.script.next(now)
	if len(batch) == 0 {
		return nil
	}
	if !c.awaiting {
		c.awaiting = true
		e.waiting++
	}
	return e.flush(c, batch)
}

// kick has c asked for a batch soon.
func (e *engine) kick(c *conn) { e.kicked = append(e.kicked, c) }

// flush writes b and keeps what the socket does not take.
func (e *engine) flush(c *conn, b []byte) error {
	n, err := rawWrite(c.fd, b)
	if err != nil && err != unix.EAGAIN && err != unix.EINTR {
		return fmt.Errorf("the connection broke: %w", err)
	}
	c.out = b[max(n, 0):]
	if blocked := len(c.out) > 0; blocked != c.writable {
		c.writable = blocked
		events := uint32(unix.EPOLLIN)
		if blocked {
			events |= unix.EPOLLOUT
		}
		return e.watch(unix.EPOLL_CTL_MOD, c, events)
	}
	if len(c.out) == 0 && c.open {
		return e.say(c, e.now())
	}
	return nil
}

// alarm has c asked for a batch at time at, whatever it waits for. There is one alarm, which belongs to the first that asks.
func (e *engine) alarm(c *conn, at int64) {
	if e.timer < 0 {
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
		if err != nil {
			e.failed = fmt.Errorf("timer: %w", err)
			return
		}
		e.timer, e.alarmed = fd, c
		e.failed = unix.EpollCtl(e.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1})
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(at-e.now(), 1))}
	e.failed = errors.Join(e.failed, unix.TimerfdSettime(e.timer, 0, &spec, nil))
}
