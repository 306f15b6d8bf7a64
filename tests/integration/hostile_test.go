package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/streamd/streamd/resp"
)

// raw is a connection of somebody who does not keep to the protocol.
func (p *process) raw() net.Conn {
	p.t.Helper()
	conn := p.dial()
	p.t.Cleanup(func() { conn.Close() })
	return conn
}

// answer sends bytes and returns everything that comes back until the server hangs up.
func answer(t *testing.T, conn net.Conn, send string) string {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(replyTimeout))
	if _, err := io.WriteString(conn, send); err != nil && !hungUp(err) {
		t.Fatalf("%.40q: %v", send, err)
	}
	b, err := io.ReadAll(conn)
	if err != nil && !hungUp(err) {
		t.Fatalf("%.40q: %v, after %q", send, err, b)
	}
	return string(b)
}

func hungUp(err error) bool { return errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) }

// flood writes the same bytes again and again, reading nothing, until the server hangs up.
func flood(t *testing.T, conn net.Conn, what string) {
	t.Helper()
	block := bytes.Repeat([]byte(what), 1+64<<10/len(what))
	_ = conn.SetDeadline(time.Now().Add(replyTimeout))
	for range 4 << 30 / len(block) {
		if _, err := conn.Write(block); hungUp(err) {
			return
		} else if err != nil {
			t.Fatalf("flood of %.20q: %v", what, err)
		}
	}
	t.Fatalf("a flood of %.20q goes on", what)
}

// status returns a figure of /proc/PID/status: VmRSS in KiB, Threads.
func (p *process) status(name string) int {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + `:\s*(\d+)`).FindSubmatch(b)
	if m == nil {
		p.t.Fatalf("no %s in\n%s", name, b)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// cpu is the processor time that the process has used.
func (p *process) cpu() time.Duration {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// inLog waits until the log of the process has a line that matches.
func (p *process) inLog(pattern string) {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(replyTimeout); !re.MatchString(p.log.String()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("the log has no %q:\n%.4000s", pattern, p.log)
		}
	}
}

// TestHostileLengths: lengths that are absurd, negative, or overflow an integer are a protocol error at once (S01).
func TestHostileLengths(t *testing.T) {
	p := startStreamd(t, binary)
	other := p.client()
	before := p.status("VmRSS")
	for send, want := range map[string]string{
		"*1\r\n$9223372036854775807\r\n":                    "-ERR Protocol error: invalid bulk length\r\n",
		"*1\r\n$9223372036854775808\r\n":                    "-ERR Protocol error: invalid bulk length\r\n",
		"*1\r\n$18446744073709551619\r\nfoo\r\n":            "-ERR Protocol error: invalid bulk length\r\n",
		"*1\r\n$-1\r\n":                                     "-ERR Protocol error: invalid bulk length\r\n",
		"*1\r\n$536870913\r\n":                              "-ERR Protocol error: invalid bulk length\r\n",
		"*1\r\n$00\r\n":                                     "-ERR Protocol error: invalid bulk length\r\n",
		"*1\r\n$ 1\r\n":                                     "-ERR Protocol error: invalid bulk length\r\n",
		"*1\r\n$\r\n":                                       "-ERR Protocol error: invalid bulk length\r\n",
		"*1000000000000000000\r\n":                          "-ERR Protocol error: invalid multibulk length\r\n",
		"*9223372036854775807\r\n":                          "-ERR Protocol error: invalid multibulk length\r\n",
		"*99999999999999999999\r\n":                         "-ERR Protocol error: invalid multibulk length\r\n",
		"*2147483648\r\n":                                   "-ERR Protocol error: invalid multibulk length\r\n",
		"*abc\r\n":                                          "-ERR Protocol error: invalid multibulk length\r\n",
		"*1\r\n:4\r\n":                                      "-ERR Protocol error: expected '$', got ':'\r\n",
		"*1\r\n\r\n":                                        "-ERR Protocol error: expected '$', got ' '\r\n",
		"*1" + strings.Repeat("0", 70000):                   "-ERR Protocol error: too big mbulk count string\r\n",
		"*1\r\n$1" + strings.Repeat("0", 70000):             "-ERR Protocol error: too big bulk count string\r\n",
		strings.Repeat("x", 70000):                          "-ERR Protocol error: too big inline request\r\n",
		"SET \"a b\r\n":                                     "-ERR Protocol error: unbalanced quotes in request\r\n",
		"*1\r\n$4\r\nPING\r\n*1\r\n$-9\r\n*1\r\n$4\r\nPING": "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n",
	} {
		start := time.Now()
		got := answer(t, p.raw(), send)
		// Redis shows the byte it got as it is; a control byte must not get into the reply.
		if got != want && !(strings.HasPrefix(want, "-ERR Protocol error: expected") && strings.HasPrefix(got, "-ERR Protocol error: expected '$', got '")) {
			t.Errorf("%.40q: got %q, want %q", send, got, want)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%.40q took %v", send, took)
		}
		other.want("+PONG", "PING")
	}
	if after := p.status("VmRSS"); after > before+64<<10 {
		t.Errorf("resident memory went from %d to %d KiB", before, after)
	}
}

// TestPartialGiants: many clients begin a huge command and stop. What they announced costs nothing (S02).
func TestPartialGiants(t *testing.T) {
	for name, flags := range map[string][]string{"before AUTH": {"--requirepass", "x"}, "without password": nil} {
		p := startStreamd(t, plainBinary, flags...)
		before := p.status("VmRSS")
		for i := range 1000 {
			conn := p.raw()
			send := []string{
				"*10\r\n$16384\r\n" + strings.Repeat("x", 500), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$16384\r\nx", "*10\r\n$4\r\n", "*10", "PING",
			}[i%5]
			if name == "without password" && i%5 < 2 {
				send = []string{"*1000000\r\n$1\r\nx\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nx"}[i%5]
			}
			if _, err := io.WriteString(conn, send); err != nil {
				t.Fatal(err)
			}
		}
		other := p.raw()
		if got := answer(t, other, "PING\r\nQUIT\r\n"); !strings.HasSuffix(got, "+OK\r\n") {
			t.Errorf("%s: another client got %q", name, got)
		}
		if after := p.status("VmRSS"); after > before+64<<10 {
			t.Errorf("%s: resident memory went from %d to %d KiB", name, before, after)
		}
	}
}

// TestLimitsBeforeAuth: who has not logged in may send 10 arguments of 16 KiB, and not much more than that may wait (S02).
func TestLimitsBeforeAuth(t *testing.T) {
	p := startStreamd(t, binary, "--requirepass", "sesame")
	if got := answer(t, p.raw(), "*11\r\n"); got != "-ERR Protocol error: unauthenticated multibulk length\r\n" {
		t.Errorf("11 arguments: %q", got)
	}
	if got := answer(t, p.raw(), "*2\r\n$16385\r\n"); got != "-ERR Protocol error: unauthenticated bulk length\r\n" {
		t.Errorf("a long argument: %q", got)
	}
	// AUTH and all that follows it may come in one piece.
	large := strings.Repeat("v", 1<<20)
	c := p.client()
	c.pipeline(words("AUTH", "sesame"), words("SET", "k", large), words("STRLEN", "k"))
	for _, want := range []string{"+OK", "+OK", ":1048576"} {
		if got := c.read().String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// A client that says nothing is closed after ten seconds; TestIdleTimeout shows that this clock runs.
}

// TestDribble sends large requests a few bytes at a time. The work must grow with the bytes, not with their square.
func TestDribble(t *testing.T) {
	p := startStreamd(t, plainBinary)
	many := bytes.Repeat([]byte("$1\r\nx\r\n"), 20000)
	for what, c := range map[string]struct {
		request string
		step    int
		reply   string
	}{
		"a long argument":        {string(resp.AppendRequest(nil, "SET", "k", strings.Repeat("x", 1<<20))), 16, "+OK"},
		"many arguments":         {"*20001\r\n$3\r\nDEL\r\n" + string(many), 3, ":0"},
		"an inline request":      {"ECHO " + strings.Repeat("x", 60000) + "\r\n", 1, ""},
		"an inline request of 2": {"DEL" + strings.Repeat(" x", 30000) + "\r\n", 1, ":0"},
	} {
		client := p.client()
		before := p.cpu()
		for i := 0; i < len(c.request); i += c.step {
			if _, err := io.WriteString(client.conn, c.request[i:min(i+c.step, len(c.request))]); err != nil {
				t.Fatal(err)
			}
		}
		if v := client.read(); c.reply != "" && v.String() != c.reply {
			t.Errorf("%s: %.100s", what, v)
		}
		if used := p.cpu() - before; used > 6*time.Second {
			t.Errorf("%s took %v of the processor", what, used)
		}
	}
}

// TestHTTP: a browser that was led here is hung up on, and does not fill the log (S10).
func TestHTTP(t *testing.T) {
	p := startTCP(t, binary)
	for range 100 {
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer(t, conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\nSET stolen 1\r\nFLUSHALL\r\n"); got != "" {
			t.Errorf("POST was answered %q", got)
		}
		conn.Close()
	}
	got := answer(t, p.raw(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nSET stolen 1\r\n")
	if strings.Contains(got, "OK") {
		t.Errorf("GET was answered %q", got)
	}
	p.client().want("$-1", "GET", "stolen")
	if n := strings.Count(p.log.String(), "HTTP"); n == 0 || n > 5 {
		t.Errorf("the log speaks of HTTP %d times:\n%.2000s", n, p.log)
	}
}

// TestFloodWithoutReading: replies that nobody takes are bounded, tightly before AUTH, and by client-output-buffer-limit
// after it; the reason is logged, and others never notice (S03).
func TestFloodWithoutReading(t *testing.T) {
	p := startStreamd(t, binary, "--requirepass", "sesame", "--client-output-buffer-limit", "normal 1mb 0 0")
	other := p.client()
	other.want("+OK", "AUTH", "sesame")
	before := p.status("VmRSS")
	for _, what := range []string{"PING\r\n", "*1\r\n$4\r\nPING\r\n", "HELLO\r\n", "SET a b\r\n", "XREAD\r\n"} {
		flood(t, p.raw(), what)
		other.want("+PONG", "PING")
	}
	p.inLog(`client closed.*output buffer limit.*unauthenticated`)
	conn := p.raw()
	if _, err := io.WriteString(conn, "AUTH sesame\r\n"); err != nil {
		t.Fatal(err)
	}
	flood(t, conn, "ECHO xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")
	other.want("+PONG", "PING")
	p.inLog(`client closed.*output buffer limit of class normal`)
	if after := p.status("VmRSS"); !raceEnabled && after > before+64<<10 {
		t.Errorf("resident memory went from %d to %d KiB", before, after)
	}
	if n := infoField(other, "stats", "client_output_buffer_limit_disconnections"); n != "6" {
		t.Errorf("client_output_buffer_limit_disconnections:%s", n)
	}
}

// TestDeepPipeline writes everything before it reads anything: many more answers than any socket's buffer holds.
func TestDeepPipeline(t *testing.T) {
	p := startStreamd(t, binary)
	const deep = 100_000
	var b []byte
	for i := range deep {
		switch i % 4 {
		case 0:
			b = resp.AppendRequest(b, "XADD", "s", "*", "f", "v")
		case 1:
			b = resp.AppendRequest(b, "ECHO", strconv.Itoa(i))
		case 2:
			b = resp.AppendRequest(b, "XREVRANGE", "s", "+", "-", "COUNT", "2")
		case 3:
			b = resp.AppendRequest(b, "NOSUCH", strconv.Itoa(i))
		}
	}
	c := p.client()
	_ = c.conn.SetWriteDeadline(time.Now().Add(2 * replyTimeout))
	if _, err := c.conn.Write(b); err != nil {
		t.Fatalf("the server stopped reading: %v", err)
	}
	for i := range deep {
		v := c.read()
		if i%4 == 1 && string(v.Text) != strconv.Itoa(i) || (v.Err() != nil) != (i%4 == 3) {
			t.Fatalf("reply %d is %s", i, v)
		}
	}
}

// TestPipelineOfAllKinds mixes commands that block, fail, are large and have no effect, with a token after each; and hangs up
// in the middle of replies, with a reset, again and again (T19).
func TestPipelineOfAllKinds(t *testing.T) {
	p := startTCP(t, binary)
	kinds := [][]string{
		{"XADD", "s", "*", "f", strings.Repeat("x", 3000)}, {"XREAD", "BLOCK", "1", "STREAMS", "none", "$"}, {"XRANGE", "s", "-", "+", "COUNT", "3"},
		{"XADD", "s", "1-1", "f", "v"}, {"GET"}, {"NOSUCH"}, {"WAIT", "1", "1"}, {"INCR", "n"}, {"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"},
		{"MULTI"}, {"INCR", "n"}, {"XREAD", "BLOCK", "0", "STREAMS", "none", "$"}, {"EXEC"}, {"WAITAOF", "1", "0", "100"},
	}
	connect := func() (*client, net.Conn) {
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return newClient(t, conn), conn
	}
	send := func(c *client, n int) {
		w := newWire(c.conn)
		for i := range n {
			w.queue(kinds[i%len(kinds)]...)
			w.queue("ECHO", "token "+strconv.Itoa(i))
		}
		_ = w.flush()
	}
	c, _ := connect()
	const deep = 994 // whole transactions
	send(c, deep)
	for i := range deep {
		c.read()
		v := c.read()
		want := "token " + strconv.Itoa(i)
		if kind := i % len(kinds); kind >= 9 && kind <= 11 {
			want = "QUEUED"
		}
		if string(v.Text) != want {
			t.Fatalf("after %v (%d): %s, want %s", kinds[i%len(kinds)], i, v, want)
		}
	}
	for i := range 50 {
		c, conn := connect()
		send(c, 200)
		for range i {
			c.read()
		}
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset instead of an orderly end
		conn.Close()
	}
	c, _ = connect()
	c.want("+PONG", "PING")
	for deadline := time.Now().Add(replyTimeout); infoField(c, "clients", "connected_clients") != "2"; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("clients are left behind: %s", c.do("CLIENT", "LIST").Text)
		}
	}
	if n := infoField(c, "clients", "blocked_clients"); n != "0" {
		t.Errorf("%s blocked clients are left", n)
	}
}

// TestHalfClosed: who sends commands and closes its side for writing gets all the answers, however large.
func TestHalfClosed(t *testing.T) {
	p := startStreamd(t, binary)
	p.client().want("+OK", "SET", "large", strings.Repeat("x", 1<<20))
	conn := p.raw()
	w := newWire(conn)
	for range 20 {
		w.queue("GET", "large")
	}
	w.queue("XREAD", "COUNT", "1", "STREAMS", "none", "0")
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // let it notice the end long before it can send the answers
	_ = conn.SetReadDeadline(time.Now().Add(replyTimeout))
	b, err := io.ReadAll(conn)
	if want := 20*(1<<20+len("$1048576\r\n\r\n")) + len("*-1\r\n"); err != nil || len(b) != want {
		t.Errorf("%d bytes, want %d (%v)", len(b), want, err)
	}
}

// TestSlowReaders: a monitor, a subscriber and a tracking client that never read are closed by their limits, the hard one and
// the one with a time, while others go on.
func TestSlowReaders(t *testing.T) {
	p := startStreamd(t, binary, "--client-output-buffer-limit", "normal 1mb 0 0 pubsub 8mb 512kb 1")
	publisher := p.client()
	large := strings.Repeat("x", 100<<10)
	monitor := p.client()
	monitor.want("+OK", "MONITOR")
	for i := 0; infoField(publisher, "stats", "client_output_buffer_limit_disconnections") == "0"; i++ {
		publisher.want("+OK", "SET", "k", large[:1000])
		if i == 100_000 {
			t.Fatal("the monitor is never closed")
		}
	}
	p.inLog(`client closed.*output buffer limit of class normal`)
	hard := p.client()
	hard.want(`*3["subscribe", "hard", :1]`, "SUBSCRIBE", "hard")
	for i := 0; infoField(publisher, "stats", "client_output_buffer_limit_disconnections") == "1"; i++ {
		publisher.do("PUBLISH", "hard", large)
		if i == 1000 {
			t.Fatal("the subscriber is never closed")
		}
	}
	p.inLog(`client closed.*output buffer limit of class pubsub`)
	// Above the soft limit, and nothing more comes.
	soft := p.client()
	soft.want(`*3["subscribe", "soft", :1]`, "SUBSCRIBE", "soft")
	for range 20 {
		publisher.want(":1", "PUBLISH", "soft", large)
	}
	for deadline := time.Now().Add(replyTimeout); infoField(publisher, "stats", "client_output_buffer_limit_disconnections") == "2"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the soft limit closes nobody")
		}
	}
	// Who reads, if slowly, stays.
	slow := p.client()
	slow.want(`*3["subscribe", "slow", :1]`, "SUBSCRIBE", "slow")
	for range 30 {
		publisher.want(":1", "PUBLISH", "slow", large)
		slow.read()
	}
}

// TestAlwaysBehind: a reader that never has read everything must not make its buffer grow with all it ever got.
func TestAlwaysBehind(t *testing.T) {
	p := startStreamd(t, plainBinary, "--appendonly", "no")
	publisher, slow := p.client(), p.client()
	slow.want(`*3["subscribe", "ch", :1]`, "SUBSCRIBE", "ch")
	large := strings.Repeat("x", 100<<10)
	for range 20 { // more than the socket holds, from here on
		publisher.want(":1", "PUBLISH", "ch", large)
	}
	before := p.status("VmRSS")
	for range 3000 {
		publisher.want(":1", "PUBLISH", "ch", large)
		slow.read()
	}
	if after := p.status("VmRSS"); after > before+64<<10 {
		t.Errorf("resident memory went from %d to %d KiB over 300 MB", before, after)
	}
}

// TestQueryBufferLimit: unfinished input is bounded, and so is what a transaction queues.
func TestQueryBufferLimit(t *testing.T) {
	p := startStreamd(t, binary, "--client-query-buffer-limit", "1mb")
	other := p.client()
	conn := p.raw()
	got := answer(t, conn, "*2\r\n$3\r\nGET\r\n$20000000\r\n"+strings.Repeat("x", 3<<20))
	if got != "" {
		t.Errorf("got %q", got)
	}
	p.inLog(`client closed.*query buffer limit`)
	conn = p.raw()
	if _, err := io.WriteString(conn, "MULTI\r\n"); err != nil {
		t.Fatal(err)
	}
	flood(t, conn, string(resp.AppendRequest(nil, "SET", "k", strings.Repeat("x", 10000))))
	p.inLog(`client closed.*transaction larger`)
	other.want("$-1", "GET", "k")
	if n := infoField(other, "stats", "client_query_buffer_limit_disconnections"); n == "0" {
		t.Errorf("client_query_buffer_limit_disconnections:%s", n)
	}
}

func TestMaxClients(t *testing.T) {
	p := startStreamd(t, binary, "--maxclients", "5")
	first := p.client()
	var clients []*client
	for range 4 {
		c := p.client()
		c.want("+PONG", "PING")
		clients = append(clients, c)
	}
	for range 50 {
		if got := answer(t, p.raw(), ""); got != "-ERR max number of clients reached\r\n" {
			t.Errorf("one too many got %q", got)
		}
	}
	first.want("+PONG", "PING")
	if n, _ := strconv.Atoi(infoField(first, "stats", "rejected_connections")); n != 50 {
		t.Errorf("rejected_connections:%d", n)
	}
	clients[0].conn.Close()
	for deadline := time.Now().Add(replyTimeout); ; time.Sleep(time.Millisecond) {
		if got := answer(t, p.raw(), "QUIT\r\n"); got == "+OK\r\n" {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("no room although one left: %q", got)
		}
	}
}

// TestOutOfDescriptors: without descriptors left, connections are refused, those there go on, and neither the log nor the
// processor is filled with the complaint (T40).
func TestOutOfDescriptors(t *testing.T) {
	p := startStreamd(t, binary)
	first := p.client()
	first.want("+OK", "SET", "a", "1")
	limit := &unix.Rlimit{Cur: 40, Max: 40}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, limit, nil); err != nil {
		t.Fatal(err)
	}
	var waiting []net.Conn
	for range 60 {
		waiting = append(waiting, p.raw())
	}
	before := p.cpu()
	for until := time.Now().Add(time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		first.want("+OK", "SET", "a", "2")
	}
	if used := p.cpu() - before; used > 700*time.Millisecond {
		t.Errorf("%v of the processor in one second", used)
	}
	if n := strings.Count(p.log.String(), "\n"); n > 40 {
		t.Errorf("%d lines of log:\n%.1500s", n, p.log)
	}
	for _, conn := range waiting {
		conn.Close()
	}
	for deadline := time.Now().Add(replyTimeout); ; time.Sleep(10 * time.Millisecond) {
		if got := answer(t, p.raw(), "QUIT\r\n"); got == "+OK\r\n" {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("nobody is let in again: %q", got)
		}
	}
}

// TestIdleTimeout: who says nothing for too long is closed; subscribers and blocked clients stay.
func TestIdleTimeout(t *testing.T) {
	p := startStreamd(t, binary, "--timeout", "1")
	idle, blocked, subscriber, busy := p.client(), p.client(), p.client(), p.client()
	idle.want("+PONG", "PING")
	subscriber.want(`*3["subscribe", "ch", :1]`, "SUBSCRIBE", "ch")
	blocked.send("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
	closed := make(chan string, 1)
	go func() {
		_ = idle.conn.SetReadDeadline(time.Now().Add(replyTimeout))
		b, _ := io.ReadAll(idle.conn)
		closed <- string(b)
	}()
	for done := false; !done; {
		select {
		case got := <-closed:
			if got != "" {
				t.Errorf("the idle client was told %q", got)
			}
			done = true
		case <-time.After(50 * time.Millisecond):
			busy.want("+PONG", "PING")
		}
	}
	p.inLog(`client closed.*idle`)
	busy.want(":1", "PUBLISH", "ch", "still there")
	busy.do("XADD", "s", "*", "f", "v")
	if v := blocked.read(); len(v.Elems) != 1 {
		t.Errorf("the blocked client got %s", v)
	}
}
