package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// toolTimeout is how long a program may run before the test fails.
const toolTimeout = 2 * time.Minute

// command prepares a program that ends with the test at the latest and leaves no file behind.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "TERM=xterm")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// runTool runs a program to its end and returns what it wrote.
func runTool(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := command(t, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// terminal is a program that believes to run in a terminal.
type terminal struct {
	t    *testing.T
	tty  *os.File
	out  *syncBuffer
	done chan error
	cmd  *exec.Cmd
}

func openTerminal(t *testing.T, name string, args ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, out: &syncBuffer{}, done: make(chan error, 1), cmd: command(t, name, args...)}
	tty, err := pty.StartWithAttrs(x.cmd, &pty.Winsize{Rows: 50, Cols: 200},
		&syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL})
	if err != nil {
		t.Fatal(err)
	}
	x.tty = tty
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			_, _ = x.out.Write(buf[:n])
			if err != nil {
				break
			}
		}
		x.done <- x.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = tty.Close()
	})
	return x
}

// escapes are what a terminal would not show.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\r")

// shows waits until the screen has shown text after what was typed last.
func (x *terminal) shows(text string) {
	x.t.Helper()
	for deadline := time.Now().Add(replyTimeout); !strings.Contains(escapes.ReplaceAllString(x.out.String(), ""), text); {
		if time.Now().After(deadline) {
			x.t.Fatalf("the terminal never showed %q:\n%s", text, x.out)
		}
		select {
		case err := <-x.done:
			x.done <- err
			if !strings.Contains(escapes.ReplaceAllString(x.out.String(), ""), text) {
				x.t.Fatalf("%v ended (%v) and never showed %q:\n%s", x.cmd.Args, err, text, x.out)
			}
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (x *terminal) typeIn(text string) {
	x.t.Helper()
	x.out.mu.Lock()
	x.out.b.Reset()
	x.out.mu.Unlock()
	if _, err := x.tty.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits until the program has ended by itself.
func (x *terminal) ends() {
	x.t.Helper()
	select {
	case err := <-x.done:
		if err != nil {
			x.t.Fatalf("%v: %v\n%s", x.cmd.Args, err, x.out)
		}
	case <-time.After(replyTimeout):
		x.t.Fatalf("%v does not end:\n%s", x.cmd.Args, x.out)
	}
}

func TestRedisCLI(t *testing.T) {
	cli := tool(t, "redis-cli")
	p := startStreamd(t, binary)
	run := func(args ...string) string {
		t.Helper()
		return runTool(t, "", cli, append([]string{"-s", p.sock}, args...)...)
	}
	for _, step := range []struct{ words, want string }{
		{"XADD s 1-1 a b c d", "1-1\n"},
		{"--no-raw XADD s 1-2 e f", "\"1-2\"\n"},
		{"--no-raw XRANGE s - +", "1) 1) \"1-1\"\n   2) 1) \"a\"\n      2) \"b\"\n      3) \"c\"\n      4) \"d\"\n2) 1) \"1-2\"\n   2) 1) \"e\"\n      2) \"f\"\n"},
		{"--no-raw XREAD STREAMS s 1-1", "1) 1) \"s\"\n   2) 1) 1) \"1-2\"\n         2) 1) \"e\"\n            2) \"f\"\n"},
		{"--no-raw -3 XREAD STREAMS s 1-1", "1# \"s\" => \n   1) 1) \"1-2\"\n      2) 1) \"e\"\n         2) \"f\"\n"},
		{"--no-raw XREAD STREAMS s 1-2", "(nil)\n"},
		{"--no-raw XLEN s", "(integer) 2\n"},
		{"--no-raw XGROUP CREATE s g 0", "OK\n"},
		{"--no-raw -3 XINFO GROUPS s", "1) 1# \"name\" => \"g\"\n   2# \"consumers\" => (integer) 0\n   3# \"pending\" => (integer) 0\n" +
			"   4# \"last-delivered-id\" => \"0-0\"\n   5# \"entries-read\" => (nil)\n   6# \"lag\" => (integer) 2\n"},
		{"--csv XRANGE s - +", "\"1-1\",\"a\",\"b\",\"c\",\"d\",\"1-2\",\"e\",\"f\"\n"},
		{"--json XRANGE s 1-2 1-2", "[[\"1-2\",[\"e\",\"f\"]]]\n"},
		{"-n 2 SET k v", "OK\n"},
		{"-n 2 DBSIZE", "1\n"},
		{"GET k", "\n"},
		{"-r 3 INCR n", "1\n2\n3\n"},
		{"NOSUCH a", "ERR unknown command 'NOSUCH', with args beginning with: 'a' \n\n"},
		{"--no-raw XADD s 1-1 a b", "(error) ERR The ID specified in XADD is equal or smaller than the target stream top item\n"},
		{"--no-raw XADD s", "(error) ERR wrong number of arguments for 'xadd' command\n"},
		{"CLIENT SETNAME x", "OK\n"},
	} {
		if got := run(strings.Fields(step.words)...); got != step.want {
			t.Errorf("%s:\n got %q\nwant %q", step.words, got, step.want)
		}
	}
	if got := runTool(t, "binary \x00\r\n", cli, "-s", p.sock, "-x", "SET", "bin"); got != "OK\n" {
		t.Errorf("-x: %q", got)
	}
	equal(t, "binary", run("--no-raw", "GET", "bin"), "\"binary \\x00\\r\\n\"\n")
	equal(t, "MULTI through a pipe", runTool(t, "MULTI\nINCR n\nXLEN s\nEXEC\n", cli, "-s", p.sock), "OK\nQUEUED\nQUEUED\n4\n2\n")
	if out, err := command(t, cli, "-s", p.sock, "-e", "NOSUCH").CombinedOutput(); err == nil {
		t.Errorf("-e NOSUCH succeeds: %s", out)
	}
	// The last act: redis-cli ends the server, and nothing is lost.
	run("SHUTDOWN")
	<-p.done
	equal(t, "exit code", p.cmd.ProcessState.ExitCode(), 0)
	p.restart()
	equal(t, "XLEN after SHUTDOWN", run("XLEN", "s"), "2\n")
}

func TestRedisCLIInteractive(t *testing.T) {
	cli := tool(t, "redis-cli")
	p := startTCP(t, binary)
	port := p.addr[strings.LastIndexByte(p.addr, ':')+1:]
	x := openTerminal(t, cli, "-p", port)
	x.shows(p.addr + "> ")
	x.typeIn("xadd ")
	x.shows("key [NOMKSTREAM]")
	x.typeIn("s 1-1 a b\r")
	x.shows("\n\"1-1\"\n" + p.addr + "> ")
	x.typeIn("xinfo stream ")
	x.shows("key [FULL [COUNT count]]")
	x.typeIn("s\r")
	x.shows("\n 1) \"length\"\n 2) (integer) 1\n")
	x.shows(p.addr + "> ")
	x.typeIn("help xack\r")
	x.shows("XACK key group")
	x.shows(p.addr + "> ")
	// The server goes and comes back: redis-cli says so once, connects again and goes on.
	p.restart()
	x.typeIn("xlen s\r")
	x.shows("not connected> ")
	x.typeIn("xlen s\r")
	x.shows("\n(integer) 1\n" + p.addr + "> ")
	x.typeIn("hello 3\r")
	x.shows("# \"proto\" => (integer) 3")
	x.shows(p.addr + "> ")
	x.typeIn("select 3\r")
	x.shows(p.addr + "[3]> ")
	x.typeIn("multi\r")
	x.shows(p.addr + "[3](TX)> ")
	x.typeIn("incr n\r")
	x.shows("QUEUED\n")
	x.typeIn("exec\r")
	x.shows("1) (integer) 1\n" + p.addr + "[3]> ")
	x.typeIn("quit\r")
	x.ends()
}

func TestRedisCLIMassInsertion(t *testing.T) {
	cli := tool(t, "redis-cli")
	p := startStreamd(t, binary)
	var input bytes.Buffer
	for i := range 10_000 {
		if i%2 == 0 {
			fmt.Fprintf(&input, "XADD s%d %d-1 number %d\r\n", i%10, i+1, i)
		} else {
			n := fmt.Sprint(i)
			fmt.Fprintf(&input, "*3\r\n$3\r\nSET\r\n$%d\r\nk%s\r\n$%d\r\n%s\r\n", len(n)+1, n, len(n), n)
		}
	}
	run := func(stdin string, args ...string) string {
		t.Helper()
		return runTool(t, stdin, cli, append([]string{"-s", p.sock}, args...)...)
	}
	if got := run(input.String(), "--pipe"); !strings.HasSuffix(got, "errors: 0, replies: 10000\n") {
		t.Fatalf("--pipe: %s", got)
	}
	cmd := command(t, cli, "-s", p.sock, "--pipe")
	cmd.Stdin = strings.NewReader("XADD s0 1-1 a b\r\nPING\r\nNOSUCH\r\n")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.HasSuffix(string(out), "errors: 2, replies: 3\n") {
		t.Errorf("--pipe with errors: %v\n%s", err, out)
	}
	p.restart()
	keys := strings.Fields(run("", "--scan"))
	slices.Sort(keys)
	equal(t, "--scan", len(slices.Compact(keys)), 5005)
	equal(t, "--scan --pattern", len(strings.Fields(run("", "--scan", "--pattern", "s*"))), 5)
	for _, test := range []struct{ flag, want string }{
		{"--bigkeys", "5 streams with 5000 entries"},
		{"--memkeys", "5 streams with "},
	} {
		if got := run("", test.flag); !strings.Contains(got, test.want) || !strings.Contains(got, "Sampled 5005 keys") {
			t.Errorf("%s: %s", test.flag, got)
		}
	}
}

func TestRedisCLIWatching(t *testing.T) {
	cli := tool(t, "redis-cli")
	p := startStreamd(t, binary)
	if got := runTool(t, "", cli, "-s", p.sock, "--latency", "-i", "0.2"); len(strings.Fields(got)) != 4 {
		t.Errorf("--latency: %s", got)
	}
	stat := openTerminal(t, cli, "-s", p.sock, "--stat", "-i", "0.05")
	stat.shows("keys       mem      clients blocked requests            connections")
	within(t, "a second line of --stat", func() bool { return len(regexp.MustCompile(`\(\+\d+\)`).FindAllString(stat.out.String(), 2)) == 2 })

	monitor := openTerminal(t, cli, "-s", p.sock, "monitor")
	monitor.shows("OK\n")
	equal(t, "XADD", runTool(t, "", cli, "-s", p.sock, "-n", "2", "XADD", "s", "1-1", "a b", "\x01"), "1-1\n")
	monitor.shows(`"XADD" "s" "1-1" "a b" "\x01"` + "\n")
	if got := monitor.out.String(); !regexp.MustCompile(`\n\d{10}\.\d{6} \[2 unix:.*\] "XADD" "s"`).MatchString(got) {
		t.Errorf("MONITOR: %q", got)
	}

	sub := openTerminal(t, cli, "-s", p.sock, "-3", "subscribe", "news")
	sub.shows("(integer) 1\n")
	equal(t, "PUBLISH", runTool(t, "", cli, "-s", p.sock, "PUBLISH", "news", "today"), "1\n")
	sub.shows("\"today\"\n")
}

func TestRedisBenchmark(t *testing.T) {
	bench := tool(t, "redis-benchmark")
	p := startStreamd(t, binary)
	line := regexp.MustCompile(`: [\d.]+ requests per second, p50=`)
	for _, test := range []struct {
		args  string
		lines int
	}{
		{"-t ping,set,get,incr -n 2000", 5},
		{"-t ping,set,get,incr -n 10000 -P 16", 5},
		{"-3 -c 200 -n 2000 -r 1000 SET key:__rand_int__ __data__", 1},
		{"-n 2000 -r 1000 XADD s * field __rand_int__", 1},
		{"-n 10000 -P 16 XADD s * field value", 1},
		{"-n 1000 -P 4 XRANGE s - + COUNT 10", 1},
	} {
		got := runTool(t, "", bench, append([]string{"-s", p.sock, "-q"}, strings.Fields(test.args)...)...)
		if len(line.FindAllString(got, -1)) != test.lines || strings.Contains(strings.ToLower(got), "err") {
			t.Errorf("redis-benchmark %s: %s", test.args, got)
		}
	}
	// redis-benchmark tells of no error reply: what it wrote has to be there.
	if got := p.client().do("XLEN", "s").String(); got != ":12000" {
		t.Errorf("XLEN: got %s", got)
	}
}

func TestPythonRedis(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's, which has Debian's python3-redis
	if err := exec.Command(python, "-c", "import redis").Run(); err != nil {
		missing(t, "python3-redis is not installed")
	}
	p := startTCP(t, binary, "--cluster-compat", "yes")
	runTool(t, "", python, "python/flow.py", p.sock, "before")
	p.restart()
	runTool(t, "", python, "python/flow.py", p.sock, "after")
	host, port, _ := strings.Cut(p.addr, ":")
	runTool(t, "", python, "python/cluster.py", host, port)
}

func TestNode(t *testing.T) {
	node := tool(t, "node")
	if _, err := os.Stat("node/node_modules"); err != nil {
		missing(t, "the node clients are not installed: cd tests/integration/node && npm ci")
	}
	for _, client := range []string{"ioredis", "node-redis"} {
		t.Run(client, func(t *testing.T) {
			p := startTCP(t, binary, "--cluster-compat", "yes")
			runTool(t, "", node, "node/"+client+".js", p.sock, "before")
			p.restart()
			runTool(t, "", node, "node/"+client+".js", p.sock, "after")
			runTool(t, "", node, "node/"+client+".js", p.addr, "cluster")
		})
	}
}
