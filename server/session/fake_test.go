package session

import (
	"strconv"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/settings"
)

// fakeConn is a connection without a socket.
type fakeConn struct {
	addr    string
	flushed int
	closed  string
}

func (c *fakeConn) Flush()                      { c.flushed++ }
func (c *fakeConn) Close(reason string, _ bool) { c.closed = reason }
func (c *fakeConn) Resume()                     {}
func (c *fakeConn) RemoteAddr() string          { return c.addr }
func (c *fakeConn) LocalAddr() string           { return "127.0.0.1:6379" }
func (c *fakeConn) FD() int                     { return 12 }
func (c *fakeConn) Buffers() (q, free, out int) { return 26, 100, 0 }

// fakeHost is a server whose clock stands still.
type fakeHost struct {
	Host
	node  *Node
	nowMS int64
}

func (h *fakeHost) NowMS() int64    { return h.nowMS }
func (h *fakeHost) Drop(s *Session) { h.node.Drop(s) }

func newTestNode() *Node {
	n := NewNode(machine.New(16), settings.New())
	n.Host = &fakeHost{node: n, nowMS: 1_700_000_000_000}
	return n
}

func (n *Node) testJoin() *Session {
	s := &Session{Conn: &fakeConn{addr: "127.0.0.1:" + strconv.Itoa(40000+n.Clients.Count())}}
	n.Join(s)
	return s
}

// set configures the node, failing the test if a value is refused.
func set(t *testing.T, n *Node, pairs ...string) {
	t.Helper()
	var list []settings.Pair
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, settings.Pair{Name: pairs[i], Value: pairs[i+1]})
	}
	if _, _, err := n.Settings.Set(list); err != nil {
		t.Fatal(err)
	}
}

// store makes a key exist.
func store(n *Node, db int, key string) {
	var w resp.Writer
	n.Machine.Apply(&machine.Op{Kind: machine.Set, DB: db, AtMS: 1, Key: []byte(key), Args: [][]byte{[]byte("v")}}, &w)
}

// got delivers what is queued and takes what s has to read.
func got(n *Node, s *Session) string {
	n.Tracking.Flush()
	text := string(s.W.Buf)
	s.W.Buf = s.W.Buf[:0]
	return text
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func bytesOf(words ...string) [][]byte {
	args := make([][]byte, len(words))
	for i, word := range words {
		args[i] = []byte(word)
	}
	return args
}
