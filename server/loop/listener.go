//go:build linux

package loop

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
	"golang.org/x/sys/unix"
)

// Listener accepts connections for a set of loops, on the first of them.
type Listener struct {
	loops      []*Loop
	next       int
	files      map[int]*os.File
	unix       map[int]string // descriptor → path of unix sockets
	addrs      []string
	logger     *slog.Logger
	lastDenied time.Time
	retryAt    time.Time // no connection is accepted before; zero: no trouble
}

const errProtected resp.Error = "DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. " +
	"In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: " +
	"1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. " +
	"2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. " +
	"3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. " +
	"4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside."

// Listen opens the TCP addresses (host:port) and, if not empty, the unix socket at path with its permissions.
func Listen(loops []*Loop, tcp []string, path string, perm os.FileMode, logger *slog.Logger) (*Listener, error) {
	ln := &Listener{loops: loops, files: map[int]*os.File{}, unix: map[int]string{}, logger: logger}
	for _, addr := range tcp {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			_ = ln.Close()
			return nil, fmt.Errorf("listen on %s: %w", addr, err)
		}
		f, err := l.(*net.TCPListener).File()
		ln.addrs = append(ln.addrs, l.Addr().String())
		_ = l.Close()
		if err == nil {
			err = ln.add(f, "")
		}
		if err != nil {
			_ = ln.Close()
			return nil, fmt.Errorf("listen on %s: %w", addr, err)
		}
	}
	if path != "" {
		if err := ln.listenUnix(path, perm); err != nil {
			_ = ln.Close()
			return nil, fmt.Errorf("listen on %s: %w", path, err)
		}
	}
	loops[0].listen = ln
	return ln, nil
}

func (ln *Listener) listenUnix(path string, perm os.FileMode) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close()
			return errors.New("another server listens there")
		}
		if err := os.Remove(path); err != nil { // left over from a server that died
			return err
		}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	f, err := l.File()
	_ = l.Close()
	if err != nil {
		return err
	}
	if perm != 0 {
		if err := os.Chmod(path, perm); err != nil {
			return err
		}
	}
	ln.addrs = append(ln.addrs, path)
	return ln.add(f, path)
}

func (ln *Listener) add(f *os.File, path string) error {
	fd := int(f.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	ln.files[fd] = f
	if path != "" {
		ln.unix[fd] = path
	}
	return ln.loops[0].watch(fd, unix.EPOLLIN)
}

// Addrs returns what is listened on.
func (ln *Listener) Addrs() []string { return ln.addrs }

// Close stops accepting; may be called twice. Call it when the first loop has stopped.
func (ln *Listener) Close() error {
	for fd, f := range ln.files {
		_ = f.Close()
		if path := ln.unix[fd]; path != "" {
			_ = os.Remove(path)
		}
	}
	ln.files = nil
	return nil
}

func (ln *Listener) has(fd int) bool { return ln.files[fd] != nil }

// accept takes what waits, at most a thousand at a time.
func (ln *Listener) accept(fd int) {
	for range 1000 {
		nfd, sa, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ECONNABORTED) && !errors.Is(err, unix.EINTR) {
				ln.logger.Error("accept", "err", err)
				ln.retryAt = time.Now().Add(acceptPause)
				ln.watch(0)
			}
			return
		}
		ln.welcome(nfd, sa, ln.unix[fd])
	}
}

// acceptPause is how long connections wait after accepting one failed, for want of descriptors most likely: epoll would report
// them again at once and for ever.
const acceptPause = time.Second

// resume accepts again after trouble. The loop that ticks calls it in every round.
func (ln *Listener) resume() {
	if ln.retryAt.IsZero() || time.Now().Before(ln.retryAt) {
		return
	}
	ln.retryAt = time.Time{}
	ln.watch(unix.EPOLLIN)
}

// watch tells epoll what to report of the listening sockets.
func (ln *Listener) watch(events uint32) {
	for fd := range ln.files {
		_ = unix.EpollCtl(ln.loops[0].epfd, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
	}
}

// welcome makes a connection of an accepted socket, or refuses it.
func (ln *Listener) welcome(fd int, sa unix.Sockaddr, path string) {
	l := ln.loops[ln.next%len(ln.loops)]
	ln.next++
	c := &conn{l: l, fd: fd, remote: addrString(sa, path)}
	local, _ := unix.Getsockname(fd)
	c.local = addrString(local, path)
	if path == "" {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		keepAlive(fd, l.settings.TCPKeepAlive())
		if isLoopback(sa) {
			// Nothing is congested here, and systems that default to BBR would pace each reply with a timer.
			_ = unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno")
		}
	}
	l.shard.Lock()
	defer l.shard.Unlock()
	n := l.node
	loopback := path != "" || isLoopback(sa)
	switch {
	case n.Settings.ProtectedMode() && n.Settings.RequirePass() == "" && !loopback:
		ln.refuse(fd, errProtected)
		if time.Since(ln.lastDenied) > time.Minute {
			ln.lastDenied = time.Now()
			ln.logger.Warn("protected mode: connections from other hosts are refused until a password is set", "addr", c.remote)
		}
		return
	case n.Clients.Count() >= n.Settings.MaxClients():
		ln.refuse(fd, resp.ErrMaxClients)
		return
	}
	c.s = &session.Session{Conn: c, Local: loopback, Unix: path != ""}
	c.s.W.Piece = pieceBytes
	n.Join(c.s)
	n.Stats.ConnectionsReceived++
	l.joining = append(l.joining, c)
	if !l.running {
		l.Wake()
	}
}

func (ln *Listener) refuse(fd int, e resp.Error) {
	ln.loops[0].node.Stats.ConnectionsRejected++
	_, _ = write(fd, []byte("-"+string(e)+"\r\n"))
	_ = unix.Close(fd)
}

// adopt makes an accepted connection the loop's own. Under the lock.
func (l *Loop) adopt(c *conn) {
	if c.closed {
		return // killed before it got here
	}
	l.conns.add(c)
	c.events = unix.EPOLLIN | unix.EPOLLRDHUP
	if err := l.watch(c.fd, c.events); err != nil {
		c.reason = "epoll: " + err.Error()
		c.shut()
	}
}

func keepAlive(fd, seconds int) {
	if seconds <= 0 {
		return
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, max(1, seconds/3))
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3)
}

func addrString(sa unix.Sockaddr, path string) string {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return net.JoinHostPort(net.IP(a.Addr[:]).String(), strconv.Itoa(a.Port))
	case *unix.SockaddrInet6:
		ip := net.IP(a.Addr[:])
		return net.JoinHostPort(ip.String(), strconv.Itoa(a.Port))
	}
	return path + ":0"
}

func isLoopback(sa unix.Sockaddr) bool {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return a.Addr[0] == 127
	case *unix.SockaddrInet6:
		return net.IP(a.Addr[:]).IsLoopback()
	}
	return false
}
