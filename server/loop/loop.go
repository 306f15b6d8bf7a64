//go:build linux

package loop

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/settings"
	"github.com/streamd/streamd/server/shard"
	"golang.org/x/sys/unix"
)

const (
	// batchConns is how many sockets are read before the shard is locked: their input stays in the cache until it is executed.
	batchConns = 16
	// readBytes is the room offered to one read.
	readBytes = 64 << 10
	// roundBytes bounds the input of one connection carried out in one round, so that one pipeline does not hold up the others.
	roundBytes = 256 << 10
	maxEvents  = 1024
	// yieldEvery is how often the loop calls Go's scheduler: a goroutine that went without for 10 ms is preempted, and the
	// watcher that does this then stays awake at the price of 4 % of the CPU.
	yieldEvery = 4 * time.Millisecond
	// softEvery is how often the soft limits of output buffers are looked at.
	softEvery = time.Second
)

// Loop is one event loop.
type Loop struct {
	shard    *shard.Shard
	node     *session.Node
	settings *settings.Settings
	logger   *slog.Logger
	listen   *Listener // accepts on this loop; nil on others
	ticks    bool      // this loop runs the shard's timer

	epfd, wakefd int
	alarm        alarm // wakes the loop that ticks
	events       []unix.EpollEvent
	conns        connTable
	buffers      [][]byte // free read buffers of readBytes
	outs         [][]byte // free output buffers

	ready       []*conn // have input to execute in this round
	pending     []*conn // ran out of their share in the last round, or were resumed
	sending     []*conn // have output to write after this commit
	held        []*conn // have output that waits for the log
	going       []*conn // have a reply that goes on, and room for the next piece
	soft        []*conn // have more output waiting than their soft limit
	softChecked time.Time
	toldHTTP    time.Time
	now         time.Time // when the last batch began
	failures    int       // what the shard said of the log's failures
	draining    bool      // takes no input any more

	// Guarded by the shard's lock.
	dirty   []*conn // have bytes in Session.W
	resumed []*conn
	closing []*conn
	joining []*conn // accepted for this loop
	running bool    // the loop's goroutine holds the lock, so its mailbox needs no wake-up

	reads, writes int64 // of sockets, not yet in the statistics

	woken    atomic.Bool
	started  atomic.Bool
	stopping atomic.Bool
	done     chan struct{}
}

// New returns a loop; ticks tells whether it runs the shard's timer (one loop does).
func New(sh *shard.Shard, node *session.Node, st *settings.Settings, logger *slog.Logger, ticks bool) (*Loop, error) {
	l := &Loop{
		shard: sh, node: node, settings: st, logger: logger, ticks: ticks,
		events: make([]unix.EpollEvent, maxEvents),
		done:   make(chan struct{}),
	}
	var err error
	if l.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if l.wakefd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if err := l.watch(l.wakefd, unix.EPOLLIN); err != nil {
		return nil, err
	}
	if err := l.alarm.open(); err != nil {
		return nil, err
	}
	return l, l.watch(l.alarm.fd, unix.EPOLLIN)
}

// Sooner makes a loop that sleeps look at the shard's deadlines. Under the shard's lock.
func (l *Loop) Sooner() {
	if !l.running {
		l.Wake()
	}
}

func (l *Loop) watch(fd int, events uint32) error {
	return unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// Wake makes the loop look at its mailbox; safe from any goroutine.
func (l *Loop) Wake() {
	if l.woken.CompareAndSwap(false, true) {
		one := [8]byte{1}
		_, _ = write(l.wakefd, one[:]) // a full counter wakes as well
	}
}

// Stop makes Run close every connection, after what is durable was sent, and return.
func (l *Loop) Stop() {
	l.stopping.Store(true)
	l.Wake()
}

// Wait returns when the loop has stopped, at once if it was never started.
func (l *Loop) Wait() {
	if l.started.Load() {
		<-l.done
	}
}

// Start runs the loop on a goroutine of its own.
func (l *Loop) Start() {
	l.started.Store(true)
	go l.run()
}

// run serves until Stop.
func (l *Loop) run() {
	defer close(l.done)
	yielded := time.Now()
	for !l.stopping.Load() {
		l.round(l.wait())
		if l.now.Sub(yielded) > yieldEvery {
			yielded = l.now
			runtime.Gosched()
		}
	}
	l.drain()
}

// wait returns the number of ready sockets.
func (l *Loop) wait() int {
	timeout := -1
	if len(l.soft) > 0 {
		timeout = int(softEvery.Milliseconds())
	}
	if len(l.pending) > 0 || len(l.going) > 0 {
		timeout = 0
	}
	n, err := unix.EpollWait(l.epfd, l.events, timeout)
	if err != nil && !errors.Is(err, unix.EINTR) {
		l.logger.Error("epoll_wait", "err", err)
	}
	return max(n, 0)
}

// round is read, execute, commit, send.
func (l *Loop) round(n int) {
	l.ready = append(l.ready[:0], l.pending...)
	l.pending = l.pending[:0]
	for _, c := range l.ready {
		c.queued = true
	}
	for i := range l.events[:n] {
		l.event(&l.events[i])
	}
	if l.listen != nil {
		l.listen.resume()
	}
	for ready := l.ready; ; {
		batch := ready[:min(batchConns, len(ready))]
		ready = ready[len(batch):]
		for _, c := range batch {
			c.queued = false
			c.fill()
		}
		l.lock()
		l.shard.BeginBatch()
		for _, c := range batch {
			c.execute()
		}
		if len(ready) == 0 {
			break // the lock is kept to the end of the round
		}
		l.shard.EndBatch()
		full := l.shard.FrameFull()
		if full {
			l.commit()
		}
		l.unlock()
		if full {
			l.send()
		}
	}
	if l.ticks {
		l.shard.Tick()
	}
	l.shard.EndBatch()
	l.mailbox()
	l.node.Stats.LoopCycles++
	l.commit()
	l.unlock()
	l.send()
}

func (l *Loop) lock() {
	l.shard.Lock()
	l.running = true
}

func (l *Loop) unlock() {
	l.running = false
	l.shard.Unlock()
}

// event notes what epoll said about one descriptor.
func (l *Loop) event(ev *unix.EpollEvent) {
	fd := int(ev.Fd)
	if fd == l.wakefd {
		var counter [8]byte
		_, _ = read(l.wakefd, counter[:])
		l.woken.Store(false)
		return
	}
	if fd == l.alarm.fd {
		l.alarm.rang()
		return
	}
	if l.listen != nil && l.listen.has(fd) {
		l.listen.accept(fd)
		return
	}
	c := l.conns.get(fd)
	if c == nil {
		return
	}
	if (c.closing || l.draining || len(c.later) > 0) && ev.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.hangUp() // nobody is there to take what waits
	}
	if ev.Events&unix.EPOLLOUT != 0 && !c.closed {
		c.wantOut = false
		if c.write(); !c.closed {
			c.rearm()
		}
	}
	if c.closed {
		return
	}
	if ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.readable = true
		if !c.queued {
			c.queued = true
			l.ready = append(l.ready, c)
		}
	}
}

// mailbox takes what other loops and the shard left: new and resumed connections. Under the lock.
func (l *Loop) mailbox() {
	for _, c := range l.joining {
		l.adopt(c)
	}
	l.joining = l.joining[:0]
	for _, c := range l.resumed {
		c.resuming = false
		if !c.closed && !c.queued {
			c.queued = true
			l.pending = append(l.pending, c)
		}
	}
	l.resumed = l.resumed[:0]
}

// commit ends the round: the frame is written, and what is in the sessions' writers moves to the connections, marked with
// the index it waits for. Under the lock.
func (l *Loop) commit() {
	l.node.Stats.Reads, l.node.Stats.Writes = l.node.Stats.Reads+l.reads, l.node.Stats.Writes+l.writes
	l.reads, l.writes = 0, 0
	l.now = l.shard.Now()
	index, doubt := l.shard.EndRound(&l.failures)
	if doubt {
		l.doubtPushes()
	}
	for _, c := range l.going {
		c.account()
	}
	for _, c := range l.dirty {
		c.dirty = false
		if doubt {
			c.doubt()
		}
		c.take(index)
		if !c.overLimit() {
			c.noteSoft()
			l.sending = append(l.sending, c)
		}
	}
	l.dirty = l.dirty[:0]
	l.checkSoft()
	closing := l.closing
	l.closing = nil
	for _, c := range closing {
		c.closing = true
		if c.closeNow {
			c.shut()
		} else if !c.closed {
			c.rearm()
			l.sending = append(l.sending, c)
		}
	}
	if l.ticks {
		l.alarm.at(l.shard.NextTick())
	}
}

// send writes what may leave, and what the log released since.
func (l *Loop) send() {
	held := l.held
	l.held = nil
	for _, c := range held {
		c.held = false
		c.write()
	}
	for _, c := range l.sending {
		c.write()
	}
	l.sending = l.sending[:0]
	l.goOn()
}

// drain sends what was answered, as far as clients take it in time, and closes every connection.
func (l *Loop) drain() {
	l.draining = true
	if l.listen != nil {
		l.listen.watch(0)
	}
	for c := range l.conns.all {
		c.rearm()
	}
	l.lock()
	l.commit()
	l.unlock()
	deadline := time.Now().Add(time.Duration(l.settings.ShutdownTimeout()) * time.Second)
	for l.send(); l.unsent() && time.Now().Before(deadline); l.send() {
		timeout := 10
		if len(l.going) > 0 {
			timeout = 0
		}
		n, _ := unix.EpollWait(l.epfd, l.events, timeout)
		for i := range l.events[:max(n, 0)] {
			l.event(&l.events[i])
		}
	}
	l.lock()
	for c := range l.conns.all {
		c.shut()
	}
	l.unlock()
}

// unsent tells whether output waits for the log or for a client.
func (l *Loop) unsent() bool {
	for c := range l.conns.all {
		if c.waiting() > 0 || len(c.later) > 0 {
			return true
		}
	}
	return false
}

// Close releases what the loop has of the system. Call it when it has stopped and nobody calls Wake any more: the number of
// its descriptor may mean another file by then.
func (l *Loop) Close() {
	l.lock()
	for _, c := range l.joining {
		c.shut() // accepted by another loop after this one stopped
	}
	l.unlock()
	_ = unix.Close(l.epfd)
	_ = unix.Close(l.wakefd)
	_ = unix.Close(l.alarm.fd)
}

// buffer returns a free read buffer.
func (l *Loop) buffer() []byte {
	if n := len(l.buffers); n > 0 {
		b := l.buffers[n-1]
		l.buffers = l.buffers[:n-1]
		return b[:0]
	}
	return make([]byte, 0, readBytes)
}

func (l *Loop) release(b []byte) {
	if cap(b) == readBytes && len(l.buffers) < 4*batchConns {
		l.buffers = append(l.buffers, b)
	}
}
