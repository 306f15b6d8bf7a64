package integration

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/server"
	"github.com/streamd/streamd/server/settings"
)

// hosted is a server inside the test, on files in memory that fail on request.
type hosted struct {
	t      *testing.T
	fs     *crashfs.FS
	sock   string
	log    *syncBuffer
	srv    *server.Server
	served chan error
}

func host(t *testing.T, fs *crashfs.FS, o server.Options, pairs ...string) *hosted {
	t.Helper()
	h := &hosted{t: t, fs: fs, sock: filepath.Join(shortDir(t), "s"), log: &syncBuffer{}, served: make(chan error, 1)}
	list := []settings.Pair{{Name: "port", Value: "0"}, {Name: "unixsocket", Value: h.sock}, {Name: "dir", Value: "/data"},
		{Name: "enable-debug-command", Value: "yes"}}
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, settings.Pair{Name: pairs[i], Value: pairs[i+1]})
	}
	st, _, err := settings.Load("", nil, list)
	if err != nil {
		t.Fatal(err)
	}
	o.FS = fs
	if h.srv, err = server.OpenWith(st, slog.New(slog.NewTextHandler(h.log, nil)), o); err != nil {
		t.Fatal(err)
	}
	go func() { h.served <- h.srv.Serve() }()
	t.Cleanup(func() { _ = h.end() })
	return h
}

// end stops the server and returns what Serve returned; may be called twice.
func (h *hosted) end() error {
	h.srv.Stop()
	err := <-h.served
	h.served <- err
	return err
}

func (h *hosted) client() *client {
	h.t.Helper()
	conn, err := net.Dial("unix", h.sock)
	if err != nil {
		h.t.Fatalf("%v\n%s", err, h.log)
	}
	h.t.Cleanup(func() { conn.Close() })
	return newClient(h.t, conn)
}

// onLog tells whether op is on the log's first segment, which was made under the other name, and not on a spare.
func onLog(op crashfs.Op) bool {
	return strings.HasSuffix(op.Name, ".log") || op.Name == "spare-0.tmp"
}

// logFails makes the next operations of a kind on the log fail.
func (h *hosted) logFails(kind crashfs.Kind) {
	h.fs.SetHook(func(op crashfs.Op) error {
		if op.Kind == kind && onLog(op) {
			return syscall.EIO
		}
		return nil
	})
}

// pipeline sends several commands in one write, so that one round carries them out.
func (c *client) pipeline(commands ...[]string) {
	c.t.Helper()
	w := newWire(c.conn)
	for _, words := range commands {
		w.queue(words...)
	}
	if err := w.flush(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) wantInDoubt(what string) {
	c.t.Helper()
	if v := c.read(); !strings.HasPrefix(string(v.Text), "INDOUBT ") {
		c.t.Errorf("%s: %s, want INDOUBT", what, v)
	}
}

func words(list ...string) []string { return list }

// TestRoundInDoubt: when a round cannot be logged, each command of it is answered INDOUBT, those of clients that it woke
// included, and no answer is missing or too many (P-E2, P-E3).
func TestRoundInDoubt(t *testing.T) {
	h := host(t, crashfs.New(), server.Options{})
	c := h.client()
	c.want("+OK", "XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
	reader, worker, subscriber := h.client(), h.client(), h.client()
	subscriber.want(`*3["subscribe", "ch", :1]`, "SUBSCRIBE", "ch")
	reader.send("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
	worker.send("XREADGROUP", "GROUP", "g", "w", "BLOCK", "0", "STREAMS", "s", ">")
	for c.do("CLIENT", "LIST"); infoField(c, "clients", "blocked_clients") != "2"; {
	}
	h.logFails(crashfs.Write)
	c.pipeline(words("XADD", "s", "*", "f", "v"), words("XLEN", "s"), words("MULTI"), words("SET", "a", "b"), words("EXEC"),
		words("PUBLISH", "ch", "news"))
	for range 6 {
		c.wantInDoubt("the round's own command")
	}
	reader.wantInDoubt("a reader that the round woke")
	worker.wantInDoubt("a worker that the round woke")
	for _, who := range []*client{c, reader, worker} {
		who.want(`"in step"`, "ECHO", "in step")
		if v := who.do("SET", "x", "y"); !strings.HasPrefix(string(v.Text), "MISCONF ") {
			t.Errorf("SET: %s", v)
		}
	}
}

// TestSnapshotFindsTheLogFailing: BGSAVE and SAVE write the open frame before the round ends. If that fails, what came
// before them in the round is in doubt all the same.
func TestSnapshotFindsTheLogFailing(t *testing.T) {
	for _, command := range []string{"BGSAVE", "SAVE", "BGREWRITEAOF"} {
		h := host(t, crashfs.New(), server.Options{})
		c := h.client()
		c.want("+OK", "SET", "a", "1")
		h.logFails(crashfs.Write)
		c.pipeline(words("SET", "a", "2"), words(command), words("GET", "a"))
		c.wantInDoubt("SET before " + command)
		if v := c.read(); v.Err() == nil {
			t.Errorf("%s: %s", command, v)
		}
		c.wantInDoubt("GET after " + command)
		c.want(`"in step"`, "ECHO", "in step")
	}
}

// TestHeldAnswersWhenTheSyncFails: under everysec answers wait for a sync that is slow. When it fails, they are in doubt, and
// reads go on afterwards.
func TestHeldAnswersWhenTheSyncFails(t *testing.T) {
	h := host(t, crashfs.New(), server.Options{}, "appendfsync", "everysec")
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h.fs.SetHook(func(op crashfs.Op) error {
		if op.Kind != crashfs.Sync || !onLog(op) {
			return nil
		}
		once.Do(func() { close(begun) })
		<-release
		return syscall.EIO
	})
	c, other := h.client(), h.client()
	c.want("+OK", "SET", "a", "1")
	select {
	case <-begun:
	case <-time.After(replyTimeout):
		t.Fatal("no sync begins")
	}
	time.Sleep(2200 * time.Millisecond) // answers are held once a sync takes more than two seconds
	c.send("SET", "a", "2")
	if err := c.silent(); err != nil {
		t.Errorf("a write is not held: %v", err)
	}
	other.send("GET", "a")
	if err := other.silent(); err != nil {
		t.Errorf("a read shows what is not durable: %v", err)
	}
	close(release)
	c.wantInDoubt("a write held by the sync")
	other.wantInDoubt("a read held by the sync")
	for _, who := range []*client{c, other} {
		who.want(`"2"`, "GET", "a")
		if v := who.do("SET", "x", "y"); !strings.HasPrefix(string(v.Text), "MISCONF ") {
			t.Errorf("SET: %s", v)
		}
	}
}

// TestSyncFailsAlways: no answer but INDOUBT after a failed sync, and Serve ends with the reason.
func TestSyncFailsAlways(t *testing.T) {
	h := host(t, crashfs.New(), server.Options{}, "appendfsync", "always")
	c := h.client()
	c.want("+OK", "SET", "a", "1")
	h.logFails(crashfs.Sync)
	c.send("SET", "a", "2")
	c.wantInDoubt("a write whose sync failed")
	select {
	case err := <-h.served:
		h.served <- err
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "appendfsync always") {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(replyTimeout):
		t.Fatal("the server goes on")
	}
}

// TestFailureUnderLoadOnManyLoops lets a write or a sync fail while clients on several loops are at it. Who was answered
// finds the value after the death of the process (and, under always, after a power cut); each command gets one answer.
func TestFailureUnderLoadOnManyLoops(t *testing.T) {
	for _, policy := range []string{"always", "everysec"} {
		for _, kind := range []crashfs.Kind{crashfs.Write, crashfs.Sync} {
			for _, loops := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s %s %d", policy, kind, loops), func(t *testing.T) {
					failUnderLoad(t, policy, kind, loops)
				})
			}
		}
	}
}

func failUnderLoad(t *testing.T, policy string, kind crashfs.Kind, loops int) {
	fs := crashfs.New()
	h := host(t, fs, server.Options{Loops: loops}, "appendfsync", policy)
	var left atomic.Int64
	left.Store(150)
	if kind == crashfs.Sync && policy == "everysec" {
		left.Store(0) // they come once a second
	}
	fs.SetHook(func(op crashfs.Op) error {
		if op.Kind == kind && left.Add(-1) < 0 {
			return syscall.EIO
		}
		return nil
	})
	p := &process{t: t, sock: h.sock, log: h.log}
	y := writers(p, 8)
	if policy == "everysec" && len(y.unanswered) > 0 {
		t.Errorf("%d commands were not answered", len(y.unanswered))
	}
	if policy == "everysec" {
		c := h.client()
		c.want(`"in step"`, "ECHO", "in step")
		if n, _ := c.do("XLEN", "w0").Int(); n == 0 {
			t.Error("reads do not go on")
		}
	}
	next := fs.Killed()
	if policy == "always" {
		next = next.PowerCut(nil)
	}
	_ = h.end()
	h = host(t, next, server.Options{Loops: loops})
	y.audit(h.client(), 8)
}
