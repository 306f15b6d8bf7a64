package stream

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"testing"
)

// edges are numbers around every power of two and ten.
func edges() []int64 {
	all := []int64{0, math.MaxInt64, math.MinInt64}
	for i := range 63 {
		all = append(all, 1<<i-1, 1<<i, -1<<i, -1<<i-1)
	}
	for p := int64(1); p <= math.MaxInt64/10; p *= 10 {
		all = append(all, p-1, p, p+1, -p, 1-p, -1-p)
	}
	return all
}

func TestNumbers(t *testing.T) {
	for _, v := range edges() {
		text := strconv.FormatInt(v, 10)
		if got, ok := parseInt([]byte(text)); !ok || got != v {
			t.Errorf("%s: parsed as %d %v", text, got, ok)
		}
		if got := intDigits(v); got != len(text) {
			t.Errorf("%s: %d digits", text, got)
		}
		var buf [64]byte
		n := putInt(buf[:], v)
		for _, packed := range [][]byte{buf[:n], buf[:]} {
			if got, end := intAt(packed, 0); got != v || end != n {
				t.Errorf("%s: unpacked as %d, %d of %d bytes", text, got, end, n)
			}
		}
		want := fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
		if n := putBulkInt(buf[:], v); string(buf[:n]) != want {
			t.Errorf("got %q, want %q", buf[:n], want)
		}
		u := uint64(v)
		unsigned := strconv.FormatUint(u, 10)
		if got := digits(u); got != len(unsigned) {
			t.Errorf("%s: %d digits", unsigned, got)
		}
		if n := putDecimal(buf[:], u); string(buf[:n]) != unsigned {
			t.Errorf("got %q, want %q", buf[:n], unsigned)
		}
	}
}

func TestParseIntTakesOnlyTheCanonicalForm(t *testing.T) {
	for _, text := range []string{
		"", "-", "-0", "+1", "01", "00", "-01", " 1", "1 ", "1.0", "1e3", "a", "9223372036854775808", "-9223372036854775809",
		"18446744073709551615", "99999999999999999999", "-99999999999999999999", "100000000000000000000", "1\x00",
	} {
		if v, ok := parseInt([]byte(text)); ok {
			t.Errorf("%q: parsed as %d", text, v)
		}
	}
}

// Every byte at every place of a number is looked at.
func TestParseIntLooksAtEveryByte(t *testing.T) {
	for n := 1; n <= maxIntText; n++ {
		for at := range n {
			for c := range 256 {
				text := bytes.Repeat([]byte("1"), n)
				text[at] = byte(c)
				want, err := strconv.ParseInt(string(text), 10, 64)
				canonical := err == nil && strconv.FormatInt(want, 10) == string(text)
				if got, ok := parseInt(text); ok != canonical || ok && got != want {
					t.Fatalf("%q: parsed as %d %v", text, got, ok)
				}
			}
		}
	}
}
