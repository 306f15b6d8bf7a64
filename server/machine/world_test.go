package machine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// world applies ops to a machine, keeps the log that they would leave, and hears what an observer hears.
type world struct {
	t     testing.TB
	m     *Machine
	w     resp.Writer
	nowMS int64
	log   []byte
	heard []string
}

func newWorld(t testing.TB) *world {
	x := &world{t: t, m: New(4), nowMS: 1_000_000}
	x.m.Observer = x
	return x
}

func (x *world) Changed(db int, key []byte, c Change) {
	text := "changed"
	for i, name := range []string{" dirty", " ready", " gone"} {
		if c&(1<<i) != 0 {
			text += name
		}
	}
	x.heard = append(x.heard, fmt.Sprintf("%d:%s %s", db, key, text))
}

func (x *world) Flushed(db int) { x.heard = append(x.heard, fmt.Sprintf("%d flushed", db)) }

func (x *world) Event(db int, class byte, name string, key []byte) {
	x.heard = append(x.heard, fmt.Sprintf("%d:%s %c %s", db, key, class, name))
}

// do carries out op and returns the reply, its line ends as blanks.
func (x *world) do(op Op) string {
	x.t.Helper()
	x.w.Buf, x.heard = x.w.Buf[:0], nil
	var res Result
	if op.Kind.Writes() {
		if op.AtMS == 0 {
			op.AtMS = x.nowMS
		}
		before := x.m.Ops()
		res = x.m.Apply(&op, &x.w)
		if (res&Changed != 0) != (x.m.Ops() > before) {
			x.t.Fatalf("%+v: result %d, but %d ops", op, res, x.m.Ops()-before)
		}
		if res&Changed != 0 {
			x.log = AppendOp(x.log, &op)
		}
	} else {
		res = x.m.Query(&op, &x.w, x.nowMS)
	}
	if refused := len(x.w.Buf) > 0 && x.w.Buf[0] == '-'; refused != (res&Refused != 0) || refused && res != Refused {
		x.t.Fatalf("%+v: result %d beside %q", op, res, x.w.Buf)
	}
	if len(x.m.open) != 0 {
		x.t.Fatalf("%+v: left objects open", op)
	}
	return strings.TrimSuffix(strings.ReplaceAll(string(x.w.Buf), "\r\n", " "), " ")
}

// want checks the reply to op.
func (x *world) want(op Op, want string) {
	x.t.Helper()
	if got := x.do(op); got != want {
		x.t.Errorf("%+v: got %q, want %q", op, got, want)
	}
}

// wantHeard checks what the last op told the observer.
func (x *world) wantHeard(want ...string) {
	x.t.Helper()
	if !slices.Equal(x.heard, want) {
		x.t.Errorf("heard %q, want %q", x.heard, want)
	}
}

// fill sets keys to strings: key, value, …
func (x *world) fill(pairs ...string) {
	x.t.Helper()
	x.want(Op{Kind: MSet, Args: list(pairs...)}, "+OK")
}

// addEntry appends an entry with the id ms-1 to a stream.
func (x *world) addEntry(key string, ms uint64) {
	x.t.Helper()
	if got := x.do(Op{Kind: XAdd, Key: []byte(key), IDs: []stream.ID{{MS: ms, Seq: 1}}, Args: list("f", "v")}); got[0] != '$' {
		x.t.Fatalf("XADD: %s", got)
	}
}

func list(items ...string) [][]byte {
	var out [][]byte
	for _, s := range items {
		out = append(out, []byte(s))
	}
	return out
}

// on is an op on one key with arguments.
func on(k Kind, key string, args ...string) Op {
	return Op{Kind: k, Key: []byte(key), Args: list(args...)}
}

func (op Op) with(f Flags, n ...int64) Op {
	op.Flags |= f
	copy(op.N[:], n)
	return op
}

func (op Op) to(key string) Op { op.Group = []byte(key); return op }

func (op Op) in(db int) Op { op.DB = db; return op }
