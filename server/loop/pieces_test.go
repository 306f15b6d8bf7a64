//go:build linux

package loop_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/resp"
)

// longEntries is how many entries fillLong makes: about 5 MiB as a reply.
const longEntries = 30_000

// fillLong makes a stream of entries 1-0, 2-0 ….
func (c *client) fillLong(key string) {
	c.t.Helper()
	const turn = 1000
	for from := 1; from <= longEntries; from += turn {
		var all []byte
		for i := from; i < from+turn; i++ {
			all = resp.AppendRequest(all, "XADD", key, strconv.Itoa(i)+"-0", "field", longValue(i))
		}
		if _, err := c.conn.Write(all); err != nil {
			c.t.Fatal(err)
		}
		for i := from; i < from+turn; i++ {
			c.want(fmt.Sprintf(`"%d-0"`, i))
		}
	}
}

func longValue(i int) string { return fmt.Sprintf("%0120d", i*7) }

// longReply is what a range over the entries from, from+step … to answers.
func longReply(from, to, step int) string {
	var b strings.Builder
	n := 0
	for i := from; i != to+step; i += step {
		id := strconv.Itoa(i) + "-0"
		fmt.Fprintf(&b, "*2\r\n$%d\r\n%s\r\n*2\r\n$5\r\nfield\r\n$120\r\n%s\r\n", len(id), id, longValue(i))
		n++
	}
	return fmt.Sprintf("*%d\r\n%s", n, b.String())
}

// slowly reads what is wanted in small portions and calls disturb after each some of them.
func (c *client) slowly(want string, disturb func()) {
	c.t.Helper()
	portion := make([]byte, 64<<10)
	for at := 0; at < len(want); {
		n, err := io.ReadFull(c.conn, portion[:min(len(portion), len(want)-at)])
		if err != nil {
			c.t.Fatalf("from byte %d on: %v", at, err)
		}
		for i := range n {
			if portion[i] != want[at+i] {
				c.t.Fatalf("at byte %d: %.200q…, want %.200q…", at+i, portion[i:n], want[at+i:at+n])
			}
		}
		at += n
		disturb()
	}
}

// TestLongReplies: long replies come whole and in order with all that was sent behind them, and tell the state as of their
// command, while others append, trim, delete and flush.
func TestLongReplies(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		r := newRig(t, 2)
		x, c := r.client(), r.client()
		for _, key := range []string{"s", "t"} {
			x.fillLong(key)
		}
		c.send("HELLO", proto)
		c.read()
		var all []byte
		for _, line := range []string{
			"XRANGE s - +", "ECHO 1", "XREVRANGE s + -", "XRANGE s 777 (25000-0", "XREAD COUNT 29000 STREAMS s t 0 0", "SET k v", "CLIENT REPLY SKIP", "XRANGE s - +",
			"MULTI", "XRANGE s - + COUNT 20000", "SET k w", "XRANGE t (100 +", "GET k", "EXEC", "ECHO 2",
		} {
			all = resp.AppendRequest(all, strings.Fields(line)...)
		}
		pair, outer := "*2\r\n", "*2\r\n"
		if proto == "3" {
			pair, outer = "", "%2\r\n"
		}
		want := longReply(1, longEntries, 1) + "$1\r\n1\r\n" + longReply(longEntries, 1, -1) + longReply(777, 24_999, 1) +
			outer + pair + "$1\r\ns\r\n" + longReply(1, 29_000, 1) + pair + "$1\r\nt\r\n" + longReply(1, 29_000, 1) + "+OK\r\n" +
			"+OK\r\n" + strings.Repeat("+QUEUED\r\n", 4) + "*4\r\n" + longReply(1, 20_000, 1) + "+OK\r\n" + longReply(101, longEntries, 1) + "$1\r\nw\r\n" + "$1\r\n2\r\n"
		if _, err := c.conn.Write(all[:len(all)-5]); err != nil {
			t.Fatal(err)
		}
		i, before := 0, strings.LastIndex(want, "+OK\r\n+QUEUED")
		c.slowly(want[:before], func() { i++; x.want(":0", "XDEL", "s", "0-"+strconv.Itoa(i)) })
		if _, err := c.conn.Write(all[len(all)-5:]); err != nil {
			t.Fatal(err)
		}
		c.slowly(want[before:before+1<<20], func() {})
		i = 0
		c.slowly(want[before+1<<20:], func() {
			switch i++; i {
			case 1, 2, 3, 4, 5, 6:
				x.want(":1", "XDEL", "s", strconv.Itoa(19_000+i)+"-0")
				x.want(fmt.Sprintf(`"%d-0"`, longEntries+i), "XADD", "s", strconv.Itoa(longEntries+i)+"-0", "f", "v")
			case 7:
				x.want(fmt.Sprintf(":%d", longEntries-100), "XTRIM", "s", "MAXLEN", "100")
			case 8:
				x.want("+OK", "FLUSHALL")
				x.fillLong("s")
			case 9:
				x.want(":1", "DEL", "s")
			}
		})
		c.want(`*0[]`, "XRANGE", "s", "-", "+")
	}
}

// TestPushesBesideLongReply: what is pushed to a client meanwhile comes between replies, never inside one.
func TestPushesBesideLongReply(t *testing.T) {
	r := newRig(t, 2)
	x, c := r.client(), r.client()
	x.fillLong("s")
	c.send("HELLO", "3")
	c.read()
	c.want("+OK", "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "k")
	_, _ = c.conn.Write(resp.AppendRequest(resp.AppendRequest(nil, "XRANGE", "s", "-", "+"), "ECHO", "end"))
	i := 0
	c.slowly(longReply(1, longEntries, 1), func() {
		if i++; i < 4 {
			x.want("+OK", "SET", fmt.Sprintf("k%d", i), "v")
		}
	})
	heard := ""
	for range 4 {
		heard += c.read() + " "
	}
	for _, part := range []string{`>2["invalidate", *1["k1"]]`, `>2["invalidate", *1["k2"]]`, `>2["invalidate", *1["k3"]]`, `"end"`} {
		if !strings.Contains(heard, part) {
			t.Errorf("heard %s, want %s in it", heard, part)
		}
	}
}

// TestBlockedReadIsServedAtLength: a read that waited may be answered at length too.
func TestBlockedReadIsServedAtLength(t *testing.T) {
	r := newRig(t, 2)
	x, c := r.client(), r.client()
	x.fillLong("s")
	_, _ = c.conn.Write(resp.AppendRequest(resp.AppendRequest(nil, "XREAD", "BLOCK", "0", "STREAMS", "none", "0"), "ECHO", "end"))
	x.untilInfo("blocked_clients", 1)
	x.want("+OK", "RENAME", "s", "none")
	c.slowly("*1\r\n*2\r\n$4\r\nnone\r\n"+longReply(1, longEntries, 1)+"$3\r\nend\r\n", func() { x.want("+PONG", "PING") })
}

// TestLongReplyToOneWhoHangsUp: half-closed clients get everything; of those who go away or are killed nothing stays, neither
// what they have not read nor what it is read from.
func TestLongReplyToOneWhoHangsUp(t *testing.T) {
	r := newRig(t, 2)
	x, half := r.client(), r.client()
	x.fillLong("s")
	_, _ = half.conn.Write(resp.AppendRequest(resp.AppendRequest(nil, "XRANGE", "s", "-", "+"), "ECHO", "end"))
	_ = half.conn.CloseWrite()
	half.slowly(longReply(1, longEntries, 1)+"$3\r\nend\r\n", func() {})
	if _, err := half.in.Read(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for _, how := range []string{"close", "kill"} {
		slow := r.client()
		slow.want("+OK", "CLIENT", "SETNAME", "slow")
		_, _ = slow.conn.Write(bytes.Repeat(resp.AppendRequest(nil, "XRANGE", "s", "-", "+"), 100))
		waiting := 0
		for start := time.Now(); waiting == 0 && time.Since(start) < patience; waiting = outputOf(x, "slow") {
		}
		if waiting == 0 || waiting > 1<<20 {
			t.Errorf("%s: %d bytes wait for a client that reads nothing", how, waiting)
		}
		gone := make(chan struct{})
		r.watchRests(1, func() { close(gone) })
		if how == "kill" {
			x.want(":1", "CLIENT", "KILL", "LADDR", r.sock+":0", "SKIPME", "yes")
		}
		_ = slow.conn.Close()
		x.untilInfo("connected_clients", 1)
		for start := time.Now(); ; {
			runtime.GC()
			select {
			case <-gone:
			case <-time.After(time.Millisecond):
				if time.Since(start) < patience {
					continue
				}
				t.Errorf("%s: the image is still held", how)
			}
			break
		}
	}
}

// watchRests checks how many replies go on.
func (r *rig) watchRests(want int, gone func()) {
	r.t.Helper()
	r.sh.Lock()
	defer r.sh.Unlock()
	got := 0
	for _, l := range r.all {
		got += l.WatchRests(gone)
	}
	if got != want {
		r.t.Errorf("%d replies go on, want %d", got, want)
	}
}

// outputOf is what waits for the client of that name.
func outputOf(x *client, name string) int {
	x.send("CLIENT", "LIST")
	for _, line := range strings.Split(x.read(), `\n`) {
		if _, rest, ok := strings.Cut(line, " obl="); ok && strings.Contains(line, "name="+name) {
			text, _, _ := strings.Cut(rest, " ")
			n, _ := strconv.Atoi(text)
			return n
		}
	}
	return -1
}

// TestLongReplyAtTheEnd: a server that stops completes what it has begun.
func TestLongReplyAtTheEnd(t *testing.T) {
	got := make(chan string)
	want := longReply(1, longEntries, 1)
	t.Run("stop", func(t *testing.T) {
		r := newRig(t, 1)
		r.client().fillLong("s")
		c, err := net.Dial("unix", r.sock)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write(resp.AppendRequest(resp.AppendRequest(nil, "XRANGE", "s", "-", "+"), "ECHO", "never"))
		first := make([]byte, 1000)
		_, _ = io.ReadFull(c, first)
		go func() {
			rest, _ := io.ReadAll(c)
			got <- string(first) + string(rest)
		}()
	})
	if all := <-got; all != want {
		t.Errorf("%d bytes, want %d", len(all), len(want))
	}
}

// TestHeldLongReply: no byte of a long reply leaves before what it saw is durable; if that fails, it becomes one INDOUBT, and
// the connection goes on.
func TestHeldLongReply(t *testing.T) {
	for _, fail := range []bool{false, true} {
		r := newRig(t, 2, "appendfsync", "always")
		c, x := r.client(), r.client()
		x.fillLong("s")
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
			x.want(fmt.Sprintf(":%d", i+1), "INCR", "n")
		}
		mu.Lock()
		hold = true
		mu.Unlock()
		if fail {
			failure = errors.New("bad disk")
		}
		x.send("INCR", "n")
		<-begun
		_, _ = c.conn.Write(resp.AppendRequest(resp.AppendRequest(nil, "XRANGE", "s", "-", "+"), "ECHO", "end"))
		c.silent()
		close(release)
		if fail {
			c.want("-INDOUBT the log could not be written: the command may or may not survive a restart")
		} else {
			c.slowly(longReply(1, longEntries, 1), func() {})
		}
		c.want(`"end"`)
	}
}

// TestLongReplyCounts: statistics know the bytes of pieces.
func TestLongReplyCounts(t *testing.T) {
	r := newRig(t, 1)
	x, c := r.client(), r.client()
	x.fillLong("s")
	want := longReply(1, longEntries, 1)
	c.send("XRANGE", "s", "-", "+")
	c.slowly(want, func() {})
	c.want("+PONG", "PING")
	r.sh.Lock()
	defer r.sh.Unlock()
	for _, s := range r.node.Clients.All() {
		if s.LastCommand == "ping" && s.NetOut != int64(len(want)+len("+PONG\r\n")) {
			t.Errorf("%d bytes sent, want %d", s.NetOut, len(want)+len("+PONG\r\n"))
		}
	}
	if n := r.node.Stats.NetOut; n < int64(len(want)) {
		t.Errorf("%d bytes sent in all, want at least %d", n, len(want))
	}
}
