package aof

import (
	"encoding/binary"
	"slices"
)

// EncodeForTest writes a frame's header as it is, under a salt.
func EncodeForTest(h Header, salt uint64) []byte {
	b := make([]byte, HeaderSize)
	h.put(b, saltSeed(salt))
	return b
}

// EmptySegmentForTest is a segment header.
func EmptySegmentForTest(salt uint64, size int64) []byte {
	b := make([]byte, segmentHeaderSize)
	putSegmentHeader(b, salt, size)
	return b
}

// ChecksumForTest is the CRC-32C.
func ChecksumForTest(b []byte) uint32 { return checksum(0, b) }

// SegmentHeaderForTest gives a segment another version, with the right checksum.
func SegmentHeaderForTest(version uint16, segment []byte) []byte {
	b := slices.Clone(segment)
	binary.LittleEndian.PutUint16(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], segmentHeaderCRC(b))
	return b
}

// FrameForTest gives a segment's first frame another type and version, with the right checksum.
func FrameForTest(kind FrameType, version uint8, segment []byte) []byte {
	b := slices.Clone(segment)
	seed := saltSeed(binary.LittleEndian.Uint64(b[16:]))
	h, ok := parseHeader(b[segmentHeaderSize:], seed)
	if !ok {
		panic("no frame")
	}
	h.Type, h.Version = kind, version
	h.put(b[segmentHeaderSize:], seed)
	return b
}
