package command

import (
	"encoding/binary"
	"math/bits"
)

// quickNames finds commands by their names in any case without looking at each letter: names of two to sixteen letters fit
// into two words, and setting bit 5 of each byte makes letters small. It holds no name with anything but letters, since other
// bytes may fall together.
type quickNames struct {
	slots [quickSlots]quickName
}

const (
	quickBits  = 9 // log2 of the slots
	quickSlots = 1 << quickBits
	quickMax   = 16
	smallBits  = 0x2020202020202020
)

type quickName struct {
	low, high uint64
	length    int
	spec      *Spec
}

// packed returns name, of two to quickMax bytes, as two words; together with its length they tell names apart.
func packed(name []byte) (low, high uint64) {
	n := len(name)
	switch {
	case n >= 8:
		low, high = binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[n-8:])
	case n >= 4:
		low, high = uint64(binary.LittleEndian.Uint32(name)), uint64(binary.LittleEndian.Uint32(name[n-4:]))
	default:
		low, high = uint64(binary.LittleEndian.Uint16(name)), uint64(binary.LittleEndian.Uint16(name[n-2:]))
	}
	return low | smallBits, high | smallBits
}

// slot returns where the search for a name begins.
func slot(low, high uint64, length int) int {
	h := (low ^ bits.RotateLeft64(high, 29) ^ uint64(length)) * 0x9E3779B97F4A7C15
	return int(h >> (64 - quickBits))
}

// add puts s in unless its name does not fit. Less than half of the slots must be in use.
func (q *quickNames) add(s *Spec) {
	name := []byte(s.Name)
	if len(name) < 2 || len(name) > quickMax {
		return
	}
	for _, c := range name {
		if c < 'a' || c > 'z' {
			return
		}
	}
	low, high := packed(name)
	i := slot(low, high, len(name))
	for q.slots[i].spec != nil {
		i = (i + 1) % quickSlots
	}
	q.slots[i] = quickName{low, high, len(name), s}
}

// find returns the row of a name, nil if it is not in here.
func (q *quickNames) find(name []byte) *Spec {
	if len(name) < 2 || len(name) > quickMax {
		return nil
	}
	low, high := packed(name)
	for i := slot(low, high, len(name)); ; i = (i + 1) % quickSlots {
		switch e := &q.slots[i]; {
		case e.spec == nil:
			return nil
		case e.low == low && e.high == high && e.length == len(name):
			return e.spec
		}
	}
}
