package resp

import "testing"

func TestParseInt(t *testing.T) {
	tests := []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"1", 1, true}, {"-1", -1, true}, {"9223372036854775807", 9223372036854775807, true},
		{"-9223372036854775808", -9223372036854775808, true}, {"9223372036854775808", 0, false}, {"-9223372036854775809", 0, false},
		{"18446744073709551619", 0, false}, {"99999999999999999999999", 0, false}, {"", 0, false}, {"-", 0, false}, {"+1", 0, false},
		{"01", 0, false}, {"-01", 0, false}, {"-0", 0, false}, {"00", 0, false}, {" 1", 0, false}, {"1 ", 0, false}, {"1a", 0, false}, {"--1", 0, false},
	}
	for _, tt := range tests {
		if got, ok := ParseInt([]byte(tt.in)); got != tt.want || ok != tt.ok {
			t.Errorf("ParseInt(%q) = %d, %v, want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestParseUint(t *testing.T) {
	tests := []struct {
		in   string
		want uint64
		ok   bool
	}{
		{"0", 0, true}, {"007", 7, true}, {"18446744073709551615", 18446744073709551615, true}, {"18446744073709551616", 0, false},
		{"99999999999999999999", 0, false}, {"", 0, false}, {"-1", 0, false}, {"1.", 0, false},
	}
	for _, tt := range tests {
		if got, ok := ParseUint([]byte(tt.in)); ok != tt.ok || ok && got != tt.want {
			t.Errorf("ParseUint(%q) = %d, %v, want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestQuote(t *testing.T) {
	in := []byte("a \"b\"\\\n\r\t\a\b\x00\xff\x7f")
	want := `"a \"b\"\\\n\r\t\a\b\x00\xff\x7f"`
	if got := Quote(in); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// What was quoted reads back as an inline word.
	var p Parser
	args, _, err := p.Parse([]byte(want+"\n"), &Limits{})
	if err != nil || len(args) != 1 || string(args[0]) != string(in) {
		t.Errorf("read back %q, %v", args, err)
	}
}
