package machine

import (
	"bytes"
	"math/big"

	"github.com/streamd/streamd/resp"
)

const (
	// floatBits is the mantissa of the 80-bit long double that Redis counts with on x86.
	floatBits = 64
	// maxFloatText bounds a number's text, maxFloatExp the decimal exponent of a long double (1.19e4932) and of its smallest
	// denormal (3.6e-4951): beyond them arithmetic would cost more than it is worth.
	maxFloatText   = 5 << 10
	maxFloatExp    = 4932
	maxFloatNegExp = 4951
)

const errNaN resp.Error = "ERR increment would produce NaN or Infinity"

// addFloats returns a+b as INCRBYFLOAT shows it: 17 decimals at most, no trailing zeros, never an exponent.
func addFloats(a, b []byte) ([]byte, error) {
	x, err := parseFloat(a)
	if err != nil {
		return nil, err
	}
	y, err := parseFloat(b)
	if err != nil {
		return nil, err
	}
	if x.IsInf() || y.IsInf() {
		return nil, errNaN
	}
	sum := new(big.Float).SetPrec(floatBits).Add(x, y)
	if sum.MantExp(nil) > 16384 {
		return nil, errNaN
	}
	text := sum.Append(nil, 'f', 17)
	text = bytes.TrimRight(text, "0")
	text = bytes.TrimSuffix(text, []byte("."))
	if string(text) == "-0" {
		text = text[1:]
	}
	return text, nil
}

// parseFloat reads a decimal number as strtold does, the whole text.
func parseFloat(text []byte) (*big.Float, error) {
	x := new(big.Float).SetPrec(floatBits)
	digits := text
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	if bytes.EqualFold(digits, []byte("inf")) || bytes.EqualFold(digits, []byte("infinity")) {
		return x.SetInf(text[0] == '-'), nil
	}
	if len(text) > maxFloatText || !plainFloat(digits) {
		return nil, resp.ErrNotFloat
	}
	if _, _, err := x.Parse(string(text), 10); err != nil {
		return nil, resp.ErrNotFloat
	}
	return x, nil
}

// plainFloat tells whether text is digits with at most one point and an exponent that a long double can have.
func plainFloat(text []byte) bool {
	mantissa, exponent := text, []byte(nil)
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
		limit := uint64(maxFloatExp)
		if len(exponent) > 0 && (exponent[0] == '+' || exponent[0] == '-') {
			if exponent[0] == '-' {
				limit = maxFloatNegExp
			}
			exponent = exponent[1:]
		}
		if n, ok := resp.ParseUint(exponent); !ok || n > limit {
			return false
		}
	}
	digits, points := 0, 0
	for _, c := range mantissa {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}
