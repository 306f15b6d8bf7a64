package shard_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/settings"
	"github.com/streamd/streamd/server/shard"
)

// rig is a shard on files in memory, with a clock of its own and clients without sockets. It treats them as a loop does.
type rig struct {
	t       testing.TB
	sh      *shard.Shard
	node    *session.Node
	fs      *crashfs.FS
	log     *aof.Log
	journal *aof.Local
	now     time.Time
	clock   func() time.Time // instead of now, when it is set
	exited  bool
	sooner  int
	clients map[string]*fake
	order   []*fake
}

// fake is a client: what it sends goes through a parser to Execute, what it is sent is read from its writer.
type fake struct {
	r       *rig
	s       *session.Session
	parser  resp.Parser
	in      []byte
	out     []byte // taken from the writer
	parked  bool
	resumed bool
	closed  string
	ended   bool
	// executed, if set, is called after each Execute with what it answered.
	executed func(args [][]byte, out shard.Outcome, answer []byte)
}

func (f *fake) Flush()  {}
func (f *fake) Resume() { f.parked, f.resumed = false, true }
func (f *fake) Close(reason string, now bool) {
	f.closed, f.parked, f.s.CloseAfter = reason, true, true
	f.ended = f.ended || now
}
func (f *fake) RemoteAddr() string          { return "127.0.0.1:5000" }
func (f *fake) LocalAddr() string           { return "127.0.0.1:6379" }
func (f *fake) FD() int                     { return 9 }
func (f *fake) Buffers() (q, free, out int) { return len(f.in), 0, len(f.out) }

func newRig(t testing.TB, pairs ...string) *rig {
	t.Helper()
	list := []settings.Pair{{Name: "enable-debug-command", Value: "yes"}}
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, settings.Pair{Name: pairs[i], Value: pairs[i+1]})
	}
	st, _, err := settings.Load("", nil, list)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, fs: crashfs.New(), now: time.UnixMilli(1_700_000_000_000), clients: map[string]*fake{}}
	none := func([]byte, uint64) error { return nil }
	// The segment after the first is made at once, so that nothing goes on behind the test's back.
	fsync, _ := st.Get("appendfsync")
	policy, _ := aof.ParsePolicy(fsync)
	r.log, _, err = aof.Open(aof.Options{Dir: "/data", FS: r.fs, Policy: policy, InlineSyncLimit: time.Hour, Spawn: func(f func()) { f() }},
		func(io.Reader, uint64) error { return nil }, none)
	if err != nil {
		t.Fatal(err)
	}
	if st.AppendOnly() {
		r.journal = aof.NewLocal(r.log, nil, nil)
	}
	r.node = session.NewNode(machine.New(st.Databases()), st)
	r.sh = shard.New(shard.Options{
		Node: r.node, Table: command.NewTable(), Log: r.log, Journal: r.journal, Logger: slog.New(slog.DiscardHandler),
		Clock: r.time, Exit: func() { r.exited = true }, Sooner: func() { r.sooner++ },
		Changed: func(string) error { return nil },
	})
	t.Cleanup(r.close)
	return r
}

func (r *rig) time() time.Time {
	if r.clock != nil {
		return r.clock()
	}
	return r.now
}

func (r *rig) close() {
	r.sh.Close()
	if r.journal != nil {
		_ = r.journal.Close()
	} else {
		_ = r.log.Close()
	}
}

// client returns the client of this name, which connects when it is first asked for.
func (r *rig) client(name string) *fake {
	if f := r.clients[name]; f != nil {
		return f
	}
	f := &fake{r: r}
	f.s = &session.Session{Conn: f, Local: true}
	r.clients[name] = f
	r.order = append(r.order, f)
	r.locked(func() { r.node.Join(f.s) })
	return f
}

func (r *rig) locked(do func()) {
	r.sh.Lock()
	defer r.sh.Unlock()
	r.sh.BeginBatch()
	do()
	r.sh.EndBatch()
}

// send gives a client bytes and lets all go on as far as they can.
func (f *fake) send(data []byte) {
	f.in = append(f.in, data...)
	f.r.locked(func() {
		f.execute()
		f.r.settle()
	})
}

// settle carries out what clients sent behind a command that is over, and drops the dead. Under the lock.
func (r *rig) settle() {
	for again := true; again; {
		again = false
		for _, f := range r.order {
			if f.ended && !f.s.Closed {
				r.sh.Drop(f.s)
			}
			if f.resumed {
				f.resumed, again = false, true
				f.execute()
			}
		}
	}
}

func (f *fake) execute() {
	for !f.parked && !f.s.CloseAfter && !f.s.Closed {
		args, n, err := f.parser.Parse(f.in, f.r.node.Settings.Limits(f.s.Authenticated))
		if err != nil {
			f.Close(err.Error(), false)
			return
		}
		if n == 0 {
			return
		}
		before := len(f.s.W.Buf)
		if len(args) > 0 {
			out := f.r.sh.Execute(f.s, args)
			if f.executed != nil {
				f.executed(args, out, f.s.W.Buf[before:])
			}
			if out == shard.Again {
				f.parked = true
				return
			}
			f.parked = f.parked || out == shard.Parked
		}
		f.in = f.in[n:]
	}
}

// say sends one command, written as an inline one.
func (r *rig) say(name, text string) { r.client(name).send([]byte(text + "\r\n")) }

// heard returns what a client was sent since it was last asked, in the notation of transcripts.
func (f *fake) heard() string {
	f.out = append(f.out, f.s.W.Buf...)
	f.s.W.Buf, f.s.Answers = nil, 0
	var values []string
	for in := resp.NewReader(bytes.NewReader(f.out)); ; {
		v, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			f.r.t.Fatalf("%q: %v", f.out, err)
		}
		values = append(values, v.String())
	}
	f.out = nil
	return strings.Join(values, " ")
}

// talk plays lines "client: COMMAND", "client< reply" (all it heard since; empty for nothing) and "tick ms".
func (r *rig) talk(script string) {
	r.t.Helper()
	for i, line := range strings.Split(strings.TrimSpace(script), "\n") {
		line = strings.TrimSpace(line)
		var ms int64
		if _, err := fmt.Sscanf(line, "tick %d", &ms); err == nil {
			r.tick(ms)
			continue
		}
		at := strings.IndexAny(line, ":<")
		if at < 0 {
			continue
		}
		name, text := line[:at], strings.TrimSpace(line[at+1:])
		if line[at] == ':' {
			r.say(name, text)
			continue
		}
		if got := r.client(name).heard(); got != text {
			r.t.Errorf("line %d: %s heard\n     %s\nwant %s", i+1, name, got, text)
		}
	}
}

// tick lets time pass.
func (r *rig) tick(ms int64) {
	r.sh.Lock() // a snapshot under way asks for the time
	r.now = r.now.Add(time.Duration(ms) * time.Millisecond)
	r.sh.Unlock()
	r.locked(func() {
		r.sh.Tick()
		r.settle()
	})
}

// endRound writes the open frame, as a loop that saw no failure yet.
func (r *rig) endRound() (index uint64, doubt bool) {
	seen := 0
	r.locked(func() { index, doubt = r.sh.EndRound(&seen) })
	return index, doubt
}

// checkReplay compares the live machine with one made from the log.
func (r *rig) checkReplay() {
	r.t.Helper()
	if _, doubt := r.endRound(); doubt {
		r.t.Fatal("the log failed")
	}
	m := machine.New(r.node.Machine.Databases())
	var op machine.Op
	err := r.log.Replay(func(in io.Reader, _ uint64) error { return m.Restore(in) }, func(payload []byte, index uint64) error {
		for len(payload) > 0 {
			rest, err := machine.DecodeOp(payload, &op)
			if err != nil {
				return err
			}
			if m.Apply(&op, nil)&machine.Changed == 0 {
				return fmt.Errorf("frame %d: op of kind %d changed nothing", index, op.Kind)
			}
			payload = rest
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if m.Digest() != r.node.Machine.Digest() {
		r.t.Fatal("the log gives another state than the live one")
	}
}
