package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Locate connects to t and completes it: its name, from what the server says of itself, and its process if that is on this machine.
func Locate(t Target) (Target, error) {
	a, err := dialAdmin(t)
	if err != nil {
		var cause syscall.Errno
		if errors.As(err, &cause) {
			err = cause
		}
		return t, fmt.Errorf("no server can be reached at %s: %w", t.Addr, err)
	}
	defer a.close()
	fields, err := a.info("server")
	if err != nil {
		return t, fmt.Errorf("%s: %w", t.Addr, err)
	}
	if t.Name == "" {
		t.Name = programName(fields) + " " + t.Addr
	}
	if t.PID == 0 && local(a.conn.RemoteAddr()) {
		t.PID = ownedPID(fields["process_id"])
	}
	if _, err := usage(t.PID).cpu(); err != nil {
		return t, fmt.Errorf("there is no process %d", t.PID)
	}
	return t, nil
}

// network is what an address belongs to: the path of a unix socket, or TCP.
func network(addr string) string {
	if strings.HasPrefix(addr, "/") {
		return "unix"
	}
	return "tcp"
}

// programName is the server's name: those that are not Redis say so in a field of their own beside redis_version.
func programName(info map[string]string) string {
	for _, name := range []string{"streamd", "valkey", "dragonfly", "kvrocks"} {
		if v := info[name+"_version"]; v != "" {
			return name + " " + v
		}
	}
	return "redis " + info["redis_version"]
}

func local(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// ownedPID returns the process id that a server says it has, if it is one that may be looked at; else 0. A server in a container of
// its own has an id that means nothing here.
func ownedPID(text string) int {
	pid, err := strconv.Atoi(text)
	if err != nil || pid <= 0 {
		return 0
	}
	if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil {
		return 0
	}
	return pid
}
