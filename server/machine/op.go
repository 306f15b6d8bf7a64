package machine

import (
	"bytes"
	"slices"

	"github.com/streamd/streamd/stream"
)

// Kind says what an Op does. Numbers are frozen at release: they are in the log. 0 is invalid; kinds from firstQuery on only
// read and are never logged.
type Kind uint8

// Kinds that change state.
const (
	XAdd          Kind = 1  // Key Args=fields,values IDs[0]=id IDs[1]=MINID N[0]=MAXLEN N[1]=LIMIT Group=pid Consumer=iid
	XTrim         Kind = 2  // Key IDs[0]=MINID N[0]=MAXLEN N[1]=LIMIT
	XDel          Kind = 3  // Key IDs
	XDelEx        Kind = 4  // Key IDs, reference flags; an Err beside IDs comes after the check for a missing key, an Err without IDs before it
	XSetID        Kind = 5  // Key IDs[0]=last IDs[1]=max deleted N[0]=entries added (-1 absent); FlagHasLimit: IDs[1] given
	XAck          Kind = 6  // Key Group IDs
	XAckDel       Kind = 7  // Key Group IDs, reference flags; Err as in XDelEx
	XNack         Kind = 8  // Key Group IDs N[0]=mode (NackSilent…) N[1]=RETRYCOUNT (-1 absent) FlagForce
	XReadGroup    Kind = 9  // Args=keys IDs (MaxID is '>') Group Consumer N[0]=COUNT N[1]=MAXCOUNT N[2]=MAXSIZE N[3]=CLAIM (-1 absent) FlagNoAck
	XClaim        Kind = 10 // Key Group Consumer IDs N[0]=min-idle N[1]=RETRYCOUNT (-1 absent) N[2]=IDLE or TIME (FlagIdle, FlagTime) FlagForce FlagJustID; FlagLastID: the last of IDs is LASTID
	XAutoClaim    Kind = 11 // Key Group Consumer IDs[0]=start N[0]=min-idle N[1]=COUNT FlagJustID
	XGroupCreate  Kind = 12 // Key Group IDs[0] FlagDollar FlagMkStream N[0]=ENTRIESREAD (-1 unknown)
	XGroupSetID   Kind = 13 // Key Group IDs[0] FlagDollar N[0]=ENTRIESREAD (-1 unknown)
	XGroupDestroy Kind = 14 // Key Group
	XGroupAddCons Kind = 15 // Key Group Consumer (CREATECONSUMER)
	XGroupDelCons Kind = 16 // Key Group Consumer (DELCONSUMER)
	XCfgSet       Kind = 17 // Key N[0]=IDMP-DURATION s (0 absent) N[1]=IDMP-MAXSIZE (0 absent)
	XIdmpRecord   Kind = 18 // Key Group=pid Consumer=iid IDs[0]
	Set           Kind = 20 // Key Args[0]=value N[0]=absolute expiry ms (0 none) FlagNX FlagXX FlagGet FlagKeepTTL; Args[1]=compare value with FlagIFEQ…; reply shape by FlagReplyInt (SETNX) FlagGet (GETSET)
	GetDel        Kind = 21 // Key
	GetEx         Kind = 22 // Key N[0]=absolute expiry ms; FlagPersist; FlagExpire: N[0] is given
	MSet          Kind = 23 // Args=key,value,… FlagNX (MSETNX)
	Append        Kind = 24 // Key Args[0]
	IncrBy        Kind = 25 // Key N[0]
	IncrByFloat   Kind = 26 // Key Args[0]=increment as text
	SetRange      Kind = 27 // Key N[0]=offset Args[0]
	Del           Kind = 40 // Args=keys
	Rename        Kind = 41 // Key Group=destination FlagNX (RENAMENX)
	Copy          Kind = 42 // Key Group=destination N[0]=destination db (-1 the same) FlagReplace
	Move          Kind = 43 // Key N[0]=destination db
	ExpireAt      Kind = 44 // Key N[0]=absolute ms FlagNX FlagXX FlagGT FlagLT
	Persist       Kind = 45 // Key
	FlushDB       Kind = 46
	FlushAll      Kind = 47
	SwapDB        Kind = 48 // N[0] N[1]
	Expire        Kind = 49 // Key: the sequencer found its deadline passed; a decision, not a command (event "expired")
	SetParams     Kind = 50 // N[0]=stream-node-max-bytes N[1]=stream-node-max-entries N[2]=stream-idmp-duration N[3]=stream-idmp-maxsize
	Restore       Kind = 51 // reserved for RESTORE
	lastWrite          = Restore
	firstQuery         = XLen
)

// Kinds that only read.
const (
	XLen           Kind = 128 + iota // Key
	XRange                           // Key IDs[0]=start IDs[1]=end N[0]=COUNT (-1 absent) FlagReverse
	XRead                            // Args=keys IDs Marks (per key: 0, '$' or '+') N[0]=COUNT N[1]=MAXCOUNT N[2]=MAXSIZE
	XPendingSum                      // Key Group
	XPendingRange                    // Key Group IDs[0] IDs[1] N[0]=COUNT N[1]=min-idle (0 absent) FlagConsumer: Consumer
	XInfoStream                      // Key FlagFull N[0]=COUNT (0 all)
	XInfoGroups                      // Key
	XInfoConsumers                   // Key Group
	Get                              // Key
	MGet                             // Args=keys
	StrLen                           // Key
	GetRange                         // Key N[0]=start N[1]=end
	Exists                           // Args=keys
	Touch                            // Args=keys
	Type                             // Key
	TTL                              // Key; FlagMS: milliseconds, FlagAbsolute: EXPIRETIME family
	Keys                             // Args[0]=pattern
	Scan                             // N[0]=cursor (as uint64) N[1]=COUNT Args[0]=pattern (nil none) Args[1]=type (nil none)
	RandomKey                        //
	DBSize                           //
	ObjectInfo                       // Key N[0]: 0 ENCODING 1 REFCOUNT 2 IDLETIME 3 FREQ
	MemoryUsage                      // Key
	DigestValue                      // Args=keys
)

// Writes tells whether ops of this kind go to the log.
func (k Kind) Writes() bool { return k < firstQuery }

// Flags are the switches of an Op; which apply is said with its Kind.
type Flags uint32

// Flags of stream ops, then of the others. At most one of FlagDelRef and FlagAcked is set (neither: KEEPREF).
const (
	FlagNoMkStream Flags = 1 << iota // XADD NOMKSTREAM
	FlagAutoID                       // XADD *
	FlagAutoSeq                      // XADD ms-*
	FlagDelRef                       // DELREF
	FlagAcked                        // ACKED
	FlagMaxLen                       // trim by MAXLEN
	FlagMinID                        // trim by MINID
	FlagApprox                       // trim with ~
	FlagHasLimit                     // LIMIT given (XSETID: MAXDELETEDID given)
	FlagIdmp                         // XADD IDMP pid iid
	FlagIdmpAuto                     // XADD IDMPAUTO pid
	FlagNoAck                        // XREADGROUP NOACK
	FlagForce                        // XCLAIM, XNACK FORCE
	FlagJustID                       // JUSTID
	FlagLastID                       // XCLAIM LASTID: the last of IDs
	FlagIdle                         // XCLAIM IDLE: N[2] is an idle time
	FlagTime                         // XCLAIM TIME: N[2] is a Unix ms
	FlagMkStream                     // XGROUP CREATE MKSTREAM
	FlagDollar                       // id is '$'
	FlagFull                         // XINFO STREAM FULL
	FlagReverse                      // XREVRANGE
	FlagConsumer                     // XPENDING with a consumer
	FlagNX
	FlagXX
	FlagGT
	FlagLT
	FlagGet      // SET GET, GETSET
	FlagKeepTTL  // SET KEEPTTL
	FlagReplyInt // SETNX: answer 1 or 0
	FlagReplace  // COPY REPLACE
	FlagMS       // answer in milliseconds
	FlagAbsolute // answer an absolute time

	FlagPersist = FlagNX      // GETEX PERSIST
	FlagExpire  = FlagXX      // GETEX with an expiry
	FlagIfEq    = FlagAutoID  // SET IFEQ
	FlagIfNe    = FlagAutoSeq // SET IFNE
	FlagIfDeq   = FlagDelRef  // SET IFDEQ
	FlagIfDne   = FlagAcked   // SET IFDNE
	FlagDelta   = FlagNoAck   // INCRBY family: kept for the reply's shape
	// FlagRelative is set by parsing Set, GetEx and ExpireAt: N[0] is counted from now. The sequencer makes it absolute
	// (command.ResolveRelative), so Apply and the log never see it.
	FlagRelative = FlagTime
)

// Modes of XNACK in N[0].
const (
	NackSilent = iota
	NackFail
	NackFatal
)

// Op is a resolved command: a change of state that Apply carries out, or a query. One struct serves all kinds, so that one
// codec writes all ops and the hot path allocates nothing; which fields a kind uses is said with the Kind.
//
// Byte slices alias the connection's read buffer (live) or the frame (replay) and are valid only while the op is applied:
// what is stored is copied.
type Op struct {
	Kind  Kind
	DB    int   // database, 0 … databases-1
	AtMS  int64 // the sequencer's time, Unix ms, never going back
	Flags Flags

	Key      []byte
	Group    []byte // group; producer id; destination key
	Consumer []byte // consumer; idempotent id
	Args     [][]byte
	IDs      []stream.ID
	Marks    []byte // XREAD only: per key '$', '+' or 0
	N        [4]int64

	// Err is an argument error that Redis reports only after checks of state (a missing key wins over a bad id). With Err set
	// the op makes those checks in order, answers theirs or Err, and changes nothing; it is never logged.
	Err error
	// ErrAt is the index of the key at which Err stands (XREAD, XREADGROUP).
	ErrAt int
}

// Reset empties op for reuse, keeping its slices' room.
func (op *Op) Reset() {
	op.Kind, op.DB, op.AtMS, op.Flags = 0, 0, 0, 0
	op.Key, op.Group, op.Consumer = nil, nil, nil
	op.Args, op.IDs, op.Marks = op.Args[:0], op.IDs[:0], op.Marks[:0]
	op.N = [4]int64{}
	op.Err, op.ErrAt = nil, 0
}

// Clone returns a copy that owns all its bytes: a parked command outlives its read buffer.
func (op *Op) Clone() *Op {
	c := *op
	c.Key, c.Group, c.Consumer = bytes.Clone(op.Key), bytes.Clone(op.Group), bytes.Clone(op.Consumer)
	c.Args = make([][]byte, len(op.Args))
	for i, arg := range op.Args {
		c.Args[i] = bytes.Clone(arg)
	}
	c.IDs, c.Marks = slices.Clone(op.IDs), bytes.Clone(op.Marks)
	return &c
}

// Result tells what an op did.
type Result uint8

const (
	// Changed: state changed, so the op belongs in the log.
	Changed Result = 1 << iota
	// Refused: an error was answered and nothing changed.
	Refused
	// Empty: a blocking read had nothing to serve; nothing was written to the reply. Together with Changed when the op
	// created a consumer or touched its seen-time.
	Empty
	// Quiet: what changed are times and delivery counts only. It is logged, but is no change that a snapshot is due for.
	Quiet
)

// Change says to an Observer what happened to a key.
type Change uint8

const (
	// Dirty: entries, existence or expiry changed: WATCH fails, tracked keys are invalidated.
	Dirty Change = 1 << iota
	// Ready: a stream may now serve a blocked read (XADD, XNACK, key created as a stream), or Redis tries them again (XGROUP DESTROY).
	Ready
	// Gone: the key was deleted, replaced by another type, or one of its groups destroyed: blocked XREADGROUPs look again.
	Gone
)

// Observer hears what Apply changed. It is nil in replay and on followers.
type Observer interface {
	// Changed is called once per key and change, while the change is applied; key is valid during the call only.
	Changed(db int, key []byte, c Change)
	// Flushed is called when a whole database was emptied or swapped (db -1: all).
	Flushed(db int)
	// Event is a keyspace event: class is its letter in notify-keyspace-events.
	Event(db int, class byte, name string, key []byte)
}
