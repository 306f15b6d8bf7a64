package aof

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// syncInterval is how often EverySec syncs.
	syncInterval = time.Second
	// slowSync is how long a sync under EverySec may take before replies are held: with what gathered before it began, a
	// power cut would otherwise cost more than the second that was promised.
	slowSync = 2 * time.Second
	// syncWeight: the newest sync makes up 1/syncWeight of the average.
	syncWeight = 8
	// maxSample bounds what one slow sync adds to the average, in multiples of InlineSyncLimit, so that it is soon forgotten.
	maxSample = 4
	// The gather window is 1/gatherShare of what the last sync took, and at most maxGather.
	gatherShare = 3
	maxGather   = 5 * time.Millisecond
)

// Local is the Journal of one machine: a Log and a policy. One background goroutine syncs what Append does not.
type Local struct {
	log       *Log
	onDurable func(index uint64)
	onError   func(error)

	policy  atomic.Int32
	floor   atomic.Uint64 // highest watermark ever returned
	busy    atomic.Int32  // syncs under way
	started atomic.Int64  // Unix ns, when the running sync began; 0: none
	average atomic.Int64  // ns, moving average of sync times
	written atomic.Int64  // bytes appended
	delayed atomic.Int64
	held    atomic.Bool // the running sync has made Durable stay behind
	mu      sync.Mutex
	recent  recent // guarded by mu
	syncs   atomic.Int64

	kick      chan struct{} // capacity 1
	stop      chan struct{}
	done      chan struct{}
	reported  sync.Once // of the failure, to onError
	closeOnce sync.Once
	closeErr  error
}

// recent is what gather knows of the last sync.
type recent struct {
	ended  time.Time
	took   time.Duration
	synced int64 // of Local.written, before it began
	expect int64 // what Local.written comes to once all that it released are back, with as much
}

// NewLocal starts a journal on the log. onDurable is called after each background sync with the watermark, and onError once,
// when the log has failed; both from the background goroutine or from one that called Append, Flush or Close, and neither
// may call back. Either may be nil.
func NewLocal(l *Log, onDurable func(index uint64), onError func(error)) *Local {
	if onDurable == nil {
		onDurable = func(uint64) {}
	}
	if onError == nil {
		onError = func(error) {}
	}
	j := &Local{
		log: l, onDurable: onDurable, onError: onError,
		kick: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	j.policy.Store(int32(l.opts.Policy))
	j.floor.Store(l.Synced())
	go j.run()
	return j
}

// Append implements Journal: it writes on the caller's goroutine. Under Always it also syncs there, as long as syncs are
// fast; otherwise the background goroutine does, and calls onDurable.
func (j *Local) Append(frame []byte) (uint64, error) {
	index, err := j.log.AppendFrame(frame)
	if err != nil {
		return 0, j.failure(err)
	}
	j.written.Add(int64(len(frame)))
	if j.Policy() != Always {
		return index, nil
	}
	if j.average.Load() > int64(j.log.opts.InlineSyncLimit) || !j.busy.CompareAndSwap(0, 1) {
		j.request()
		return index, nil
	}
	err = j.timedSync()
	j.busy.Add(-1)
	if err != nil {
		return 0, j.failure(err)
	}
	return index, nil
}

// Durable implements Journal.
func (j *Local) Durable() uint64 {
	mark := j.log.Synced()
	if j.Policy() != Always && j.log.Err() == nil && !j.slow() {
		mark = j.log.Written()
	}
	for {
		floor := j.floor.Load()
		if mark <= floor {
			return floor
		}
		if j.floor.CompareAndSwap(floor, mark) {
			return mark
		}
	}
}

// slow reports whether replies wait for the sync under way.
func (j *Local) slow() bool {
	started := j.started.Load()
	if started == 0 || j.Policy() != EverySec || j.log.opts.Now().UnixNano()-started <= int64(slowSync) {
		return false
	}
	if j.held.CompareAndSwap(false, true) {
		j.delayed.Add(1)
	}
	return true
}

// Ready implements Journal.
func (j *Local) Ready() error { return j.log.Ready() }

// Flush implements Journal.
func (j *Local) Flush() error { return j.failure(j.log.Sync()) }

// Request asks for a sync soon, without waiting: onDurable follows.
func (j *Local) Request() { j.request() }

func (j *Local) request() {
	select {
	case j.kick <- struct{}{}:
	default: // one is already asked for
	}
}

// Policy is the policy in force.
func (j *Local) Policy() Policy { return Policy(j.policy.Load()) }

// SetPolicy changes the policy. What was released stays released; a stricter policy holds for everything after.
func (j *Local) SetPolicy(p Policy) {
	j.log.prefill.Store(p == Always)
	j.policy.Store(int32(p))
	j.request()
}

// Log is the log underneath.
func (j *Local) Log() *Log { return j.log }

// DelayedFsyncs counts the syncs that took so long that replies were held.
func (j *Local) DelayedFsyncs() int64 { return j.delayed.Load() }

// Syncs counts syncs, and SyncTime is their moving average.
func (j *Local) Syncs() int64            { return j.syncs.Load() }
func (j *Local) SyncTime() time.Duration { return time.Duration(j.average.Load()) }

// Close implements Journal. It closes the log.
func (j *Local) Close() error {
	j.closeOnce.Do(func() {
		close(j.stop)
		<-j.done
		j.closeErr = j.failure(j.log.Close())
	})
	return j.closeErr
}

// failure reports err once if it is final, and returns it.
func (j *Local) failure(err error) error {
	if err == nil {
		return nil
	}
	if cause := j.log.Err(); cause != nil {
		j.reported.Do(func() { j.onError(cause) })
	}
	return err
}

func (j *Local) timedSync() error {
	start, written := j.log.opts.Now(), j.written.Load()
	j.started.Store(start.UnixNano())
	err := j.log.Sync()
	j.started.Store(0)
	end := j.log.opts.Now()
	took := end.Sub(start)
	j.mu.Lock()
	j.recent = recent{ended: end, took: took, synced: written, expect: j.written.Load() + written - j.recent.synced}
	j.mu.Unlock()
	took = min(took, maxSample*j.log.opts.InlineSyncLimit)
	old := j.average.Load()
	j.average.Store(old + (int64(took)-old)/syncWeight)
	j.syncs.Add(1)
	return err
}

// run is the background goroutine: the commit goroutine of Always, the clock of the others.
func (j *Local) run() {
	defer close(j.done)
	ticker := time.NewTicker(syncInterval)
	defer ticker.Stop()
	for {
		asked := false
		select {
		case <-j.stop:
			return
		case <-j.kick:
			asked = true
		case <-ticker.C:
		}
		for j.wanted(asked) && j.gather() {
			if err := j.backgroundSync(); err != nil {
				_ = j.failure(err)
				<-j.stop // nothing can be made durable any more
				return
			}
			asked = false
			if j.Policy() != Always {
				break
			}
		}
		if !asked && j.log.Mark() != nil {
			_ = j.failure(j.log.Err())
		}
	}
}

// wanted reports whether a sync is due.
func (j *Local) wanted(asked bool) bool {
	if j.log.Written() == j.log.Synced() {
		return false
	}
	return asked || j.Policy() != No || j.log.sealedUnsynced()
}

// backgroundSync syncs and tells.
func (j *Local) backgroundSync() error {
	j.busy.Add(1)
	err := j.timedSync()
	j.busy.Add(-1)
	if err != nil {
		return err
	}
	j.held.Store(false)
	j.onDurable(j.Durable())
	return nil
}

// gather waits a moment for the clients that the last sync released to send their next commands: syncing at once for the first
// of them, or for others that wait already, would split clients that wait for each reply into groups that take turns. It
// reports whether to go on.
func (j *Local) gather() bool {
	if j.Policy() != Always {
		return true
	}
	j.mu.Lock()
	last := j.recent
	j.mu.Unlock()
	window := min(last.took/gatherShare, maxGather) - j.log.opts.Now().Sub(last.ended)
	if window <= 0 || j.written.Load() >= last.expect {
		return true
	}
	timer := time.NewTimer(window)
	defer timer.Stop()
	for j.written.Load() < last.expect {
		select {
		case <-j.kick: // something was appended
		case <-timer.C:
			return true
		case <-j.stop:
			return false
		}
	}
	return true
}
