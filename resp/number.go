package resp

import "math"

// ParseInt reads a strict signed 64-bit decimal, as Redis does for options and protocol headers: no plus sign, no leading
// zero, no blank, no "-0", not empty.
func ParseInt(s []byte) (int64, bool) {
	digits, negative := s, false
	if len(digits) > 1 && digits[0] == '-' {
		digits, negative = digits[1:], true
		if digits[0] == '0' {
			return 0, false
		}
	}
	if len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	n, ok := ParseUint(digits)
	switch {
	case !ok:
		return 0, false
	case negative && n <= 1<<63:
		return int64(-n), true
	case negative || n > math.MaxInt64:
		return 0, false
	}
	return int64(n), true
}

// ParseUint reads an unsigned 64-bit decimal: digits only, leading zeros allowed.
func ParseUint(s []byte) (uint64, bool) {
	if len(s) == 0 {
		return 0, false
	}
	var n uint64
	for _, c := range s {
		d := uint64(c - '0')
		if d > 9 || n > math.MaxUint64/10 {
			return 0, false
		}
		n *= 10
		if n > math.MaxUint64-d {
			return 0, false
		}
		n += d
	}
	return n, true
}
