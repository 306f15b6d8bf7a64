package integration

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/resp"
)

// side is one of the two servers, with its connections.
type side struct {
	t       testing.TB
	p       *process
	control *client
	conns   [numConns]*diffConn
}

// diffConn is a connection of a session.
type diffConn struct {
	net.Conn
	buf     *bufio.Reader
	r       *resp.Reader
	id      string // CLIENT ID
	blocked bool
	parked  call // what it is blocked in
}

// exchange is a reply, to the call on the connection that got it.
type exchange struct {
	call  call
	value resp.Value
}

func newSide(t *testing.T, p *process) *side {
	s := &side{t: t, p: p, control: p.client()}
	s.reconnect()
	return s
}

func (s *side) release() string {
	_, rest, _ := strings.Cut(string(s.control.do("INFO", "server").Text), "redis_version:")
	version, _, _ := strings.Cut(rest, "\r\n")
	if strings.HasPrefix(version, "255.") {
		return "7.9" // the unstable branch, which does not say when: late 2024
	}
	return version
}

func (s *side) reconnect() {
	for i, c := range s.conns {
		if c != nil {
			_ = c.Close()
		}
		conn := s.p.dial()
		buf := bufio.NewReaderSize(conn, 64<<10)
		s.conns[i] = &diffConn{Conn: conn, buf: buf, r: resp.NewReader(buf)}
		s.conns[i].id = string(s.one(s.conns[i], "CLIENT", "ID").Text)
	}
}

// reset brings both the data and the connections back to the beginning.
func (s *side) reset(x *session) {
	for i, c := range s.conns {
		s.send(c, "RESET")
		for {
			if v := s.read(c); v.Kind == '+' && string(v.Text) == "RESET" {
				break
			}
		}
		if x.resp3[i] {
			s.one(c, "HELLO", "3")
		}
	}
	s.must("FLUSHALL")
	s.must(append([]string{"CONFIG", "SET"}, x.settings...)...)
}

func (s *side) must(words ...string) {
	if v := s.control.do(words...); v.Kind != '+' {
		s.t.Fatalf("%s: %s: %s", s.p.path, strings.Join(words, " "), v)
	}
}

func (s *side) send(c *diffConn, words ...string) {
	if _, err := c.Write(resp.AppendRequest(nil, words...)); err != nil {
		s.t.Fatalf("%s: %v\n%s", s.p.path, err, s.p.log)
	}
}

func (s *side) read(c *diffConn) resp.Value {
	_ = c.SetReadDeadline(time.Now().Add(replyTimeout))
	v, err := c.r.Read()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", s.p.path, err, s.p.log)
	}
	return v
}

func (s *side) one(c *diffConn, words ...string) resp.Value {
	s.send(c, words...)
	return s.read(c)
}

// exchange sends calls, all on one connection and all plain unless it is a single one, and returns what is answered, also to
// clients that it woke.
func (s *side) exchange(batch []call) []exchange {
	c := s.conns[batch[0].conn]
	var got []exchange
	switch batch[0].kind {
	case plain:
		var request []byte
		for _, b := range batch {
			request = resp.AppendRequest(request, s.resolve(b.words)...)
		}
		if _, err := c.Write(request); err != nil {
			s.t.Fatalf("%s: %v\n%s", s.p.path, err, s.p.log)
		}
		for _, b := range batch {
			got = append(got, exchange{b, s.read(c)})
		}
	case scan:
		got = append(got, exchange{batch[0], s.scan(c, batch[0].words)})
	case drain:
		got = append(got, exchange{batch[0], s.drain(c, batch[0].words)})
	case park:
		woken := s.woken()
		return append(woken, exchange{batch[0], s.park(c, batch[0])})
	}
	return append(got, s.woken()...)
}

// resolve puts the ids of connections in the place of <id0>, <id1> ….
func (s *side) resolve(words []string) []string {
	if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "<id") }) {
		return words
	}
	words = slices.Clone(words)
	for i, w := range words {
		for n, c := range s.conns {
			if w == "<id"+strconv.Itoa(n)+">" {
				words[i] = c.id
			}
		}
	}
	return words
}

// scan is a whole iteration, as the sorted set of its keys.
func (s *side) scan(c *diffConn, words []string) resp.Value {
	keys := map[string]bool{}
	words = slices.Clone(words)
	for {
		v := s.one(c, words...)
		if v.Kind != '*' || len(v.Elems) != 2 {
			return v
		}
		for _, key := range v.Elems[1].Elems {
			keys[string(key.Text)] = true
		}
		words[1] = string(v.Elems[0].Text)
		if words[1] == "0" {
			return stringsValue(keys)
		}
	}
}

func stringsValue(set map[string]bool) resp.Value {
	v := resp.Value{Kind: '*'}
	for name := range set {
		v.Elems = append(v.Elems, resp.Value{Kind: '$', Text: []byte(name)})
	}
	slices.SortFunc(v.Elems, func(a, b resp.Value) int { return strings.Compare(string(a.Text), string(b.Text)) })
	return v
}

// drain sends words, if any, and a PING, and returns all that comes before its exchange.
func (s *side) drain(c *diffConn, words []string) resp.Value {
	var request []byte
	if len(words) > 0 && words[0] != "(drain)" {
		request = resp.AppendRequest(request, words...)
	}
	request = resp.AppendRequest(request, "PING", "the end")
	if _, err := c.Write(request); err != nil {
		s.t.Fatalf("%s: %v\n%s", s.p.path, err, s.p.log)
	}
	frames := resp.Value{Kind: '*'}
	for {
		v := s.read(c)
		last := v
		if len(v.Elems) == 2 && string(v.Elems[0].Text) == "pong" {
			last = v.Elems[1]
		}
		frames.Elems = append(frames.Elems, v)
		if string(last.Text) == "the end" {
			return frames
		}
	}
}

// stillBlocked stands for the reply of a client that waits.
var stillBlocked = resp.Value{Kind: '+', Text: []byte("(blocked)")}

// park sends a call that may block and waits until it does, or is answered. A client that waits already is left alone.
func (s *side) park(c *diffConn, x call) resp.Value {
	if c.blocked {
		return stillBlocked
	}
	s.send(c, s.resolve(x.words)...)
	deadline := time.Now().Add(replyTimeout)
	for time.Now().Before(deadline) {
		if s.isBlocked()[c.id] {
			c.blocked, c.parked = true, x
			return stillBlocked
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.buf.Peek(1); err == nil {
			return s.read(c)
		}
	}
	s.t.Fatalf("%s: %v neither blocks nor is answered", s.p.path, x.words)
	return resp.Value{}
}

// isBlocked returns the ids of the clients that CLIENT LIST shows as blocked.
func (s *side) isBlocked() map[string]bool {
	blocked := map[string]bool{}
	for line := range strings.Lines(string(s.control.do("CLIENT", "LIST").Text)) {
		var id, flags string
		for field := range strings.FieldsSeq(line) {
			if name, value, _ := strings.Cut(field, "="); name == "id" {
				id = value
			} else if name == "flags" {
				flags = value
			}
		}
		if strings.Contains(flags, "b") {
			blocked[id] = true
		}
	}
	return blocked
}

// woken returns the replies to the clients that waited, or that they still wait.
func (s *side) woken() []exchange {
	var got []exchange
	var blocked map[string]bool
	for _, c := range s.conns {
		if !c.blocked {
			continue
		}
		if blocked == nil {
			blocked = s.isBlocked()
		}
		v := stillBlocked
		if !blocked[c.id] {
			c.blocked = false
			v = s.read(c)
		}
		got = append(got, exchange{c.parked, v})
	}
	return got
}

// unblock ends the waiting of all clients and returns their names and replies.
func (s *side) unblock() string {
	var out strings.Builder
	for i, c := range s.conns {
		if c.blocked {
			c.blocked = false
			v := s.control.do("CLIENT", "UNBLOCK", c.id)
			fmt.Fprintf(&out, "%d: %s %s\n", i, v, s.read(c))
		}
	}
	return out.String()
}
