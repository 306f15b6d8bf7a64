package integration

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// wire is a connection for goroutines that expect it to break: it returns errors instead of failing the test.
type wire struct {
	conn net.Conn
	r    *resp.Reader
	buf  []byte
	sent int // commands sent and not yet answered
}

// dialWire connects to the unix socket of p.
func dialWire(p *process) (*wire, error) {
	conn, err := net.Dial("unix", p.sock)
	if err != nil {
		return nil, err
	}
	return newWire(conn), nil
}

func newWire(conn net.Conn) *wire { return &wire{conn: conn, r: resp.NewReader(conn)} }

func (w *wire) close() { _ = w.conn.Close() }

// queue adds a command to what flush sends.
func (w *wire) queue(words ...string) {
	w.buf = resp.AppendRequest(w.buf, words...)
	w.sent++
}

func (w *wire) flush() error {
	_ = w.conn.SetDeadline(time.Now().Add(replyTimeout))
	_, err := w.conn.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *wire) read() (resp.Value, error) {
	_ = w.conn.SetDeadline(time.Now().Add(replyTimeout))
	return w.r.Read()
}

func (w *wire) do(words ...string) (resp.Value, error) {
	w.queue(words...)
	if err := w.flush(); err != nil {
		return resp.Value{}, err
	}
	return w.read()
}

// parseID reads an id as replies show it.
func parseID(text string) (stream.ID, error) {
	ms, seq, found := strings.Cut(text, "-")
	a, err1 := strconv.ParseUint(ms, 10, 64)
	b, err2 := strconv.ParseUint(seq, 10, 64)
	if !found || err1 != nil || err2 != nil {
		return stream.ID{}, fmt.Errorf("%q is not an id", text)
	}
	return stream.ID{MS: a, Seq: b}, nil
}

// infoValue returns the value of a name in a reply that lists names and values, as XINFO's do.
func infoValue(v resp.Value, name string) resp.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if string(v.Elems[i].Text) == name {
			return v.Elems[i+1]
		}
	}
	return resp.Value{Kind: '-', Text: []byte("ERR no field " + name + " in " + v.String())}
}

// infoNumber is the value of a field that must be an integer.
func infoNumber(v resp.Value, name string) int64 {
	n, ok := infoValue(v, name).Int()
	if !ok {
		panic(fmt.Sprintf("%s is no number: %s", name, infoValue(v, name)))
	}
	return n
}
