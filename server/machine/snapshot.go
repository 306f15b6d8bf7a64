package machine

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

// A snapshot (docs/format/state.md):
//
//	"STRMSNAP" | version | databases | last ms | ops | 4 parameters | XXH3-64 of all this, u64 LE
//	per key:  kind u8 | db | key | deadline | value
//	end:      0 u8 | number of keys | digest 20 bytes
//
// Numbers are varints. The value of a string is its form u8 and its bytes; that of a stream is the encoding of the stream, then
// that of its groups, each in chunks of at most 64 KiB behind their length, a chunk of length 0 at the end.
const (
	snapshotMagic   = "STRMSNAP"
	snapshotVersion = 1
	chunkBytes      = 64 << 10
)

// ErrBadSnapshot is what Restore wraps for anything that is not a snapshot of this version, whole and undamaged.
var ErrBadSnapshot = errors.New("bad snapshot")

// Encoder writes an image. It belongs to one goroutine and needs no lock.
type Encoder struct {
	w   *bufio.Writer
	out objectWriter
	sum digest
	err error
}

// NewEncoder begins the snapshot of img.
func NewEncoder(w io.Writer, img *Image) *Encoder {
	e := &Encoder{w: bufio.NewWriterSize(w, chunkBytes), sum: digest{params: img.header.params}}
	e.out = objectWriter{w: e.w, h: xxh3.New()}
	h := &img.header
	b := append([]byte(snapshotMagic), snapshotVersion)
	b = binary.AppendUvarint(b, uint64(h.databases))
	b = binary.AppendVarint(b, h.lastMS)
	b = binary.AppendUvarint(b, h.ops)
	for _, n := range h.params.list() {
		b = binary.AppendVarint(b, n)
	}
	_, e.err = e.w.Write(binary.LittleEndian.AppendUint64(b, xxh3.Hash(b)))
	return e
}

// Objects writes what Take returned.
func (e *Encoder) Objects(batch []Frozen) error {
	for i := range batch {
		if e.err != nil {
			break
		}
		e.sum.add(e.out.object(&batch[i]))
		e.err = e.out.err
	}
	return e.err
}

// Close writes the end of the snapshot.
func (e *Encoder) Close() error {
	if e.err != nil {
		return e.err
	}
	sum := e.sum.total()
	b := binary.AppendUvarint([]byte{0}, e.sum.n)
	if _, e.err = e.w.Write(append(b, sum[:]...)); e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}

// objectWriter writes keys to w, if it is not nil, and hashes them.
type objectWriter struct {
	w     io.Writer
	h     *xxh3.Hasher
	buf   []byte
	chunk []byte
	small []byte // groups of which there is little, encoded
	err   error
}

// object writes a key with its value and returns the hash of both.
func (x *objectWriter) object(f *Frozen) xxh3.Uint128 {
	x.h.Reset()
	x.buf = append(x.buf[:0], byte(f.kind))
	x.buf = binary.AppendUvarint(x.buf, uint64(f.db))
	x.buf = binary.AppendUvarint(x.buf, uint64(len(f.key)))
	x.buf = append(x.buf, f.key...)
	x.buf = binary.AppendVarint(x.buf, f.deadlineMS)
	x.put(x.buf)
	x.value(f)
	return x.h.Sum128()
}

// value writes the value alone.
func (x *objectWriter) value(f *Frozen) {
	if f.kind == kindString {
		x.put(binary.AppendUvarint(append(x.buf[:0], byte(f.form)), uint64(len(f.str))))
		x.put(f.str)
		return
	}
	x.chunks(f.stream.EncodeTo)
	if f.groups.SizeBytes() < chunkBytes {
		x.small = f.groups.Encode(x.small[:0])
		x.chunks(func(w io.Writer) error {
			_, err := w.Write(x.small)
			return err
		})
		return
	}
	x.chunks(f.groups.EncodeTo)
}

func (x *objectWriter) put(b []byte) {
	_, _ = x.h.Write(b) // a hash never fails
	if x.w != nil && x.err == nil {
		_, x.err = x.w.Write(b)
	}
}

// chunks writes what encode writes as chunks.
func (x *objectWriter) chunks(encode func(io.Writer) error) {
	if x.chunk == nil {
		x.chunk = make([]byte, 0, chunkBytes)
	}
	if err := encode(chunker{x}); err != nil && x.err == nil {
		x.err = err
	}
	x.flush()
	x.put([]byte{0})
}

func (x *objectWriter) flush() {
	if len(x.chunk) > 0 {
		x.put(binary.AppendUvarint(x.buf[:0], uint64(len(x.chunk))))
		x.put(x.chunk)
		x.chunk = x.chunk[:0]
	}
}

// chunker gathers what is written into chunks, which are full but for the last, however it was written.
type chunker struct{ x *objectWriter }

func (c chunker) Write(p []byte) (int, error) {
	x, n := c.x, len(p)
	for len(p) > 0 {
		room := min(chunkBytes-len(x.chunk), len(p))
		x.chunk = append(x.chunk, p[:room]...)
		p = p[room:]
		if len(x.chunk) == chunkBytes {
			x.flush()
		}
	}
	return n, x.err
}

// digest sums up a state; the order of its keys makes no difference.
type digest struct {
	params Params
	n      uint64
	lo, hi uint64 // sums of the keys' hashes
}

func (d *digest) add(h xxh3.Uint128) {
	d.n++
	d.lo += h.Lo
	d.hi += h.Hi
}

// total returns zeros for a state without keys, as DEBUG DIGEST does.
func (d *digest) total() (sum [20]byte) {
	if d.n == 0 {
		return sum
	}
	rest := binary.AppendUvarint(nil, d.n)
	for _, n := range d.params.list() {
		rest = binary.AppendVarint(rest, n)
	}
	binary.BigEndian.PutUint64(sum[0:], d.hi)
	binary.BigEndian.PutUint64(sum[8:], d.lo)
	binary.BigEndian.PutUint32(sum[16:], uint32(xxh3.Hash(rest)))
	return sum
}

func (p Params) list() [4]int64 {
	return [4]int64{p.NodeMaxBytes, p.NodeMaxEntries, p.IdmpDuration, p.IdmpMaxsize}
}

// Digest returns a checksum of the whole state but for the time and number of ops: equal for live, replayed and restored
// machines, whatever their hash seeds. It encodes everything once.
func (m *Machine) Digest() [20]byte {
	sum := digest{params: m.params}
	out := objectWriter{h: xxh3.New()}
	for i, d := range m.dbs {
		d.keys.each(func(o *object) {
			f := o.view(i)
			sum.add(out.object(&f))
		})
	}
	return sum.total()
}

// DigestOf returns a checksum of a key's value alone: copies have the same. Zeros when there is no such key.
func (m *Machine) DigestOf(db int, key []byte) (sum [20]byte) {
	o := m.find(db, key)
	if o == nil {
		return sum
	}
	out := objectWriter{h: xxh3.New()}
	f := o.view(db)
	out.value(&f)
	h := out.h.Sum128()
	binary.BigEndian.PutUint64(sum[0:], h.Hi)
	binary.BigEndian.PutUint64(sum[8:], h.Lo)
	sum[16] = byte(o.kind)
	return sum
}

// view is freeze for use at once: nothing is shared beyond the call.
func (o *object) view(db int) Frozen {
	f := Frozen{db: db, key: o.key, deadlineMS: o.deadlineMS, kind: o.kind, form: o.form, str: o.str}
	if o.kind == kindStream {
		f.stream, f.groups = o.stream, o.groups
	}
	return f
}

func badSnapshot(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadSnapshot, fmt.Sprintf(format, args...))
}
