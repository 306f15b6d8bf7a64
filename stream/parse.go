package stream

import (
	"encoding/binary"
	"math"
)

// MaxIDText is the longest text Redis takes for an id.
const MaxIDText = 127

// ParseID reads "ms-seq" or "ms", the latter with missingSeq. It takes what the number parser of Redis takes by accident:
// leading zeros, leading blanks, a leading '+' and minus zero (XADD s 7--0). It allocates nothing.
func ParseID(b []byte, missingSeq uint64) (ID, bool) {
	if id, ok := parseRecent(b); ok {
		return id, true
	}
	if len(b) > MaxIDText {
		return ID{}, false
	}
	for i, c := range b {
		if c != '-' {
			continue
		}
		ms, ok := ParseNumber(b[:i])
		if !ok {
			return ID{}, false
		}
		seq, ok := ParseNumber(b[i+1:])
		return ID{ms, seq}, ok
	}
	ms, ok := ParseNumber(b)
	return ID{ms, missingSeq}, ok
}

// parseRecent reads "ms-seq" with 13 digits of ms, which a Unix time has from 2001 to 2286; false for all else.
func parseRecent(b []byte) (ID, bool) {
	const ms = 13
	if len(b) < ms+2 || len(b) > ms+1+18 || b[ms] != '-' {
		return ID{}, false
	}
	// The first eight digits and the last eight; three are in both.
	first, ok := parseEight(binary.LittleEndian.Uint64(b))
	last, ok2 := parseEight(binary.LittleEndian.Uint64(b[ms-8:]))
	var seq uint64
	for _, c := range b[ms+1:] {
		d := uint64(c - '0')
		if d > 9 {
			return ID{}, false
		}
		seq = seq*10 + d
	}
	return ID{first/1000*1e8 + last, seq}, ok && ok2
}

// ParseNumber reads half an id: an unsigned decimal as strtoull does, but for negative numbers, which strtoull wraps around.
func ParseNumber(b []byte) (uint64, bool) {
	for len(b) > 0 && (b[0] == ' ' || b[0] >= '\t' && b[0] <= '\r') {
		b = b[1:]
	}
	negative := false
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		negative = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > math.MaxUint64/10 {
			return 0, false
		}
		next := n*10 + d
		if next < n*10 {
			return 0, false
		}
		n = next
	}
	return n, !negative || n == 0
}
