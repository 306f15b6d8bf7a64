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
	for limit < maxBlock && int64(limit) < s.packed {
		limit *= 2
	}
	if limit == maxBlock {
		limit = max(limit, min(wideBlock, packed*wideEntries))
	}
	limit = max(limit, packed)

	b := s.spare
	s.spare = nil
	if b == nil || cap(b.buf) > 2*limit {
		b = &block{}
	}
	*b = block{base: id, last: id, buf: b.buf[:0], index: b.index[:0], epoch: s.epoch, bufEpoch: s.epoch, limit: uint32(limit)}
	if s.tree != nil && cap(b.buf) < limit {
		// A stream with a sealed block will fill this one too.
		b.buf = make([]byte, 0, limit)
	}
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
	ms, seq := id.MS-b.base.MS, id.Seq
	if ms == 0 {
		seq -= b.base.Seq
	}
	p += binary.PutUvarint(buf[p:], ms)
	p += binary.PutUvarint(buf[p:], seq)
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
		p += binary.PutUvarint(buf[p:], uint64(form))
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

// account puts the entry into a node, as streamAppendItem of Redis does. size is the bytes of its fields and values, values
// the listpack size of the values, form where its form stands in the tail.
func (s *Stream) account(id ID, fields [][]byte, form int, size int64, values int, lim Limits) {
	pairs := int64(len(fields) / 2)
	n := s.nodes.newest()
	fresh := n == nil || n.full(size, lim)
	same := s.isMaster(fields, form)
	if fresh && !same {
		s.master = appendNames(nil, fields)
		s.masterForm = int32(form)
		same = true
	}
	// flags, ms delta and seq delta; the count of elements comes last.
	var bytes int
	if same {
		bytes = values + listpackInt(pairs+3)
	} else {
		bytes = values + listpackInt(pairs) + namesSize(fields) + listpackInt(2*pairs+4)
	}
	if fresh {
		// The master entry: number of fields, fields, 0. What counts entries is left out, see node.
		bytes += listpackEmpty + listpackInt(pairs) + namesSize(fields) + listpackNumber + 3*listpackNumber
		s.nodes.push(node{first: id, last: id, bytes: uint64(bytes), live: 1, total: 1}, s.epoch)
		return
	}
	n = s.nodes.newestOwned(s.epoch)
	bytes += listpackNumber + listpackInt(int64(id.MS-n.first.MS)) + listpackInt(int64(id.Seq-n.first.Seq))
	n.last = id
	n.bytes += uint64(bytes)
	n.live++
	n.total++
}

// isMaster tells whether these fields, whose form stands at form in the tail, are the newest node's master fields.
func (s *Stream) isMaster(fields [][]byte, form int) bool {
	if int32(form) == s.masterForm {
		return true
	}
	m := s.master
	for i := 0; i < len(fields); i += 2 {
		name := fields[i]
		n, w := binary.Uvarint(m)
		if w <= 0 || int(n) != len(name) || string(m[w:w+len(name)]) != string(name) {
			return false
		}
		m = m[w+len(name):]
	}
	if len(m) > 0 {
		return false
	}
	s.masterForm = int32(form)
	return true
}

// appendNames appends the names of fields, each with a varint of its length before it.
func appendNames(dst []byte, fields [][]byte) []byte {
	for i := 0; i < len(fields); i += 2 {
		dst = binary.AppendUvarint(dst, uint64(len(fields[i])))
		dst = append(dst, fields[i]...)
	}
	return dst
}

// namesSize is the listpack size of the names of fields.
func namesSize(fields [][]byte) int {
	size := 0
	for i := 0; i < len(fields); i += 2 {
		size += listpackSize(fields[i])
	}
	return size
}

// recallMaster finds the master fields of the newest node after the one behind it vanished. Redis still has the node's bytes;
// we have the first entry unless its block was dropped, and then know of no fields: later entries of the node are taken to
// carry their own.
func (s *Stream) recallMaster() {
	s.master, s.masterForm = nil, -1
	n := s.nodes.newest()
	if n == nil {
		return
	}
	b := s.floor(n.first)
	if b == nil {
		return
	}
	off := b.seek(n.first)
	if off == len(b.buf) {
		return
	}
	flags, body, _ := b.head(off)
	id, p := b.idAt(body)
	if id != n.first {
		return
	}
	p, _ = b.formOf(flags, p)
	pairs, p := uvarint(b.buf, p)
	for ; pairs > 0; pairs-- {
		size, q := uvarint(b.buf, p)
		q += 3 + digits(int(size))
		s.master = binary.AppendUvarint(s.master, size)
		s.master = append(s.master, b.buf[q:q+int(size)]...)
		p = q + int(size) + 2
	}
}
