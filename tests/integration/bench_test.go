package integration

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/bench"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server"
)

// brief makes a run as short as it can be and still do everything.
func brief(s bench.Spec) bench.Spec {
	s.Warm, s.Measure, s.Stall = 20*time.Millisecond, 150*time.Millisecond, 3*time.Second
	switch s.Load {
	case "xrange", "xread", "drain":
		s.Entries = 2000
	case "fill":
		s.Entries, s.Groups = 20_000, 1
	}
	return s
}

func benchTarget(t *testing.T) bench.Target {
	t.Helper()
	h := host(t, crashfs.New(), server.Options{})
	target, err := bench.Locate(bench.Target{Addr: h.sock})
	if err != nil {
		t.Fatal(err)
	}
	if target.PID != os.Getpid() || !strings.HasPrefix(target.Name, "streamd ") {
		t.Fatalf("located %+v", target)
	}
	return target
}

func TestBenchLoads(t *testing.T) {
	t.Parallel()
	target := benchTarget(t)
	other := dialBench(t, target.Addr)
	for _, words := range [][]string{{"SET", "k", "v"}, {"XADD", "bench:left", "1-1", "f", "v"}} {
		if v := other.do(words...); v.Err() != nil {
			t.Fatal(v)
		}
	}
	var specs []bench.Spec
	for _, l := range bench.Loads() {
		specs = append(specs, bench.Spec{Load: l.Name})
	}
	specs = append(specs,
		bench.Spec{Load: "xadd", Conns: 3, Pipeline: 1, Streams: 300, Shape: bench.Shape{Fields: 5, Bytes: 6, Numbers: true}},
		bench.Spec{Load: "xadd", Conns: 20, Pipeline: 100, MaxLen: 500},
		bench.Spec{Load: "xadd", Conns: 2, Pipeline: 4, Shape: bench.Shape{Fields: 1, Bytes: 100_000}},
		bench.Spec{Load: "xrange", Conns: 2, Pipeline: 7, Count: 13, Shape: bench.Shape{Fields: 3, Bytes: 1}},
		bench.Spec{Load: "xread", Conns: 1, Count: 2000},
		bench.Spec{Load: "cycle", Conns: 3, Turn: 1, MaxLen: 100, Shape: bench.Shape{Fields: 2, Bytes: 12, Numbers: true}},
		bench.Spec{Load: "groups", Conns: 1, Pipeline: 1, Groups: 3, Consumers: 1, Count: 1},
		bench.Spec{Load: "drain", Conns: 1, Count: 7},
		bench.Spec{Load: "e2e", Rate: 20_000, Consumers: 3},
	)
	for _, s := range specs {
		s = brief(s)
		r, err := bench.Run(context.Background(), target, s, nil)
		for err == nil && r.Ops == 0 && s.Measure < time.Minute { // a slow machine
			s.Measure *= 4
			r, err = bench.Run(context.Background(), target, s, nil)
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if r.Ops == 0 || r.OpsPerSec <= 0 || r.CPUMicros <= 0 || r.ClientCPUMicros <= 0 || r.P50 <= 0 || r.Max < r.P999 || r.P999 < r.P50 {
			t.Errorf("%s: impossible figures %+v", s.Load, r)
		}
	}
	if v := other.do("KEYS", "*"); v.String() != `*1["k"]` {
		t.Errorf("the runs left %s", v)
	}
}

func TestBenchComparesInRounds(t *testing.T) {
	targets := []bench.Target{benchTarget(t), benchTarget(t), benchTarget(t)}
	var order []string
	last := ""
	for i := range targets {
		targets[i].Name = string(rune('a' + i))
	}
	c, err := bench.Compare(context.Background(), targets, brief(bench.Spec{Load: "xadd", Conns: 2}), 3, func(p bench.Progress) {
		if p.Target != last {
			last = p.Target
			order = append(order, last)
		}
		if p.Round < 1 || p.Rounds != 3 {
			t.Errorf("round %d of %d", p.Round, p.Rounds)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ""); got != "abcbcacab" {
		t.Errorf("the order was %s", got)
	}
	if len(c.Results) != 3 || len(c.Results[2]) != 3 || c.Ratios.Throughput.Median <= 0 || c.Ratios.CPU.Median <= 0 {
		t.Errorf("compared %+v", c)
	}
}

func TestBenchInterrupted(t *testing.T) {
	target := benchTarget(t)
	for _, load := range []string{"xadd", "groups", "e2e", "drain"} {
		ctx, cancel := context.WithCancel(context.Background())
		s := brief(bench.Spec{Load: load})
		s.Warm, s.Measure = 0, time.Hour
		_, err := bench.Run(ctx, target, s, func(p bench.Progress) {
			if p.Ops > 0 {
				cancel()
			}
		})
		cancel()
		if err == nil || !strings.Contains(err.Error(), "context canceled") {
			t.Errorf("%s: %v", load, err)
		}
	}
	if v := dialBench(t, target.Addr).do("KEYS", "*"); v.String() != "*0[]" {
		t.Errorf("the runs left %s", v)
	}
}

func TestBenchRefuses(t *testing.T) {
	target := benchTarget(t)
	for _, tt := range []struct {
		spec bench.Spec
		want string
	}{
		{bench.Spec{Load: "nosuch"}, `there is no load "nosuch": loads are xadd, `},
		{bench.Spec{Load: "xadd", Turn: 3}, "turn: not a parameter of this load"},
		{bench.Spec{Load: "xrange", Count: -1}, "count must be more than 0"},
		{bench.Spec{Load: "cycle", Shape: bench.Shape{Fields: 1, Bytes: 6}}, "values of 6 bytes are too short"},
		{bench.Spec{Load: "cycle", MaxLen: 10}, "could trim entries that are on their way"},
		{bench.Spec{Load: "e2e", Rate: 0.1}, "less than 1 a second"},
	} {
		if _, err := bench.Run(context.Background(), target, tt.spec, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.spec, err, tt.want)
		}
	}
	target.PID = 0
	if _, err := bench.Run(context.Background(), target, bench.Spec{Load: "fill"}, nil); err == nil || !strings.Contains(err.Error(), "process is not known") {
		t.Errorf("fill without a process: %v", err)
	}
}

func dialBench(t *testing.T, addr string) *client {
	t.Helper()
	return newClient(t, dialUnix(t, addr))
}

// lies are what a server may do wrong, and what the bench has to say then. Each is told once in a run, at the given command.
var lies = []struct {
	name, load string
	lie        lie
	want       string
}{
	{"an entry is lost", "xadd", onXAdd(func(l *liar, words []string) resp.Value {
		v := l.ask(words)
		l.ask([]string{"XDEL", words[1], string(v.Text)})
		return v
	}), "XADDs were answered, but XLEN is"},
	{"an entry is appended twice", "xadd", onXAdd(func(l *liar, words []string) resp.Value { l.ask(words); return l.ask(words) }), "XADDs were answered, but XLEN is"},
	{"an entry is changed", "xadd", onXAdd(func(l *liar, words []string) resp.Value {
		words[len(words)-1] = strings.Repeat("?", len(words[len(words)-1]))
		return l.ask(words)
	}), "nobody appended"},
	{"an id is given twice", "xadd", onXAdd(func(l *liar, words []string) resp.Value {
		before := l.lastID
		l.ask(words)
		return bulk(before)
	}), "ids have to grow"},
	{"an id is none", "xadd", onXAdd(func(l *liar, words []string) resp.Value { return bulk("1700000000000+0") }), "wrong reply"},
	{"a command is refused", "xadd", onXAdd(func(l *liar, words []string) resp.Value { return resp.Value{Kind: '-', Text: []byte("OOM no room")} }), "the server refused: OOM no room"},
	{"a reply is missing", "xadd", onXAdd(func(l *liar, words []string) resp.Value { l.ask(words); return resp.Value{} }), "nothing got on for 3s"},
	{"a reply is too much", "xadd", onXAdd(func(l *liar, words []string) resp.Value { l.say(l.ask(words)); return bulk("1-1") }), ""},
	{"the connection is closed", "xadd", onXAdd(func(l *liar, words []string) resp.Value { l.hangUp(); return resp.Value{} }), "the connection"},

	{"a page lacks an entry", "xrange", onReply("XRANGE", func(v *resp.Value) { v.Elems = v.Elems[1:] }), "wrong reply: got …"},
	{"a page repeats an entry", "xrange", onReply("XRANGE", func(v *resp.Value) { v.Elems[1] = v.Elems[0] }), "wrong reply: got …"},
	{"an entry read is changed", "xrange", onReply("XRANGE", func(v *resp.Value) { alter(v.Elems[3]) }), "wrong reply: got …"},
	{"a page is of another place", "xread", onReply("XREAD", func(v *resp.Value) { page := entriesOf(v); page.Elems = append(page.Elems[1:], page.Elems[0]) }), "wrong reply: got …"},
	{"a read finds nothing", "xread", onReply("XREAD", func(v *resp.Value) { *v = resp.Value{Kind: '*', Null: true} }), "wrong reply: got …"},

	{"a delivery lacks an entry", "cycle", onReply("XREADGROUP", func(v *resp.Value) { dropFirst(v) }), "gave 15 entries, though more were there"},
	{"a delivery repeats an entry", "cycle", onReply("XREADGROUP", func(v *resp.Value) { repeat(v) }), "a consumer got entry"},
	{"an entry delivered is changed", "cycle", onReply("XREADGROUP", func(v *resp.Value) { alter(entriesOf(v).Elems[0]) }), "is not as it was appended"},
	{"an acknowledgement is not counted", "cycle", onReply("XACK", fewer), "wrong reply: got …"},
	{"an acknowledgement is forgotten", "cycle", on("XACK", func(l *liar, words []string) resp.Value { return l.number(len(words) - 3) }), "but XPENDING says"},

	{"an entry never comes", "groups", onReply("XREADGROUP", func(v *resp.Value) { dropFirst(v) }), "1 of "},
	{"an entry comes to a group twice", "groups", onReply("XREADGROUP", replay()), "was delivered twice"},
	{"an entry of nobody comes", "groups", onReply("XREADGROUP", func(v *resp.Value) { renumber(entriesOf(v).Elems[0]) }), "was never appended"},
	{"an entry comes changed", "groups", onReply("XREADGROUP", func(v *resp.Value) { alter(entriesOf(v).Elems[0]) }), "is not as it was appended"},
	{"an acknowledgement counts too few", "groups", onReply("XACK", fewer), "XACK: wrong reply"},

	{"a page of the backlog lacks an entry", "drain", onReply("XREADGROUP", func(v *resp.Value) { dropFirst(v) }), "wrong reply: got …"},
	{"a page of the backlog comes twice", "drain", onReply("XREADGROUP", replay()), "was delivered twice"},
	{"a page of the backlog begins elsewhere", "drain", onReply("XREADGROUP", func(v *resp.Value) { page := entriesOf(v); page.Elems[0] = page.Elems[1] }), "entries were lost or repeated"},
	{"a page of the backlog is changed", "drain", onReply("XREADGROUP", func(v *resp.Value) { alter(entriesOf(v).Elems[5]) }), "wrong reply: got …"},
	{"a page stays pending", "drain", on("XACK", func(l *liar, words []string) resp.Value { return l.number(len(words) - 3) }), "XPENDING of a group that has acknowledged all"},

	{"an entry is lost on its way", "e2e", onReply("XREADGROUP", func(v *resp.Value) { dropFirst(v) }), "entries were not delivered, the first of them is number"},
	{"an entry is not delivered to be pending", "fill", onReply("XREADGROUP", func(v *resp.Value) { dropFirst(v) }), "entries were delivered, then no more"},
}

func TestBenchNoticesLies(t *testing.T) {
	for _, tt := range lies {
		t.Run(tt.load+": "+tt.name, func(t *testing.T) {
			t.Parallel()
			honest := host(t, crashfs.New(), server.Options{}, "appendonly", "no")
			target := bench.Target{Name: "liar", Addr: listenLiar(t, honest.sock, tt.lie), PID: os.Getpid()}
			s := brief(bench.Spec{Load: tt.load})
			switch tt.load {
			case "xadd":
				s.Conns, s.Pipeline = 1, 8 // one, so that it is told which id came before
			case "groups":
				s.Pipeline = 8
			}
			_, err := bench.Run(context.Background(), target, s, nil)
			for err == nil && s.Measure < time.Minute { // a machine so slow that the lie was not told
				s.Measure *= 4
				_, err = bench.Run(context.Background(), target, s, nil)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
