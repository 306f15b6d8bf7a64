package integration

import (
	"strings"
	"testing"
	"time"
)

// wholeState is everything a client can see of the keys, but for what the clock alone changes.
func wholeState(c *client) string {
	var b strings.Builder
	show := func(words ...string) {
		b.WriteString(strings.Join(words, " ") + "\n  " + c.do(words...).String() + "\n")
	}
	for _, db := range []string{"0", "1"} {
		c.want("+OK", "SELECT", db)
		show("DBSIZE")
		for _, key := range []string{"s", "empty", "trimmed", "once", "copy", "top", "gone"} {
			show("XINFO", "STREAM", key, "FULL", "COUNT", "0")
			show("XPENDING", key, "g")
			show("XPENDING", key, "idle")
			show("XINFO", "GROUPS", key)
			show("PEXPIRETIME", key)
		}
		for _, key := range []string{"text", "volatile", "n"} {
			show("GET", key)
			show("PEXPIRETIME", key)
		}
	}
	c.want("+OK", "SELECT", "0")
	b.WriteString("digest " + c.do("DEBUG", "DIGEST").String())
	return b.String()
}

// buildState makes one of each thing that a restart or a rewrite of Redis's once lost.
func buildState(c *client) {
	must := func(words ...string) {
		c.t.Helper()
		if v := c.do(words...); v.Err() != nil {
			c.t.Fatalf("%s: %s", strings.Join(words, " "), v)
		}
	}
	for i := range 9 {
		must("XADD", "s", string(rune('1'+i))+"-1", "f", "v", "binary\x00\r\n", strings.Repeat("x", 100*i))
	}
	must("XGROUP", "CREATE", "s", "g", "0", "ENTRIESREAD", "0")
	must("XGROUP", "CREATE", "s", "idle", "5-1")
	must("XGROUP", "CREATECONSUMER", "s", "idle", "never")
	must("XREADGROUP", "GROUP", "g", "a", "COUNT", "5", "STREAMS", "s", ">")
	must("XREADGROUP", "GROUP", "g", "b", "COUNT", "2", "STREAMS", "s", ">")
	must("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "NOACK", "STREAMS", "s", ">")
	must("XCLAIM", "s", "g", "b", "0", "1-1", "RETRYCOUNT", "7", "TIME", "1000000000000")
	must("XACK", "s", "g", "2-1")
	must("XDEL", "s", "3-1") // deleted, but pending
	must("XNACK", "s", "g", "FAIL", "IDS", "1", "6-1")
	must("XNACK", "s", "g", "SILENT", "IDS", "1", "4-1")
	must("XNACK", "s", "g", "FATAL", "IDS", "1", "9-1", "FORCE")
	must("XREADGROUP", "GROUP", "idle", "d", "NOACK", "STREAMS", "s", ">")
	must("XGROUP", "SETID", "s", "idle", "2-1")
	must("COPY", "s", "copy")
	// A stream without entries keeps its last id, its groups and their consumers.
	must("XGROUP", "CREATE", "empty", "g", "$", "MKSTREAM")
	must("XGROUP", "CREATECONSUMER", "empty", "g", "alone")
	must("XADD", "empty", "77-7", "f", "v")
	must("XDEL", "empty", "77-7")
	for i := range 300 {
		must("XADD", "trimmed", "*", "n", string(rune('a'+i%26)))
	}
	must("XTRIM", "trimmed", "MAXLEN", "~", "120")
	must("XSETID", "trimmed", "99999999999999-5", "ENTRIESADDED", "4000", "MAXDELETEDID", "99999999999999-1")
	must("XADD", "top", "18446744073709551615-18446744073709551615", "f", "v")
	must("XADD", "once", "IDMP", "p1", "i1", "*", "f", "v")
	must("XADD", "once", "IDMPAUTO", "p2", "*", "f", "v")
	must("XCFGSET", "copy", "IDMP-DURATION", "1000", "IDMP-MAXSIZE", "7")
	must("SET", "text", "binary\x00\xff\r\n")
	must("SET", "volatile", "v", "PX", "100000000")
	must("INCRBY", "n", "-42")
	must("PEXPIRE", "copy", "100000000")
	must("SET", "gone", "x")
	must("PEXPIRE", "gone", "1")
	must("SELECT", "1")
	must("XADD", "s", "1-1", "other", "database")
	must("SELECT", "0")
}

// TestStateSurvives compares everything that can be seen of the state before and after each way in which it is written and
// read again (P-S6, T31).
func TestStateSurvives(t *testing.T) {
	p := startStreamd(t, binary, "--appendfsync", "always")
	c := p.client()
	buildState(c)
	for until := time.Now().Add(replyTimeout); ; { // the key with a deadline is gone by a logged decision
		if n, _ := c.do("EXISTS", "gone").Int(); n == 0 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("a key did not expire")
		}
	}
	want := wholeState(c)
	if strings.Contains(want, "ERR unknown") {
		t.Fatalf("the test asks for something unknown:\n%s", want)
	}
	orderly := func() {
		if code := p.stop(); code != 0 {
			t.Fatalf("exit code %d:\n%s", code, p.log)
		}
		p.start()
	}
	for _, way := range []struct {
		name string
		do   func(c *client)
	}{
		{"kill -9", func(*client) { p.restart() }},
		{"SIGTERM", func(*client) { orderly() }},
		{"DEBUG RELOAD", func(c *client) { c.want("+OK", "DEBUG", "RELOAD") }},
		{"DEBUG LOADAOF", func(c *client) { c.want("+OK", "DEBUG", "LOADAOF") }},
		{"rewrite", func(c *client) { rewrite(t, c) }},
		{"rewrite and kill -9", func(c *client) { rewrite(t, c); p.restart() }},
		{"SAVE and kill -9", func(c *client) { c.want("+OK", "SAVE"); p.restart() }},
		{"SHUTDOWN SAVE", func(c *client) { c.send("SHUTDOWN", "SAVE"); <-p.done; p.start() }},
		{"SHUTDOWN NOSAVE", func(c *client) { c.send("SHUTDOWN", "NOSAVE"); <-p.done; p.start() }},
		{"appendonly no, after SAVE", func(c *client) { c.want("+OK", "SAVE"); p.restart("--appendonly", "no") }},
		{"a second rewrite and SIGTERM", func(c *client) { p.restart(); rewrite(t, p.client()); orderly() }},
	} {
		way.do(p.client())
		if got := wholeState(p.client()); got != want {
			t.Fatalf("after %s:\n%s", way.name, firstDifference(want, got))
		}
	}
	// The table of idempotent ids works on, and a claim of what nobody owns too.
	c = p.client()
	first := c.do("XRANGE", "once", "-", "+", "COUNT", "1").Elems[0].Elems[0].String()
	c.want(first, "XADD", "once", "IDMP", "p1", "i1", "*", "f", "other")
	c.want(":2", "XLEN", "once")
	c.want(`-ERR The stream has exhausted the last possible ID, unable to add more items`, "XADD", "top", "*", "f", "v")
	c.want(`-ERR The ID specified in XADD is equal or smaller than the target stream top item`, "XADD", "empty", "77-7", "f", "v")
}

// firstDifference shows the first line that differs.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[max(0, i-1)] + "\nbefore: " + a[i] + "\nafter:  " + b[i]
		}
	}
	return "one is longer"
}
