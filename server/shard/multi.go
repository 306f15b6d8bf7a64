package shard

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

// runStep carries out the commands that are about the order of commands: transactions and WAIT.
func (sh *Shard) runStep(s *session.Session, spec *command.Spec, args [][]byte) Outcome {
	switch spec.Step {
	case command.StepMulti:
		if s.Multi {
			s.W.Error(resp.Error("ERR MULTI calls can not be nested"))
			return Done
		}
		s.Multi = true
		s.W.OK()
	case command.StepExec:
		sh.exec(s)
	case command.StepDiscard:
		if !s.Multi {
			s.W.Error(resp.Error("ERR DISCARD without MULTI"))
			return Done
		}
		sh.discard(s)
		s.W.OK()
	case command.StepWatch:
		if s.Multi {
			s.W.Error(resp.Error("ERR WATCH inside MULTI is not allowed"))
			return Done
		}
		for _, key := range args[1:] {
			sh.node.Watches.Add(s, s.DB, key)
		}
		s.W.OK()
	case command.StepUnwatch:
		sh.node.Watches.Clear(s)
		s.WatchDirty = false
		s.W.OK()
	case command.StepWait:
		return sh.wait(s, spec, args)
	case command.StepWaitAOF:
		return sh.waitAOF(s, spec, args)
	}
	return Done
}

// queue keeps a copy of a command for EXEC. The queue counts against client-query-buffer-limit.
func (sh *Shard) queue(s *session.Session, spec *command.Spec, args [][]byte) {
	total := 0
	for _, arg := range args {
		total += len(arg)
	}
	if s.QueueBytes += total + 64*len(args); int64(s.QueueBytes) > sh.node.Settings.QueryBufferLimit() {
		s.Conn.Close("transaction larger than client-query-buffer-limit", true)
		return
	}
	room := make([]byte, 0, total)
	kept := make([][]byte, len(args))
	for i, arg := range args {
		at := len(room)
		room = append(room, arg...)
		kept[i] = room[at:len(room):len(room)]
	}
	s.Queue = append(s.Queue, session.Queued{Args: kept, Spec: spec})
	s.QueueFlags |= uint32(spec.Flags)
	s.W.Simple("QUEUED")
}

// discard ends a transaction without running it.
func (sh *Shard) discard(s *session.Session) {
	s.Multi, s.MultiDirty = false, false
	s.Queue, s.QueueBytes, s.QueueFlags = nil, 0, 0
	sh.node.Watches.Clear(s)
	s.WatchDirty = false
}

// exec runs the queued commands. Their ops go into one frame, which is written whole or not at all, and readers are woken
// only after the last of them.
func (sh *Shard) exec(s *session.Session) {
	if !s.Multi {
		s.W.Error(resp.Error("ERR EXEC without MULTI"))
		return
	}
	for key := range s.Watching {
		sh.expireKey(key.DB, []byte(key.Key))
	}
	dirty, watched := s.MultiDirty, s.WatchDirty
	queue := s.Queue
	sh.discard(s)
	switch {
	case dirty:
		s.W.Error(resp.ErrExecAbort)
		return
	case watched:
		s.W.NullArray()
		return
	}
	s.Deny = true
	s.W.Array(len(queue))
	for _, q := range queue {
		sh.call(s, q.Spec.(*command.Spec), q.Args)
	}
	s.Deny = false
}

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
	if s.Deny || sh.waitSatisfied(w) {
		sh.answerWait(s, w)
		return Done
	}
	sh.parkWait(w, timeoutMS)
	if sh.journal != nil {
		sh.journal.Request()
	}
	return Parked
}

func (sh *Shard) waitSatisfied(w *waiter) bool {
	return w.kind == waitSync && w.replicas == 0 && (w.local == 0 || sh.synced(w.index))
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

// expireBefore removes the keys of a command whose deadline passed, by ops of their own, so that the command itself needs no
// clock to know what exists.
func (sh *Shard) expireBefore(db int, spec *command.Spec, args [][]byte) {
	if sh.machine.Volatile(db) == 0 {
		return
	}
	if len(spec.Keys) == 0 {
		if spec.Flags&(command.ReadOnly|command.Write) != 0 && spec.Parse != nil {
			sh.expireDue(expireBudget)
		}
		return
	}
	keys, err := spec.KeysOf(args, sh.keys[:0])
	sh.keys = keys[:0]
	if err != nil {
		return
	}
	for _, key := range keys {
		sh.expireKey(db, key)
	}
}

// expireBudget bounds the keys removed in one go, so that a million deadlines at one instant do not stall anybody.
const expireBudget = 1000

func (sh *Shard) expireKey(db int, key []byte) {
	deadline, ok := sh.machine.Deadline(db, key)
	if !ok || deadline > sh.nowMS || sh.writable() != nil {
		return
	}
	op := &sh.ownOp
	op.Reset()
	op.Kind, op.DB, op.Key = machine.Expire, db, key
	sh.apply(op, nil)
	sh.node.Stats.Expired(1)
}

// expireDue removes up to max keys whose deadline passed, oldest first.
func (sh *Shard) expireDue(max int) (removed int) {
	type due struct {
		db  int
		key []byte
	}
	var list []due
	sh.machine.DueKeys(sh.nowMS, max, func(db int, key []byte) {
		list = append(list, due{db, append([]byte(nil), key...)})
	})
	for _, d := range list {
		sh.expireKey(d.db, d.key)
	}
	return len(list)
}
