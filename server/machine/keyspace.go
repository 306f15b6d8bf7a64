package machine

import (
	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
	"github.com/tidwall/btree"
	"github.com/zeebo/xxh3"
)

// objectKind is the type of a key's value. Numbers are frozen: they are in snapshots.
type objectKind uint8

const (
	kindString objectKind = 1
	kindStream objectKind = 2
)

func (k objectKind) String() string {
	if k == kindStream {
		return "stream"
	}
	return "string"
}

// object is a key and its value.
//
// Owner: the machine. A pointer to it is good until the next op; whoever is about to change it calls Machine.change first.
type object struct {
	key         string
	str         []byte // kindString
	*streamBody        // kindStream, else nil
	home        *database
	deadlineMS  int64  // Unix ms at which the key expires, 0 never
	epoch       uint32 // of the machine when it was made or last given to an image
	usedS       uint32 // Unix s of the last access; no part of the state
	kind        objectKind
	form        stringForm
	shared      bool // an image shares str: its bytes must not be overwritten
	open        bool // in Machine.open
}

// streamBody is the value of a stream.
type streamBody struct {
	stream *stream.Stream
	groups *groups.Set
}

// Overheads for sizeBytes: the object, its table entry at the usual fill, an entry of the expiry index.
const (
	objectOverhead = 80 + 24
	streamOverhead = 16
	dueOverhead    = 24
)

// sizeBytes estimates the memory o takes.
func (o *object) sizeBytes() int64 {
	n := objectOverhead + int64(len(o.key)) + int64(cap(o.str))
	if o.kind == kindStream {
		n += streamOverhead + o.stream.SizeBytes() + o.groups.SizeBytes()
	}
	if o.deadlineMS != 0 {
		n += dueOverhead
	}
	return n
}

// database is one of the SELECTable keyspaces.
type database struct {
	keys   table
	due    *btree.BTreeG[due] // keys that expire
	bytes  int64              // sum of sizeBytes of the objects that are not open
	frozen int                // its number when the last image was taken
}

// due is an entry of the expiry index.
type due struct {
	ms int64
	o  *object
}

func newDatabase() *database {
	less := func(a, b due) bool { return a.ms < b.ms || a.ms == b.ms && a.o.key < b.o.key }
	return &database{
		keys: newTable(),
		due:  btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}),
	}
}

func (m *Machine) hash(key []byte) uint64 { return xxh3.HashSeed(key, m.seed) }

// find returns the object of key whether or not its deadline has passed.
func (m *Machine) find(db int, key []byte) *object {
	return m.dbs[db].keys.find(m.hash(key), key)
}

// lookup returns the object of key, nil if there is none. Within Query, a key whose deadline has passed is not there;
// Apply looks at no clock.
func (m *Machine) lookup(db int, key []byte) *object {
	o := m.find(db, key)
	if o != nil && o.deadlineMS != 0 && o.deadlineMS <= m.readMS {
		return nil
	}
	return o
}

// lookupStream is lookup for a stream: (nil, nil) if there is no such key, resp.ErrWrongType if it is something else.
func (m *Machine) lookupStream(db int, key []byte) (*object, error) {
	o := m.lookup(db, key)
	if o == nil {
		return nil, nil
	}
	if o.kind != kindStream {
		return nil, resp.ErrWrongType
	}
	m.touch(o)
	return o, nil
}

// lookupString is lookup for a string.
func (m *Machine) lookupString(db int, key []byte) (*object, error) {
	o := m.lookup(db, key)
	if o == nil {
		return nil, nil
	}
	if o.kind != kindString {
		return nil, resp.ErrWrongType
	}
	m.touch(o)
	return o, nil
}

// readStream is lookupStream for commands that read: a missing key raises keymiss.
func (m *Machine) readStream(db int, key []byte) (*object, error) {
	o, err := m.lookupStream(db, key)
	if o == nil && err == nil {
		m.miss(db, key)
	}
	return o, err
}

// readString is lookupString for commands that read: a missing key raises keymiss.
func (m *Machine) readString(db int, key []byte) (*object, error) {
	o, err := m.lookupString(db, key)
	if o == nil && err == nil {
		m.miss(db, key)
	}
	return o, err
}

func (m *Machine) miss(db int, key []byte) { m.event(db, 'm', "keymiss", key) }

// touch notes an access for OBJECT IDLETIME.
func (m *Machine) touch(o *object) {
	if !m.NoTouch {
		o.usedS = m.nowS
	}
}

// createStream makes a new empty stream at key, which does not exist.
func (m *Machine) createStream(db int, key []byte) *object {
	o := &object{key: string(key), kind: kindStream, streamBody: &streamBody{stream: stream.New(), groups: groups.New()}}
	o.stream.Idmp().SetConfig(m.params.IdmpDuration, m.params.IdmpMaxsize)
	m.insert(db, o)
	m.event(db, 'n', "new", key)
	return o
}

// createString makes a string at key, which does not exist; value is copied.
func (m *Machine) createString(db int, key, value []byte) *object {
	o := &object{key: string(key), kind: kindString, str: append([]byte(nil), value...)}
	m.insert(db, o)
	m.event(db, 'n', "new", key)
	return o
}

// insert puts a new object into the keyspace.
func (m *Machine) insert(db int, o *object) {
	d := m.dbs[db]
	o.home, o.epoch, o.usedS, o.open = d, m.epoch, m.nowS, true
	m.open = append(m.open, o)
	d.keys.insert(xxh3.HashStringSeed(o.key, m.seed), o)
	if o.deadlineMS != 0 {
		d.due.Set(due{o.deadlineMS, o})
	}
}

// remove takes o out of the keyspace. Its value may go on living under another object.
func (m *Machine) remove(o *object) {
	m.change(o)
	d := o.home
	d.keys.remove(xxh3.HashStringSeed(o.key, m.seed), o)
	if o.deadlineMS != 0 {
		d.due.Delete(due{o.deadlineMS, o})
	}
	o.home = nil
}

// change must be called before anything of o changes: it gives an image that has not seen o yet its frozen value, and takes
// o out of the memory account until the op is over.
func (m *Machine) change(o *object) {
	if o.epoch != m.epoch {
		if m.image != nil {
			m.image.take(o)
		}
		o.epoch = m.epoch
	}
	if !o.open {
		o.open = true
		o.home.bytes -= o.sizeBytes()
		m.open = append(m.open, o)
	}
}

// settle ends an op: what was open is accounted again.
func (m *Machine) settle() {
	for i, o := range m.open {
		o.open = false
		if o.home != nil {
			o.home.bytes += o.sizeBytes()
		}
		m.open[i] = nil
	}
	m.open = m.open[:0]
}

// setDeadline sets or, with 0, drops o's expiry; the caller has called change.
func (m *Machine) setDeadline(o *object, ms int64) {
	if o.deadlineMS == ms {
		return
	}
	if o.deadlineMS != 0 {
		o.home.due.Delete(due{o.deadlineMS, o})
	}
	o.deadlineMS = ms
	if ms != 0 {
		o.home.due.Set(due{ms, o})
	}
}

// changed tells the observer.
func (m *Machine) changed(db int, key []byte, c Change) {
	if m.Observer != nil {
		m.Observer.Changed(db, key, c)
	}
}

// event raises a keyspace event.
func (m *Machine) event(db int, class byte, name string, key []byte) {
	if m.Observer != nil {
		m.Observer.Event(db, class, name, key)
	}
}

// gone is what an observer hears when o is deleted, replaced or renamed away.
func (o *object) gone() Change {
	if o.kind == kindStream {
		return Dirty | Gone
	}
	return Dirty
}

// came is what an observer hears when o appears at a key other than by its own commands.
func (o *object) came() Change {
	if o.kind == kindStream {
		return Dirty | Ready
	}
	return Dirty
}
