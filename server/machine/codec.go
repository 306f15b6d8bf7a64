package machine

import (
	"encoding/binary"
	"errors"

	"github.com/streamd/streamd/stream"
)

// opVersion is the version of every kind so far.
const opVersion = 1

// Bits of an op's presence bitmap: which fields follow, in this order. A field that is empty or zero is left out.
const (
	hasFlags = 1 << iota
	hasKey
	hasGroup
	hasConsumer
	hasArgs
	hasIDs
	hasN0 // four bits, one per number
	hasN1
	hasN2
	hasN3
	allFields = 1<<iota - 1
)

// Limits of a decoded op: more is damage. They are wider than those of any request, and what an op says it holds must be there
// before room is made for it.
const (
	maxOpItems = 1 << 24
	maxOpBytes = 1<<32 - 1
	maxOpDB    = 1 << 20
)

// ErrBadOp is what DecodeOp says of bytes that AppendOp cannot have written.
var ErrBadOp = errors.New("machine: malformed operation")

// AppendOp appends op's encoding to dst. It allocates nothing but dst's growth.
//
//	kind u8 | version u8 | db | AtMS zigzag | presence | [flags] [key] [group] [consumer] [args] [ids] [N0] … [N3]
//
// All numbers are varints as in encoding/binary; byte strings and lists have their length in front (docs/format/ops.md).
func AppendOp(dst []byte, op *Op) []byte {
	present := op.present()
	dst = append(dst, byte(op.Kind), opVersion)
	dst = binary.AppendUvarint(dst, uint64(op.DB))
	dst = binary.AppendVarint(dst, op.AtMS)
	dst = binary.AppendUvarint(dst, present)
	if present&hasFlags != 0 {
		dst = binary.AppendUvarint(dst, uint64(op.Flags))
	}
	for _, b := range [...][]byte{op.Key, op.Group, op.Consumer} {
		if len(b) > 0 {
			dst = appendBytes(dst, b)
		}
	}
	if len(op.Args) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(op.Args)))
		for _, b := range op.Args {
			dst = appendBytes(dst, b)
		}
	}
	if len(op.IDs) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(op.IDs)))
		for _, id := range op.IDs {
			dst = binary.AppendUvarint(dst, id.MS)
			dst = binary.AppendUvarint(dst, id.Seq)
		}
	}
	for _, n := range op.N {
		if n != 0 {
			dst = binary.AppendVarint(dst, n)
		}
	}
	return dst
}

// present returns op's presence bitmap.
func (op *Op) present() uint64 {
	present := uint64(0)
	if op.Flags != 0 {
		present |= hasFlags
	}
	if len(op.Key) > 0 {
		present |= hasKey
	}
	if len(op.Group) > 0 {
		present |= hasGroup
	}
	if len(op.Consumer) > 0 {
		present |= hasConsumer
	}
	if len(op.Args) > 0 {
		present |= hasArgs
	}
	if len(op.IDs) > 0 {
		present |= hasIDs
	}
	for i, n := range op.N {
		if n != 0 {
			present |= hasN0 << i
		}
	}
	return present
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// DecodeOp reads the op at the start of src into op, whose slices it reuses and whose byte strings alias src, and returns what
// follows. It accepts only what Apply can carry out: beyond the encoding it checks what each kind requires.
func DecodeOp(src []byte, op *Op) (rest []byte, err error) {
	op.Reset()
	if len(src) < 2 || src[1] != opVersion {
		return nil, ErrBadOp
	}
	op.Kind = Kind(src[0])
	r := reader{src: src[2:]}
	op.DB = int(r.below(maxOpDB))
	op.AtMS = r.varint()
	present := r.below(allFields + 1)
	if present&hasFlags != 0 {
		op.Flags = Flags(r.below(1 << 32))
	}
	if present&hasKey != 0 {
		op.Key = r.bytes()
	}
	if present&hasGroup != 0 {
		op.Group = r.bytes()
	}
	if present&hasConsumer != 0 {
		op.Consumer = r.bytes()
	}
	if present&hasArgs != 0 {
		for n := r.count(maxOpItems, 1); n > 0 && !r.bad; n-- {
			op.Args = append(op.Args, r.bytes())
		}
	}
	if present&hasIDs != 0 {
		for n := r.count(maxOpItems, 2); n > 0 && !r.bad; n-- {
			op.IDs = append(op.IDs, stream.ID{MS: r.uvarint(), Seq: r.uvarint()})
		}
	}
	for i := range op.N {
		if present&(hasN0<<i) != 0 {
			op.N[i] = r.varint()
		}
	}
	if r.bad || present != op.present() || !op.wellFormed() {
		return nil, ErrBadOp
	}
	return r.src[r.at:], nil
}

// reader takes fields off src from at on. After the first that does not fit bad is set and all others are zero.
type reader struct {
	src []byte
	at  int
	bad bool
}

func (r *reader) fail() uint64 {
	r.src, r.at, r.bad = nil, 0, true
	return 0
}

func (r *reader) uvarint() uint64 {
	if r.at < len(r.src) && r.src[r.at] < 0x80 { // nearly all are small
		r.at++
		return uint64(r.src[r.at-1])
	}
	return r.longUvarint()
}

func (r *reader) longUvarint() uint64 {
	n, size := binary.Uvarint(r.src[r.at:])
	if size <= 0 || size > 1 && r.src[r.at+size-1] == 0 { // cut off, too large, or longer than need be
		return r.fail()
	}
	r.at += size
	return n
}

func (r *reader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// below reads a number that must be smaller than limit.
func (r *reader) below(limit uint64) uint64 {
	n := r.uvarint()
	if n >= limit {
		return r.fail()
	}
	return n
}

// count reads how many items of at least size bytes follow.
func (r *reader) count(limit, size uint64) uint64 {
	n := r.uvarint()
	if n == 0 || n > limit || n*size > uint64(len(r.src)-r.at) {
		return r.fail()
	}
	return n
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > maxOpBytes || n > uint64(len(r.src)-r.at) {
		r.fail()
		return nil
	}
	b := r.src[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return b
}
