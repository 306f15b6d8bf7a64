package stream

import (
	"encoding/binary"
	"slices"

	"github.com/tidwall/btree"
)

// newTail starts a block for an entry that takes at most packed bytes. Its limit follows the size of the stream, so that
// small and strictly trimmed streams stay small.
func (s *Stream) newTail(id ID, packed int) *block {
	limit := minBlock
	for limit < midBlock && int64(limit) < s.packed || limit < maxBlock && 8*int64(limit) < s.packed {
		limit *= 2
	}
	if limit == maxBlock {
		limit = max(limit, min(wideBlock, packed*wideEntries)/wideStep*wideStep)
	}
	limit = max(limit, packed)

	b := s.spare[0]
	s.spare[0], s.spare[1] = s.spare[1], nil
	if b == nil || cap(b.buf) > 2*limit {
		b = &block{}
	}
	index := b.index[:0]
	if s.tree != nil && cap(b.buf) < limit {
		// A stream with a sealed block will fill this one too.
		b.buf = make([]byte, 0, limit)
		if last, ok := s.tree.Max(); ok && cap(index) == 0 {
			index = make([]uint32, 0, len(last.block.index)+1)
		}
	}
	*b = block{base: id, last: id, startID: id, buf: b.buf[:0], index: index, epoch: s.epoch, bufEpoch: s.epoch, limit: uint32(limit)}
	s.memory += b.memory()
	s.forms = ring{}
	s.masterForm = -1
	s.tail = b
	return b
}

// reserve makes room for packed bytes in the tail.
func (s *Stream) reserve(b *block, packed int) {
	need := len(b.buf) + packed
	if need <= cap(b.buf) {
		return
	}
	s.refit(b, min(max(2*cap(b.buf), need, minBuf), int(b.limit)))
}

// refit moves what is in a block the stream owns into a buffer of the given size, and into an index, that are the stream's alone.
func (s *Stream) refit(b *block, size int) {
	s.memory -= b.memory()
	buf := make([]byte, len(b.buf), size)
	copy(buf, b.buf)
	b.buf = buf
	if b.bufEpoch != s.epoch {
		b.index = slices.Clone(b.index)
		b.bufEpoch = s.epoch
	}
	s.memory += b.memory()
}

// seal moves the tail into the tree.
func (s *Stream) seal() {
	b := s.tail
	if used := len(b.buf); cap(b.buf)-used > cap(b.buf)/4 {
		s.refit(b, used)
	}
	if s.tree == nil {
		s.tree = btree.NewBTreeGOptions(itemLess, btree.Options{NoLocks: true})
	}
	s.tree.Set(item{b.base, b})
	s.tail = nil
}

// near tells whether the next entry, with this id, is put without it.
func (b *block) near(id ID) bool {
	return b.count%indexEvery != 0 && id.MS == b.last.MS && id.Seq == b.last.Seq+1
}

// put writes the entry behind the tail, which has room for the packed bytes it takes at most. form is the offset of its form,
// -1 to write a new one. It returns where the form stands and the listpack size of the values.
func (s *Stream) put(b *block, id ID, fields [][]byte, form, packed int) (formAt, values int) {
	off := len(b.buf)
	if b.count > 0 && b.count%indexEvery == 0 {
		s.memory -= 4 * int64(cap(b.index))
		b.index = append(b.index, uint32(off))
		s.memory += 4 * int64(cap(b.index))
	}
	buf := b.buf[off:cap(b.buf)]
	flags, p := byte(0), 3
	if packed > 0xffff {
		flags, p = flagWide, 5
	}
	body := p
	if b.near(id) {
		flags |= flagNear
	} else {
		ms, seq := id.MS-b.base.MS, id.Seq
		if ms == 0 {
			seq -= b.base.Seq
		}
		p += putUvarint(buf[p:], ms)
		p += putUvarint(buf[p:], seq)
	}
	switch {
	case form < 0:
		flags |= flagForm
		form = off + p
		p += putForm(buf[p:], fields)
		if b.count == 0 {
			b.form = uint32(form)
		}
		s.forms.add(form, fields)
	case form != int(b.form):
		flags |= flagRef
		p += putUvarint(buf[p:], uint64(form))
	}
	for i := 1; i < len(fields); i += 2 {
		if v, ok := parseInt(fields[i]); ok {
			p += putInt(buf[p:], v)
			values += listpackInt(v)
		} else {
			p += putText(buf[p:], fields[i])
			values += listpackText(len(fields[i]))
		}
	}
	buf[0] = flags
	if flags&flagWide == 0 {
		binary.LittleEndian.PutUint16(buf[1:], uint16(p-body))
	} else {
		binary.LittleEndian.PutUint32(buf[1:], uint32(p-body))
	}
	b.buf = b.buf[:off+p]
	b.count++
	s.packed += int64(p)
	return form, values
}
