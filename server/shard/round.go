package shard

import (
	"errors"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

const (
	// maxFrameBytes is when a loop should end its round: the open frame is large enough that nothing is gained by waiting.
	maxFrameBytes = 1 << 20
	// maxCommandBytes bounds the arguments of one write command or one transaction. They must fit into one frame, together
	// with the ops that expire their keys and what the frame held before.
	maxCommandBytes = aof.MaxPayload/2 - maxFrameBytes
)

const errTooLarge resp.Error = "ERR command is too large for the log"

// costBytes is how much of a frame a command may take: its arguments, with room for what their encoding adds.
func costBytes(args [][]byte) int {
	total := 64 * len(args)
	for _, arg := range args {
		total += len(arg)
	}
	return total
}

// apply stamps op, carries it out and, if it changed anything, appends it to the open frame.
func (sh *Shard) apply(op *machine.Op, w *resp.Writer) machine.Result {
	if sh.FrameFull() && !sh.inExec {
		_ = sh.Commit() // logged, and noted in failures
	}
	op.AtMS = sh.stamp()
	res := sh.machine.Apply(op, w)
	if res&machine.Changed == 0 {
		return res
	}
	if res&machine.Quiet == 0 {
		sh.changes++
	}
	if sh.journal != nil {
		sh.frame = machine.AppendOp(sh.frame, op)
	}
	if sh.current != nil {
		sh.current.LastWrite = sh.index()
	}
	return res
}

// index is the log index whose durability releases what was executed up to now.
func (sh *Shard) index() uint64 {
	if sh.journal == nil {
		return 0
	}
	written := sh.log.Written()
	if len(sh.frame) > aof.HeaderSize {
		return written + 1
	}
	return written
}

// FrameFull tells a loop to end its round.
func (sh *Shard) FrameFull() bool { return len(sh.frame) >= maxFrameBytes }

// Commit writes the open frame, under the lock and between commands or transactions. After an error what the frame held is in
// doubt, and writes are refused from then on (P-S4).
func (sh *Shard) Commit() error {
	if sh.journal == nil || len(sh.frame) == aof.HeaderSize {
		return nil
	}
	_, err := sh.journal.Append(sh.frame)
	if errors.Is(err, aof.ErrTooLarge) {
		panic("shard: a frame larger than the log takes") // it is applied already; going on would make the log a lie
	}
	if err != nil {
		sh.failures++
		sh.logger.Error("the log cannot be written; writes are refused until a restart", "err", err)
	}
	if cap(sh.frame) > 8*maxFrameBytes {
		sh.frame = make([]byte, aof.HeaderSize, 64<<10)
	}
	sh.frame = sh.frame[:aof.HeaderSize]
	return err
}

// EndRound ends a loop's round, under the lock: one frame for all ops since the last one, whichever loop executed them. The
// replies that the loop gathered since its last EndRound leave when Durable reaches index. With doubt set they must not: ops
// they tell of, or saw, may be lost. seen is the loop's own, zero at first: another loop's round may have met the failure.
func (sh *Shard) EndRound(seen *int) (index uint64, doubt bool) {
	_ = sh.Commit() // noted in failures
	// Looked at once: a sync that fails after this finds the replies still waiting for their index.
	broken := sh.Broken()
	failures := sh.failures
	if broken {
		failures++
	}
	doubt = failures != *seen
	*seen = failures
	if broken {
		return 0, doubt // nothing more becomes durable, so there is nothing to wait for
	}
	return sh.index(), doubt
}

// Durable is the watermark: replies that saw index or less may leave. Safe without the lock.
func (sh *Shard) Durable() uint64 {
	if sh.journal == nil {
		return 0
	}
	return sh.journal.Durable()
}

// Broken tells that the log failed: what Durable has not reached by now it never will. Safe without the lock.
func (sh *Shard) Broken() bool { return sh.journal != nil && sh.log.Err() != nil }
