package shard

import (
	"log/slog"
	"sync"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

// maxFrameBytes is when a loop should end its round: the open frame is large enough that nothing is gained by waiting.
const maxFrameBytes = 1 << 20

// Options are what a Shard is built from.
type Options struct {
	Node    *session.Node
	Table   *command.Table
	Log     *aof.Log   // snapshots; never nil
	Journal *aof.Local // nil with appendonly no
	Logger  *slog.Logger
	// Clock tells the time; tests replace it.
	Clock func() time.Time
	// Loaded is the number of keys found at start.
	Loaded int64
	// Exit is called once, when a shutdown may close the connections: replies are sent, then the server closes.
	Exit func()
	// Changed makes a setting that the server or its loops own take effect.
	Changed func(name string) error
}

// Shard is the keyspace with everything that orders what happens to it.
type Shard struct {
	mu sync.Mutex

	node    *session.Node
	table   *command.Table
	machine *machine.Machine
	log     *aof.Log
	journal *aof.Local
	logger  *slog.Logger
	clock   func() time.Time
	options Options

	// The clock of the batch under way: wall time at its start and the monotonic time since then.
	batchStart time.Time
	startMS    int64
	nowMS      int64 // Unix ms of the command under way
	lastMono   time.Duration
	lastMS     int64 // the sequencer's last stamp: never goes back

	frame   []byte // the open frame: aof.HeaderSize bytes of room, then ops
	changes int64  // ops since the last snapshot

	op      machine.Op // of the command under way
	ownOp   machine.Op // of expiry and other decisions of the shard
	ctx     command.Ctx
	current *session.Session // whose command is under way; nil none
	keys    [][]byte         // scratch for key extraction

	parked   parking
	paused   []*session.Session // waiting for the end of CLIENT PAUSE
	noExpire bool               // DEBUG SET-ACTIVE-EXPIRE 0
	nextTick time.Time

	save       saving
	misses     int64 // keys that reads did not find
	usedMemory int64 // bytes, sampled
	sizeThen   int64 // machine's estimate when usedMemory was sampled
	stopping   bool
}

// New returns a Shard over a machine that is loaded already.
func New(o Options) *Shard {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	sh := &Shard{
		node: o.Node, table: o.Table, machine: o.Node.Machine, log: o.Log, journal: o.Journal,
		logger: o.Logger, clock: o.Clock, options: o,
	}
	sh.frame = make([]byte, aof.HeaderSize, 64<<10)
	sh.lastMS = sh.machine.LastMS()
	sh.parked.init()
	sh.save.init(o.Clock())
	sh.machine.Observer = observer{sh}
	sh.node.Host = host{sh}
	sh.BeginBatch()
	sh.sampleMemory()
	sh.proposeParams()
	return sh
}

// Lock and Unlock guard the shard and everything in session.Node.
func (sh *Shard) Lock()   { sh.mu.Lock() }
func (sh *Shard) Unlock() { sh.mu.Unlock() }

// BeginBatch reads the clock; call it under the lock before the first Execute of a batch.
func (sh *Shard) BeginBatch() {
	sh.batchStart = sh.clock()
	sh.startMS = sh.batchStart.UnixMilli()
	sh.nowMS = sh.startMS
	sh.lastMono = 0
}

// advance notes that a command ended and returns what it took.
func (sh *Shard) advance() time.Duration {
	mono := sh.clock().Sub(sh.batchStart)
	took := mono - sh.lastMono
	sh.lastMono = mono
	sh.nowMS = sh.startMS + int64(mono/time.Millisecond)
	return took
}

// stamp is the sequencer: the time of an op, which never goes back, whatever the clock does.
func (sh *Shard) stamp() int64 {
	if sh.nowMS > sh.lastMS {
		sh.lastMS = sh.nowMS
	}
	return sh.lastMS
}

// apply stamps op, carries it out and, if it changed anything, appends it to the open frame.
func (sh *Shard) apply(op *machine.Op, w *resp.Writer) machine.Result {
	op.AtMS = sh.stamp()
	res := sh.machine.Apply(op, w)
	if res&machine.Changed != 0 {
		sh.changes++
		if sh.journal != nil {
			sh.frame = machine.AppendOp(sh.frame, op)
		}
		if sh.current != nil {
			sh.current.LastWrite = sh.index()
		}
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

// RoundIndex is index for a loop that ends its batch; call it under the lock.
func (sh *Shard) RoundIndex() uint64 { return sh.index() }

// FrameFull tells a loop to end its round.
func (sh *Shard) FrameFull() bool { return len(sh.frame) >= maxFrameBytes }

// Commit writes the open frame: one frame for all ops of the round. Call it under the lock at the end of a round. After an
// error what the round did is in doubt, so its replies must not leave; writes are refused from then on (P-S4).
func (sh *Shard) Commit() error {
	if sh.journal == nil || len(sh.frame) == aof.HeaderSize {
		return nil
	}
	_, err := sh.journal.Append(sh.frame)
	if err != nil {
		sh.logger.Error("the log cannot be written; writes are refused until a restart", "err", err)
	}
	if cap(sh.frame) > 8*maxFrameBytes {
		sh.frame = make([]byte, aof.HeaderSize, 64<<10)
	}
	sh.frame = sh.frame[:aof.HeaderSize]
	return err
}

// Durable is the watermark: replies that saw index or less may leave. Safe without the lock.
func (sh *Shard) Durable() uint64 {
	if sh.journal == nil {
		return 0
	}
	return sh.journal.Durable()
}

// proposeParams makes the machine's logged parameters those of the settings.
func (sh *Shard) proposeParams() {
	want := sh.node.Settings.MachineParams()
	have := sh.machine.Params()
	if want == [4]int64{have.NodeMaxBytes, have.NodeMaxEntries, have.IdmpDuration, have.IdmpMaxsize} {
		return
	}
	sh.ownOp.Reset()
	sh.ownOp.Kind = machine.SetParams
	sh.ownOp.N = want
	sh.apply(&sh.ownOp, nil)
}
