package server

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/loop"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/settings"
	"github.com/streamd/streamd/server/shard"
	"golang.org/x/sys/unix"
)

// Server is one running node.
type Server struct {
	settings *settings.Settings
	logger   *slog.Logger
	log      *aof.Log
	journal  *aof.Local // nil with appendonly no
	shard    *shard.Shard
	loops    []*loop.Loop
	listener *loop.Listener

	serving  atomic.Bool // the loops run
	stop     chan struct{}
	stopOnce sync.Once
	failed   chan error // the log failed under appendfsync always

	closeOnce sync.Once
	closeErr  error
}

// Options replace parts of the machine a server runs on; the zero value is the real one.
type Options struct {
	FS    aof.FS
	Loops int // event loops, instead of what suits the number of cores
	Clock func() time.Time
}

// Open loads the data directory and listens, but serves nothing before Serve.
func Open(st *settings.Settings, logger *slog.Logger) (*Server, error) {
	return OpenWith(st, logger, Options{})
}

// OpenWith is Open on another file system.
func OpenWith(st *settings.Settings, logger *slog.Logger, o Options) (*Server, error) {
	s := &Server{settings: st, logger: logger, stop: make(chan struct{}), failed: make(chan error, 1)}
	m := machine.NewSeeded(st.Databases(), seed())
	start := time.Now()
	report, err := s.load(m, o.FS)
	if err != nil {
		return nil, err
	}
	if st.AppendOnly() {
		s.journal = aof.NewLocal(s.log, s.onDurable, s.onLogError)
	}
	node := session.NewNode(m, st)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	node.StartMS = o.Clock().UnixMilli()
	keys := int64(0)
	for db := range m.Databases() {
		keys += m.Len(db)
	}
	if report.LastIndex > 0 {
		logger.Info("data loaded", "keys", keys, "frames", report.Frames, "seconds", time.Since(start).Seconds())
	}
	s.shard = shard.New(shard.Options{
		Node: node, Table: command.NewTable(), Log: s.log, Journal: s.journal, Logger: logger, Clock: o.Clock, Background: background,
		Loaded: keys, Exit: s.Stop, Sooner: s.sooner, Changed: s.settingChanged,
	})
	s.checkDescriptors()
	if o.Loops == 0 {
		o.Loops = loopCount(runtime.GOMAXPROCS(0))
	}
	if err := s.listen(node, o.Loops); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// load opens the log and replays it into m.
func (s *Server) load(m *machine.Machine, fs aof.FS) (aof.Report, error) {
	log, report, err := aof.Open(aof.Options{
		Dir: s.settings.Dir(), FS: fs, Policy: policy(s.settings.AppendFsync()), Logger: s.logger,
	}, func(r io.Reader, _ uint64) error {
		return m.Restore(r)
	}, func(payload []byte, index uint64) error {
		if err := m.Replay(payload); err != nil {
			return fmt.Errorf("frame %d: %w", index, err)
		}
		return nil
	})
	s.log = log
	return report, err
}

func (s *Server) listen(node *session.Node, loops int) error {
	for i := range loops {
		l, err := loop.New(s.shard, node, s.settings, s.logger, i == 0)
		if err != nil {
			return err
		}
		s.loops = append(s.loops, l)
	}
	var err error
	s.listener, err = loop.Listen(s.loops, addresses(s.settings), s.settings.UnixSocket(), os.FileMode(s.settings.UnixSocketPerm()), s.logger)
	return err
}

// ownDescriptors is what the server itself needs besides its clients: log, snapshot, listeners, epoll.
const ownDescriptors = 32

// checkDescriptors says at start, not when it is too late, that the system allows fewer open files than maxclients needs.
func (s *Server) checkDescriptors() {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	if need := uint64(s.settings.MaxClients()) + ownDescriptors; limit.Cur < need {
		s.logger.Warn("the limit of open files is too low for maxclients: further clients will have to wait",
			"limit", limit.Cur, "maxclients", s.settings.MaxClients(), "needed", need)
	}
}

// loopCount is how many loops serve the sockets: one up to three cores, where a second would only move the bottleneck, then
// half the cores; the kernel's network work takes the others.
func loopCount(cores int) int {
	if cores <= 3 {
		return 1
	}
	return cores / 2
}

// addresses returns the TCP addresses of bind and port. An address written with a leading '-' is left out if this machine
// does not have it.
func addresses(st *settings.Settings) []string {
	if st.Port() == 0 {
		return nil
	}
	port := strconv.Itoa(st.Port())
	var list []string
	for _, host := range st.Bind() {
		optional := strings.HasPrefix(host, "-")
		host = strings.TrimPrefix(host, "-")
		switch host {
		case "*":
			host = "0.0.0.0"
		case "::*":
			host = "::"
		}
		addr := net.JoinHostPort(host, port)
		if optional {
			l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if err != nil {
				continue
			}
			_ = l.Close()
		}
		list = append(list, addr)
	}
	return list
}

// Addrs returns what the server listens on.
func (s *Server) Addrs() []string { return s.listener.Addrs() }

// Serve runs until Stop, or until the log fails under appendfsync always; then it closes everything. It returns nil after a
// clean stop.
func (s *Server) Serve() error {
	s.serving.Store(true)
	for _, l := range s.loops {
		l.Start()
	}
	var cause error
	select {
	case <-s.stop:
	case cause = <-s.failed:
	}
	if err := s.Close(); cause == nil {
		cause = err
	}
	return cause
}

// Stop makes Serve return after a clean stop: replies are sent, the log is synced. Safe from any goroutine.
func (s *Server) Stop() { s.stopOnce.Do(func() { close(s.stop) }) }

// Shutdown is Stop as the SHUTDOWN command does it: with save, a snapshot is written first.
func (s *Server) Shutdown(save bool) error {
	s.shard.Lock()
	defer s.shard.Unlock()
	s.shard.BeginBatch()
	defer s.shard.EndBatch()
	return s.shard.Shutdown(save)
}

// Close stops the loops and closes the log. It may be called twice.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		for _, l := range s.loops {
			l.Stop()
		}
		for _, l := range s.loops {
			l.Wait()
		}
		if s.listener != nil {
			_ = s.listener.Close()
		}
		s.shard.Close()
		if s.journal != nil {
			s.closeErr = s.journal.Close()
		} else {
			s.closeErr = s.log.Close()
		}
		for _, l := range s.loops {
			l.Close()
		}
	})
	return s.closeErr
}

// onDurable wakes the loops: replies they hold may leave.
func (s *Server) onDurable(uint64) {
	if !s.serving.Load() {
		return // the loops are still being made
	}
	for _, l := range s.loops {
		l.Wake()
	}
}

// sooner tells the loop that ticks of an earlier deadline. Under the shard's lock.
func (s *Server) sooner() {
	if len(s.loops) > 0 {
		s.loops[0].Sooner()
	}
}

// onLogError ends the process under `always`: what was promised cannot be kept any more. Otherwise writes are refused.
func (s *Server) onLogError(err error) {
	s.logger.Error("the log failed", "err", err)
	s.onDurable(0) // replies that wait for the log wait in vain: they become INDOUBT
	if s.settings.AppendFsync() == settings.FsyncAlways {
		s.failed <- fmt.Errorf("the log failed under appendfsync always; stopping so that nothing is promised that cannot be kept: %w", err)
	}
}

// settingChanged makes a setting that lives above the shard take effect. Under the shard's lock.
func (s *Server) settingChanged(name string) error {
	switch {
	case name == "appendonly":
		return errors.New("can't set immutable config") // but setting what it is already is fine
	case name == "appendfsync" && s.journal != nil:
		s.journal.SetPolicy(policy(s.settings.AppendFsync()))
	}
	return nil
}

func policy(setting int) aof.Policy {
	switch setting {
	case settings.FsyncAlways:
		return aof.Always
	case settings.FsyncNo:
		return aof.No
	}
	return aof.EverySec
}

// seed is secret, so that nobody can choose keys that collide.
func seed() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return binary.LittleEndian.Uint64(b[:])
}
