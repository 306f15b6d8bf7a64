package machine

import (
	"bytes"
	"strconv"

	"github.com/streamd/streamd/resp"
)

// queryExists is EXISTS and TOUCH.
func (m *Machine) queryExists(op *Op, w *resp.Writer) Result {
	n := int64(0)
	for _, key := range op.Args {
		o := m.lookup(op.DB, key)
		if o == nil {
			m.miss(op.DB, key)
			continue
		}
		if op.Kind == Touch {
			o.usedS = m.nowS // even under CLIENT NO-TOUCH
		}
		n++
	}
	w.Int(n)
	return 0
}

func (m *Machine) queryType(op *Op, w *resp.Writer) Result {
	if o := m.lookup(op.DB, op.Key); o != nil {
		w.Simple(o.kind.String())
	} else {
		m.miss(op.DB, op.Key)
		w.Simple("none")
	}
	return 0
}

// live tells whether o, met in a walk, is there as far as a query is concerned.
func (m *Machine) live(o *object) bool { return o.deadlineMS == 0 || o.deadlineMS > m.readMS }

func (m *Machine) queryKeys(op *Op, w *resp.Writer) Result {
	pattern := op.Args[0]
	all := string(pattern) == "*"
	mark, n := w.Begin(), 0
	t := &m.dbs[op.DB].keys
	t.each(func(o *object) {
		m.keyBuf = append(m.keyBuf[:0], o.key...)
		if m.live(o) && (all || resp.Match(pattern, m.keyBuf)) {
			w.BulkString(o.key)
			n++
		}
	})
	w.End(mark, n)
	return 0
}

// queryScan is SCAN: the cursor is a lower bound of hashes.
func (m *Machine) queryScan(op *Op, w *resp.Writer) Result {
	var pattern, kind []byte
	if len(op.Args) > 0 {
		pattern = op.Args[0]
	}
	if len(op.Args) > 1 {
		kind = op.Args[1]
	}
	found := make([]*object, 0, 64)
	count := int(min(max(op.N[1], 1), 1<<30))
	next := m.dbs[op.DB].keys.walk(uint64(op.N[0]), count, func(o *object) {
		if !m.live(o) || kind != nil && !bytes.EqualFold(kind, []byte(o.kind.String())) {
			return
		}
		m.keyBuf = append(m.keyBuf[:0], o.key...)
		if pattern == nil || resp.Match(pattern, m.keyBuf) {
			found = append(found, o)
		}
	})
	w.Array(2)
	w.Bulk(strconv.AppendUint(m.keyBuf[:0], next, 10))
	w.Array(len(found))
	for _, o := range found {
		w.BulkString(o.key)
	}
	return 0
}

// queryRandomKey looks at random places of the hash space until a live key is found, then at all of it.
func (m *Machine) queryRandomKey(op *Op, w *resp.Writer) Result {
	t := &m.dbs[op.DB].keys
	if t.n == 0 {
		w.Null()
		return 0
	}
	const tries = 100
	for range tries {
		// A bucket is found in proportion to the hashes it covers, and one of its places at random: all keys are equally likely
		// but for buckets fuller or emptier than others of their size.
		r := m.nextRandom()
		entries := t.bucket(r).entries
		if i := int(m.nextRandom() % bucketRoom); i < len(entries) && m.live(entries[i].o) {
			w.BulkString(entries[i].o.key)
			return 0
		}
	}
	var found *object
	start := m.nextRandom()
	for cursor, wrapped := start, false; found == nil && !(wrapped && cursor > start); {
		cursor = t.walk(cursor, 1, func(o *object) {
			if m.live(o) {
				found = o
			}
		})
		if cursor == 0 {
			if wrapped {
				break
			}
			wrapped = true
		}
	}
	if found == nil {
		w.Null()
	} else {
		w.BulkString(found.key)
	}
	return 0
}

// nextRandom is SplitMix64.
func (m *Machine) nextRandom() uint64 {
	m.random += 0x9E3779B97F4A7C15
	z := m.random
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Kinds of ObjectInfo in N[0].
const (
	objectEncoding = iota
	objectRefCount
	objectIdleTime
	objectFreq
)

const errNoLFU resp.Error = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."

// queryObject is OBJECT ENCODING, REFCOUNT, IDLETIME and FREQ.
func (m *Machine) queryObject(op *Op, w *resp.Writer) Result {
	o := m.lookup(op.DB, op.Key)
	if o == nil {
		w.Null()
		return 0
	}
	switch op.N[0] {
	case objectEncoding:
		w.BulkString(o.encoding())
	case objectRefCount:
		w.Int(1)
	case objectIdleTime:
		w.Int(max(int64(m.nowS)-int64(o.usedS), 0))
	default:
		return refuse(w, errNoLFU)
	}
	return 0
}

// encoding names the encoding that Redis would use.
func (o *object) encoding() string {
	if o.kind == kindStream {
		return "stream"
	}
	const maxEmbedded = 44
	_, isInt := resp.ParseInt(o.str)
	switch {
	case o.form == formEdited || len(o.str) > maxEmbedded:
		return "raw"
	case isInt && o.form == formPlain:
		return "int"
	}
	return "embstr"
}

func (m *Machine) queryMemoryUsage(op *Op, w *resp.Writer) Result {
	if o := m.lookup(op.DB, op.Key); o != nil {
		w.Int(o.sizeBytes())
	} else {
		w.Null()
	}
	return 0
}
