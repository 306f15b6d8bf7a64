package machine

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
)

// dialogue drives a machine with commands as text and renders replies in the notation of the stream command reference:
// :1 "bulk" $-1 *-1 *2[…] %1{k: v}. What an observer hears is kept in heard. When the test is over, the log of the dialogue
// is replayed and must lead to the same state.
type dialogue struct {
	t     testing.TB
	m     *Machine
	w     resp.Writer
	nowMS int64
	res   Result
	heard []string
	log   []byte // the ops that changed something, encoded
}

func newDialogue(t testing.TB) *dialogue {
	d := &dialogue{t: t, m: New(1), nowMS: 1_000_000}
	d.m.Observer = d
	t.Cleanup(d.replay)
	return d
}

func (d *dialogue) Changed(_ int, key []byte, c Change) {
	for _, kind := range []struct {
		bit  Change
		name string
	}{{Dirty, "dirty"}, {Ready, "ready"}, {Gone, "gone"}} {
		if c&kind.bit != 0 {
			d.heard = append(d.heard, kind.name+" "+string(key))
		}
	}
}

func (d *dialogue) Flushed(int) {}

func (d *dialogue) Event(_ int, class byte, name string, key []byte) {
	d.heard = append(d.heard, string(class)+":"+name+" "+string(key))
}

// do carries out a command and returns its reply.
func (d *dialogue) do(line string) string {
	d.t.Helper()
	d.w.Buf, d.heard = d.w.Buf[:0], nil
	op := parseLine(d.t, line)
	op.AtMS = d.nowMS
	if op.Kind.Writes() {
		d.apply(op)
	} else {
		d.res = d.m.Query(op, &d.w, d.nowMS)
	}
	if d.res&Empty != 0 {
		if len(d.w.Buf) != 0 {
			d.t.Fatalf("%s: Empty, but wrote %q", line, d.w.Buf)
		}
		d.w.NullArray()
	}
	if failed := d.w.Buf[0] == '-'; failed != (d.res&Refused != 0) || failed && d.res != Refused {
		d.t.Fatalf("%s: result %b beside reply %q", line, d.res, d.w.Buf)
	}
	text, rest := render(d.w.Buf)
	if len(rest) != 0 {
		d.t.Fatalf("%s: reply %q has trailing bytes %q", line, d.w.Buf, rest)
	}
	return text
}

// apply carries out a change and logs it.
func (d *dialogue) apply(op *Op) {
	if d.res = d.m.Apply(op, &d.w); d.res&Changed != 0 {
		d.log = AppendOp(d.log, op)
	}
}

// replay applies the log to a machine that writes no replies, and to one that does, and compares what they become.
// So it does with a machine restored from a snapshot.
func (d *dialogue) replay() {
	d.t.Helper()
	want := d.m.Digest()
	for _, w := range []*resp.Writer{nil, {RESP3: true}} {
		m := New(1)
		var op Op
		for rest := d.log; len(rest) > 0; {
			var err error
			if rest, err = DecodeOp(rest, &op); err != nil {
				d.t.Fatal(err)
			}
			if res := m.Apply(&op, w); res&Changed == 0 {
				d.t.Fatalf("replay of %+v: result %b", op, res)
			}
		}
		if m.Digest() != want {
			d.t.Errorf("replay with writer %v: another state", w != nil)
		}
	}
	m := New(1)
	if err := m.Restore(bytes.NewReader(snapshot(d.t, d.m))); err != nil || m.Digest() != want {
		d.t.Errorf("restored from a snapshot: another state (%v)", err)
	}
}

// run checks commands against replies; a line without reply is set-up, answering anything but an error. "…" in a wanted
// reply stands for anything, SLEEP ms lets time pass.
func (d *dialogue) run(table [][2]string) {
	d.t.Helper()
	for _, row := range table {
		if ms, sleep := strings.CutPrefix(row[0], "SLEEP "); sleep {
			n, _ := strconv.ParseInt(ms, 10, 64)
			d.nowMS += n
			continue
		}
		got := d.do(row[0])
		if row[1] == "" && got[0] == '-' || row[1] != "" && !matches(got, row[1]) {
			d.t.Errorf("%s\n got %s\nwant %s", row[0], got, row[1])
		}
	}
}

func matches(got, want string) bool {
	parts := strings.Split(want, "…")
	last := len(parts) - 1
	if !strings.HasPrefix(got, parts[0]) || last > 0 && !strings.HasSuffix(got, parts[last]) {
		return false
	}
	for _, part := range parts {
		_, after, ok := strings.Cut(got, part)
		if !ok {
			return false
		}
		got = after
	}
	return last > 0 || got == ""
}

func render(b []byte) (text string, rest []byte) {
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || len(line) == 0 {
		return fmt.Sprintf("BROKEN%q", b), nil
	}
	n, _ := strconv.Atoi(string(line[1:]))
	switch line[0] {
	case '$':
		if n < 0 {
			return "$-1", rest
		}
		if len(rest) < n+2 {
			return fmt.Sprintf("BROKEN%q", b), nil
		}
		return strconv.Quote(string(rest[:n])), rest[n+2:]
	case '*', '%':
		if n < 0 {
			return "*-1", rest
		}
		brackets, width := "[]", 1
		if line[0] == '%' {
			brackets, width = "{}", 2
		}
		parts := make([]string, n)
		for i := range parts {
			parts[i], rest = render(rest)
			if width == 2 {
				var value string
				value, rest = render(rest)
				parts[i] += ": " + value
			}
		}
		return string(line) + brackets[:1] + strings.Join(parts, ", ") + brackets[1:], rest
	}
	return string(line), rest
}
