package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a server may take to answer and to end. Loading 10 million entries takes the slowest of them less than a minute.
const (
	startTimeout = 3 * time.Minute
	stopTimeout  = 15 * time.Second
	askEvery     = time.Millisecond
)

// Server is a running server process that a Host started.
type Server struct {
	Target
	Launch
	Ready time.Duration // from the start of the process to its first PONG, all data loaded
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
	log   tail
	host  *Host
	temp  bool // Dir goes with the server
}

// Host starts servers on loopback and answers for their end: none of them and none of their files outlives Close. Servers die
// with this process even if it is killed.
type Host struct {
	dir string

	mu      sync.Mutex // guards running: Close may come from the goroutine of a signal
	running map[*Server]bool
}

// NewHost returns a Host that keeps all data under dir; "" is the system's directory for temporary files, or the working
// directory if that is held in memory, where a sync would cost nothing.
func NewHost(dir string) (*Host, error) {
	if dir == "" {
		dir = os.TempDir()
		if inMemory(dir) {
			dir = "."
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	dir, err = os.MkdirTemp(dir, "streamd-bench-")
	return &Host{dir: dir, running: map[*Server]bool{}}, err
}

func inMemory(dir string) bool {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var s syscall.Statfs_t
	return syscall.Statfs(dir, &s) == nil && (s.Type == tmpfs || s.Type == ramfs)
}

// Start starts a server and waits until it has loaded its data and answers.
func (h *Host) Start(ctx context.Context, l Launch) (*Server, error) {
	s := &Server{Launch: l, host: h, ended: make(chan struct{})}
	if s.Dir == "" {
		dir, err := os.MkdirTemp(h.dir, "data-")
		if err != nil {
			return nil, err
		}
		s.Dir, s.temp = dir, true
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	words, err := l.Slow.wrap(append([]string{l.Program.Path}, l.flags(port, s.Dir)...))
	if err != nil {
		return nil, err
	}
	s.cmd = exec.Command(words[0], words[1:]...)
	s.cmd.Env = environment()
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	// A group of its own, so that Ctrl-C reaches this process alone and servers are stopped in order.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is told by what it logged
		close(s.ended)
	}()
	h.mu.Lock()
	h.running[s] = true
	h.mu.Unlock()
	s.Target = Target{Name: l.Program.Name, Addr: fmt.Sprintf("127.0.0.1:%d", port), PID: s.cmd.Process.Pid}
	if err := s.await(ctx, begin); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// freePort returns a port that nobody listens on at the moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await polls until the server answers PING with data loaded. LOADING errors and refused connections mean "not yet".
func (s *Server) await(ctx context.Context, begin time.Time) error {
	var conn *admin
	defer func() {
		if conn != nil {
			conn.close()
		}
	}()
	for time.Since(begin) < startTimeout {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ended:
			return fmt.Errorf("%s ended at its start:\n%s", s.Name, s.log.text())
		default:
		}
		if conn == nil {
			conn, _ = dialAdmin(s.Target)
		}
		if conn != nil {
			if v, err := conn.do("PING"); err == nil && string(v.Text) == "PONG" {
				s.Ready = time.Since(begin)
				return loaded(conn)
			}
		}
		time.Sleep(askEvery)
	}
	return fmt.Errorf("%s does not answer after %v:\n%s", s.Name, startTimeout, s.log.text())
}

// loaded makes sure that PONG meant what it was taken for.
func loaded(a *admin) error {
	fields, err := a.info("persistence")
	if err == nil && infoNumber(fields, "loading") != 0 {
		err = errors.New("the server answers PING while it loads")
	}
	return err
}

// Stop ends the server with SIGTERM, and with SIGKILL if that takes too long. It may be called twice.
func (s *Server) Stop() {
	s.end(syscall.SIGTERM)
	s.host.mu.Lock()
	delete(s.host.running, s)
	s.host.mu.Unlock()
	if s.temp {
		_ = os.RemoveAll(s.Dir) // Close removes what is left
	}
}

func (s *Server) end(sig syscall.Signal) {
	_ = s.cmd.Process.Signal(sig) // fails only if the process is gone
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// Alive returns an error that says what the server logged last, if it has ended.
func (s *Server) Alive() error {
	select {
	case <-s.ended:
		return fmt.Errorf("%s ended:\n%s", s.Name, s.log.text())
	default:
		return nil
	}
}

// Close stops all servers and removes all data. It may be called twice, and from any goroutine.
func (h *Host) Close() error {
	h.mu.Lock()
	var left []*Server
	for s := range h.running {
		left = append(left, s)
	}
	h.mu.Unlock()
	for _, s := range left {
		s.Stop()
	}
	return os.RemoveAll(h.dir)
}

// DataDir makes an empty directory for a server's data that outlives the server, until Close.
func (h *Host) DataDir() (string, error) { return os.MkdirTemp(h.dir, "data-") }

// tail keeps the last words of a server's log.
type tail struct {
	mu   sync.Mutex // guards last: the process writes from a goroutine of os/exec
	last []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if over := len(t.last) - tailBytes; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.last))
}
