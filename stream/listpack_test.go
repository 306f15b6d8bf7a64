package stream

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"testing"
)

// listpack builds the listpack of a node.
type listpack struct {
	buf   []byte
	count int
}

func (l *listpack) element(data []byte) {
	l.buf = append(l.buf, data...)
	l.count++
	n := len(data)
	var back []byte
	for back = []byte{byte(n & 127)}; n > 127; {
		n >>= 7
		back = append([]byte{byte(n & 127)}, back...)
	}
	for i := 1; i < len(back); i++ {
		back[i] |= 128
	}
	l.buf = append(l.buf, back...)
}

func (l *listpack) int(v int64) {
	le := binary.LittleEndian.AppendUint64(nil, uint64(v))
	switch {
	case v >= 0 && v < 128:
		l.element([]byte{byte(v)})
	case v >= -4096 && v < 4096:
		u := uint16(v) & 0x1fff
		l.element([]byte{0xc0 | byte(u>>8), byte(u)})
	case v >= -1<<15 && v < 1<<15:
		l.element(append([]byte{0xf1}, le[:2]...))
	case v >= -1<<23 && v < 1<<23:
		l.element(append([]byte{0xf2}, le[:3]...))
	case v >= -1<<31 && v < 1<<31:
		l.element(append([]byte{0xf3}, le[:4]...))
	default:
		l.element(append([]byte{0xf4}, le...))
	}
}

func (l *listpack) text(b []byte) {
	if v, err := strconv.ParseInt(string(b), 10, 64); err == nil && strconv.FormatInt(v, 10) == string(b) {
		l.int(v)
		return
	}
	switch n := len(b); {
	case n < 64:
		l.element(append([]byte{0x80 | byte(n)}, b...))
	case n < 4096:
		l.element(append([]byte{0xe0 | byte(n>>8), byte(n)}, b...))
	default:
		l.element(append(binary.LittleEndian.AppendUint32([]byte{0xf0}, uint32(n)), b...))
	}
}

func (n *modelNode) listpack() []byte {
	l := listpack{buf: make([]byte, 6)}
	first := n.entries[0]
	pairs := len(first.fields) / 2
	l.int(n.live())
	l.int(int64(len(n.entries)) - n.live())
	l.int(int64(pairs))
	for i := 0; i < len(first.fields); i += 2 {
		l.text(first.fields[i])
	}
	l.int(0)
	for _, e := range n.entries {
		pairs := len(e.fields) / 2
		same := len(e.fields) == len(first.fields)
		for i := 0; same && i < len(e.fields); i += 2 {
			same = bytes.Equal(e.fields[i], first.fields[i])
		}
		var flags, count int64 = 0, int64(2*pairs + 4)
		if same {
			flags, count = 2, int64(pairs+3)
		}
		if e.gone {
			flags |= 1
		}
		l.int(flags)
		l.int(int64(e.id.MS - first.id.MS))
		l.int(int64(e.id.Seq - first.id.Seq))
		if !same {
			l.int(int64(pairs))
		}
		for i := 0; i < len(e.fields); i += 2 {
			if !same {
				l.text(e.fields[i])
			}
			l.text(e.fields[i+1])
		}
		l.int(count)
	}
	l.buf = append(l.buf, 0xff)
	binary.LittleEndian.PutUint32(l.buf, uint32(len(l.buf)))
	binary.LittleEndian.PutUint16(l.buf[4:], uint16(l.count))
	return l.buf
}

// The listpacks of the model are those of Redis: vectors V1 and V4 of the specification.
func TestModelListpack(t *testing.T) {
	pairs := func(text ...string) (fields [][]byte) {
		for _, s := range text {
			fields = append(fields, []byte(s))
		}
		return fields
	}
	v1 := modelNode{[]*modelEntry{{id: ID{1, 1}, fields: pairs("a", "b")}}}
	v4 := modelNode{[]*modelEntry{
		{id: ID{1, 1}, fields: pairs("f", "v")},
		{id: ID{2, 0}, fields: pairs("f", "10", "h", "w")},
		{id: ID{3, 0}, fields: pairs("f", "300"), gone: true},
	}}
	for _, test := range []struct {
		node modelNode
		want string
	}{
		{v1, "1d0000000a0001010001010181610200010201000100018162020401ff"},
		{v4, "3f00000018000201010101018166020001020100010001817602040100010101dfff0202018166020a01816802817702080103010201dfff02c12c020401ff"},
	} {
		if got := hex.EncodeToString(test.node.listpack()); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
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
