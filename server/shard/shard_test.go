package shard_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/server/session"
)

func TestDialogues(t *testing.T) {
	for name, script := range map[string]string{
		"waiters are served in the order they came": `
			x: XGROUP CREATE s g $ MKSTREAM
			a: XREADGROUP GROUP g a COUNT 1 BLOCK 0 STREAMS s >
			b: XREADGROUP GROUP g b COUNT 1 BLOCK 0 STREAMS s >
			c: XREADGROUP GROUP g c COUNT 1 BLOCK 0 STREAMS s >
			x: MULTI
			x: XADD s 1-1 f v
			x: XADD s 2-1 f v
			x: EXEC
			x< +OK +OK +QUEUED +QUEUED *2["1-1", "2-1"]
			a< *1[*2["s", *1[*2["1-1", *2["f", "v"]]]]]
			b< *1[*2["s", *1[*2["2-1", *2["f", "v"]]]]]
			c<
			a: XREADGROUP GROUP g a COUNT 1 BLOCK 0 STREAMS s >
			x: XADD s 3-1 f v
			c< *1[*2["s", *1[*2["3-1", *2["f", "v"]]]]]
			a<
			x: XGROUP DESTROY s g
			a< -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option`,
		"deadlines, and what was sent behind a blocking command": `
			a: XREAD BLOCK 50 STREAMS s $
			b: XREAD BLOCK 20 STREAMS s $
			a: PING
			tick 19
			b<
			tick 1
			b< *-1
			a<
			tick 30
			a< *-1 +PONG
			tick 10000
			a<`,
		"XREADGROUP CLAIM looks again when an entry is old enough": `
			x: XGROUP CREATE s g 0 MKSTREAM
			x: XADD s 1-1 f v
			x: XREADGROUP GROUP g a STREAMS s >
			b: XREADGROUP GROUP g b CLAIM 100 BLOCK 500 STREAMS s >
			tick 99
			b<
			tick 1
			b< *1[*2["s", *1[*4["1-1", *2["f", "v"], :100, :1]]]]`,
		"CLIENT UNBLOCK": `
			a: CLIENT ID
			b: CLIENT ID
			a: XREAD BLOCK 0 STREAMS s $
			b: XREAD BLOCK 0 STREAMS s $
			x: CLIENT UNBLOCK 1
			x: CLIENT UNBLOCK 2 ERROR
			x: CLIENT UNBLOCK 2
			x< :1 :1 :0
			a< :1 *-1
			b< :2 -UNBLOCKED client unblocked via CLIENT UNBLOCK`,
		"CLIENT PAUSE holds commands in order until it ends": `
			x: CLIENT PAUSE 100 WRITE
			a: SET k 1
			a: GET k
			b: GET k
			b: MULTI
			b: PING
			b: EXEC
			x: CLIENT PAUSE 50 ALL
			b: GET k
			b< $-1 +OK +QUEUED *1[+PONG]
			tick 99
			a<
			tick 1
			a< +OK "1"
			b< "1"
			x: CLIENT PAUSE 1000 WRITE
			a: DEL k
			x: CLIENT UNPAUSE
			a< :1
			x< +OK +OK +OK +OK`,
		"a paused command keeps the SKIP meant for it": `
			x: CLIENT PAUSE 100
			a: CLIENT REPLY SKIP
			tick 100
			a: SET k 1
			a: GET k
			a< "1"`,
		"CLIENT REPLY holds for blocking commands too": `
			a: CLIENT REPLY SKIP
			a: XREAD BLOCK 10 STREAMS s $
			a: PING
			tick 10
			a< +PONG
			a: CLIENT REPLY OFF
			a: XREAD BLOCK 0 STREAMS s $
			x: XADD s 1-1 f v
			a: CLIENT REPLY ON
			a< +OK`,
		"transactions that fail": `
			a: MULTI
			a: NOSUCH
			a: EXEC
			a< +OK -ERR unknown command 'NOSUCH', with args beginning with:  -EXECABORT Transaction discarded because of previous errors.
			a: MULTI
			a: EXEC 1
			a: EXEC
			a< +OK -EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command -ERR EXEC without MULTI
			a: MULTI
			a: SET k v
			a: XADD k 1-1 f v
			a: GET k
			a: EXEC
			a< +OK +QUEUED +QUEUED +QUEUED *3[+OK, -WRONGTYPE Operation against a key holding the wrong kind of value, "v"]`,
		"nothing blocks inside MULTI": `
			a: MULTI
			a: XREAD BLOCK 0 STREAMS s $
			a: WAIT 1 0
			a: EXEC
			a< +OK +QUEUED +QUEUED *2[*-1, :0]`,
		"watches": `
			a: WATCH k
			b: SET k 1 PX 10
			a: MULTI
			a: EXEC
			a< +OK +OK *-1
			a: WATCH k
			tick 10
			a: MULTI
			a: EXEC
			a< +OK +OK *-1
			a: WATCH k
			a: UNWATCH
			b: SET k 2
			a: MULTI
			a: EXEC
			a< +OK +OK +OK *0[]`,
		"a key in the way of COPY or MOVE may have expired": `
			a: DEBUG SET-ACTIVE-EXPIRE 0
			a: SELECT 1
			a: SET k old PX 10
			a: SET l old PX 10
			a: SELECT 0
			a: SET k new
			a: SET l new
			tick 10
			a: COPY k k DB 1
			a: MOVE l 1
			a: MOVE k 99
			a< +OK +OK +OK +OK +OK +OK +OK :1 :1 -ERR DB index is out of range`,
		"messages wait for the transaction they are sent in": `
			a: SUBSCRIBE c
			a: MULTI
			b: HELLO 3
			b: SUBSCRIBE c
			b: MULTI
			b: PUBLISH c one
			b: PING
			b: EXEC
			a< *3["subscribe", "c", :1] -ERR Can't execute 'multi': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context *3["message", "c", "one"]`,
		"MONITOR shows commands when they run": `
			m: MONITOR
			a: MULTI
			a: SET k v
			a: CONFIG GET nosuch
			tick 3
			a: EXEC
			a: XREAD BLOCK 5 STREAMS s $
			tick 5
			m< +OK +1700000000.000000 [0 127.0.0.1:5000] "MULTI" +1700000000.003000 [0 127.0.0.1:5000] "SET" "k" "v" +1700000000.003000 [0 127.0.0.1:5000] "EXEC" +1700000000.003000 [0 127.0.0.1:5000] "XREAD" "BLOCK" "5" "STREAMS" "s" "$"`,
		"BGSAVE inside a transaction": `
			a: MULTI
			a: SET a 1
			a: BGSAVE
			a: BGREWRITEAOF
			a: DEBUG RELOAD
			a: SET b 1
			a: EXEC
			a< +OK +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED *5[+OK, +Background saving started, +Background append only file rewriting started, +OK, +OK]`,
		"WAITAOF": `
			a: SET k v
			a: WAITAOF 1 0 0
			a: WAITAOF 0 1 10
			a< +OK *2[:1, :0]
			tick 10
			a< *2[:1, :0]`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "appendfsync", "always")
			r.talk(script)
			r.checkReplay()
		})
	}
}

// TestTransactionIsOneFrame: neither a snapshot nor the size of what is written tears a transaction apart.
func TestTransactionIsOneFrame(t *testing.T) {
	r := newRig(t)
	before := r.log.Written()
	r.talk("a: MULTI")
	big := strings.Repeat("x", 60_000)
	for range 30 {
		r.say("a", "SET k "+big)
	}
	r.talk("a: BGSAVE\na: SET l v")
	r.talk("a: EXEC")
	if got := r.log.Written() - before; got != 1 {
		t.Errorf("%d frames, want 1", got)
	}
	r.checkReplay()
}

// TestFrameIsBounded: outside a transaction a round that grows is written in several frames.
func TestFrameIsBounded(t *testing.T) {
	r := newRig(t)
	big := strings.Repeat("x", 60_000)
	for range 100 {
		r.say("a", "APPEND k "+big)
	}
	if got := r.log.Written(); got < 5 {
		t.Errorf("%d frames for 6 MB", got)
	}
	r.checkReplay()
}

// TestCommandTooLargeForTheLog is refused before anything is applied.
func TestCommandTooLargeForTheLog(t *testing.T) {
	r := newRig(t)
	value := make([]byte, 64<<20)
	args := [][]byte{[]byte("MSET")}
	for range 16 {
		args = append(args, []byte("k"), value)
	}
	c := r.client("a")
	r.locked(func() { r.sh.Execute(c.s, args) })
	r.talk("a: EXISTS k\na< -ERR command is too large for the log :0")
	r.checkReplay()
}

// TestFailedFrame: each loop learns once that what it executed may be lost, whichever loop wrote the frame.
func TestFailedFrame(t *testing.T) {
	r := newRig(t)
	r.fs.SetHook(func(op crashfs.Op) error {
		if op.Kind == crashfs.Write {
			return errors.New("no more")
		}
		return nil
	})
	r.talk("x: XGROUP CREATE s g $ MKSTREAM\nw: XREADGROUP GROUP g w BLOCK 0 STREAMS s >\nx: XADD s 1-1 f v")
	if got := r.client("x").s.Answers; got != 2 {
		t.Errorf("%d answers of the writer, want 2", got)
	}
	if got := r.client("w").s.Answers; got != 1 {
		t.Errorf("%d answers of the reader it woke, want 1", got)
	}
	var first, second int
	for i, want := range []bool{true, true, false, false} {
		r.sh.Lock()
		_, doubt := r.sh.EndRound([]*int{&first, &second}[i%2])
		r.sh.Unlock()
		if doubt != want {
			t.Errorf("round %d: doubt %v, want %v", i, doubt, want)
		}
	}
	r.client("x").heard()
	r.client("w").heard()
	r.talk(`
		x: CONFIG SET stream-node-max-entries 5
		x: XLEN s
		x: MULTI
		x: SET a b`)
	if got := r.client("x").heard(); !strings.Contains(got, "MISCONF") || !strings.Contains(got, ":1 +OK -MISCONF") {
		t.Errorf("after the failure: %s", got)
	}
}

// TestTrackingAfterWaiting: what a client reads after it waited is remembered as if it had been there at once.
func TestTrackingAfterWaiting(t *testing.T) {
	r := newRig(t)
	r.talk("a: HELLO 3\na: CLIENT TRACKING ON OPTIN\na: CLIENT CACHING YES\na: XREAD BLOCK 0 STREAMS s 0")
	r.client("a").heard()
	r.talk("x: XADD s 1-1 f v")
	if got := r.client("a").heard(); !strings.Contains(got, `%1{"s": *1[*2["1-1", *2["f", "v"]]]}`) {
		t.Errorf("heard %s", got)
	}
	r.talk("x: XADD s 2-1 f v\nx: XADD s 3-1 f v\na< >2[\"invalidate\", *1[\"s\"]]")
}

// TestWaiterOfABrokenLog is refused when it would be served.
func TestWaiterOfABrokenLog(t *testing.T) {
	r := newRig(t)
	r.talk("x: XGROUP CREATE s g $ MKSTREAM\nx: XADD s 1-1 f v\nx: XREADGROUP GROUP g w STREAMS s >\nw: XREADGROUP GROUP g w CLAIM 50 BLOCK 0 STREAMS s >")
	r.endRound()
	r.client("w").heard()
	r.fs.SetHook(func(crashfs.Op) error { return errors.New("no more") })
	r.talk("x: SET k v")
	r.endRound()
	r.tick(100)
	if got := r.client("w").heard(); !strings.HasPrefix(got, "-MISCONF ") {
		t.Errorf("heard %s", got)
	}
}

// TestKilled: what waits, listens, watches or tracks is forgotten with the client, though it dies inside another's command.
func TestKilled(t *testing.T) {
	r := newRig(t)
	r.talk(`
		a: SUBSCRIBE c
		b: XREAD BLOCK 0 STREAMS s $
		d: CLIENT PAUSE 0
		x: MULTI
		x: CLIENT KILL TYPE pubsub
		x: CLIENT KILL ID 2
		x: XADD s 1-1 f v
		x: PUBLISH c m
		x: CLIENT KILL ID 4 SKIPME no
		x: PING
		x: EXEC
		x< +OK +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED +QUEUED *6[:1, :1, "1-1", :0, :1, +PONG]
		a< *3["subscribe", "c", :1]
		b<`)
	if !r.client("x").s.CloseAfter || r.node.Clients.Count() != 2 {
		t.Errorf("CloseAfter %v, %d clients", r.client("x").s.CloseAfter, r.node.Clients.Count())
	}
}

func TestShutdown(t *testing.T) {
	r := newRig(t, "save", "1 1000")
	r.talk("a: SET k v\na: SHUTDOWN\na: GET k\nb: GET k\na< +OK\nb<")
	if !r.exited || r.log.Snapshot().Index == 0 {
		t.Errorf("exited %v, snapshot %+v", r.exited, r.log.Snapshot())
	}
}

// TestShutdownDuringASave writes a snapshot of its own when that one is done.
func TestShutdownDuringASave(t *testing.T) {
	r := newRig(t)
	hold := make(chan struct{})
	r.fs.SetHook(func(op crashfs.Op) error {
		if op.Kind == crashfs.Rename && strings.HasSuffix(op.Name, ".snap") {
			<-hold
		}
		return nil
	})
	r.talk("a: SET k v\na: BGSAVE\na: SET k w\na: SHUTDOWN SAVE\na< +OK +Background saving started +OK")
	if r.exited {
		t.Fatal("the server ends while a snapshot is written")
	}
	close(hold)
	for ended := false; !ended; {
		r.locked(func() { ended = r.exited })
	}
	if got := r.log.Snapshot().Index; got != r.log.Written() {
		t.Errorf("the snapshot is of index %d, want %d", got, r.log.Written())
	}
}

func TestScheduledSave(t *testing.T) {
	r := newRig(t)
	hold := make(chan struct{})
	r.fs.SetHook(func(op crashfs.Op) error {
		if op.Kind == crashfs.Rename && strings.HasSuffix(op.Name, ".snap") {
			<-hold
		}
		return nil
	})
	r.talk("a: SET k v\na: BGREWRITEAOF\na: BGREWRITEAOF\na: BGSAVE\na: BGSAVE SCHEDULE")
	want := `+OK +Background append only file rewriting started -ERR Background append only file rewriting already in progress ` +
		`-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible. ` +
		`+Background saving scheduled`
	if got := r.client("a").heard(); got != want {
		t.Errorf("heard %s\nwant %s", got, want)
	}
	status := func() (st session.LogStatus) {
		r.locked(func() { st = r.node.Host.LogStatus() })
		return st
	}
	if st := status(); st.SnapshotBusy || !st.RewriteBusy {
		t.Errorf("during the rewrite: %+v", st)
	}
	close(hold)
	for status().Saves < 2 {
	}
	if st := status(); st.SnapshotBusy || st.RewriteBusy || st.Rewrites != 1 || st.ChangesSince != 0 {
		t.Errorf("at the end: %+v", st)
	}
}

// TestSavePoints: they start a snapshot also when there is a log, and reads that only count deliveries are no changes.
func TestSavePoints(t *testing.T) {
	r := newRig(t, "save", "60 3", "auto-aof-rewrite-percentage", "0")
	r.talk("a: XGROUP CREATE s g 0 MKSTREAM\na: XADD s 1-1 f v\na: XREADGROUP GROUP g c STREAMS s >")
	changes := func() (n int64) {
		r.locked(func() { n = r.node.Host.LogStatus().ChangesSince })
		return n
	}
	if got := changes(); got != 3 {
		t.Fatalf("%d changes, want 3", got)
	}
	r.tick(1)
	r.talk("a: XREADGROUP GROUP g c STREAMS s 0\na: XREADGROUP GROUP g c STREAMS s >")
	if got := changes(); got != 3 {
		t.Errorf("%d changes after reading history, want 3", got)
	}
	r.checkReplay()
	r.tick(59_000)
	if r.log.Snapshot().Index != 0 {
		t.Error("a snapshot too early")
	}
	r.tick(1000)
	r.tick(1000)
	for changes() != 0 {
	}
}

func TestBlockedClientIsNotIdle(t *testing.T) {
	r := newRig(t, "timeout", "5")
	r.talk("a: XREAD BLOCK 10000 STREAMS s $\ntick 1000\ntick 8000\ntick 1000\na< *-1\ntick 1000")
	if r.client("a").closed != "" {
		t.Errorf("closed: %s", r.client("a").closed)
	}
	r.talk("tick 4000\ntick 1000\ntick 1000")
	if r.client("a").closed == "" {
		t.Error("an idle client stays")
	}
}

func TestSoonerDeadlines(t *testing.T) {
	r := newRig(t)
	for i, tt := range []struct {
		block  string
		sooner int
	}{{"0", 0}, {"100", 1}, {"200", 1}, {"50", 2}} {
		r.say(tt.block, "XREAD BLOCK "+tt.block+" STREAMS s $")
		if r.sooner != tt.sooner {
			t.Errorf("%d: told %d times, want %d", i, r.sooner, tt.sooner)
		}
	}
}
