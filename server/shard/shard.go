package shard

import (
	"log/slog"
	"sync"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

// Options are what a Shard is built from.
type Options struct {
	Node    *session.Node
	Table   *command.Table
	Log     *aof.Log   // snapshots; never nil
	Journal *aof.Local // nil with appendonly no
	Logger  *slog.Logger
	// Clock tells the time; nil: time.Now. Tests replace it.
	Clock func() time.Time
	// Loaded is the number of keys found at start.
	Loaded int64
	// Exit is called once, when a shutdown may close the connections: replies are sent, then the server closes.
	Exit func()
	// Sooner is called when a deadline becomes the earliest one: the loop that ticks may have to wake for it.
	Sooner func()
	// Background runs what may take long, the writing of snapshots, on a goroutine of its own that gives way to all others; nil:
	// an ordinary one.
	Background func(func())
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
	nowMS      int64         // Unix ms of the command under way
	age        time.Duration // since opened, whatever becomes of the wall clock: deadlines of waiters count by it
	opened     time.Time
	lastMono   time.Duration
	untimed    untimed
	coarse     bool  // quick commands may share a reading of the clock
	lastMS     int64 // the sequencer's last stamp: never goes back

	frame    []byte // the open frame: aof.HeaderSize bytes of room, then ops
	failures int    // frames that could not be written
	changes  int64  // ops since the last snapshot
	inExec   bool   // a transaction runs: its ops must stay in one frame

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
	stopping   bool  // no command is carried out any more
	closing    bool  // a snapshot under way is given up
}

// New returns a Shard over a machine that is loaded already.
func New(o Options) *Shard {
	clock := o.Clock
	if clock == nil {
		clock = time.Now
	}
	if o.Background == nil {
		o.Background = func(f func()) { go f() }
	}
	if o.Sooner == nil {
		o.Sooner = func() {}
	}
	sh := &Shard{
		node: o.Node, table: o.Table, machine: o.Node.Machine, log: o.Log, journal: o.Journal,
		logger: o.Logger, clock: clock, options: o,
	}
	sh.frame = make([]byte, aof.HeaderSize, 64<<10)
	sh.lastMS = sh.machine.LastMS()
	sh.parked.init()
	sh.save.init(clock())
	sh.machine.Observer = observer{sh}
	sh.node.Host = host{sh}
	sh.opened = clock()
	sh.BeginBatch()
	defer sh.EndBatch()
	sh.sampleMemory()
	sh.proposeParams()
	return sh
}

// Lock and Unlock guard the shard and everything in session.Node.
func (sh *Shard) Lock()   { sh.mu.Lock() }
func (sh *Shard) Unlock() { sh.mu.Unlock() }

// stamp is the sequencer: the time of an op, which never goes back, whatever the clock does.
func (sh *Shard) stamp() int64 {
	if sh.nowMS > sh.lastMS {
		sh.lastMS = sh.nowMS
	}
	return sh.lastMS
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
