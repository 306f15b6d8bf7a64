package groups

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/streamd/streamd/stream"
)

// The encoding of a set is canonical: it depends on the content alone. Numbers are varints of encoding/binary in their
// shortest form (v unsigned, z zigzag), names are length v and bytes.
//
//	set      1 byte version · v groups · groups in bytewise order of the names
//	group    name · v last.ms · v last.seq · z entries read
//	         v consumers · consumers in bytewise order of the names
//	         v pending · pending entries in id order
//	         NACKed entries in zone order: v ms · v seq each
//	consumer name · z seen ms · z active ms · v pending
//	pending  v owner: 0 NACKed, else the consumer's place in the list above, from 1
//	         v ms, less the ms before (0 at first)
//	         v seq, less the seq before if the ms is the same
//	         z since ms, less the since before (0 at first, wrapping around); absent when NACKed
//	         v count
const codecVersion = 1

// ErrCorrupt says that bytes are no encoding of a set.
var ErrCorrupt = errors.New("groups: corrupt encoding")

// encodeChunk is how much EncodeTo gathers before it writes.
const encodeChunk = 64 << 10

// Encode appends the set to dst.
func (x *Set) Encode(dst []byte) []byte {
	e := encoder{buf: dst}
	e.set(x)
	return e.buf
}

// EncodeTo writes the set to w, in pieces.
func (x *Set) EncodeTo(w io.Writer) error {
	e := encoder{buf: make([]byte, 0, encodeChunk+encodeChunk/8), w: w}
	e.set(x)
	e.flush(0)
	return e.err
}

type encoder struct {
	buf []byte
	w   io.Writer // nil: keep all in buf
	err error
}

func (e *encoder) uint(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }
func (e *encoder) int(n int64)   { e.buf = binary.AppendVarint(e.buf, n) }

func (e *encoder) name(name []byte) {
	e.uint(uint64(len(name)))
	e.buf = append(e.buf, name...)
}

func (e *encoder) id(id stream.ID) {
	e.uint(id.MS)
	e.uint(id.Seq)
}

// flush writes what is gathered if it is more than most bytes.
func (e *encoder) flush(most int) {
	if e.w == nil || len(e.buf) <= most {
		return
	}
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) set(x *Set) {
	e.buf = append(e.buf, codecVersion)
	e.uint(uint64(x.Len()))
	x.Ascend(func(g *Group) bool {
		e.group(g)
		return e.err == nil
	})
}

func (e *encoder) group(g *Group) {
	e.name(g.name)
	e.id(g.last)
	e.int(g.entriesRead)
	e.uint(uint64(g.NumConsumers()))
	place := make([]uint32, len(g.table)+1)
	n := uint32(0)
	g.Ascend(func(c *Consumer) bool {
		n++
		place[c.number] = n
		e.name(c.name)
		e.int(c.SeenMS)
		e.int(c.ActiveMS)
		e.uint(uint64(c.pending))
		e.flush(encodeChunk)
		return true
	})
	e.uint(uint64(g.pending))
	var before entry
	for seg := g.firstSegment(); seg != nil; seg = g.segmentAfter(seg) {
		for i := range seg.live {
			p := seg.load(i)
			e.pending(p, place[p.owner], &before)
		}
		e.flush(encodeChunk)
	}
	if g.zone != nil {
		g.zone.Scan(func(_ uint64, id stream.ID) bool {
			e.id(id)
			e.flush(encodeChunk)
			return true
		})
	}
}

// pending encodes p relative to the entry before, and makes p the entry before.
func (e *encoder) pending(p entry, owner uint32, before *entry) {
	e.uint(uint64(owner))
	e.uint(p.id.MS - before.id.MS)
	if p.id.MS == before.id.MS {
		e.uint(p.id.Seq - before.id.Seq)
	} else {
		e.uint(p.id.Seq)
	}
	if owner != 0 {
		e.int(p.since - before.since)
		before.since = p.since
	}
	e.uint(uint64(p.count))
	before.id = p.id
}

// Decode reads a set from the front of src and returns what follows. It accepts exactly what Encode writes: any other
// bytes are ErrCorrupt. The set keeps no reference to src.
func Decode(src []byte) (x *Set, rest []byte, err error) {
	d := decoder{src: src}
	x = New()
	d.set(x)
	if d.err != nil {
		return nil, nil, d.err
	}
	return x, d.src, nil
}

// decoder reads from the front of src. After a failure it reads zeros, and the first error stays.
type decoder struct {
	src []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrCorrupt, what)
	}
	d.src = nil
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.src)
	if size <= 0 || size > 1 && d.src[size-1] == 0 {
		d.fail("bad number")
		return 0
	}
	d.src = d.src[size:]
	return n
}

func (d *decoder) int() int64 {
	n := d.uint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads a number of things that take at least size bytes each.
func (d *decoder) count(size int) uint64 {
	n := d.uint()
	if n > uint64(len(d.src)/size) {
		d.fail("count beyond the end")
		return 0
	}
	return n
}

func (d *decoder) name() []byte {
	n := d.count(1)
	name := d.src[:n]
	d.src = d.src[n:]
	return name
}

func (d *decoder) id() stream.ID {
	ms := d.uint()
	return stream.ID{MS: ms, Seq: d.uint()}
}

func (d *decoder) set(x *Set) {
	if len(d.src) == 0 || d.src[0] != codecVersion {
		d.fail("unknown version")
		return
	}
	d.src = d.src[1:]
	var before []byte
	for n := d.count(6); n > 0 && d.err == nil; n-- {
		name := d.name()
		if x.Len() > 0 && string(name) <= string(before) {
			d.fail("group names out of order")
			return
		}
		before = name
		last, read := d.id(), d.int()
		if read < -1 {
			d.fail("bad read counter")
		}
		if d.err == nil {
			d.group(x.Create(name, last, read))
		}
	}
}

func (d *decoder) group(g *Group) {
	claimed := d.consumers(g)
	n := d.count(4)
	unowned := uint64(0)
	before := entry{}
	for i := range n {
		e := d.pending(g, before, i == 0)
		if d.err != nil {
			return
		}
		if e.owner == 0 {
			unowned++
		} else {
			g.table[e.owner].gain(e.id)
		}
		g.put(e)
		before.id = e.id
		if e.owner != 0 {
			before.since = e.since
		}
	}
	for i, c := range g.table {
		if c != nil && uint64(c.pending) != claimed[i] {
			d.fail("pending counts disagree")
			return
		}
	}
	for ; unowned > 0 && d.err == nil; unowned-- {
		if id := d.id(); d.err == nil && !g.enterZone(id) {
			d.fail("bad zone")
		}
	}
}

// consumers reads the consumers and returns the pending counts they are said to have, by number.
func (d *decoder) consumers(g *Group) []uint64 {
	claimed := []uint64{0}
	var before []byte
	for n := d.count(4); n > 0 && d.err == nil; n-- {
		name := d.name()
		if len(claimed) > 1 && string(name) <= string(before) {
			d.fail("consumer names out of order")
			break
		}
		before = name
		c := g.AddConsumer(name, d.int())
		c.ActiveMS = d.int()
		claimed = append(claimed, d.uint())
	}
	return claimed
}

// pending reads one entry. The since of a NACKed one is 0 until it gets its place in the zone.
func (d *decoder) pending(g *Group, before entry, isFirst bool) entry {
	owner := d.uint()
	ms, seq := d.uint(), d.uint()
	e := entry{id: stream.ID{MS: before.id.MS + ms, Seq: seq}}
	if ms == 0 {
		e.id.Seq += before.id.Seq
	}
	if !isFirst && !before.id.Less(e.id) || e.id.MS < before.id.MS || ms == 0 && e.id.Seq < seq {
		d.fail("pending entries out of order")
	}
	if owner > uint64(g.NumConsumers()) {
		d.fail("unknown owner")
		return e
	}
	if e.owner = uint32(owner); owner != 0 {
		if e.since = before.since + d.int(); e.since == noSince {
			d.fail("bad time")
		}
	}
	count := d.uint()
	if count > math.MaxInt64 {
		d.fail("bad count")
	}
	e.count = int64(count)
	return e
}

// enterZone gives a NACKed entry that has none yet the next place in the zone; false if there is no such entry.
func (g *Group) enterZone(id stream.ID) bool {
	seg, i, found := g.locate(id)
	if !found {
		return false
	}
	e := seg.load(i)
	if e.owner != 0 || e.since != 0 {
		return false
	}
	seg.release(i)
	seg.unowned--
	e.since = g.appendZone(id)
	g.store(seg, i, e)
	return true
}
