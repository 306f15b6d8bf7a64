package session

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/settings"
)

// Node is what commands share besides the keyspace: who is connected, who listens to what, settings and statistics. One
// lock, the shard's, guards all of it.
type Node struct {
	Machine  *machine.Machine
	Settings *settings.Settings
	Clients  *Clients
	PubSub   *PubSub
	Tracking *Tracking
	Watches  *Watches
	Slowlog  *Slowlog
	Latency  *Latency
	Stats    *Stats
	Monitors *Monitors
	Pause    Pause
	Host     Host
	RunID    string // 40 hex digits, new at every start
	StartMS  int64

	pushes pushes
}

// NewNode makes a node without clients. Host and StartMS are set by whoever starts it.
func NewNode(m *machine.Machine, st *settings.Settings) *Node {
	n := &Node{
		Machine:  m,
		Settings: st,
		Clients:  newClients(),
		Watches:  newWatches(m.Has),
		Slowlog:  &Slowlog{},
		Latency:  newLatency(),
		Stats:    newStats(st),
		Monitors: &Monitors{},
		RunID:    newRunID(),
	}
	n.PubSub = newPubSub(&n.pushes)
	n.Tracking = newTracking(n.Clients, &n.pushes)
	return n
}

// Pause is the state of CLIENT PAUSE.
type Pause struct {
	UntilMS int64 // 0: none
	All     bool  // false: writes only
}

// LogStatus describes the log for INFO persistence and WAITAOF.
type LogStatus struct {
	Enabled        bool
	Loading        bool
	Size, BaseSize int64 // bytes: all log segments now, after the last rewrite
	BufferLength   int64
	LastWriteErr   error
	DelayedFsyncs  int64
	SnapshotBusy   bool // BGSAVE under way
	RewriteBusy    bool // BGREWRITEAOF under way
	RewriteWaits   bool // BGREWRITEAOF starts when the BGSAVE under way ends
	LastSaveUnix   int64
	LastSaveErr    error
	LastSaveSecs   int64 // -1 never
	SaveSecs       int64 // of the one under way, -1 none
	Saves          int64
	Rewrites       int64
	ChangesSince   int64 // ops since the last snapshot
	KeysLoaded     int64
	FsyncedIndex   uint64
	WrittenIndex   uint64
}

// Host is what the server does for commands: everything that touches the log, the process or other connections. Called under
// the node's lock.
type Host interface {
	NowMS() int64
	// Propose carries out and logs an op that is not a client's command (CONFIG SET of a logged parameter, DEBUG).
	Propose(op *machine.Op, w *resp.Writer) machine.Result
	// Save writes a snapshot before it returns; Background starts one ("bgsave", "rewrite"), as soon as the one under way ends.
	Save() error
	Background(kind string) error
	LogStatus() LogStatus
	// Reload drops the state and loads it from disk again (DEBUG RELOAD, DEBUG LOADAOF).
	Reload(save bool) error
	// Shutdown begins a clean stop; the process exits 0 after replies and log are on their way. save: write a snapshot first.
	Shutdown(save bool) error
	// Unblock ends a blocking command: with the timeout reply, or with err. False if s was not in one.
	Unblock(s *Session, err error) bool
	// Drop forgets a session, what it waits for included, before its connection ends (CLIENT KILL).
	Drop(s *Session)
	// BlockedKeys counts keys that parked reads wait for; onNoKey those for which XREADGROUP wants to hear of deletion.
	BlockedKeys() (keys, onNoKey int)
	// Resume runs the commands that CLIENT PAUSE parked, when the pause ended.
	Resume()
	// Apply makes a changed setting take effect (maxclients, appendfsync, timeouts, log level); called after CONFIG SET.
	SettingChanged(name string) error
	// SetActiveExpire is DEBUG SET-ACTIVE-EXPIRE.
	SetActiveExpire(on bool)
	UsedMemory() int64
}
