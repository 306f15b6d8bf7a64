package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

// Flags of a command, as COMMAND INFO shows them.
type Flags uint32

const (
	Write Flags = 1 << iota
	ReadOnly
	DenyOOM
	Admin
	PubSub
	NoScript
	Blocking
	Loading
	Stale
	Fast
	NoAuth
	NoMulti
	AllowBusy
	MovableKeys
	SkipMonitor
	SkipSlowlog
	NoAsyncLoading
	NoMandatoryKeys
)

// Categories are ACL categories.
type Categories uint32

const (
	CatKeyspace Categories = 1 << iota
	CatRead
	CatWrite
	CatString
	CatStream
	CatPubSub
	CatAdmin
	CatFast
	CatSlow
	CatBlocking
	CatDangerous
	CatConnection
	CatTransaction
	CatScripting
)

// KeyFlags say what a command does with the keys of one KeySpec, as COMMAND INFO shows them.
type KeyFlags uint16

const (
	KeyRO KeyFlags = 1 << iota
	KeyRW
	KeyOW
	KeyRM
	KeyAccess
	KeyUpdate
	KeyInsert
	KeyDelete
	KeyNotKey
	KeyIncomplete
	KeyVariable // what is done depends on the arguments
)

// KeySpec says where keys stand: from Index, or after Keyword (searched from StartFrom), to Last (as in Redis: 0 the first
// alone, negative from the end) in steps of Step; Limit 2 takes the first half of the rest.
type KeySpec struct {
	Index     int // position of the first key; 0 when Keyword is set
	Keyword   string
	StartFrom int
	Last      int
	Step      int
	Limit     int
	Flags     KeyFlags
	Notes     string
}

// Step names a command that the shard itself carries out, because it is about the order of commands.
type Step uint8

const (
	StepMulti Step = iota + 1
	StepExec
	StepDiscard
	StepWatch
	StepUnwatch
	StepWait
	StepWaitAOF
)

// Ctx is what a Local command works with, under the node's lock.
type Ctx struct {
	Node *session.Node
	S    *session.Session
	W    *resp.Writer // = &S.W
	Spec *Spec
	Args [][]byte // the whole command; valid during the call only
}

// Spec is one row of the command table. Exactly one of Local, Parse and Step is set, none for a container (but COMMAND,
// a container that also answers alone).
type Spec struct {
	Name       string // lower case; subcommands as "xgroup|create"
	Arity      int    // counting the name (and the container's); negative: at least
	Flags      Flags
	Cats       Categories // ACL categories; Table adds those that follow from Flags
	Group      string     // COMMAND DOCS group: "stream", "string", "generic", "connection", "server", "transactions", "pubsub", "cluster"
	Since      string     // the Redis release that has it
	Keys       []KeySpec
	Tips       []string
	Args       string // grammar, as redis-cli shows it
	Summary    string
	Complexity string

	// Local answers from the connection's and node's own state.
	Local func(c *Ctx)
	// Parse turns arguments (args[0] is the name) into op. It is pure: errors it returns are answered before any look at the
	// state, errors that Redis reports later go into op.Err. blockMS: -1 does not block, 0 for ever.
	Parse func(args [][]byte, op *machine.Op) (blockMS int64, err error)
	// Step is carried out by the shard.
	Step Step

	Container bool // has subcommands
	// ID is the row's place in Table, set by it: index of per-command counters.
	ID int
	// Table is the table the row is in, set by it.
	Table *Table
	// Parent of a subcommand, Subs of a container.
	Parent *Spec
	Subs   []*Spec
}
