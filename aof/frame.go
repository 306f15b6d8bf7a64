package aof

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame, little-endian. docs/format/log.md shows the same bytes.
//
//	0        4     5     6       8        16       24       32      36      40      44
//	┌────────┬─────┬─────┬───────┬────────┬────────┬────────┬───────┬───────┬───────┬─────────┐
//	│ length │type │vers.│ group │ index  │  term  │ synced │ prev  │  sum  │  crc  │ payload │
//	│  u32   │ u8  │ u8  │  u16  │  u64   │  u64   │  u64   │  u32  │  u32  │  u32  │ length  │
//	└────────┴─────┴─────┴───────┴────────┴────────┴────────┴───────┴───────┴───────┴─────────┘
//
// sum is the CRC-32C of the payload; crc that of the segment's salt followed by bytes 0–39, so it covers everything. A header
// can thus be told from any other bytes without its payload or its neighbours, which recovery needs, and only by who knows
// the salt: neither a frame left from a segment's former life nor one that a client hides inside a payload passes.
const (
	// HeaderSize is the room a caller leaves free at the start of a frame given to AppendFrame.
	HeaderSize = 44
	// MaxPayload bounds one frame's payload.
	MaxPayload = 1<<31 - 1 - HeaderSize

	formatVersion = 1
)

// FrameType says what a frame is. Zero is invalid, so zero-filled space is never a frame.
type FrameType uint8

const (
	// FrameOps carries a sequence of ops.
	FrameOps FrameType = 1
	// FrameMark carries nothing but its synced field. It repeats the index of the frame before it and is not part of the
	// chain.
	FrameMark FrameType = 2
)

func (t FrameType) String() string {
	switch t {
	case FrameOps:
		return "ops"
	case FrameMark:
		return "mark"
	}
	return "invalid"
}

// Header is a frame's header.
type Header struct {
	Length  uint32 // of the payload
	Type    FrameType
	Version uint8
	Group   uint16 // 0: standalone
	Index   uint64 // 1 for the first frame ever
	Term    uint64 // 0: standalone
	// Synced is the highest index known to be synced when the frame was written. A bad frame at or below any such mark that
	// is still readable was on disk once and is damage; one above all of them may just be what a power cut left.
	Synced uint64
	Prev   uint32 // crc of the ops frame before this one, 0 for index 1
	Sum    uint32
	CRC    uint32
}

// castagnoli returns the table the standard library keeps; it is looked up by identity, which selects the CPU's instruction.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func checksum(seed uint32, b []byte) uint32 { return crc32.Update(seed, castagnoli(), b) }

// saltSeed is where the crc of every header of a segment starts.
func saltSeed(salt uint64) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], salt)
	return checksum(0, b[:])
}

// put writes the header to b and sets its CRC.
func (h *Header) put(b []byte, seed uint32) {
	le := binary.LittleEndian
	_ = b[HeaderSize-1]
	le.PutUint32(b[0:], h.Length)
	b[4] = uint8(h.Type)
	b[5] = h.Version
	le.PutUint16(b[6:], h.Group)
	le.PutUint64(b[8:], h.Index)
	le.PutUint64(b[16:], h.Term)
	le.PutUint64(b[24:], h.Synced)
	le.PutUint32(b[32:], h.Prev)
	le.PutUint32(b[36:], h.Sum)
	h.CRC = checksum(seed, b[:40])
	le.PutUint32(b[40:], h.CRC)
}

// parseHeader reports false unless b starts with a header written under this seed.
func parseHeader(b []byte, seed uint32) (Header, bool) {
	le := binary.LittleEndian
	h := Header{CRC: le.Uint32(b[40:])}
	if b[4] == 0 || checksum(seed, b[:40]) != h.CRC {
		return h, false
	}
	h.Length = le.Uint32(b[0:])
	h.Type = FrameType(b[4])
	h.Version = b[5]
	h.Group = le.Uint16(b[6:])
	h.Index = le.Uint64(b[8:])
	h.Term = le.Uint64(b[16:])
	h.Synced = le.Uint64(b[24:])
	h.Prev = le.Uint32(b[32:])
	h.Sum = le.Uint32(b[36:])
	return h, true
}
