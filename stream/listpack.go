package stream

import "math"

// Redis closes a node by the byte size of its listpack, so we compute the size of the listpack it would have built. An
// element is its encoding with data, then the length of both once more ("back length").
const (
	listpackEmpty  = 7 // 6 bytes of header, 1 end mark
	listpackNumber = 2 // a number 0…127 as an element
)

// backLen is the size of the back length of n bytes. The upper bounds are off by one in Redis as well.
func backLen(n int) int {
	switch {
	case n <= 127:
		return 1
	case n < 16383:
		return 2
	case n < 2097151:
		return 3
	case n < 268435455:
		return 4
	}
	return 5
}

// listpackInt is the size of a number as an element.
func listpackInt(v int64) int {
	switch {
	case v >= 0 && v <= 127:
		return listpackNumber
	case v >= -4096 && v <= 4095:
		return 3
	case v >= math.MinInt16 && v <= math.MaxInt16:
		return 4
	case v >= -1<<23 && v <= 1<<23-1:
		return 5
	case v >= math.MinInt32 && v <= math.MaxInt32:
		return 6
	}
	return 10
}

// listpackText is the size of n bytes that are no number as an element.
func listpackText(n int) int {
	size := n + 5
	if n < 64 {
		size = n + 1
	} else if n < 4096 {
		size = n + 2
	}
	return size + backLen(size)
}

// listpackSize is the size of text as an element.
func listpackSize(text []byte) int {
	if v, ok := parseInt(text); ok {
		return listpackInt(v)
	}
	return listpackText(len(text))
}
