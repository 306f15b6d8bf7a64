package stream

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
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
		if putDigits(buf[:], u, len(unsigned)); string(buf[:len(unsigned)]) != unsigned {
			t.Errorf("got %q, want %q", buf[:len(unsigned)], unsigned)
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

// Element sizes against the listpack the model builds.
func TestListpackSizes(t *testing.T) {
	size := func(text []byte) int {
		var l listpack
		l.text(text)
		return len(l.buf)
	}
	for _, v := range edges() {
		text := strconv.AppendInt(nil, v, 10)
		if got, want := listpackSize(text), size(text); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 62, 63, 64, 124, 125, 126, 127, 128, 4095, 4096, 16376, 16377} {
		text := bytes.Repeat([]byte{'v'}, n)
		if got, want := listpackSize(text), size(text); got != want {
			t.Errorf("%d bytes: got %d, want %d", n, got, want)
		}
	}
	for range 1000 {
		text := bytes.Repeat([]byte{'v'}, r.IntN(1<<r.IntN(20)))
		got, want := listpackSize(text), size(text)
		// Redis spends a byte too many on back lengths of exactly 2^14-1 and 2^21-1.
		if bits.OnesCount(uint(len(text)+5)) != 14 && got != want {
			t.Errorf("%d bytes: got %d, want %d", len(text), got, want)
		}
	}
}
