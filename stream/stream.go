package stream

import (
	"errors"
	"math"
	"unsafe"

	"github.com/tidwall/btree"
)

// Errors of Append.
var (
	ErrNotAbove = errors.New("stream: id is not above the last one")
	ErrTooLarge = errors.New("stream: entry is too large")
)

// item is a sealed block in the tree, beside the key that finds it.
type item struct {
	first ID
	block *block
}

func itemLess(a, b item) bool { return a.first.Less(b.first) }

// Stream is an append-only sequence of entries with the counters that Redis keeps with it. The zero value is not ready:
// use New. Who may use it and what an image of it shares is said in the package documentation.
type Stream struct {
	tree  *btree.BTreeG[item] // sealed blocks; nil until there is one
	tail  *block              // the block being written, above all of tree; nil if empty
	spare [2]*block           // blocks that left the stream, for reuse as a tail; shared with nobody
	forms ring                // forms of the tail

	nodes nodeList
	// masterForm is the offset in the tail of a form equal to the newest node's master, -1 if none is known.
	masterForm int32

	epoch  uint64
	length int64
	packed int64 // bytes of all buffers from their start on: the size the next block's limit follows
	memory int64 // of all blocks
	added  int64

	first      ID // first live entry
	lastLive   ID // last live entry
	lastID     ID // last id given out
	maxDeleted ID

	idmp Idempotency
}

const streamBytes = int64(unsafe.Sizeof(Stream{}))

// New returns an empty stream.
func New() *Stream { return &Stream{masterForm: -1, idmp: newIdempotency()} }

// Len is the number of live entries.
func (s *Stream) Len() int64 { return s.length }

// LastID is the last id given out (last-generated-id), 0-0 at first.
func (s *Stream) LastID() ID { return s.lastID }

// FirstID is the id of the first live entry (recorded-first-entry-id), 0-0 when the stream is empty.
func (s *Stream) FirstID() ID { return s.first }

// LastEntryID is the id of the last live entry, 0-0 when the stream is empty.
func (s *Stream) LastEntryID() ID { return s.lastLive }

// MaxDeletedID is the largest id ever deleted; trimming does not count.
func (s *Stream) MaxDeletedID() ID { return s.maxDeleted }

// EntriesAdded counts the appends of the stream's life.
func (s *Stream) EntriesAdded() int64 { return s.added }

// Nodes is the number of radix tree nodes Redis would have.
func (s *Stream) Nodes() int64 { return s.nodes.count }

// SizeBytes estimates the memory of the stream.
func (s *Stream) SizeBytes() int64 {
	size := streamBytes + s.memory + s.idmp.memory +
		s.nodes.count*nodeBytes + s.nodes.names + int64(len(s.nodes.chunks))*(chunkBytes+8)
	for _, b := range s.spare {
		if b != nil {
			size += b.memory()
		}
	}
	return size
}

// Idmp is the memory of XADD IDMP.
func (s *Stream) Idmp() *Idempotency { return &s.idmp }

// SetID overwrites the counters as XSETID does; the checks are the caller's.
func (s *Stream) SetID(last, maxDeleted ID, entriesAdded int64) {
	s.lastID, s.maxDeleted, s.added = last, maxDeleted, entriesAdded
}

// AutoID returns the id of XADD * at time ms; false when ids are exhausted.
func (s *Stream) AutoID(ms uint64) (ID, bool) {
	if ms > s.lastID.MS {
		return ID{ms, 0}, true
	}
	return s.lastID.Next()
}

// AutoSeq returns the id of XADD ms-*; false when it would not be above the last one or seq would overflow.
func (s *Stream) AutoSeq(ms uint64) (ID, bool) {
	switch {
	case ms > s.lastID.MS:
		return ID{ms, 0}, true
	case ms == s.lastID.MS && s.lastID.Seq < math.MaxUint64:
		return ID{ms, s.lastID.Seq + 1}, true
	}
	return ID{}, false
}

// Append adds an entry: fields is field, value, field, value …, at least one pair, and is copied. ErrNotAbove if id is not
// above LastID, ErrTooLarge if fields and values take more than 2^30 bytes; then nothing has changed.
func (s *Stream) Append(id ID, fields [][]byte, lim Limits) error {
	if !s.lastID.Less(id) {
		return ErrNotAbove
	}
	size, packed := 0, 32
	for i := 0; i < len(fields); i += 2 {
		size += len(fields[i]) + len(fields[i+1])
		packed += len(fields[i+1]) + maxValueHead
	}
	if size > maxNodeBytes || packed+formSize(fields) > maxPacked {
		return ErrTooLarge
	}
	b, form := s.tail, -1
	if b != nil {
		need := packed
		if off, ok := s.forms.find(b.buf, fields); ok {
			form = off
		} else {
			need += formSize(fields)
		}
		// An id below the tail's last one is possible after XSETID, when trimming with ACKED removed the entries above it.
		if len(b.buf)+need > int(b.limit) || !b.last.Less(id) {
			s.seal()
			b = nil
		}
		packed = need
	}
	if b == nil {
		form = -1
		packed += formSize(fields)
		b = s.newTail(id, packed)
	}
	s.reserve(b, packed)
	form, values := s.put(b, id, fields, form, packed)
	s.account(id, fields, form, int64(size), values, lim)

	b.last = id
	b.live++
	s.lastID, s.lastLive = id, id
	if s.length == 0 {
		s.first = id
	}
	s.length++
	s.added++
	return nil
}
