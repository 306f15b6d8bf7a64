package shard

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/session"
)

// wait is WAIT: there are no replicas to wait for, so it answers 0 at the deadline.
func (sh *Shard) wait(s *session.Session, spec *command.Spec, args [][]byte) Outcome {
	replicas, ok := resp.ParseInt(args[1])
	if !ok {
		s.W.Error(resp.ErrNotInteger)
		return Done
	}
	timeoutMS, err := command.ParseTimeout(args[2])
	if err != nil {
		s.W.Error(err)
		return Done
	}
	if replicas <= 0 || s.Deny {
		s.W.Int(0)
		return Done
	}
	sh.parkWait(&waiter{s: s, spec: spec, kind: waitReplicas}, timeoutMS)
	return Parked
}

// waitAOF is WAITAOF: answers once this connection's last write is synced on this machine.
func (sh *Shard) waitAOF(s *session.Session, spec *command.Spec, args [][]byte) Outcome {
	local, ok := resp.ParseInt(args[1])
	if !ok {
		s.W.Error(resp.ErrNotInteger)
		return Done
	}
	if local < 0 || local > 1 {
		s.W.Error(resp.Error("ERR value is out of range, value must between 0 and 1"))
		return Done
	}
	replicas, ok := resp.ParseInt(args[2])
	if !ok {
		s.W.Error(resp.ErrNotInteger)
		return Done
	}
	if replicas < 0 {
		s.W.Error(resp.ErrMustBePositive)
		return Done
	}
	timeoutMS, err := command.ParseTimeout(args[3])
	if err != nil {
		s.W.Error(err)
		return Done
	}
	if local > 0 && sh.journal == nil {
		s.W.Error(resp.Error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."))
		return Done
	}
	w := &waiter{s: s, spec: spec, kind: waitSync, index: s.LastWrite, local: local, replicas: replicas}
	if local > 0 && !s.Deny {
		_ = sh.Commit() // a sync reaches only what was written before it was asked for
	}
	if s.Deny || sh.waitSatisfied(w) {
		sh.answerWait(s, w)
		return Done
	}
	sh.parkWait(w, timeoutMS)
	if local > 0 {
		sh.journal.Request()
	}
	return Parked
}

// awaitsSync tells whether a sync can end the wait of w: there are no replicas, so a wait for some ends at its deadline.
func (w *waiter) awaitsSync() bool { return w.kind == waitSync && w.replicas == 0 }

func (sh *Shard) waitSatisfied(w *waiter) bool {
	return w.awaitsSync() && (w.local == 0 || sh.synced(w.index))
}

func (sh *Shard) synced(index uint64) bool { return sh.journal != nil && sh.log.Synced() >= index }

func (sh *Shard) answerWait(s *session.Session, w *waiter) {
	if w.kind == waitReplicas {
		s.W.Int(0)
		return
	}
	s.W.Array(2)
	s.W.Bool(sh.synced(w.index))
	s.W.Int(0)
}
