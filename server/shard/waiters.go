package shard

import (
	"container/heap"
	"math"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

// waitKind says what a waiter waits for.
type waitKind uint8

const (
	waitData     waitKind = iota // XREAD, XREADGROUP
	waitReplicas                 // WAIT
	waitSync                     // WAITAOF
)

// waiter is one parked command.
type waiter struct {
	s    *session.Session
	spec *command.Spec
	kind waitKind
	op   *machine.Op // waitData: the command, owning its bytes; '$' is a concrete id
	keys []session.WatchKey

	due     time.Duration // when to look at it again, by Shard.age: its deadline, or earlier for XREADGROUP CLAIM
	end     time.Duration // its deadline, likewise; or never
	heapPos int           // place in parking.due; -1 when gone

	index    uint64 // waitSync
	local    int64
	replicas int64
}

// queueing is the line of one key: waiters in the order they came.
type queueing struct {
	line  []*waiter
	ready machine.Change // what happened to the key since it was last looked at
}

// parking holds every parked command. Nothing of it is in the log: a wake-up proposes its op anew.
type parking struct {
	byKey     map[session.WatchKey]*queueing
	bySession map[*session.Session]*waiter
	due       dueHeap
	syncs     int                // waiters that a sync can end
	ready     []session.WatchKey // keys touched by the command under way that somebody waits for
	scratch   []*waiter
}

func (p *parking) init() {
	p.byKey = make(map[session.WatchKey]*queueing)
	p.bySession = make(map[*session.Session]*waiter)
}

// park makes w wait until one of the keys of op can be served.
func (sh *Shard) park(w *waiter, op *machine.Op, blockMS int64) {
	w.op = op.Clone()
	sh.machine.ResolveMarks(w.op)
	seen := make(map[session.WatchKey]bool, len(w.op.Args))
	for _, key := range w.op.Args {
		k := session.WatchKey{DB: op.DB, Key: string(key)}
		if !seen[k] {
			seen[k] = true
			w.keys = append(w.keys, k)
		}
	}
	sh.join(w)
	sh.parkWait(w, blockMS)
}

// never is the deadline of a waiter without one.
const never time.Duration = math.MaxInt64

// after returns the age that the shard will have in ms milliseconds.
func (sh *Shard) after(ms int64) time.Duration {
	if ms >= (never - max(sh.age, 0)).Milliseconds() {
		return never
	}
	return sh.age + time.Duration(ms)*time.Millisecond
}

// parkWait registers w with its deadline; blockMS 0 is for ever.
func (sh *Shard) parkWait(w *waiter, blockMS int64) {
	w.end = never
	if blockMS > 0 {
		w.end = sh.after(blockMS)
	}
	w.due = sh.nextLook(w)
	w.s.Blocked = true
	sh.parked.bySession[w.s] = w
	heap.Push(&sh.parked.due, w)
	if w.awaitsSync() {
		sh.parked.syncs++
	}
	if w.heapPos == 0 && w.due != never {
		sh.options.Sooner()
	}
}

// nextLook is the time at which w wants attention without anybody touching its keys.
func (sh *Shard) nextLook(w *waiter) time.Duration {
	if w.kind == waitData {
		if dueMS, ok := sh.machine.ClaimDueMS(w.op, sh.nowMS); ok {
			return min(sh.after(max(dueMS-sh.nowMS, 1)), w.end)
		}
	}
	return w.end
}

// join puts w at the end of the lines of all its keys.
func (sh *Shard) join(w *waiter) {
	for _, k := range w.keys {
		q := sh.parked.byKey[k]
		if q == nil {
			q = &queueing{}
			sh.parked.byKey[k] = q
		}
		q.line = append(q.line, w)
	}
}

// leave takes w out of the lines of all its keys.
func (sh *Shard) leave(w *waiter) {
	for _, k := range w.keys {
		q := sh.parked.byKey[k]
		for i, other := range q.line {
			if other == w {
				q.line = append(q.line[:i], q.line[i+1:]...)
				break
			}
		}
		if len(q.line) == 0 && q.ready == 0 {
			delete(sh.parked.byKey, k)
		}
	}
}

// forget takes w out of everything.
func (sh *Shard) forget(w *waiter) {
	sh.leave(w)
	heap.Remove(&sh.parked.due, w.heapPos)
	delete(sh.parked.bySession, w.s)
	if w.awaitsSync() {
		sh.parked.syncs--
	}
	w.s.Blocked = false
}

// finish ends the wait of w: answer writes its reply, and its connection goes on.
func (sh *Shard) finish(w *waiter, answer func(*resp.Writer)) {
	s := w.s
	before, failed := s.W.Len(), s.W.Failed
	answer(&s.W)
	sh.served(w, before, failed)
}

// served is finish for a reply that is already in the session's writer, which held before bytes and failed errors.
func (sh *Shard) served(w *waiter, before, failed int) {
	s := w.s
	if s.W.Failed != failed {
		sh.node.Stats.Error(s.W.LastError.Code())
	}
	sh.untimed.add(w.spec.ID, s.W.Failed != failed)
	sh.forget(w)
	sh.answered(s, before)
	sh.node.Tracking.AfterCommand(s)
	s.LastMS = sh.nowMS
	s.Conn.Flush()
	s.Conn.Resume()
}

// touched notes that a key somebody waits for changed.
func (sh *Shard) touched(db int, key []byte, c machine.Change) {
	if len(sh.parked.byKey) == 0 {
		return
	}
	q := sh.parked.byKey[session.WatchKey{DB: db, Key: string(key)}]
	if q == nil {
		return
	}
	if q.ready == 0 {
		sh.parked.ready = append(sh.parked.ready, session.WatchKey{DB: db, Key: string(key)})
	}
	q.ready |= c
}

// touchedAll is touched for every awaited key of a database (-1: all), after FLUSH and SWAPDB.
func (sh *Shard) touchedAll(db int) {
	for k, q := range sh.parked.byKey {
		if db >= 0 && k.DB != db {
			continue
		}
		if q.ready == 0 {
			sh.parked.ready = append(sh.parked.ready, k)
		}
		q.ready |= machine.Ready | machine.Gone
	}
}

// serveReady looks again at the waiters of touched keys, each once and in the order they came. It runs after the whole
// command or transaction that touched the keys (spec §8), and again for what waking touched.
func (sh *Shard) serveReady() {
	for len(sh.parked.ready) > 0 {
		ready := sh.parked.ready
		sh.parked.ready = nil
		for _, k := range ready {
			q := sh.parked.byKey[k]
			if q == nil {
				continue
			}
			// Only XREADGROUP looks again at a key that is no stream, or no longer.
			reads := q.ready&machine.Ready != 0 && sh.machine.HasStream(k.DB, []byte(k.Key))
			q.ready = 0
			batch := append(sh.parked.scratch[:0], q.line...)
			for _, w := range batch {
				if w.heapPos < 0 || !reads && w.op.Kind != machine.XReadGroup {
					continue
				}
				sh.retry(w)
			}
			clear(batch)
			sh.parked.scratch = batch[:0]
			if len(q.line) == 0 && sh.parked.byKey[k] == q {
				delete(sh.parked.byKey, k)
			}
		}
	}
}

// retry runs a parked command again if it could be served now. One that comes back empty goes to the end of its lines.
func (sh *Shard) retry(w *waiter) {
	for _, key := range w.op.Args {
		sh.expireKey(w.op.DB, key)
	}
	if !sh.machine.Servable(w.op, sh.nowMS) {
		return
	}
	s, before := w.s, sh.current
	sh.current = s
	defer func() { sh.current = before }()
	length, failed := s.W.Len(), s.W.Failed
	s.W.Start()
	var res machine.Result
	switch {
	case !w.op.Kind.Writes():
		res = sh.query(w.op, s)
		if sh.node.Tracking.Wants(s) {
			sh.node.Tracking.Remember(s, w.op.Args)
		}
	case sh.writable() != nil:
		s.W.Error(sh.writable())
	default:
		res = sh.apply(w.op, &s.W)
	}
	if res&machine.Empty != 0 {
		sh.leave(w)
		sh.join(w)
		return
	}
	sh.served(w, length, failed)
}

// tickWaiters answers the waiters whose deadline passed and looks again at those that asked for it.
func (sh *Shard) tickWaiters() {
	for len(sh.parked.due) > 0 {
		w := sh.parked.due[0]
		if w.due > sh.age {
			return
		}
		if w.end <= sh.age {
			sh.timeout(w)
			continue
		}
		sh.retry(w)
		if w.heapPos >= 0 {
			w.due = sh.nextLook(w)
			heap.Fix(&sh.parked.due, w.heapPos)
		}
	}
}

// tickSyncs answers WAITAOF once the log is synced far enough.
func (sh *Shard) tickSyncs() {
	for _, w := range append([]*waiter(nil), sh.parked.due...) {
		if sh.waitSatisfied(w) {
			sh.timeout(w)
		}
	}
}

// timeout gives w the reply of an expired deadline.
func (sh *Shard) timeout(w *waiter) {
	sh.finish(w, func(to *resp.Writer) {
		if w.kind == waitData {
			to.NullArray()
		} else {
			sh.answerWait(w.s, w)
		}
	})
}

// unblock is CLIENT UNBLOCK: err nil gives the timeout's reply.
func (sh *Shard) unblock(s *session.Session, err error) bool {
	w := sh.parked.bySession[s]
	if w == nil {
		return false
	}
	if err == nil {
		sh.timeout(w)
		return true
	}
	sh.finish(w, func(to *resp.Writer) { to.Error(err) })
	return true
}

// Drop forgets everything a connection that ended had: its wait, watches, subscriptions, tracking. Call it under the lock.
func (sh *Shard) Drop(s *session.Session) {
	if w := sh.parked.bySession[s]; w != nil {
		sh.forget(w)
	}
	for i, other := range sh.paused {
		if other == s {
			sh.paused = append(sh.paused[:i], sh.paused[i+1:]...)
			break
		}
	}
	sh.node.Drop(s)
}

// dueHeap orders waiters by due.
type dueHeap []*waiter

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapPos, h[j].heapPos = i, j
}

// Push is heap.Interface's.
func (h *dueHeap) Push(x any) {
	w := x.(*waiter)
	w.heapPos = len(*h)
	*h = append(*h, w)
}

// Pop is heap.Interface's.
func (h *dueHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	w.heapPos = -1
	return w
}
