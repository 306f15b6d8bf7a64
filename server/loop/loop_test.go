//go:build linux

package loop_test

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/resp"
)

// TestPipelines: many clients on several loops send pipelines cut at odd places; each gets its own replies in its own order.
func TestPipelines(t *testing.T) {
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprint(loops), func(t *testing.T) {
			r := newRig(t, loops)
			var wait sync.WaitGroup
			for n := range 8 {
				c := r.client()
				wait.Go(func() { pipeline(c, n) })
			}
			wait.Wait()
		})
	}
}

func pipeline(c *client, n int) {
	const rounds = 200
	var all []byte
	for i := range rounds {
		all = resp.AppendRequest(all, "XADD", "all", "*", "f", strconv.Itoa(n))
		all = resp.AppendRequest(all, "ECHO", fmt.Sprintf("%d-%d", n, i))
		all = resp.AppendRequest(all, "XREAD", "BLOCK", "1", "STREAMS", "none"+strconv.Itoa(i%7), "$")
		all = resp.AppendRequest(all, "INCR", "n"+strconv.Itoa(n))
	}
	go func() {
		for size := 1; len(all) > 0; size = size*3%1021 + 1 {
			k := min(size, len(all))
			if _, err := c.conn.Write(all[:k]); err != nil {
				c.t.Error(err)
				return
			}
			all = all[k:]
		}
	}()
	for i := range rounds {
		if id := c.read(); !strings.Contains(id, "-") {
			c.t.Errorf("client %d, round %d: XADD: %s", n, i, id)
			return
		}
		c.want(fmt.Sprintf(`"%d-%d"`, n, i))
		c.want("*-1")
		c.want(fmt.Sprintf(":%d", i+1))
	}
}

// TestHalfClosed: what a client sent before it closed its side is carried out and answered; a wait ends.
func TestHalfClosed(t *testing.T) {
	r := newRig(t, 2)
	c := r.client()
	var all []byte
	for range 50_000 {
		all = resp.AppendRequest(all, "INCR", "n")
	}
	go func() {
		_, _ = c.conn.Write(all)
		_ = c.conn.CloseWrite()
	}()
	for i := range 50_000 {
		if got := c.read(); got != fmt.Sprintf(":%d", i+1) {
			t.Fatalf("reply %d: %s", i, got)
		}
	}
	if _, err := c.in.Read(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	c, other := r.client(), r.client()
	c.send("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
	other.untilInfo("blocked_clients", 1)
	_ = c.conn.CloseWrite()
	if _, err := c.in.Read(); err != io.EOF {
		t.Errorf("a wait at the end of the input: %v", err)
	}
	other.untilInfo("connected_clients", 1)
}

// TestBlockedHangsUp: nothing is delivered to a client that is gone.
func TestBlockedHangsUp(t *testing.T) {
	r := newRig(t, 3)
	c, dead, x := r.client(), r.client(), r.client()
	x.want("+OK", "XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
	for i, reader := range []*client{dead, c} {
		reader.send("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">")
		x.untilInfo("blocked_clients", i+1)
	}
	_ = dead.conn.Close()
	x.untilInfo("blocked_clients", 1)
	x.want(`"1-1"`, "XADD", "s", "1-1", "f", "v")
	c.want(`*1[*2["s", *1[*2["1-1", *2["f", "v"]]]]]`)
}

// TestDeadlinesOnAnyLoop: a short wait ends on time, whichever loop the client belongs to and whatever the timer slept for.
func TestDeadlinesOnAnyLoop(t *testing.T) {
	r := newRig(t, 3)
	for range 3 {
		c := r.client()
		c.want("+PONG", "PING")
		fastest := time.Hour
		for range 10 {
			start := time.Now()
			c.want("*-1", "XREAD", "BLOCK", "10", "STREAMS", "s", "$")
			fastest = min(fastest, time.Since(start))
		}
		if fastest < 10*time.Millisecond || fastest > 40*time.Millisecond {
			t.Errorf("a wait of 10 ms took %v at best", fastest)
		}
	}
}

// TestBigReply: a client that reads 64 MiB slowly gets them all, and others go on meanwhile.
func TestBigReply(t *testing.T) {
	r := newRig(t, 1)
	c, other := r.client(), r.client()
	const size = 64 << 20
	c.send("SETRANGE", "k", strconv.Itoa(size-3), "end")
	c.want(fmt.Sprintf(":%d", size))
	c.send("GET", "k")
	c.send("ECHO", "after")
	other.want("+PONG", "PING")
	v, err := c.in.Read()
	if err != nil || len(v.Text) != size || string(v.Text[size-3:]) != "end" {
		t.Fatalf("%d bytes, %v", len(v.Text), err)
	}
	c.want(`"after"`)
}

// TestQuitSendsEverything: a connection that closes sends what it owes first.
func TestQuitSendsEverything(t *testing.T) {
	r := newRig(t, 2)
	c := r.client()
	c.want(fmt.Sprintf(":%d", 8<<20), "SETRANGE", "k", strconv.Itoa(8<<20-1), "x")
	var all []byte
	for range 4 {
		all = resp.AppendRequest(all, "GET", "k")
	}
	if _, err := c.conn.Write(resp.AppendRequest(all, "QUIT")); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if v, err := c.in.Read(); err != nil || len(v.Text) != 8<<20 {
			t.Fatalf("%d bytes, %v", len(v.Text), err)
		}
	}
	c.want("+OK")
	if _, err := c.in.Read(); err == nil {
		t.Error("still open after QUIT")
	}
}

// TestSubscriberLimits: a subscriber that does not read is closed at the hard limit at once, past the soft one after a while.
func TestSubscriberLimits(t *testing.T) {
	for _, limits := range []string{"pubsub 4mb 0 0", "pubsub 0 1mb 1"} {
		r := newRig(t, 2, "client-output-buffer-limit", limits)
		slow, fast, x := r.client(), r.client(), r.client()
		for _, c := range []*client{slow, fast} {
			c.want(`*3["subscribe", "c", :1]`, "SUBSCRIBE", "c")
		}
		text := strings.Repeat("x", 1<<20)
		for range 6 {
			x.send("PUBLISH", "c", text)
			if got := x.read(); got != ":2" && got != ":1" {
				t.Fatalf("PUBLISH: %s", got)
			}
			if v, err := fast.in.Read(); err != nil || len(v.Elems) != 3 {
				t.Fatalf("%s: %v", v, err)
			}
		}
		x.until(":1", "PUBLISH", "c", "x")
		if strings.Contains(limits, " 0 1mb") {
			x.want(":1", "PUBLISH", "c", "x")
		}
	}
}

// TestHeldReplies: under `always` no reply leaves before the sync that covers it, also when syncs are left to the background;
// when one fails, each held reply becomes INDOUBT.
func TestHeldReplies(t *testing.T) {
	for _, fail := range []bool{false, true} {
		t.Run(fmt.Sprintf("fail=%v", fail), func(t *testing.T) {
			r := newRig(t, 2, "appendfsync", "always")
			c, other := r.client(), r.client()
			begun, release := make(chan struct{}, 1000), make(chan struct{})
			var failure error
			var mu sync.Mutex
			hold := false
			r.fs.SetHook(func(op crashfs.Op) error {
				mu.Lock()
				held := hold
				mu.Unlock()
				if op.Kind != crashfs.Sync || !held {
					<-time.After(time.Millisecond) // slow enough that the loop leaves it to the background
					return nil
				}
				begun <- struct{}{}
				<-release
				return failure
			})
			for i := range 50 {
				c.want(fmt.Sprintf(":%d", i+1), "INCR", "n")
			}
			mu.Lock()
			hold = true
			mu.Unlock()
			if fail {
				failure = errors.New("bad disk")
			}
			c.send("INCR", "n")
			<-begun
			c.send("INCR", "n")
			c.send("GET", "n")
			other.send("ECHO", "held as well: it might have seen what is lost")
			c.silent()
			other.silent()
			close(release)
			want := []string{":51", ":52", `"52"`, `"held as well: it might have seen what is lost"`}
			if fail {
				in := "-INDOUBT the log could not be written: the command may or may not survive a restart"
				want = []string{in, in, in, in}
			}
			c.want(want[0])
			c.want(want[1])
			c.want(want[2])
			other.want(want[3])
			c.want(`"in step"`, "ECHO", "in step")
			other.want(`"in step"`, "ECHO", "in step")
		})
	}
}

// TestComingAndGoing: clients that come, are killed or leave in the middle of things, on descriptors that are used again at
// once: whoever stays hears only its own.
func TestComingAndGoing(t *testing.T) {
	r := newRig(t, 3)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				c := r.client()
				name := fmt.Sprintf("%d-%d", n, i)
				_, _ = c.conn.Write(resp.AppendRequest(resp.AppendRequest(nil, "ECHO", name), "ECHO", name))
				for range 2 {
					v, err := c.in.Read()
					if err != nil {
						break // killed
					}
					if string(v.Text) != name {
						t.Errorf("%s heard %s", name, v)
					}
				}
				if i%3 == 0 {
					_, _ = c.conn.Write(resp.AppendRequest(nil, "SUBSCRIBE", "c"))
				}
				_ = c.conn.Close()
			}
		})
	}
	x := r.client()
	x.want("+OK", "CLIENT", "SETNAME", "x")
	for range 300 {
		x.send("CLIENT", "KILL", "TYPE", "normal")
		if got := x.read(); !strings.HasPrefix(got, ":") {
			t.Fatalf("CLIENT KILL: %s", got)
		}
		x.send("PUBLISH", "c", "news")
		if got := x.read(); !strings.HasPrefix(got, ":") {
			t.Fatalf("PUBLISH: %s", got)
		}
	}
	close(stop)
	wait.Wait()
	r.sh.Lock()
	defer r.sh.Unlock()
	if n := r.node.Stats.ConnectionsReceived; n < 10 {
		t.Errorf("only %d connections", n)
	}
}

func TestMaxClients(t *testing.T) {
	r := newRig(t, 2, "maxclients", "2")
	a, b := r.client(), r.client()
	a.want("+PONG", "PING")
	b.want("+PONG", "PING")
	c := r.client()
	c.want("-ERR max number of clients reached")
	_ = b.conn.Close()
	a.untilInfo("connected_clients", 1)
	r.client().want("+PONG", "PING")
}
