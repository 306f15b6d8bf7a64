package session

import (
	"slices"
	"strconv"

	"github.com/streamd/streamd/resp"
)

// Monitors are the sessions in MONITOR mode, in the order they asked.
type Monitors struct{ list []*Session }

// All returns the monitors. The caller must not change it.
func (m *Monitors) All() []*Session { return m.list }

// Add makes s a monitor; false if it is one.
func (m *Monitors) Add(s *Session) bool {
	if s.Monitor {
		return false
	}
	s.Monitor = true
	m.list = append(m.list, s)
	return true
}

// Drop makes s an ordinary client again.
func (m *Monitors) Drop(s *Session) {
	if s.Monitor {
		s.Monitor = false
		m.list = slices.DeleteFunc(m.list, func(other *Session) bool { return other == s })
	}
}

// FeedMonitors shows a command of s to all monitors, its secrets hidden; quiet is set for commands they must not see.
func (n *Node) FeedMonitors(s *Session, args [][]byte, quiet bool, nowMicros int64) {
	if quiet || len(n.Monitors.list) == 0 {
		return
	}
	var room [8][]byte
	args = Redact(args, room[:0])
	p := &n.pushes
	from := p.begin()
	b := append(p.w.Buf, '+')
	b = strconv.AppendInt(b, nowMicros/1e6, 10)
	b = append(b, '.')
	for unit := int64(1e5); unit > 0; unit /= 10 {
		b = append(b, '0'+byte(nowMicros/unit%10))
	}
	b = append(b, ' ', '[')
	b = strconv.AppendInt(b, int64(s.DB), 10)
	b = append(b, ' ')
	if s.Unix {
		b = append(append(b, "unix:"...), s.Conn.LocalAddr()...)
	} else {
		b = append(b, s.Conn.RemoteAddr()...)
	}
	b = append(b, ']')
	for _, arg := range args {
		b = append(b, ' ')
		b = resp.AppendQuoted(b, arg)
	}
	p.w.Buf = append(b, '\r', '\n')
	for _, m := range n.Monitors.list {
		p.send(m, from)
	}
}

var hidden = []byte("(redacted)")

// Redact returns args with passwords replaced, for MONITOR and the slow log: those of AUTH and HELLO AUTH, the values of
// secret settings, the rules of ACL SETUSER. If there is something to hide, the list is copied to room.
func Redact(args [][]byte, room [][]byte) [][]byte {
	if len(args) == 0 {
		return args
	}
	hide := func(at int) {
		if len(room) == 0 {
			room = append(room, args...)
			args = room
		}
		args[at] = hidden
	}
	switch {
	case resp.Is(args[0], "AUTH"):
		for i := 1; i < len(args); i++ {
			hide(i)
		}
	case resp.Is(args[0], "HELLO"):
		for i := 2; i+2 < len(args); i++ {
			if resp.Is(args[i], "AUTH") {
				hide(i + 1)
				hide(i + 2)
				i += 2
			}
		}
	case len(args) > 2 && resp.Is(args[0], "CONFIG") && resp.Is(args[1], "SET"):
		for i := 2; i+1 < len(args); i += 2 {
			if secretSetting(args[i]) {
				hide(i + 1)
			}
		}
	case len(args) > 2 && resp.Is(args[0], "ACL") && resp.Is(args[1], "SETUSER"):
		for i := 2; i < len(args); i++ {
			hide(i)
		}
	}
	return args
}

func secretSetting(name []byte) bool {
	return resp.Is(name, "REQUIREPASS") || resp.Is(name, "MASTERAUTH") || resp.Is(name, "MASTERUSER") ||
		resp.Is(name, "TLS-KEY-FILE-PASS") || resp.Is(name, "TLS-CLIENT-KEY-FILE-PASS")
}
