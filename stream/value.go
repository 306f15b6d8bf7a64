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
	// maxIntText is the length of the longest int64.
	maxIntText = 20
)

// parseInt reads the canonical decimal of an int64: no leading zeros, no plus, no minus zero.
func parseInt(b []byte) (int64, bool) {
	n := len(b)
	if n == 0 || n > maxIntText {
		return 0, false
	}
	negative := b[0] == '-'
	if negative {
		b = b[1:]
		n--
	}
	if n == 0 {
		return 0, false
	}
	if b[0] == '0' {
		return 0, n == 1 && !negative
	}
	var v uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		v = v*10 + d
	}
	// 19 digits fit into a uint64, so only the sign bit is left to look at; 20 digits never fit.
	switch {
	case n > 19:
		return 0, false
	case negative:
		return -int64(v), v <= 1<<63
	}
	return int64(v), v < 1<<63
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// putInt packs a number into buf, which has room for 9 bytes, and returns the bytes used.
func putInt(buf []byte, v int64) int {
	if uint64(v) <= maxSmall {
		buf[0] = tagSmall | byte(v)
		return 1
	}
	u := zigzag(v)
	n := (bits.Len64(u) + 7) / 8
	buf[0] = tagInt + byte(n-1)
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

// uvarint reads a varint of a trusted buffer.
func uvarint(buf []byte, p int) (uint64, int) {
	if c := buf[p]; c < 0x80 {
		return uint64(c), p + 1
	}
	v, n := binary.Uvarint(buf[p:])
	return v, p + n
}

// powers are those of ten, but for the first, which makes 0 a digit long; padded so that a masked index needs no check.
var powers = [32]uint64{
	0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// digits returns how long the decimal of u is.
func digits(u uint64) int {
	// 1233/4096 is log10(2), rounded up: d is the answer or one less.
	d := bits.Len64(u) * 1233 >> 12
	if u < powers[d&31] {
		return d
	}
	return d + 1
}

// sizeDigits returns how long the decimal of the size n is.
func sizeDigits(n int) int {
	if n < 10 {
		return 1
	}
	return digits(uint64(n))
}

// intDigits returns how long the decimal of v is.
func intDigits(v int64) int {
	if v < 0 {
		return 1 + digits(-uint64(v))
	}
	return digits(uint64(v))
}

// pairsOfDigits are 00 … 99.
const pairsOfDigits = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849" +
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// putDigits writes the decimal of u, d digits long, into buf.
func putDigits(buf []byte, u uint64, d int) {
	for u >= 1<<32 {
		q := u / 100
		k := 2 * (u - 100*q)
		buf[d-2], buf[d-1] = pairsOfDigits[k], pairsOfDigits[k+1]
		d -= 2
		u = q
	}
	v := uint32(u)
	for ; v >= 100; d -= 2 {
		q := v / 100
		k := 2 * (v - 100*q)
		buf[d-2], buf[d-1] = pairsOfDigits[k], pairsOfDigits[k+1]
		v = q
	}
	if v >= 10 {
		buf[d-2], buf[d-1] = pairsOfDigits[2*v], pairsOfDigits[2*v+1]
	} else {
		buf[d-1] = '0' + byte(v)
	}
}

// putHead writes the head of a bulk string or an array into buf and returns the bytes used.
func putHead(buf []byte, mark byte, n int) int {
	buf[0] = mark
	d := sizeDigits(n)
	if d == 1 {
		buf[1] = '0' + byte(n)
	} else {
		putDigits(buf[1:], uint64(n), d)
	}
	buf[d+1], buf[d+2] = '\r', '\n'
	return d + 3
}

// putBulkInt writes a number as a bulk string and returns the bytes used.
func putBulkInt(buf []byte, v int64) int {
	if u := uint64(v); u < 1e9 {
		d := digits(u)
		buf[0], buf[1], buf[2], buf[3] = '$', '0'+byte(d), '\r', '\n'
		return 4 + putLine(buf[4:], u, d)
	}
	if v < 0 {
		p := putHead(buf, '$', intDigits(v))
		buf[p] = '-'
		return p + 1 + putLine(buf[p+1:], -uint64(v), digits(-uint64(v)))
	}
	d := digits(uint64(v))
	p := putHead(buf, '$', d)
	return p + putLine(buf[p:], uint64(v), d)
}

// putLine writes the decimal of u, d digits long, and the end of a line, and returns the bytes used.
func putLine(buf []byte, u uint64, d int) int {
	putDigits(buf, u, d)
	buf[d], buf[d+1] = '\r', '\n'
	return d + 2
}

// putShort copies from[:n] to the start of to and returns n. Short runs are copied as one word, which may write beyond n: both
// sides mostly have 16 bytes.
func putShort(to, from []byte, n int) int {
	if n <= 16 && len(to) >= 16 && len(from) >= 16 {
		*(*[16]byte)(to) = *(*[16]byte)(from)
		return n
	}
	return copy(to, from[:n])
}

// bulkSize is the length of a bulk string of n bytes on the wire.
func bulkSize(n int) int { return sizeDigits(n) + n + 5 }
