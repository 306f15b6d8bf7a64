package session

import "github.com/streamd/streamd/resp"

// Conn is what a session may ask of its connection. Its methods are called under the node's lock and never block.
type Conn interface {
	// Flush asks for what was written to Session.W to be sent once durable. Calling it again before that costs nothing.
	Flush()
	// Close ends the connection after what was written so far was sent (or at once, if now). reason goes to the log.
	Close(reason string, now bool)
	// Resume asks for the input that waits behind a parked command to be carried out.
	Resume()
	RemoteAddr() string // "ip:port", or the socket's path
	LocalAddr() string
	FD() int
	// Buffers reports sizes in bytes: unparsed input, room left in the input buffer, output waiting.
	Buffers() (query, queryFree, output int)
}

// Session is the state of one client connection. It is guarded by the node's lock.
type Session struct {
	ID   int64
	Conn Conn
	W    resp.Writer // replies and pushes not yet taken by the connection
	// Answers counts the replies in W: should the log fail, each of them becomes INDOUBT.
	Answers int

	Name, LibName, LibVer string
	DB                    int
	User                  string // "default"
	Authenticated         bool
	Local                 bool // connected over loopback or a unix socket
	Unix                  bool

	CreatedMS, LastMS int64  // Unix ms: connected, last command
	LastCommand       string // full name, "xgroup|create"; "" none yet
	Commands          int64
	NetIn, NetOut     int64

	// Transaction.
	Multi      bool
	MultiDirty bool // a command was refused while queueing: EXEC answers EXECABORT
	Queue      []Queued
	QueueBytes int
	QueueFlags uint32 // union of the queued commands' flags (command.Flags)
	Watching   map[WatchKey]struct{}
	WatchDirty bool // a watched key changed: EXEC answers null

	// CLIENT REPLY. SkipNext: the next command's reply is dropped. Skipping: that of the command under way. ReplyOff: all are.
	ReplyOff, SkipNext, Skipping bool

	Subs     Subscriptions
	Track    TrackState
	Monitor  bool
	NoEvict  bool
	NoTouch  bool
	ReadOnly bool

	Blocked    bool // parked in a blocking command
	Paused     bool // parked by CLIENT PAUSE
	CloseAfter bool // close once the output is sent
	Deny       bool // inside EXEC: blocking commands answer at once

	LastWrite uint64 // log index that holds this connection's last write (WAITAOF)

	// Closed: Node.Drop forgot this session. Nobody may write to it or serve it any more.
	Closed bool
}

// Types of clients, as CLIENT LIST TYPE and CLIENT KILL TYPE name them. There are no replication links yet, so no session is
// of the last two types.
const (
	TypeNormal  = "normal"
	TypePubSub  = "pubsub"
	TypeMaster  = "master"
	TypeReplica = "replica"
)

// Type returns TypeNormal or TypePubSub. A monitor is an ordinary client.
func (s *Session) Type() string {
	if s.Subs.Count() > 0 {
		return TypePubSub
	}
	return TypeNormal
}

// Queued is one command of a transaction; its arguments are copies.
type Queued struct {
	Args [][]byte
	Spec any // *command.Spec
}

// WatchKey is a key in a database.
type WatchKey struct {
	DB  int
	Key string
}
