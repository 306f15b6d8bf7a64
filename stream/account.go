package stream

import "encoding/binary"

// account puts the entry into a node, as streamAppendItem of Redis does. size is the bytes of its fields and values, values
// the listpack size of the values, form where its form stands in the tail.
func (s *Stream) account(id ID, fields [][]byte, form int, size int64, values int, lim Limits) {
	pairs := int64(len(fields) / 2)
	n := s.nodes.newest()
	same := n != nil && s.isMaster(n.master, fields, form)
	if n == nil || n.full(size, lim) {
		m := &master{}
		if same {
			m = n.master
		} else {
			m.names = appendNames(nil, fields)
			s.masterForm = int32(form)
		}
		// The master entry: number of fields, fields, 0; what counts entries is left out, see node. Then the entry: flags, ms
		// delta and seq delta, values, count of elements.
		bytes := listpackEmpty + listpackInt(pairs) + namesSize(fields) + listpackNumber +
			3*listpackNumber + values + listpackInt(pairs+3)
		s.nodes.push(node{first: id, last: id, bytes: uint64(bytes), master: m, live: 1, total: 1}, s.epoch)
		return
	}
	n = s.nodes.growNewest(s.epoch)
	bytes := listpackNumber + listpackInt(int64(id.MS-n.first.MS)) + listpackInt(int64(id.Seq-n.first.Seq)) + values
	if same {
		bytes += listpackInt(pairs + 3)
	} else {
		bytes += listpackInt(pairs) + namesSize(fields) + listpackInt(2*pairs+4)
	}
	n.last = id
	n.bytes += uint64(bytes)
}

// isMaster tells whether these fields, whose form stands at form in the tail, are those of m, the newest node's.
func (s *Stream) isMaster(m *master, fields [][]byte, form int) bool {
	if int32(form) == s.masterForm {
		return true
	}
	names := m.names
	for i := 0; i < len(fields); i += 2 {
		name := fields[i]
		n, w := binary.Uvarint(names)
		if w <= 0 || int(n) != len(name) || string(names[w:w+len(name)]) != string(name) {
			return false
		}
		names = names[w+len(name):]
	}
	if len(names) > 0 {
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
