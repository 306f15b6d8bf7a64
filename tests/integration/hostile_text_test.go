package integration

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// evil are bytes that end a reply, end a line of a log, or drive a terminal.
const evil = "x\r\n+OK\r\n$-1\r\nlevel=ERROR msg=forged\x1b[2J\x00\x07"

// TestInjection puts evil bytes wherever a client's words come back: each reply is still one reply, and each line of the
// log is one of ours (S05).
func TestInjection(t *testing.T) {
	p := startStreamd(t, binary, "--slowlog-log-slower-than", "0")
	c, monitor := p.client(), p.client()
	monitor.want("+OK", "MONITOR")
	for _, words := range [][]string{
		{evil}, {"GET" + evil}, {"GET", evil, evil}, {"XADD", evil, evil, "f", "v"}, {"XREAD", "STREAMS", evil, evil},
		{"XREADGROUP", "GROUP", evil, evil, "STREAMS", evil, ">"}, {"XGROUP", "SETID", evil, evil, "$"}, {"XGROUP", evil},
		{"XGROUP", "CREATE", evil, evil, "$", "MKSTREAM"}, {"XACK", evil, evil, evil}, {"XCLAIM", evil, evil, evil, "0", evil},
		{"XNACK", evil, evil, evil, "IDS", "1", "1-1"}, {"XINFO", evil, evil}, {"XINFO", "CONSUMERS", evil, evil}, {"XINFO", "CONSUMERS", evil, "nogroup" + evil},
		{"CLIENT", "SETNAME", evil}, {"CLIENT", "SETINFO", "LIB-NAME", evil}, {"CLIENT", evil}, {"CLIENT", "KILL", evil}, {"CLIENT", "LIST", "TYPE", evil},
		{"CONFIG", "SET", evil, evil}, {"CONFIG", "SET", "maxmemory", evil}, {"CONFIG", "GET", evil}, {"AUTH", evil, evil}, {"AUTH", evil},
		{"HELLO", evil}, {"HELLO", "2", "AUTH", evil, evil}, {"HELLO", "2", "SETNAME", evil}, {"HELLO", "2", evil}, {"SET", "k", evil, evil}, {"DEBUG", evil},
		{"OBJECT", evil, evil}, {"MEMORY", evil}, {"COMMAND", "GETKEYS", evil}, {"COMMAND", "INFO", evil}, {"COMMAND", "DOCS", evil}, {"ACL", evil}, {"ACL", "WHOAMI", evil},
		{"SUBSCRIBE" + evil}, {"PUBLISH", evil, evil}, {"EXPIRE", "k", evil}, {"SELECT", evil}, {"LATENCY", "HISTOGRAM", evil}, {"FUNCTION", evil}, {"SCRIPT", evil}, {"MODULE", evil}, {"CLUSTER", evil},
		{"EVAL", evil, "0"}, {"SHUTDOWN", evil}, {"LOLWUT", evil}, {"RENAME", evil, evil}, {"COPY", evil, evil, evil}, {"SCAN", evil}, {"SCAN", "0", evil, evil},
		{"INFO", evil}, {"SLOWLOG", evil}, {"PUBSUB", evil}, {"XCFGSET", evil, evil, evil}, {"WAITAOF", evil, "1", "1"},
	} {
		v := c.do(words...)
		if v.Kind == '-' && strings.ContainsAny(string(v.Text), "\r\n\x00\x07\x1b") {
			t.Errorf("%.60q: control bytes in %s", words, v)
		}
		c.want(`"in step"`, "ECHO", "in step")
	}
	c.want("+OK", "MULTI")
	c.do("GET", evil, evil)
	c.want("-EXECABORT Transaction discarded because of previous errors.", "EXEC")
	if s := string(c.do("CLIENT", "LIST").Text); strings.ContainsAny(s, "\r\x1b\x00") || strings.Count(s, "\n") != 2 {
		t.Errorf("CLIENT LIST: %q", s)
	}
	for i := 0; i < 20; i++ {
		if line := monitor.read(); line.Kind != '+' || strings.ContainsAny(string(line.Text), "\r\n\x1b\x00") {
			t.Errorf("MONITOR: %q", line.Text)
		}
	}
	if got := answer(t, p.raw(), "*1\r\n\x1b[2J\r\n"); strings.Contains(got, "\x1b") {
		t.Errorf("protocol error: %q", got)
	}
	for line := range strings.Lines(p.log.String()) {
		if strings.ContainsAny(line, "\r\x1b\x00\x07") || strings.HasPrefix(line, "level=ERROR msg=forged") {
			t.Errorf("line of the log: %q", line)
		}
	}
}

// TestGlobBombs: no pattern takes time that multiplies (S06).
func TestGlobBombs(t *testing.T) {
	p := startStreamd(t, plainBinary)
	c := p.client()
	long := strings.Repeat("a", 64<<10)
	for i := range 50 {
		c.want("+OK", "SET", fmt.Sprint(strings.Repeat("a", 1000), i), "v")
	}
	c.want("+OK", "SET", long, "v")
	for name, pattern := range map[string]string{
		"stars":       strings.Repeat("*a", 50) + "b",
		"more stars":  strings.Repeat("*a", 500) + "b",
		"long stars":  strings.Repeat("*", 64<<10) + "b",
		"long":        strings.Repeat("a", 64<<10) + "b",
		"marks":       strings.Repeat("?", 64<<10),
		"stars marks": strings.Repeat("*?", 1000) + "b",
		"classes":     strings.Repeat("[a-z]", 10000),
		"star class":  strings.Repeat("*[a-b]", 500) + "[c-d]",
		"open class":  "[" + strings.Repeat("a", 64<<10),
		"open range":  strings.Repeat("[a-", 20000),
		"backslashes": strings.Repeat(`\`, 64<<10),
	} {
		for _, words := range [][]string{
			{"KEYS", pattern}, {"SCAN", "0", "MATCH", pattern, "COUNT", "1000"}, {"CONFIG", "GET", pattern}, {"PUBSUB", "CHANNELS", pattern},
			{"COMMAND", "LIST", "FILTERBY", "PATTERN", pattern},
		} {
			before := p.cpu()
			c.do(words...)
			if used := p.cpu() - before; used > time.Second {
				t.Errorf("%s with %s took %v", words[0], name, used)
			}
		}
	}
}

// TestSecretsStaySecret looks for a password in everything the server writes and shows. CONFIG GET requirepass shows it, as
// in Redis (S16).
func TestSecretsStaySecret(t *testing.T) {
	const canary, second = "c4nary-first-s3cret", "c4nary-second-s3cret"
	p := startStreamd(t, binary, "--requirepass", canary, "--slowlog-log-slower-than", "0", "--loglevel", "debug", "--latency-monitor-threshold", "1")
	c, monitor := p.client(), p.client()
	c.want("-WRONGPASS invalid username-password pair or user is disabled.", "AUTH", second)
	c.want("+OK", "AUTH", canary)
	monitor.want("+OK", "AUTH", canary)
	monitor.want("+OK", "MONITOR")
	c.do("HELLO", "3", "AUTH", "default", canary, "SETNAME", "me")
	c.do("HELLO", "2", "AUTH", "default", canary)
	c.want("+OK", "CONFIG", "SET", "requirepass", second)
	c.want(`*2["requirepass", "`+second+`"]`, "CONFIG", "GET", "requirepass")
	c.want("+OK", "AUTH", "default", second)
	c.do("AUTH", canary)
	c.do("AUTH", canary, second, "too many")
	c.do("CONFIG", "SET", "requirepass", canary, "maxmemory", "nonsense")
	c.do("ACL", "SETUSER", "default", ">"+canary)
	c.pipeline(words("MULTI"), words("AUTH", second), words("CONFIG", "SET", "requirepass", second), words("EXEC"))
	for range 4 {
		c.read()
	}
	c.want("+OK", "SET", "k", "v")
	shown := c.do("SLOWLOG", "GET", "-1").String() + c.do("INFO", "everything").String() + c.do("CLIENT", "LIST").String() +
		c.do("ACL", "LIST").String() + c.do("LATENCY", "DOCTOR").String() + c.do("CLIENT", "INFO").String() + c.do("COMMAND", "DOCS").String()
	for { // until the last command that is shown
		line := monitor.read().String()
		shown += line
		if strings.Contains(line, `"SET"`) && strings.Contains(line, `"k"`) {
			break
		}
	}
	c.want("+OK", "SAVE")
	if code := p.stop(); code != 0 {
		t.Fatal(code)
	}
	shown += p.log.String()
	_ = filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, _ error) error {
		if b, err := os.ReadFile(path); err == nil {
			shown += string(b)
		}
		return nil
	})
	for _, secret := range []string{canary, second} {
		if at := strings.Index(shown, secret); at >= 0 {
			t.Errorf("%s is shown: …%.300q", secret, shown[max(0, at-200):])
		}
	}
}

// TestFilePermissions: whatever the umask, what holds data belongs to its owner alone (S20).
func TestFilePermissions(t *testing.T) {
	dir := shortDir(t)
	sock, data, logFile := filepath.Join(dir, "s"), filepath.Join(dir, "data"), filepath.Join(dir, "log")
	cmd := exec.Command("sh", "-c", `umask 0; exec "$0" "$@"`, binary, "--port", "0", "--unixsocket", sock, "--unixsocketperm", "700", "--dir", data, "--logfile", logFile)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var conn net.Conn
	var err error
	for deadline := time.Now().Add(replyTimeout); ; time.Sleep(2 * time.Millisecond) {
		if conn, err = net.Dial("unix", sock); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	defer conn.Close()
	c := newClient(t, conn)
	c.want("+OK", "SET", "a", "b")
	c.want("+OK", "SAVE")
	c.want("+OK", "SET", "a", "c")
	count := 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		info, err := d.Info()
		if err != nil || path == dir {
			return err
		}
		want := os.FileMode(0o600)
		if info.IsDir() || info.Mode()&os.ModeSocket != 0 {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
		count++
		return nil
	})
	if count < 5 {
		t.Errorf("only %d files", count)
	}
}

// TestSymbolicLinks: a data file that is a link is not followed.
func TestSymbolicLinks(t *testing.T) {
	p, dir := stoppedWith(t)
	path := segments(t, dir)[0]
	elsewhere := filepath.Join(p.dir, "elsewhere")
	if err := os.Rename(path, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	if out := refusedStart(t, dir); !strings.Contains(out, "symbolic link") && !strings.Contains(out, "symlink") {
		t.Errorf("the message is not clear:\n%s", out)
	}
}

// TestProtectedMode: without a password, nobody is served from another address than this machine's own loopback (S11).
func TestProtectedMode(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	outside := ""
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && ip.IP.To4() != nil {
			outside = ip.IP.String()
		}
	}
	p := startTCP(t, binary, "--bind", "0.0.0.0")
	c := p.client()
	c.want(`*2["protected-mode", "yes"]`, "CONFIG", "GET", "protected-mode")
	if outside == "" {
		t.Skip("this machine has no address but loopback")
	}
	_, port, _ := net.SplitHostPort(p.addr)
	from := func() string {
		conn, err := net.Dial("tcp", net.JoinHostPort(outside, port))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return answer(t, conn, "QUIT\r\n")
	}
	if got := from(); !strings.HasPrefix(got, "-DENIED Redis is running in protected mode") {
		t.Errorf("from outside: %q", got)
	}
	p.inLog("protected mode")
	c.want("+OK", "CONFIG", "SET", "requirepass", "x")
	if got := from(); got != "+OK\r\n" {
		t.Errorf("with a password set: %q", got)
	}
	c.want("+OK", "CONFIG", "SET", "requirepass", "", "protected-mode", "no")
	if got := from(); got != "+OK\r\n" {
		t.Errorf("without protected mode: %q", got)
	}
	if local := startStreamd(t, binary).client().do("CONFIG", "GET", "bind").String(); local != `*2["bind", "127.0.0.1"]` {
		t.Errorf("by default: %s", local)
	}
}

// TestNoBackDoors: the commands that turned a Redis into a shell are refused (S09), and DEBUG is off by default.
func TestNoBackDoors(t *testing.T) {
	dir := shortDir(t)
	p := &process{t: t, path: binary, dir: dir, sock: filepath.Join(dir, "s")}
	p.args = []string{"--port", "0", "--unixsocket", p.sock, "--dir", filepath.Join(dir, "data")}
	p.start()
	t.Cleanup(p.kill)
	c := p.client()
	for _, words := range [][]string{
		{"CONFIG", "SET", "dir", "/etc"}, {"CONFIG", "SET", "dbfilename", "authorized_keys"}, {"CONFIG", "SET", "logfile", "/etc/passwd"},
		{"CONFIG", "SET", "unixsocket", "/tmp/x"}, {"CONFIG", "SET", "enable-debug-command", "yes"}, {"CONFIG", "SET", "appendfilename", "x"},
		{"MODULE", "LOAD", "/tmp/x.so"}, {"REPLICAOF", "127.0.0.1", "1"}, {"SLAVEOF", "127.0.0.1", "1"}, {"EVAL", "return 1", "0"},
		{"DEBUG", "SLEEP", "0"}, {"DEBUG", "RELOAD"}, {"RESTORE", "k", "0", "x"}, {"MIGRATE", "h", "1", "k", "0", "1"}, {"SYNC"}, {"PSYNC", "?", "-1"},
	} {
		if v := c.do(words...); v.Err() == nil {
			t.Errorf("%v: %s", words, v)
		}
	}
}
