//go:build linux

package loop_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/loop"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/settings"
	"github.com/streamd/streamd/server/shard"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// rig is a shard with loops, on a unix socket and files in memory.
type rig struct {
	t    *testing.T
	fs   *crashfs.FS
	sock string
	node *session.Node
	sh   *shard.Shard
	all  []*loop.Loop
	exit chan struct{}
}

func newRig(t *testing.T, loops int, pairs ...string) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "loop") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var list []settings.Pair
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, settings.Pair{Name: pairs[i], Value: pairs[i+1]})
	}
	st, _, err := settings.Load("", nil, list)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, fs: crashfs.New(), sock: filepath.Join(dir, "s"), exit: make(chan struct{})}
	fsync, _ := st.Get("appendfsync")
	policy, _ := aof.ParsePolicy(fsync)
	log, _, err := aof.Open(aof.Options{Dir: "/data", FS: r.fs, Policy: policy},
		func(io.Reader, uint64) error { return nil }, func([]byte, uint64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	var all []*loop.Loop
	wake := func() {
		for _, l := range all {
			l.Wake()
		}
	}
	logger := slog.New(slog.DiscardHandler)
	journal := aof.NewLocal(log, func(uint64) { wake() }, func(error) { wake() })
	r.node = session.NewNode(machine.New(st.Databases()), st)
	r.sh = shard.New(shard.Options{Node: r.node, Table: command.NewTable(), Log: log, Journal: journal, Logger: logger,
		Exit: func() { close(r.exit) }, Sooner: func() { all[0].Sooner() }, Changed: func(string) error { return nil }})
	for i := range loops {
		l, err := loop.New(r.sh, r.node, st, logger, i == 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	listener, err := loop.Listen(all, nil, r.sock, 0, logger)
	if err != nil {
		t.Fatal(err)
	}
	r.all = all
	for _, l := range all {
		l.Start()
	}
	t.Cleanup(func() {
		for _, l := range all {
			l.Stop()
		}
		for _, l := range all {
			l.Wait()
		}
		_ = listener.Close()
		r.sh.Close()
		_ = journal.Close()
		for _, l := range all {
			l.Close()
		}
	})
	return r
}

// client is a connection that a test drives by hand.
type client struct {
	t    testing.TB
	conn *net.UnixConn
	in   *resp.Reader
	w    *bufio.Writer
}

func (r *rig) client() *client {
	r.t.Helper()
	c, err := net.Dial("unix", r.sock)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &client{r.t, c.(*net.UnixConn), resp.NewReader(c), bufio.NewWriter(c)}
}

func (c *client) send(words ...string) {
	if _, err := c.conn.Write(resp.AppendRequest(nil, words...)); err != nil {
		c.t.Errorf("send %s: %v", words[0], err)
	}
}

// read returns the next reply in the notation of transcripts, or the error.
func (c *client) read() string {
	v, err := c.in.Read()
	if err != nil {
		return err.Error()
	}
	return v.String()
}

func (c *client) want(reply string, words ...string) {
	c.t.Helper()
	if len(words) > 0 {
		c.send(words...)
	}
	if got := c.read(); got != reply {
		c.t.Errorf("%v: %s, want %s", words, got, reply)
	}
}

// silent fails if anything comes within a moment.
func (c *client) silent() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if v, err := c.in.Read(); !os.IsTimeout(err) {
		c.t.Errorf("%s (%v), want nothing", v, err)
	}
	_ = c.conn.SetDeadline(time.Now().Add(patience))
}

// until repeats a query until it answers as wanted.
func (c *client) until(reply string, words ...string) {
	c.t.Helper()
	got := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c.send(words...)
		if got = c.read(); got == reply {
			return
		}
	}
	c.t.Fatalf("%v: still %s, want %s", words, got, reply)
}

// info returns a field of INFO clients.
func (c *client) info(name string) string {
	c.send("INFO", "clients")
	_, rest, _ := strings.Cut(c.read(), name+":")
	value, _, _ := strings.Cut(rest, `\r`)
	return value
}

func (c *client) untilInfo(name string, want int) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if c.info(name) == strconv.Itoa(want) {
			return
		}
	}
	c.t.Fatalf("%s is not %d", name, want)
}
