package bench

import (
	"bytes"
	"math/rand/v2"
	"strconv"
)

const (
	prefix    = "bench:" // of all keys
	seqDigits = 12       // of the number that tells entries apart, at the front of the first value
	seqBase   = 100_000_000_000
)

func key(stream int) string { return prefix + strconv.Itoa(stream) }

// maker makes entries of a shape. Their values are random, but the same in every run.
type maker struct {
	shape Shape
	rand  *rand.Rand
}

func newMaker(s Shape) *maker { return &maker{s, rand.New(rand.NewPCG(1, 2))} }

// append appends the fields and values as bulk strings, 2 × Fields of them.
func (m *maker) append(dst []byte) []byte {
	for i := range m.shape.Fields {
		dst = appendBulk(dst, "f"+strconv.Itoa(i))
		dst = append(append(strconv.AppendInt(append(dst, '$'), int64(m.shape.Bytes), 10), '\r', '\n'), m.value()...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

func (m *maker) value() []byte {
	const digits, letters = "0123456789", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	alphabet := letters
	if m.shape.Numbers {
		alphabet = digits
	}
	v := make([]byte, m.shape.Bytes)
	for i := range v {
		v[i] = alphabet[m.rand.IntN(len(alphabet))]
	}
	if m.shape.Numbers && v[0] == '0' {
		v[0] = '1'
	}
	return v
}

// appendBulk appends s as a bulk string.
func appendBulk(dst []byte, s string) []byte {
	dst = append(strconv.AppendInt(append(dst, '$'), int64(len(s)), 10), '\r', '\n')
	return append(append(dst, s...), '\r', '\n')
}

// appendArray appends the head of an array of n elements.
func appendArray(dst []byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, '*'), int64(n), 10), '\r', '\n')
}

// appendAdd appends XADD of an entry whose fields and values are given as bulk strings.
func appendAdd(dst []byte, s Spec, key, id string, fields []byte) []byte {
	words := 3 + 2*s.Shape.Fields
	if s.MaxLen > 0 {
		words += 3
	}
	dst = appendArray(dst, words)
	dst = appendBulk(appendBulk(dst, "XADD"), key)
	if s.MaxLen > 0 {
		dst = appendBulk(appendBulk(appendBulk(dst, "MAXLEN"), "~"), strconv.FormatInt(s.MaxLen, 10))
	}
	return append(appendBulk(dst, id), fields...)
}

// seqAt returns where the number of an entry stands in its fields: after the head of the first value.
func seqAt(fields []byte) int {
	at := 0
	for range 3 {
		at += bytes.IndexByte(fields[at:], '\n') + 1
	}
	return at
}

// putSeq writes the number n of an entry. The first digit is always 1, so that values may be numbers.
func putSeq(dst []byte, n int64) {
	n += seqBase
	for i := seqDigits - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}

// getSeq reads what putSeq wrote; -1: it is no such number.
func getSeq(b []byte) int64 {
	n := int64(0)
	for _, d := range b[:seqDigits] {
		if d -= '0'; d > 9 {
			return -1
		}
		n = n*10 + int64(d)
	}
	return max(n-seqBase, -1)
}
