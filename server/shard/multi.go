package shard

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
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
	cost := costBytes(args)
	if s.QueueBytes += cost; int64(s.QueueBytes) > min(sh.node.Settings.QueryBufferLimit(), maxCommandBytes) {
		s.Conn.Close("transaction larger than client-query-buffer-limit", true)
		return
	}
	room := make([]byte, 0, cost-64*len(args))
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
	s.Deny, sh.inExec = true, true
	s.W.Array(len(queue))
	nowMS := sh.nowMS
	for _, q := range queue {
		sh.call(s, q.Spec.(*command.Spec), q.Args)
		sh.nowMS = nowMS // time stands still: no key expires halfway
	}
	s.Deny, sh.inExec = false, false
	sh.startScheduled()
}
