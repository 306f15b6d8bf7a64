package shard

import (
	"strings"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

// Outcome tells a loop how to go on with a connection after Execute.
type Outcome uint8

const (
	// Done: the reply is written; take the next request.
	Done Outcome = iota
	// Parked: the command waits; take no further request before Conn.Resume.
	Parked
	// Again: offer the same request again after Conn.Resume (CLIENT PAUSE).
	Again
	// Closing: take no further request; close once the output is sent.
	Closing
)

// Execute carries out one request of s. Its arguments are valid until the open frame is committed. The order of checks is
// Redis's (processCommand), as spec §2.2 lists them.
func (sh *Shard) Execute(s *session.Session, args [][]byte) Outcome {
	before := s.W.Len()
	s.W.Start()
	s.Skipping, s.SkipNext = s.SkipNext, false
	sh.current = s
	out := sh.dispatch(s, args)
	sh.answered(s, before)
	if out == Again {
		s.SkipNext = s.Skipping
	}
	sh.serveReady()
	if out == Done {
		sh.node.Tracking.AfterCommand(s)
	}
	sh.node.Tracking.Flush()
	sh.current = nil
	if s.CloseAfter && out == Done {
		return Closing
	}
	return out
}

// answered counts the reply written to s since its writer held before bytes, or drops it as CLIENT REPLY wants.
func (sh *Shard) answered(s *session.Session, before int) {
	switch {
	case s.W.Len() <= before:
	case s.Skipping || s.ReplyOff:
		s.W.Rewind(before)
	default:
		s.Answers++
	}
}

func (sh *Shard) dispatch(s *session.Session, args [][]byte) Outcome {
	spec, err := sh.table.Find(args)
	if err != nil {
		sh.reject(s, spec, err)
		return Done
	}
	if err := sh.admit(s, spec); err != nil {
		sh.reject(s, spec, err)
		return Done
	}
	if spec.Flags&command.Write != 0 && costBytes(args) > maxCommandBytes {
		sh.reject(s, spec, errTooLarge)
		return Done
	}
	if sh.stopping {
		return Again // never: the connection ends with the server
	}
	if sh.mustPause(s, spec) {
		sh.pause(s)
		return Again
	}
	s.LastCommand, s.LastMS = spec.Name, sh.nowMS
	s.Commands++
	if s.Multi && queues(spec) {
		sh.queue(s, spec, args)
		return Done
	}
	return sh.call(s, spec, args)
}

// queues tells whether a command inside MULTI is kept for EXEC.
func queues(spec *command.Spec) bool {
	switch spec.Step {
	case command.StepExec, command.StepDiscard, command.StepMulti, command.StepWatch:
		return false
	}
	return spec.Name != "quit" && spec.Name != "reset"
}

// admit makes the checks that refuse a command before it is queued or run.
func (sh *Shard) admit(s *session.Session, spec *command.Spec) error {
	flags := spec.Flags
	if spec.Step == command.StepExec && s.Multi {
		flags |= command.Flags(s.QueueFlags) & (command.DenyOOM | command.Write)
	}
	n := sh.node
	if strings.HasPrefix(spec.Name, "debug") && !n.Settings.DebugAllowed(s.Local) {
		return resp.Error(`ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`)
	}
	if !s.Authenticated && flags&command.NoAuth == 0 {
		return resp.ErrNoAuth
	}
	if s.Multi && flags&command.NoMulti != 0 {
		return resp.Error("ERR Command not allowed inside a transaction")
	}
	if flags&command.DenyOOM != 0 && n.Settings.MaxMemory() > 0 && sh.memory() > n.Settings.MaxMemory() {
		return resp.ErrOOM
	}
	if flags&command.Write != 0 || spec.Name == "ping" {
		if err := sh.writable(); err != nil {
			return err
		}
	}
	if !s.W.RESP3 && s.Subs.Count() > 0 && !allowedSubscribed(spec.Name) {
		return resp.Error("ERR Can't execute '" + spec.Name + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
	}
	if s.Monitor && flags&(command.Write|command.ReadOnly) != 0 {
		return resp.Error("ERR Replica can't interact with the keyspace") // Redis takes a monitor for a replica
	}
	return nil
}

// writable answers MISCONF once the log failed, or while the disk has no room for its next segment.
func (sh *Shard) writable() error {
	if sh.journal == nil {
		return nil
	}
	if err := sh.journal.Ready(); err != nil {
		return resp.Error("MISCONF Errors writing to the AOF file: " + err.Error()).Safe()
	}
	return nil
}

func allowedSubscribed(name string) bool {
	switch name {
	case "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe", "ping", "quit", "reset":
		return true
	}
	return false
}

// reject answers a command that was refused before it ran. Inside MULTI it spoils the transaction; EXEC itself, refused, ends
// it and answers EXECABORT, without MULTI too.
func (sh *Shard) reject(s *session.Session, spec *command.Spec, err error) {
	if spec != nil {
		sh.node.Stats.Rejected(spec.ID)
	}
	switch {
	case spec != nil && spec.Step == command.StepExec:
		sh.discard(s)
		text := strings.TrimPrefix(err.Error(), "ERR ")
		err = resp.Error("EXECABORT Transaction discarded because of: " + text)
	case s.Multi:
		s.MultiDirty = true
	}
	s.W.Error(err)
	sh.node.Stats.Error(s.W.LastError.Code())
}

// mustPause tells whether CLIENT PAUSE holds this command.
func (sh *Shard) mustPause(s *session.Session, spec *command.Spec) bool {
	p := &sh.node.Pause
	if p.UntilMS == 0 {
		return false
	}
	if p.UntilMS <= sh.nowMS {
		sh.resumePaused()
		return false
	}
	if p.All {
		return true
	}
	flags := spec.Flags
	if spec.Step == command.StepExec {
		flags |= command.Flags(s.QueueFlags)
	}
	return flags&command.Write != 0 || spec.Name == "publish" || spec.Name == "spublish"
}

func (sh *Shard) pause(s *session.Session) {
	if !s.Paused {
		s.Paused = true
		sh.paused = append(sh.paused, s)
	}
}

func (sh *Shard) resumePaused() {
	sh.node.Pause = session.Pause{}
	list := sh.paused
	sh.paused = nil
	for _, s := range list {
		s.Paused = false
		s.Conn.Resume()
	}
}

// run carries out one admitted command.
func (sh *Shard) run(s *session.Session, spec *command.Spec, args [][]byte) Outcome {
	sh.expireBefore(s.DB, spec, args)
	switch {
	case spec.Parse != nil:
		return sh.runOp(s, spec, args)
	case spec.Local != nil:
		sh.ctx = command.Ctx{Node: sh.node, S: s, W: &s.W, Spec: spec, Args: args}
		spec.Local(&sh.ctx)
		return Done
	}
	return sh.runStep(s, spec, args)
}

func (sh *Shard) runOp(s *session.Session, spec *command.Spec, args [][]byte) Outcome {
	op := &sh.op
	op.Reset()
	blockMS, err := spec.Parse(args, op)
	if err != nil {
		s.W.Error(err)
		return Done
	}
	op.DB = s.DB
	sh.expireTarget(op)
	var res machine.Result
	if op.Kind.Writes() {
		op.AtMS = sh.stamp()
		if err := command.ResolveRelative(op, spec.Name); err != nil {
			s.W.Error(err)
			return Done
		}
		res = sh.apply(op, &s.W)
	} else {
		res = sh.query(op, s)
		sh.remember(s, spec, args)
	}
	if res&machine.Empty == 0 {
		return Done
	}
	if blockMS < 0 || s.Deny {
		s.W.NullArray()
		return Done
	}
	sh.park(&waiter{s: s, spec: spec, kind: waitData}, op, blockMS)
	return Parked
}

// query answers a read and counts the keys it found and missed.
func (sh *Shard) query(op *machine.Op, s *session.Session) machine.Result {
	misses := sh.misses
	sh.machine.NoTouch = s.NoTouch && op.Kind != machine.Touch
	res := sh.machine.Query(op, &s.W, sh.nowMS)
	sh.machine.NoTouch = false
	misses = sh.misses - misses
	keys := int64(len(op.Args))
	switch op.Kind {
	case machine.Keys, machine.Scan, machine.RandomKey, machine.DBSize:
		return res
	case machine.XRead, machine.MGet, machine.Exists, machine.Touch, machine.DigestValue:
	default:
		keys = 1
	}
	sh.node.Stats.KeyspaceMisses += misses
	sh.node.Stats.KeyspaceHits += keys - misses
	return res
}

// remember notes the keys a tracking client read (CLIENT TRACKING).
func (sh *Shard) remember(s *session.Session, spec *command.Spec, args [][]byte) {
	if !s.Track.On() || spec.Flags&command.ReadOnly == 0 || !sh.node.Tracking.Wants(s) {
		return
	}
	keys, err := spec.KeysOf(args, sh.keys[:0])
	sh.keys = keys[:0]
	if err == nil {
		sh.node.Tracking.Remember(s, keys)
	}
}
