package stream

import (
	"math"
	"strings"
	"testing"
)

func TestParseID(t *testing.T) {
	const most = math.MaxUint64
	tests := []struct {
		text string
		want ID
		ok   bool
	}{
		{"1-2", ID{1, 2}, true},
		{"5", ID{5, 77}, true},
		{"0-0", ID{}, true},
		{"18446744073709551615-18446744073709551615", ID{most, most}, true},
		{"18446744073709551615", ID{most, 77}, true},
		{"01-01", ID{1, 1}, true},
		{"+5-0", ID{5, 0}, true},
		{" 5-0", ID{5, 0}, true},
		{"\t\n\v\f\r 5- +6", ID{5, 6}, true},
		{"7--0", ID{7, 0}, true},
		{"7--000", ID{7, 0}, true},
		{strings.Repeat("0", 126) + "9", ID{9, 77}, true},

		{strings.Repeat("0", 127) + "9", ID{}, false},
		{"8-1 ", ID{}, false},
		{"8 -1", ID{}, false},
		{"", ID{}, false},
		{"7-", ID{}, false},
		{"-1", ID{}, false},
		{"7-1-1", ID{}, false},
		{"7--1", ID{}, false},
		{"7-+-0", ID{}, false},
		{"7-+", ID{}, false},
		{"1.5", ID{}, false},
		{"0x1", ID{}, false},
		{"-", ID{}, false},
		{"+", ID{}, false},
		{"$", ID{}, false},
		{" ", ID{}, false},
		{"1\x00", ID{}, false},
		{"18446744073709551616-0", ID{}, false},
		{"18446744073709551620", ID{}, false},
		{"99999999999999999999999", ID{}, false},
	}
	for _, test := range tests {
		got, ok := ParseID([]byte(test.text), 77)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q: got %v %v, want %v %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestParseIDAllocatesNothing(t *testing.T) {
	text := []byte("1700000000000-12")
	if n := testing.AllocsPerRun(100, func() { ParseID(text, 0) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"1-2", "5", "7--0", " +5-01", "18446744073709551616-0", "-", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		id, ok := ParseID(text, 3)
		if !ok {
			return
		}
		if again, ok := ParseID(id.Append(nil), 0); !ok || again != id {
			t.Errorf("%q is %v, whose text is %v %v", text, id, again, ok)
		}
	})
}

func BenchmarkParseID(b *testing.B) {
	text := []byte("1700000000000-12")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseID(text, 0); !ok {
			b.Fatal("not an id")
		}
	}
}
