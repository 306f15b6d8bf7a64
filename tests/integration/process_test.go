package integration

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/streamd/streamd/resp"
)

// process is a server the test started: streamd, or a real Redis.
type process struct {
	t    *testing.T
	path string
	args []string
	dir  string
	sock string // unix socket, without a port that another test could take
	addr string // TCP address, if asked for
	cmd  *exec.Cmd
	log  *syncBuffer
	done chan struct{}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// startStreamd starts streamd in a directory of its own and waits until it answers.
func startStreamd(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{t: t, path: path, args: args, dir: shortDir(t)}
	p.sock = filepath.Join(p.dir, "s")
	p.args = append([]string{"--port", "0", "--unixsocket", p.sock, "--dir", filepath.Join(p.dir, "data"),
		"--enable-debug-command", "yes"}, args...)
	p.start()
	t.Cleanup(p.kill)
	return p
}

// startTCP is startStreamd on a free TCP port as well.
func startTCP(t *testing.T, path string, args ...string) *process {
	t.Helper()
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	p := startStreamd(t, path, append([]string{"--port", port}, args...)...)
	p.addr = addr
	return p
}

// startRedis starts a real redis-server.
func startRedis(t *testing.T) *process {
	t.Helper()
	p := &process{t: t, path: tool(t, "redis-server"), dir: shortDir(t)}
	p.sock = filepath.Join(p.dir, "s")
	p.args = []string{"--port", "0", "--unixsocket", p.sock, "--dir", p.dir, "--save", "", "--appendonly", "no",
		"--enable-debug-command", "yes"}
	p.start()
	t.Cleanup(p.kill)
	return p
}

// shortDir returns a temporary directory whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.path, p.args...)
	p.log = &syncBuffer{}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done := make(chan struct{})
	p.done = done
	cmd := p.cmd
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	deadline := time.Now().Add(30 * time.Second)
	for {
		if conn, err := net.Dial("unix", p.sock); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-done:
			p.t.Fatalf("%s ended at start:\n%s", p.path, p.log)
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not answer:\n%s", p.path, p.log)
		}
	}
}

// kill ends the process as kill -9 does. The test fails if the race detector had something to report.
func (p *process) kill() {
	p.t.Helper()
	_ = p.cmd.Process.Kill()
	<-p.done
	if out := p.log.String(); strings.Contains(out, "WARNING: DATA RACE") {
		p.t.Errorf("%s:\n%s", p.path, out)
	}
}

// restart is kill -9 and a new start on the same directory.
func (p *process) restart(extra ...string) {
	p.t.Helper()
	p.kill()
	_ = os.Remove(p.sock)
	old := p.args
	p.args = append(append([]string(nil), old...), extra...)
	p.start()
	p.args = old
}

// stop ends the process as an operator does and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("no end 30 s after SIGTERM:\n%s", p.log)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) dial() net.Conn {
	p.t.Helper()
	conn, err := net.Dial("unix", p.sock)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.log)
	}
	return conn
}

// client is a plain connection that speaks the protocol word for word.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *resp.Reader
}

func newClient(t testing.TB, conn net.Conn) *client {
	return &client{t: t, conn: conn, r: resp.NewReader(bufio.NewReader(conn))}
}

// client connects to the process; the connection is closed with the test.
func (p *process) client() *client {
	p.t.Helper()
	c := newClient(p.t, p.dial())
	p.t.Cleanup(func() { c.conn.Close() })
	return c
}

func (c *client) send(words ...string) {
	c.t.Helper()
	if _, err := c.conn.Write(resp.AppendRequest(nil, words...)); err != nil {
		c.t.Fatal(err)
	}
}

// replyTimeout is how long a reply may take before the test fails.
const replyTimeout = 30 * time.Second

func (c *client) read() resp.Value {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(replyTimeout))
	v, err := c.r.Read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return v
}

func (c *client) do(words ...string) resp.Value {
	c.t.Helper()
	c.send(words...)
	return c.read()
}

// want fails the test unless the reply to words is reply, in the notation of transcripts.
func (c *client) want(reply string, words ...string) {
	c.t.Helper()
	got := c.do(words...)
	want, err := resp.ParseReply(reply)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := resp.Compare(want, got, false, map[string]string{}); err != nil {
		c.t.Fatalf("%s: %v", strings.Join(words, " "), err)
	}
}

// arrived waits until the server has read what was sent, and for a moment in which it can carry it out: with several event loops
// it may otherwise take what another client sends later before it.
func (c *client) arrived() error {
	raw, err := c.conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		var unread int
		var ioctl error
		if err := raw.Control(func(fd uintptr) { unread, ioctl = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err != nil {
			return err
		}
		switch {
		case ioctl != nil:
			return ioctl
		case unread == 0:
			time.Sleep(5 * time.Millisecond)
			return nil
		case time.Since(start) > replyTimeout:
			return errors.New("the server does not read")
		}
	}
}

// silent tells whether nothing arrives for a moment.
func (c *client) silent() error {
	_ = c.conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	v, err := c.r.Read()
	if err == nil {
		return fmt.Errorf("got %s, want nothing", v)
	}
	if ne, ok := err.(net.Error); !ok || !ne.Timeout() {
		return err
	}
	return nil
}
