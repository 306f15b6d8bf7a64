package shard

import (
	"time"

	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

// A reading of the clock costs a fifth of an XADD, so quick commands share one with their neighbours: each is counted with its
// share of the time. They are timed one by one as soon as somebody looks closer than this is good for: with MONITOR, or a
// threshold of the slow log or the latency monitor below that of Redis's defaults.
const (
	sharedMost  = 16 // commands to a reading
	quickArgs   = 32 // a command of more arguments,
	quickBytes  = 16 << 10
	closeMicros = 10000 // slowlog-log-slower-than
	closeMillis = 10    // latency-monitor-threshold
)

// untimed are the commands that ended since the clock was last read.
type untimed struct {
	n    int
	runs []run
}

// run is a number of executions of one command, which all failed or all did not.
type run struct {
	id, n  int
	failed bool
}

// add notes one execution.
func (u *untimed) add(id int, failed bool) {
	u.n++
	if last := len(u.runs) - 1; last >= 0 && u.runs[last].id == id && u.runs[last].failed == failed {
		u.runs[last].n++
		return
	}
	u.runs = append(u.runs, run{id, 1, failed})
}

// BeginBatch reads the clock; call it under the lock before the first Execute of a batch, and EndBatch after the last.
func (sh *Shard) BeginBatch() {
	sh.batchStart = sh.clock()
	sh.startMS = sh.batchStart.UnixMilli()
	sh.nowMS, sh.age = sh.startMS, sh.batchStart.Sub(sh.opened)
	sh.lastMono = 0
	sh.lookCloser()
}

// EndBatch counts the commands that were not counted yet.
func (sh *Shard) EndBatch() {
	if sh.untimed.n > 0 {
		sh.settle()
	}
}

// lookCloser decides whether commands are timed one by one.
func (sh *Shard) lookCloser() {
	slow, latency := sh.node.Settings.SlowlogMicros(), sh.node.Settings.LatencyMillis()
	sh.coarse = (slow < 0 || slow >= closeMicros) && (latency == 0 || latency >= closeMillis) && len(sh.node.Monitors.All()) == 0
}

// advance reads the clock and returns the time since it was last read.
func (sh *Shard) advance() time.Duration {
	var mono time.Duration
	if sh.options.Clock == nil {
		mono = time.Since(sh.batchStart) // half the price of time.Now
	} else {
		mono = sh.clock().Sub(sh.batchStart)
	}
	took := mono - sh.lastMono
	sh.lastMono = mono
	sh.nowMS = sh.startMS + mono.Milliseconds()
	sh.age = sh.batchStart.Sub(sh.opened) + mono
	return took
}

// settle reads the clock and counts the untimed commands. It returns what they took together.
func (sh *Shard) settle() time.Duration {
	took, u := sh.advance(), &sh.untimed
	for _, r := range u.runs {
		sh.node.Stats.Calls(r.id, r.n, took/time.Duration(u.n), r.failed)
	}
	u.n, u.runs = 0, u.runs[:0]
	return took
}

// quick tells whether a command is sure to end soon, as far as its arguments show.
func quick(spec *command.Spec, args [][]byte) bool {
	if spec.Flags&command.Fast == 0 || len(args) > quickArgs {
		return false
	}
	size := 0
	for _, arg := range args {
		size += len(arg)
	}
	return size <= quickBytes
}

// wasQuick tells whether a quick command that has ended did little, so that it can be timed with others.
func (sh *Shard) wasQuick(spec *command.Spec, written int) bool {
	if written > quickBytes {
		return false
	}
	if spec.Parse == nil {
		return true
	}
	op := &sh.op
	return op.Kind != machine.Del && (op.Flags&(machine.FlagMaxLen|machine.FlagMinID) == 0 || op.Flags&machine.FlagApprox != 0)
}

// call runs a command, counts it, and notes slow ones. A parked command is counted when its wait ends.
func (sh *Shard) call(s *session.Session, spec *command.Spec, args [][]byte) Outcome {
	shares := sh.coarse && quick(spec, args)
	if !shares {
		sh.EndBatch()
	}
	failures, before := s.W.Failed, s.W.Len()
	out := sh.run(s, spec, args)
	failed := s.W.Failed != failures
	if failed {
		sh.node.Stats.Error(s.W.LastError.Code())
	}
	if out != Parked {
		sh.untimed.add(spec.ID, failed)
	}
	if shares && sh.wasQuick(spec, s.W.Len()-before) {
		if sh.untimed.n >= sharedMost {
			sh.settle()
		}
		return out
	}
	took := sh.settle()
	sh.examine(s, spec, args, took, out == Parked)
	sh.lookCloser()
	return out
}

// examine shows a command to monitors, and notes it if it was slow. One that waits is looked at when its wait ends.
func (sh *Shard) examine(s *session.Session, spec *command.Spec, args [][]byte, took time.Duration, waits bool) {
	n := sh.node
	if len(n.Monitors.All()) > 0 {
		now := sh.batchStart.Add(sh.lastMono).UnixMicro()
		n.FeedMonitors(s, args, spec.Flags&(command.Admin|command.SkipMonitor) != 0, now)
	}
	if waits {
		return
	}
	if slow := n.Settings.SlowlogMicros(); slow >= 0 && took.Microseconds() >= slow && spec.Flags&command.SkipSlowlog == 0 {
		n.Slowlog.Add(n, s, args, took, sh.nowMS)
		n.Stats.Slow(spec.ID, took)
	}
	if limit := n.Settings.LatencyMillis(); limit > 0 && took.Milliseconds() >= limit {
		event := "command"
		if spec.Flags&command.Fast != 0 {
			event = "fast-command"
		}
		n.Latency.Add(event, sh.nowMS, took.Milliseconds())
	}
}

// Now is when the batch under way, or the last one, began.
func (sh *Shard) Now() time.Time { return sh.batchStart }
