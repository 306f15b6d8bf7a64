package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/tidwall/btree"
)

// ErrDamaged is what every error of Decode wraps, but for those of the reader.
var ErrDamaged = errors.New("stream: encoded stream is damaged")

const (
	maxSection = math.MaxUint32
	// readStep is how much of a section is read before more room is made, so that a wrong length costs no memory.
	readStep = 1 << 20
)

// Decode reads one encoded stream from the start of src and returns what follows it. Nothing aliases src.
func Decode(src []byte) (*Stream, []byte, error) {
	d := decoder{src: src}
	s, err := d.stream()
	return s, d.src, err
}

// DecodeFrom reads one encoded stream from r, and no byte more.
func DecodeFrom(r io.Reader) (*Stream, error) {
	d := decoder{r: r}
	return d.stream()
}

// decoder reads sections, from r or from src.
type decoder struct {
	r   io.Reader
	src []byte
	buf []byte
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

// section returns the payload of the next section, valid until the next call.
func (d *decoder) section() (payload, error) {
	var head [sectionHead]byte
	if err := d.fill(head[:]); err != nil {
		return payload{}, err
	}
	size := int(binary.LittleEndian.Uint32(head[:]))
	var body []byte
	if d.r == nil {
		if size > len(d.src) {
			return payload{}, damaged("section cut off")
		}
		body, d.src = d.src[:size], d.src[size:]
	} else {
		d.buf = d.buf[:0]
		for len(d.buf) < size {
			from := len(d.buf)
			step := min(size-from, readStep)
			d.buf = append(d.buf, make([]byte, step)...)
			if err := d.fill(d.buf[from:]); err != nil {
				return payload{}, err
			}
		}
		body = d.buf
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return payload{}, damaged("checksum of a section is wrong")
	}
	return payload{buf: body}, nil
}

// fill reads exactly len(p) bytes.
func (d *decoder) fill(p []byte) error {
	if d.r != nil {
		_, err := io.ReadFull(d.r, p)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return damaged("section cut off")
		}
		return err
	}
	if len(d.src) < len(p) {
		return damaged("section cut off")
	}
	d.src = d.src[copy(p, d.src):]
	return nil
}

// payload is a cursor over untrusted bytes: after the first fault it is bad and yields zeros.
type payload struct {
	buf []byte
	p   int
	bad bool
}

func (r *payload) num() uint64 {
	v, n := binary.Uvarint(r.buf[r.p:])
	if n <= 0 {
		r.bad = true
		r.p = len(r.buf)
		return 0
	}
	r.p += n
	return v
}

// count reads a number that must be at most limit.
func (r *payload) count(limit uint64) uint64 {
	n := r.num()
	if n > limit {
		r.bad = true
		return 0
	}
	return n
}

func (r *payload) id() ID {
	ms := r.num()
	return ID{ms, r.num()}
}

// take returns the next n bytes.
func (r *payload) take(n uint64) []byte {
	if n > uint64(len(r.buf)-r.p) {
		r.bad = true
		r.p = len(r.buf)
		return nil
	}
	from := r.p
	r.p += int(n)
	return r.buf[from:r.p]
}

func (r *payload) bytes() []byte { return r.take(r.num()) }

func (r *payload) done() bool { return !r.bad && r.p == len(r.buf) }

func (d *decoder) stream() (*Stream, error) {
	h, err := d.section()
	if err != nil {
		return nil, err
	}
	if version := h.num(); version != codecVersion {
		return nil, damaged("version %d is not known", version)
	}
	s := New()
	s.length = int64(h.count(math.MaxInt64))
	s.lastID = h.id()
	s.maxDeleted = h.id()
	s.added = int64(h.num())
	s.idmp.seconds = int64(h.count(math.MaxInt32))
	s.idmp.maxSize = int64(h.count(math.MaxInt32))
	s.idmp.added = int64(h.num())
	s.idmp.duplicates = int64(h.num())
	producers, nodes, blocks := h.num(), h.num(), h.num()
	hasTail := h.count(1) == 1
	if !h.done() || s.idmp.maxSize < 1 || blocks == 0 && hasTail {
		return nil, damaged("header")
	}
	for ; producers > 0; producers-- {
		if err := d.producer(&s.idmp); err != nil {
			return nil, err
		}
	}
	if err := d.nodes(&s.nodes, nodes); err != nil {
		return nil, err
	}
	for i := range blocks {
		if err := d.block(s, hasTail && i == blocks-1); err != nil {
			return nil, err
		}
	}
	if b := s.oldest(); b != nil {
		s.first, s.lastLive = b.startID, s.newest().lastLive()
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return s, nil
}

func (d *decoder) producer(x *Idempotency) error {
	r, err := d.section()
	if err != nil {
		return err
	}
	pid := r.bytes()
	n := r.num()
	if r.bad || n == 0 || n > uint64(x.maxSize) || x.producer(pid) != nil {
		return damaged("producer")
	}
	if x.byPID != nil {
		if p, _ := x.byPID.Max(); string(p.pid) > string(pid) {
			return damaged("producers are out of order")
		}
	}
	added := x.added
	for ; n > 0; n-- {
		iid, id := r.bytes(), r.id()
		if r.bad {
			return damaged("producer")
		}
		if _, known := x.Lookup(pid, iid); known {
			return damaged("iid is there twice")
		}
		x.Record(pid, iid, id)
	}
	x.added = added
	if !r.done() {
		return damaged("producer")
	}
	return nil
}

func (d *decoder) nodes(l *nodeList, n uint64) error {
	var fields *master
	for n > 0 {
		r, err := d.section()
		if err != nil {
			return err
		}
		for k := min(n, sectionNodes); k > 0; k-- {
			rec := node{first: r.id(), last: r.id(), live: uint32(r.count(math.MaxUint32)), total: uint32(r.count(math.MaxUint32))}
			rec.bytes = r.count(math.MaxInt64 / 2)
			if names := r.bytes(); len(names) > 0 {
				fields = &master{bytes.Clone(names)}
			}
			if r.bad || fields == nil || !fields.sound() {
				return damaged("node")
			}
			rec.master = fields
			l.push(rec, 0)
			n--
		}
		if !r.done() {
			return damaged("nodes")
		}
	}
	return nil
}

// sound tells whether the names are whole.
func (m *master) sound() bool {
	r := payload{buf: m.names}
	for !r.bad && r.p < len(r.buf) {
		r.bytes()
	}
	return !r.bad
}

// block reads a block and adds it to the stream, as the tail or to the tree.
func (d *decoder) block(s *Stream, tail bool) error {
	r, err := d.section()
	if err != nil {
		return err
	}
	b := &block{base: r.id(), limit: uint32(r.count(maxPacked)), start: uint32(r.count(math.MaxUint32))}
	if r.bad || len(r.buf)-r.p > int(b.limit) || int(b.start) >= len(r.buf)-r.p {
		return damaged("head of a block")
	}
	b.buf = append([]byte(nil), r.buf[r.p:]...)
	forms, err := b.inspect()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if last := s.newest(); last != nil && !last.lastLive().Less(b.base) {
		return damaged("blocks are out of order")
	}
	s.packed += int64(len(b.buf)) - int64(b.start)
	s.memory += b.memory()
	if !tail {
		if s.tree == nil {
			s.tree = btree.NewBTreeGOptions(itemLess, btree.Options{NoLocks: true})
		}
		s.tree.Set(item{b.base, b})
		return nil
	}
	var names [][]byte
	for _, off := range forms {
		names = formNames(names[:0], b.buf, int(off))
		s.forms.add(int(off), names)
	}
	s.tail = b
	return nil
}

// formNames appends the names of the form at p, each with nil for its value.
func formNames(dst [][]byte, buf []byte, p int) [][]byte {
	n, p, _ := formAt(buf, p)
	for ; n > 0; n-- {
		size, q := uvarint(buf, p)
		q += 3 + sizeDigits(int(size))
		p = q + int(size) + 2
		dst = append(dst, buf[q:p-2], nil)
	}
	return dst
}
