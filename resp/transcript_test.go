package resp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tidwall/redcon"
)

// replies are pairs of wire bytes and their notation.
var replies = []struct{ wire, text string }{
	{"+OK\r\n", "+OK"},
	{"-ERR bad, really: [x]\r\n", "-ERR bad, really: [x]"},
	{":-5\r\n", ":-5"},
	{"$3\r\na\"b\r\n", `"a\"b"`},
	{"$0\r\n\r\n", `""`},
	{"$2\r\n\r\n\r\n", `"\r\n"`},
	{"$-1\r\n", "$-1"},
	{"*-1\r\n", "*-1"},
	{"*0\r\n", "*0[]"},
	{"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", `*2["a", *1[:1]]`},
	{"*3\r\n$3\r\n1-1\r\n-ERR NX and XX, GT or LT options\r\n-ERR b\r\n", `*3["1-1", -ERR NX and XX, GT or LT options, -ERR b]`},
	{"*2\r\n+A <b> [c [d] ...]. E: f\r\n-ERR with: \r\n", "*2[+A <b> [c [d] ...]. E: f, -ERR with: ]"},
	{"_\r\n", "_"},
	{",1.5\r\n", ",1.5"},
	{"#t\r\n", "#t"},
	{"(123\r\n", "(123"},
	{"=7\r\ntxt:abc\r\n", `="txt:abc"`},
	{"%2\r\n+a\r\n:1\r\n$1\r\nb\r\n*0\r\n", `%2{+a: :1, "b": *0[]}`},
	{"~1\r\n+on\r\n", "~1[+on]"},
	{">2\r\n$10\r\ninvalidate\r\n_\r\n", `>2["invalidate", _]`},
}

func TestNotationRoundTrip(t *testing.T) {
	for _, tt := range replies {
		got, err := NewReader(strings.NewReader(tt.wire)).Read()
		if err != nil || got.String() != tt.text {
			t.Errorf("%q: got %s, %v, want %s", tt.wire, got, err, tt.text)
		}
		want, err := ParseReply(tt.text)
		if err != nil || want.String() != tt.text {
			t.Errorf("%s reads as %s, %v", tt.text, want, err)
		}
		if err := Compare(want, got, true, nil); err != nil && tt.text != "$-1" && tt.text != "*-1" {
			t.Error(err)
		}
		slow, err := NewReader(iotest.OneByteReader(strings.NewReader(tt.wire))).Read()
		if err != nil || slow.String() != tt.text {
			t.Errorf("%q byte by byte: got %s, %v", tt.wire, slow, err)
		}
		if _, err := NewReader(strings.NewReader(tt.wire[:len(tt.wire)-1])).Read(); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q cut: got %v", tt.wire, err)
		}
	}
}

// TestReaderAgainstRedcon reads what RESP2 has with another reader too.
func TestReaderAgainstRedcon(t *testing.T) {
	for _, tt := range replies {
		if strings.IndexByte("+-:$*", tt.wire[0]) < 0 {
			continue
		}
		n, other := redcon.ReadNextRESP([]byte(tt.wire))
		ours, err := NewReader(strings.NewReader(tt.wire)).Read()
		if err != nil || n != len(tt.wire) || byte(other.Type) != ours.Kind {
			t.Errorf("%q: %d bytes, kind %c, ours %c, %v", tt.wire, n, other.Type, ours.Kind, err)
		}
		if ours.Kind != '*' && !bytes.Equal(other.Data, ours.Text) || ours.Kind == '*' && !ours.Null && other.Count != len(ours.Elems) {
			t.Errorf("%q: %q with %d elements, ours %s", tt.wire, other.Data, other.Count, ours)
		}
	}
}

// TestWriterAgainstRedcon checks the bytes of the RESP2 encoder.
func TestWriterAgainstRedcon(t *testing.T) {
	var w Writer
	w.Array(5)
	w.Int(-7)
	w.BulkString("a\r\nb")
	w.Null()
	w.Simple("OK")
	w.Error(ErrSyntax)
	want := redcon.AppendArray(nil, 5)
	want = redcon.AppendInt(want, -7)
	want = redcon.AppendBulkString(want, "a\r\nb")
	want = redcon.AppendNull(want)
	want = redcon.AppendString(want, "OK")
	want = redcon.AppendError(want, "ERR syntax error")
	if !bytes.Equal(w.Buf, want) {
		t.Errorf("got %q, want %q", w.Buf, want)
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, wire := range []string{
		"?\r\n", "\r\n", "+OK\n", "$x\r\n", "$-2\r\n", "$3\r\nabcde", "*x\r\n", "%-1\r\n", "=-1\r\n", "=3\r\nabc\r\n", "$99999999999999\r\n",
		strings.Repeat("*1\r\n", 100),
	} {
		if v, err := NewReader(strings.NewReader(wire)).Read(); err == nil {
			t.Errorf("%.40q was read as %s", wire, v)
		}
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		want, got string
		resp3, ok bool
	}{
		{":<idle>", ":15", false, true},
		{":<idle>", `"15"`, false, false},
		{"<any>", "*1[:1]", false, true},
		{`*2["<A>", "<A>"]`, `*2["1-1", "1-1"]`, false, true},
		{`*2["<A>", "<A>"]`, `*2["1-1", "1-2"]`, false, false},
		{`*2["<id>", "<id>"]`, `*2["1-1", "1-2"]`, false, true},
		{"-ERR <a>", "-ERR x", false, false},
		{"-<a>", "-x", false, false},
		{"$-1", "_", true, true},
		{"*-1", "_", true, true},
		{"*-1", "*-1", true, false},
		{"*-1", "$-1", false, false},
		{`%1{"a": :1}`, `*2["a", :1]`, false, true},
		{`%1{"a": :1}`, `*2["a", :1]`, true, false},
		{`="txt:a"`, `"a"`, false, true},
		{`="txt:a"`, `"a"`, true, false},
		{",1.50", ",1.5", true, true},
		{",1.5", `"1.5"`, false, true},
		{`~1["a"]`, `*1["a"]`, false, true},
		{`*1["a"]`, `*2["a", "b"]`, false, false},
	}
	for _, tt := range tests {
		want, err1 := ParseReply(tt.want)
		got, err2 := ParseReply(tt.got)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if err := Compare(want, got, tt.resp3, map[string]string{}); (err == nil) != tt.ok {
			t.Errorf("want %s, got %s, RESP3 %v: %v", tt.want, tt.got, tt.resp3, err)
		}
	}
}

func TestParseReplyRefuses(t *testing.T) {
	for _, text := range []string{"", "x", `"a`, `"a" b`, "*", "*2[:1]", "*1[:1", "%1{:1}", "<a", `="a"`, "*1(:1]"} {
		if v, err := ParseReply(text); err == nil {
			t.Errorf("%q was read as %s", text, v)
		}
	}
}

func TestAppendRequest(t *testing.T) {
	var p Parser
	args, n, err := p.Parse(AppendRequest(nil, "SET", "k", ""), &Limits{})
	if err != nil || n == 0 || len(args) != 3 || string(args[1]) != "k" || len(args[2]) != 0 {
		t.Errorf("got %q, %v", args, err)
	}
}

func FuzzReader(f *testing.F) {
	for _, tt := range replies {
		f.Add([]byte(tt.wire))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		v, err := NewReader(bytes.NewReader(wire)).Read()
		if err != nil {
			return
		}
		if again, err := ParseReply(v.String()); err == nil && v.Elems == nil && again.String() != v.String() {
			t.Errorf("%q is shown as %s and reads back as %s", wire, v, again)
		}
	})
}
