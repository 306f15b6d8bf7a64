package bench

import (
	"fmt"
	"math/rand/v2"
)

const (
	ringEntries  = 256     // different entries that are appended over and over, at least
	xaddMost     = 1 << 30 // bytes of values that a run without MAXLEN appends at most, unless told otherwise
	sampleCount  = 500     // entries read back from each end of a stream
	sampleMost   = 20      // streams that are read back
	sizedMost    = 1000    // streams whose entries-added is compared
	maxLenExcess = 1000    // entries by which MAXLEN ~ may leave a stream too long; Redis trims whole nodes, usually of 100 entries
)

// xadd appends to streams in a closed loop.
//
// All connections send pieces of one ring of encoded requests, so that the generator reads its requests from the cache. Each reply has
// to be an id above the last one that the connection saw for that stream; at the end each stream has to hold, or to have held, as many
// entries as were answered, and those that are read back have to be entries of the ring.
type xadd struct {
	job
	ring    []byte
	at      []int             // where request i of the ring begins; the ring is followed by its own beginning, so that a batch is in one piece
	streams []int             // of request i
	fields  []map[string]bool // appended to the first sampleMost streams
	added   []int64           // answered, by stream
	total   int64
	conns   []*xaddConn
}

func newXAdd(j *job) (work, error) {
	s := j.spec
	x := &xadd{job: *j, added: make([]int64, s.Streams)}
	for range min(s.Streams, sampleMost) {
		x.fields = append(x.fields, map[string]bool{})
	}
	size := s.Streams * ((ringEntries + s.Streams - 1) / s.Streams)
	order := rand.New(rand.NewPCG(3, 4)).Perm(s.Streams)
	m := newMaker(s.Shape)
	var entry []byte
	for i := range size + s.Pipeline {
		x.at = append(x.at, len(x.ring))
		if i >= size {
			from := i % size
			x.ring = append(x.ring, x.ring[x.at[from]:x.at[from+1]]...)
			continue
		}
		stream := order[i%s.Streams]
		entry = m.append(entry[:0])
		x.ring = appendAdd(x.ring, s, key(stream), "*", entry)
		x.streams = append(x.streams, stream)
		if stream < sampleMost {
			x.fields[stream][string(entry)] = true
		}
	}
	x.at = append(x.at, len(x.ring))
	if x.spec.Entries == 0 && s.MaxLen == 0 {
		x.spec.Entries = max(xaddMost/int64(s.Shape.Fields*s.Shape.Bytes), 1)
	}
	return x, nil
}

func (x *xadd) prepare() error { return nil }

func (x *xadd) unfinished() string { return "" }

func (x *xadd) scripts() []script {
	scripts := make([]script, x.spec.Conns)
	for i := range scripts {
		c := &xaddConn{load: x, at: i * x.spec.Pipeline % len(x.streams), last: make([]entryID, x.spec.Streams)}
		x.conns = append(x.conns, c)
		scripts[i] = c
	}
	return scripts
}

// xaddConn is one of the connections.
type xaddConn struct {
	link
	load *xadd
	at   int // the next reply's request in the ring
	left int // replies of the batch that are to come
	sent int64
	last []entryID // by stream
}

func (c *xaddConn) next(now int64) []byte {
	x := c.load
	if x.meter.stopping {
		return nil
	}
	c.sent, c.left = now, x.spec.Pipeline
	return x.ring[x.at[c.at]:x.at[c.at+c.left]]
}

func (c *xaddConn) hear(now int64, b []byte) (used int, answered bool, err error) {
	x, before := c.load, c.left
	for c.left > 0 {
		id, n := readID(b[used:])
		if n <= 0 {
			if n < 0 {
				return 0, false, unexpected(b[used:], "an id")
			}
			break
		}
		stream := x.streams[c.at]
		if !c.last[stream].less(id) {
			return 0, false, fmt.Errorf("XADD to %s answered %v after %v: ids have to grow", key(stream), id, c.last[stream])
		}
		c.last[stream] = id
		x.added[stream]++
		used += n
		c.left--
		if c.at++; c.at == len(x.streams) {
			c.at = 0
		}
	}
	x.meter.ops += int64(before - c.left)
	x.total += int64(before - c.left)
	if c.left > 0 {
		return used, false, nil
	}
	x.meter.record(now - c.sent)
	if x.spec.Entries > 0 && x.total >= x.spec.Entries {
		err = x.meter.finish(now)
	}
	return used, true, err
}

func (x *xadd) verify(*Result) error {
	for stream, added := range x.added {
		k := key(stream)
		if added == 0 {
			continue
		}
		if err := x.verifyLength(stream); err != nil {
			return err
		}
		if stream >= sampleMost {
			continue
		}
		for _, words := range [][]string{{"XRANGE", k, "-", "+"}, {"XREVRANGE", k, "+", "-"}} {
			if err := x.admin.sample(words, func(fields []byte) bool { return x.fields[stream][string(fields)] }); err != nil {
				return err
			}
		}
	}
	return nil
}

// verifyLength compares what a stream holds, or has held, with what was answered.
func (x *xadd) verifyLength(stream int) error {
	added, limit, k := x.added[stream], x.spec.MaxLen, key(stream)
	length, err := x.admin.number("XLEN", k)
	if err != nil {
		return err
	}
	switch {
	case limit == 0 && length != added:
		return fmt.Errorf("%s: %d XADDs were answered, but XLEN is %d", k, added, length)
	case limit > 0 && (length < min(added, limit) || length > limit+max(maxLenExcess, limit/10)):
		return fmt.Errorf("%s: XLEN is %d after %d XADDs with MAXLEN ~ %d", k, length, added, limit)
	case stream >= sizedMost:
		return nil
	}
	total, err := x.admin.entriesAdded(k)
	if err == nil && total != added {
		err = fmt.Errorf("%s: %d XADDs were answered, but entries-added is %d", k, added, total)
	}
	return err
}
