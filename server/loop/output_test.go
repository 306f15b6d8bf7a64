//go:build linux

package loop

import (
	"slices"
	"testing"
)

func TestCompact(t *testing.T) {
	for _, tt := range []struct {
		sent, free int
		out        string
		marks      []mark
		want       conn
	}{
		{sent: 3, free: 6, out: "abcdefgh", marks: []mark{{8, 7, 1}}, want: conn{sent: 3, free: 6, out: []byte("abcdefgh"), marks: []mark{{8, 7, 1}}}},
		{sent: 4, free: 6, out: "abcdefgh", marks: []mark{{8, 7, 1}}, want: conn{free: 2, out: []byte("efgh"), marks: []mark{{4, 7, 1}}}},
		{sent: 8, free: 8, out: "abcdefgh", want: conn{}},
	} {
		c := conn{sent: tt.sent, free: tt.free, out: []byte(tt.out), marks: tt.marks}
		c.compact()
		if c.sent != tt.want.sent || c.free != tt.want.free || string(c.out) != string(tt.want.out) || !slices.Equal(c.marks, tt.want.marks) {
			t.Errorf("%+v: got sent %d, free %d, out %s, marks %v", tt, c.sent, c.free, c.out, c.marks)
		}
	}
}

// TestDoubtHeld: of what was not sent, replies that wait for a lost index become INDOUBT; those before them and those given
// since the failure stay as they are.
func TestDoubtHeld(t *testing.T) {
	c := conn{out: []byte("+sent\r\n+free\r\n+a\r\n+b\r\n+c\r\n-MISCONF\r\n"), sent: 7, free: 14,
		marks: []mark{{22, 5, 2}, {26, 6, 1}, {36, 0, 1}}}
	c.doubtHeld(4)
	in := "-" + string(errInDoubt) + "\r\n"
	if want := "+sent\r\n+free\r\n" + in + in + in + "-MISCONF\r\n"; string(c.out) != want || c.free != len(want) || len(c.marks) != 0 {
		t.Errorf("out %q, free %d, marks %v", c.out, c.free, c.marks)
	}
}
