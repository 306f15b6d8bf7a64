package machine

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// Params are the settings that outcomes depend on. They are state, changed only by SetParams: a replica's own configuration
// must not make it differ.
type Params struct {
	NodeMaxBytes   int64 // stream-node-max-bytes
	NodeMaxEntries int64 // stream-node-max-entries
	IdmpDuration   int64 // stream-idmp-duration, s
	IdmpMaxsize    int64 // stream-idmp-maxsize
}

func defaultParams() Params {
	return Params{NodeMaxBytes: 4096, NodeMaxEntries: 100, IdmpDuration: 100, IdmpMaxsize: 100}
}

// Machine is the keyspace and everything that changes it.
//
// Owner: whoever holds the shard's lock. No method locks.
type Machine struct {
	// Observer hears of changes and keyspace events; nil: nobody.
	Observer Observer
	// NoTouch leaves idle times alone (CLIENT NO-TOUCH); set around Query.
	NoTouch bool

	dbs    []*database
	params Params
	lastMS int64
	ops    uint64

	seed   uint64 // of the hash; no part of the state
	random uint64 // state of RANDOMKEY's generator; no part of the state

	readMS int64  // Query: keys with a deadline up to it are not there; 0 in Apply
	nowS   uint32 // of the op under way, for idle times
	open   []*object
	epoch  uint32
	image  *Image // whose walk is not over, nil none

	dues   []dueKey // scratch of DueKeys
	dueBuf []byte   // the key that DueKeys shows
	keyBuf []byte   // scratch of walks
	idText stream.IDText
	replay Op // of Replay
	auto   autoClaim
}

// New returns an empty machine.
func New(databases int) *Machine { return NewSeeded(databases, 0) }

// NewSeeded is New with a secret seed for the hash, so that nobody can choose keys that collide. It makes no difference to the
// state: only the order of KEYS, SCAN and RANDOMKEY depends on it.
func NewSeeded(databases int, seed uint64) *Machine {
	m := &Machine{seed: seed, random: seed ^ 0x9E3779B97F4A7C15, epoch: 1}
	m.clear(databases)
	return m
}

func (m *Machine) clear(databases int) {
	m.dbs = make([]*database, databases)
	for i := range m.dbs {
		m.dbs[i] = newDatabase()
	}
	m.params = defaultParams()
	m.lastMS, m.ops = 0, 0
}

// Apply carries out op and writes its reply to w, which is nil in replay. What happens is a function of the state and op
// alone. An op that answers an error has changed nothing.
func (m *Machine) Apply(op *Op, w *resp.Writer) Result {
	if !op.Kind.Writes() || op.DB < 0 || op.DB >= len(m.dbs) {
		return refuse(w, resp.ErrDBIndex)
	}
	if op.Err == nil && !op.wellFormed() {
		return refuse(w, errUnknownOp) // so that what is applied and logged can also be decoded and applied again
	}
	m.readMS, m.nowS = 0, uint32(op.AtMS/1000)
	res, ok := m.applyStreamOp(op, w)
	if !ok {
		res = m.applyOp(op, w)
	}
	m.settle()
	if res&Changed != 0 {
		m.ops++
		m.lastMS = max(m.lastMS, op.AtMS)
	}
	return res
}

func (m *Machine) applyOp(op *Op, w *resp.Writer) Result {
	switch op.Kind {
	case Set:
		return m.applySet(op, w)
	case GetDel:
		return m.applyGetDel(op, w)
	case GetEx:
		return m.applyGetEx(op, w)
	case MSet:
		return m.applyMSet(op, w)
	case Append:
		return m.applyAppend(op, w)
	case IncrBy:
		return m.applyIncrBy(op, w)
	case IncrByFloat:
		return m.applyIncrByFloat(op, w)
	case SetRange:
		return m.applySetRange(op, w)
	case Del:
		return m.applyDel(op, w)
	case Rename:
		return m.applyRename(op, w)
	case Copy:
		return m.applyCopy(op, w)
	case Move:
		return m.applyMove(op, w)
	case ExpireAt:
		return m.applyExpireAt(op, w)
	case Persist:
		return m.applyPersist(op, w)
	case FlushDB:
		return m.applyFlush(op, w, op.DB)
	case FlushAll:
		return m.applyFlush(op, w, -1)
	case SwapDB:
		return m.applySwapDB(op, w)
	case Expire:
		return m.applyExpire(op)
	case SetParams:
		return m.applySetParams(op, w)
	}
	return refuse(w, errUnknownOp)
}

const errUnknownOp resp.Error = "ERR unknown operation"

// Query answers op, which only reads, as of nowMS: keys whose deadline has passed are not there.
func (m *Machine) Query(op *Op, w *resp.Writer, nowMS int64) Result {
	if op.Kind.Writes() || op.DB < 0 || op.DB >= len(m.dbs) {
		return refuse(w, resp.ErrDBIndex)
	}
	m.readMS, m.nowS = nowMS, uint32(nowMS/1000)
	if res, ok := m.queryStreamOp(op, w, nowMS); ok {
		return res
	}
	if op.Err != nil {
		return refuse(w, op.Err)
	}
	switch op.Kind {
	case Get:
		return m.queryGet(op, w)
	case MGet:
		return m.queryMGet(op, w)
	case StrLen:
		return m.queryStrLen(op, w)
	case GetRange:
		return m.queryGetRange(op, w)
	case DigestValue:
		return m.queryDigestValue(op, w)
	case Exists, Touch:
		return m.queryExists(op, w)
	case Type:
		return m.queryType(op, w)
	case TTL:
		return m.queryTTL(op, w, nowMS)
	case Keys:
		return m.queryKeys(op, w)
	case Scan:
		return m.queryScan(op, w)
	case RandomKey:
		return m.queryRandomKey(op, w)
	case DBSize:
		w.Int(m.Len(op.DB))
		return 0
	case ObjectInfo:
		return m.queryObject(op, w)
	case MemoryUsage:
		return m.queryMemoryUsage(op, w)
	}
	return refuse(w, errUnknownOp)
}

// applySetParams sets the parameters; negative values are refused.
func (m *Machine) applySetParams(op *Op, w *resp.Writer) Result {
	for _, n := range op.N {
		if n < 0 {
			return refuse(w, resp.ErrOutOfRange)
		}
	}
	p := Params{NodeMaxBytes: op.N[0], NodeMaxEntries: op.N[1], IdmpDuration: op.N[2], IdmpMaxsize: op.N[3]}
	w.OK()
	if p == m.params {
		return 0
	}
	m.params = p
	return Changed
}

// Params returns the settings that outcomes depend on.
func (m *Machine) Params() Params { return m.params }

// ParamsArray returns the parameters as SetParams has them in N.
func (m *Machine) ParamsArray() [4]int64 {
	p := m.params
	return [4]int64{p.NodeMaxBytes, p.NodeMaxEntries, p.IdmpDuration, p.IdmpMaxsize}
}

// Databases returns how many there are.
func (m *Machine) Databases() int { return len(m.dbs) }

// LastMS returns the largest AtMS that changed something: the sequencer starts from it.
func (m *Machine) LastMS() int64 { return m.lastMS }

// Ops returns how many ops have changed something since the machine was empty.
func (m *Machine) Ops() uint64 { return m.ops }

// Len returns the number of keys in db, those included whose deadline has passed.
func (m *Machine) Len(db int) int64 { return int64(m.dbs[db].keys.n) }

// Has tells whether key exists, even if its deadline has passed.
func (m *Machine) Has(db int, key []byte) bool { return m.find(db, key) != nil }

// HasStream tells whether the key is there, expired or not, and is a stream.
func (m *Machine) HasStream(db int, key []byte) bool {
	o := m.find(db, key)
	return o != nil && o.kind == kindStream
}

// SizeBytes estimates the memory that keys and values take.
func (m *Machine) SizeBytes() int64 {
	n := int64(0)
	for _, d := range m.dbs {
		n += d.bytes
	}
	return n
}
