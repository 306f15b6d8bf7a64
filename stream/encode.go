package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// An encoded stream is a row of sections, each
//
//	4 bytes length of the payload | 4 bytes CRC-32C of the payload | payload          (little-endian)
//
// with these payloads, in which numbers are varints, ids two of them, and bytes come after their length:
//
//	header     version 2, length, last id, max deleted id, entries added, idmp seconds, idmp maxsize, iids added,
//	           iids duplicates, number of producers, of nodes, of blocks, 1 if the last block is the tail
//	producer   pid, number of iids, (iid, id) …        one section each, ascending by pid
//	nodes      (first id, last id, live, total, bytes, master fields) …        up to 1024 in a section, ascending; the
//	           master fields are empty if they are those of the node before
//	block      base id, limit, start, then the buffer as it is        one section each, ascending
//
// All is a function of the calls made on the stream, so equal histories give equal bytes.
const (
	codecVersion = 2
	sectionHead  = 8
	sectionNodes = 1024
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode appends the encoded stream.
func (s *Stream) Encode(dst []byte) []byte {
	w := appender{dst}
	// An appender does not fail.
	_ = s.EncodeTo(&w)
	return w.buf
}

type appender struct{ buf []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.buf = append(a.buf, p...)
	return len(p), nil
}

// EncodeTo writes the encoded stream.
func (s *Stream) EncodeTo(w io.Writer) error {
	e := encoder{w: w}
	e.header(s)
	e.producers(&s.idmp)
	e.nodes(&s.nodes)
	s.eachBlock(func(b *block) { e.block(b) })
	return e.err
}

// eachBlock visits the blocks, oldest first.
func (s *Stream) eachBlock(visit func(b *block)) {
	if s.tree != nil {
		s.tree.Scan(func(at item) bool {
			visit(at.block)
			return true
		})
	}
	if s.tail != nil {
		visit(s.tail)
	}
}

// encoder gathers the payload of a section and writes it.
type encoder struct {
	w    io.Writer
	buf  []byte
	head [sectionHead]byte
	err  error
}

func (e *encoder) num(n uint64)   { e.buf = binary.AppendUvarint(e.buf, n) }
func (e *encoder) id(id ID)       { e.num(id.MS); e.num(id.Seq) }
func (e *encoder) bytes(b []byte) { e.num(uint64(len(b))); e.buf = append(e.buf, b...) }
func (e *encoder) text(s string)  { e.num(uint64(len(s))); e.buf = append(e.buf, s...) }
func (e *encoder) write(p []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(p)
	}
}

// flush writes the section of what was gathered and of rest.
func (e *encoder) flush(rest []byte) {
	sum := crc32.Update(crc32.Checksum(e.buf, castagnoli), castagnoli, rest)
	size := len(e.buf) + len(rest)
	if uint64(size) > maxSection && e.err == nil {
		e.err = errors.New("stream: section is too large")
	}
	binary.LittleEndian.PutUint32(e.head[:], uint32(size))
	binary.LittleEndian.PutUint32(e.head[4:], sum)
	e.write(e.head[:])
	e.write(e.buf)
	if len(rest) > 0 {
		e.write(rest)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) header(s *Stream) {
	blocks := 0
	if s.tree != nil {
		blocks = s.tree.Len()
	}
	tail := 0
	if s.tail != nil {
		tail = 1
	}
	e.num(codecVersion)
	e.num(uint64(s.length))
	e.id(s.lastID)
	e.id(s.maxDeleted)
	e.num(uint64(s.added))
	e.num(uint64(s.idmp.seconds))
	e.num(uint64(s.idmp.maxSize))
	e.num(uint64(s.idmp.added))
	e.num(uint64(s.idmp.duplicates))
	e.num(uint64(s.idmp.Producers()))
	e.num(uint64(s.nodes.count))
	e.num(uint64(blocks + tail))
	e.num(uint64(tail))
	e.flush(nil)
}

func (e *encoder) producers(x *Idempotency) {
	if x.byPID == nil {
		return
	}
	x.byPID.Scan(func(p pidItem) bool {
		e.bytes(p.pid)
		e.num(uint64(len(p.recs) - p.head))
		for _, r := range p.recs[p.head:] {
			e.text(r.iid)
			e.id(r.id)
		}
		e.flush(nil)
		return e.err == nil
	})
}

func (e *encoder) nodes(l *nodeList) {
	n := 0
	var names []byte
	l.each(func(r *node) bool {
		if n == sectionNodes {
			e.flush(nil)
			n = 0
		}
		n++
		e.id(r.first)
		e.id(r.last)
		e.num(uint64(r.live))
		e.num(uint64(r.total))
		e.num(r.bytes)
		if bytes.Equal(names, r.master.names) {
			e.num(0)
		} else {
			names = r.master.names
			e.bytes(names)
		}
		return true
	})
	if n > 0 {
		e.flush(nil)
	}
}

func (e *encoder) block(b *block) {
	e.id(b.base)
	e.num(uint64(b.limit))
	e.num(uint64(b.start))
	e.flush(b.buf)
}
