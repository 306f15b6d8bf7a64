package stream

import (
	"encoding/binary"
	"math/bits"
)

// Decimals are read and written eight digits at a time: the digits lie in the bytes of a word, the first in the lowest, as they
// do in memory.
const (
	zeros = 0x3030303030303030 // eight times '0'
	crlf  = '\r' | '\n'<<8

	// maxIntText is the length of the longest int64.
	maxIntText = 20
	// wordSlack is how far behind what they say the functions that put text may write.
	wordSlack = 16
)

// eightDigits spreads v, which is below 10^8, over the bytes of a word.
func eightDigits(v uint32) uint64 {
	x := uint64(v/10000) | uint64(v%10000)<<32
	q := x * 10486 >> 20 & 0x7f_0000_007f // hundreds of both halves: 10486/2^20 is 1/100 for numbers below 10^4
	x = q | (x-100*q)<<16
	q = x * 103 >> 10 & 0x000f_000f_000f_000f // tens of all quarters: 103/2^10 is 1/10 for numbers below 100
	return q | (x-10*q)<<8
}

// leadingZeros counts the zeros before the first digit of x, of which the last counts as a digit always.
func leadingZeros(x uint64) int { return bits.TrailingZeros64(x|1<<56) >> 3 }

// parseEight is the inverse of eightDigits for eight characters; false if one is no digit.
func parseEight(x uint64) (uint64, bool) {
	// A digit has 3 in its upper half, also with 6 added.
	if ((x^zeros)|((x+0x0606060606060606)^zeros))&0xf0f0f0f0f0f0f0f0 != 0 {
		return 0, false
	}
	x = x & 0x0f0f0f0f0f0f0f0f * (10<<8 | 1) >> 8
	x = x & 0x00ff00ff00ff00ff * (100<<16 | 1) >> 16
	return x & 0x0000ffff0000ffff * (10000<<32 | 1) >> 32, true
}

// parseInt reads the canonical decimal of an int64: no leading zeros, no plus, no minus zero.
func parseInt(b []byte) (int64, bool) {
	n := len(b)
	if n == 0 || n > maxIntText {
		return 0, false
	}
	if n >= 4 && n <= 8 && b[0] != '0' && b[0] != '-' {
		// Both halves as one word, the same characters twice where they overlap, and zeros before the first.
		missing := 8 * (8 - n)
		x := uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32 | uint64(binary.LittleEndian.Uint32(b))<<missing
		v, ok := parseEight(x | zeros&(1<<missing-1))
		return int64(v), ok
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

// uvarint reads a varint of a trusted buffer.
func uvarint(buf []byte, p int) (uint64, int) {
	if c := buf[p]; c < 0x80 {
		return uint64(c), p + 1
	}
	return longUvarint(buf, p)
}

func longUvarint(buf []byte, p int) (uint64, int) {
	v, n := binary.Uvarint(buf[p:])
	return v, p + n
}

// putUvarint writes a varint into buf and returns the bytes used.
func putUvarint(buf []byte, v uint64) int {
	if v < 0x80 {
		buf[0] = byte(v)
		return 1
	}
	return binary.PutUvarint(buf, v)
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

// putDecimal writes the decimal of u into buf, which has wordSlack bytes more than it takes, and returns the bytes used.
func putDecimal(buf []byte, u uint64) int {
	if u < 1e8 {
		x := eightDigits(uint32(u))
		lead := leadingZeros(x)
		binary.LittleEndian.PutUint64(buf, (x|zeros)>>(8*lead))
		return 8 - lead
	}
	n := putDecimal(buf, u/1e8)
	binary.LittleEndian.PutUint64(buf[n:], eightDigits(uint32(u%1e8))|zeros)
	return n + 8
}

// putHead writes the head of a bulk string or an array into buf, which has wordSlack bytes more than it takes, and returns the
// bytes used.
func putHead(buf []byte, mark byte, n int) int {
	switch {
	case n < 10:
		binary.LittleEndian.PutUint32(buf, uint32(mark)|uint32('0'+n)<<8|crlf<<16)
		return 4
	case n < 100:
		q := uint32(n) * 103 >> 10
		binary.LittleEndian.PutUint64(buf, uint64(uint32(mark)|('0'+q)<<8|('0'+uint32(n)-10*q)<<16|'\r'<<24)|'\n'<<32)
		return 5
	}
	buf[0] = mark
	d := 1 + putDecimal(buf[1:], uint64(n))
	buf[d], buf[d+1] = '\r', '\n'
	return d + 2
}

// putBulkSmall is putBulkInt for a number below 10^8.
func putBulkSmall(buf []byte, v uint32) int {
	x := eightDigits(v)
	lead := leadingZeros(x)
	b := (*[16]byte)(buf)
	binary.LittleEndian.PutUint32(b[:], '$'|uint32('8'-lead)<<8|crlf<<16)
	binary.LittleEndian.PutUint64(b[4:], (x|zeros)>>(8*lead&63))
	binary.LittleEndian.PutUint16(b[12-lead:], crlf)
	return 14 - lead
}

// putBulkInt writes a number as a bulk string into buf, which has wordSlack bytes more than it takes, and returns the bytes
// used.
func putBulkInt(buf []byte, v int64) int {
	if uint64(v) < 1e8 {
		return putBulkSmall(buf, uint32(v))
	}
	p := putHead(buf, '$', intDigits(v))
	if v < 0 {
		buf[p] = '-'
		p++
		v = -v // the smallest number stays as it is, which is right once unsigned
	}
	p += putDecimal(buf[p:], uint64(v))
	buf[p], buf[p+1] = '\r', '\n'
	return p + 2
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
