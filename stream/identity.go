package stream

import (
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// AutoIdentity appends the iid of XADD IDMPAUTO: 16 bytes of hash over the multiset of field/value pairs. It is the one Redis
// computes, for it shows in dumps.
func AutoIdentity(dst []byte, fields [][]byte) []byte {
	var room [512]byte
	var sum, xor xxh3.Uint128
	for i := 0; i < len(fields); i += 2 {
		field, value := fields[i], fields[i+1]
		// The length of the field keeps "a" "bc" and "ab" "c" apart.
		pair := append(room[:0], field...)
		pair = binary.LittleEndian.AppendUint64(pair, uint64(len(field)))
		pair = append(pair, value...)
		h := xxh3.Hash128(pair)
		sum.Lo += h.Lo
		sum.Hi += h.Hi
		xor.Lo ^= h.Lo
		xor.Hi ^= h.Hi
	}
	dst = binary.LittleEndian.AppendUint64(dst, sum.Lo^bits.RotateLeft64(xor.Hi, 1))
	return binary.LittleEndian.AppendUint64(dst, sum.Hi^bits.RotateLeft64(xor.Lo, 1))
}
