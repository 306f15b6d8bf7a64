package shard

import (
	"runtime/metrics"
	"time"
)

const (
	tickEvery = 100 * time.Millisecond
	// authSeconds is how long a connection may stay unauthenticated where a password is set.
	authSeconds = 10
)

// NextTick is how long the loop may sleep, counted from now, which is when the clock was last read: to the next deadline of a
// waiter, or the next tick. Under the lock.
func (sh *Shard) NextTick() (now time.Time, wait time.Duration) {
	now = sh.batchStart.Add(sh.lastMono)
	wait = min(sh.nextTick.Sub(now), tickEvery) // never longer, even if the clock was set back
	if len(sh.parked.due) > 0 {
		wait = min(wait, sh.parked.due[0].due-sh.age)
	}
	if sh.parked.syncs > 0 {
		wait = min(wait, time.Millisecond)
	}
	if until := sh.node.Pause.UntilMS; until > 0 {
		wait = min(wait, time.UnixMilli(until).Sub(now))
	}
	return now, max(wait, 0)
}

// Tick does what time alone asks for: deadlines of waiters, expiry, statistics, idle clients, automatic rewrites. Under the
// lock, after BeginBatch.
func (sh *Shard) Tick() {
	sh.tickWaiters()
	if sh.parked.syncs > 0 {
		sh.tickSyncs()
	}
	if p := sh.node.Pause.UntilMS; p > 0 && p <= sh.nowMS {
		sh.resumePaused()
	}
	if now := sh.batchStart; !now.Before(sh.nextTick) || sh.nextTick.Sub(now) > tickEvery {
		second := now.Unix() != sh.nextTick.Add(-tickEvery).Unix()
		sh.nextTick = now.Add(tickEvery)
		sh.periodic(second)
	}
	sh.serveReady()
	sh.node.Tracking.Flush()
}

// periodic runs ten times a second; second tells that a new second began.
func (sh *Shard) periodic(second bool) {
	sh.sampleMemory()
	sh.node.Stats.Tick(sh.nowMS)
	if !sh.noExpire {
		for sh.expireDue(expireBudget) == expireBudget && sh.clock().Sub(sh.batchStart) < tickEvery/4 {
		}
	}
	if second {
		sh.closeIdle()
		sh.tickSave()
	}
}

// closeIdle closes clients that said nothing for `timeout` seconds, and those that did not authenticate in time.
func (sh *Shard) closeIdle() {
	timeout := sh.node.Settings.Timeout()
	needAuth := sh.node.Settings.RequirePass() != ""
	if timeout == 0 && !needAuth {
		return
	}
	for _, s := range sh.node.Clients.All() {
		idle := (sh.nowMS - max(s.LastMS, s.CreatedMS)) / 1000
		switch {
		case s.Blocked || s.Paused || s.Monitor || s.Subs.Count() > 0:
		case timeout > 0 && idle > timeout:
			s.Conn.Close("idle for longer than timeout", true)
		case needAuth && !s.Authenticated && (sh.nowMS-s.CreatedMS)/1000 > authSeconds:
			s.Conn.Close("did not authenticate in time", true)
		}
	}
}

// sampleMemory reads the heap's size; between samples memory() adds what the machine's own estimate grew by.
func (sh *Shard) sampleMemory() {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	sh.usedMemory = int64(sample[0].Value.Uint64())
	sh.sizeThen = sh.machine.SizeBytes()
	sh.node.Stats.Memory(sh.usedMemory)
}

// memory estimates the bytes in use, for maxmemory.
func (sh *Shard) memory() int64 { return sh.usedMemory + sh.machine.SizeBytes() - sh.sizeThen }
