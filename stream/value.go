package stream

import (
	"encoding/binary"
	"math/bits"
)

// A packed value starts with a tag:
//
//	00…7f        text of that many bytes follows
//	80…bf        the number 0…63
//	c0…c7        a number of 1…8 bytes follows: zigzag, little-endian
//	c8           2 bytes little-endian length, then text
//	c9           4 bytes little-endian length, then text
//
// Text that is the canonical decimal of an int64 is packed as a number, all other text as it is, in the shortest form: a
// value has one packed form only.
const (
	tagSmall  = 0x80
	tagInt    = 0xc0
	tagText16 = 0xc8
	tagText32 = 0xc9

	maxTagText = 0x7f
	maxSmall   = 0x3f
	// maxValueHead is what a packed value takes at most above its text.
	maxValueHead = 5
)

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// putInt packs a number into buf, which has room, and returns the bytes used.
func putInt(buf []byte, v int64) int {
	if uint64(v) <= maxSmall {
		buf[0] = tagSmall | byte(v)
		return 1
	}
	u := zigzag(v)
	n := (bits.Len64(u) + 7) / 8
	buf[0] = tagInt + byte(n-1)
	if len(buf) >= 9 {
		binary.LittleEndian.PutUint64(buf[1:], u)
		return 1 + n
	}
	for i := 1; i <= n; i++ {
		buf[i] = byte(u)
		u >>= 8
	}
	return 1 + n
}

// putText packs text into buf, which has room, and returns the bytes used.
func putText(buf, text []byte) int {
	n := len(text)
	p := 1
	switch {
	case n <= maxTagText:
		buf[0] = byte(n)
	case n <= 0xffff:
		buf[0] = tagText16
		binary.LittleEndian.PutUint16(buf[1:], uint16(n))
		p = 3
	default:
		buf[0] = tagText32
		binary.LittleEndian.PutUint32(buf[1:], uint32(n))
		p = 5
	}
	return p + copy(buf[p:], text)
}

// textAt returns the bounds of the text of the value at p, which is no number.
func textAt(buf []byte, p int) (from, to int) {
	switch tag := buf[p]; tag {
	case tagText16:
		return p + 3, p + 3 + int(binary.LittleEndian.Uint16(buf[p+1:]))
	case tagText32:
		return p + 5, p + 5 + int(binary.LittleEndian.Uint32(buf[p+1:]))
	default:
		return p + 1, p + 1 + int(tag)
	}
}

// isInt tells whether the value with this tag is a number.
func isInt(tag byte) bool { return tag >= tagSmall && tag < tagText16 }

// intAt returns the number at p and where the next value starts.
func intAt(buf []byte, p int) (int64, int) {
	tag := buf[p]
	if tag < tagInt {
		return int64(tag & maxSmall), p + 1
	}
	n := int(tag-tagInt) + 1
	p++
	if p+8 <= len(buf) {
		u := binary.LittleEndian.Uint64(buf[p:])
		return unzigzag(u & (^uint64(0) >> (64 - 8*n))), p + n
	}
	var u uint64
	for i := n - 1; i >= 0; i-- {
		u = u<<8 | uint64(buf[p+i])
	}
	return unzigzag(u), p + n
}
