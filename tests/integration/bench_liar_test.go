package integration

import (
	"bufio"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/streamd/streamd/resp"
)

// liar stands between a client and an honest server, one for each connection, and carries commands one by one.
type liar struct {
	client  net.Conn
	out     *bufio.Writer
	server  net.Conn
	replies *resp.Reader
	lastID  string // answered to an XADD
}

// lie answers a command; ok is false when it has nothing to say about it.
type lie func(l *liar, words []string) (v resp.Value, ok bool)

// lieAt is which command of its kind is answered with a lie: some good replies come before.
const lieAt = 20

// on lies about one command of a name.
func on(name string, answer func(l *liar, words []string) resp.Value) lie {
	var count atomic.Int64
	return func(l *liar, words []string) (resp.Value, bool) {
		if words[0] != name || count.Add(1) != lieAt {
			return resp.Value{}, false
		}
		return answer(l, words), true
	}
}

func onXAdd(answer func(l *liar, words []string) resp.Value) lie { return on("XADD", answer) }

// onReply changes the first replies of a name, from lieAt on, that change lets itself be changed: nulls do not.
func onReply(name string, change func(*resp.Value)) lie {
	var count atomic.Int64
	var mu sync.Mutex // guards done: connections tell the same lie
	done := false
	return func(l *liar, words []string) (resp.Value, bool) {
		if words[0] != name || count.Add(1) < lieAt/10 {
			return resp.Value{}, false
		}
		v := l.ask(words)
		mu.Lock()
		defer mu.Unlock()
		if !done && !v.IsNull() {
			before := v.String()
			change(&v)
			done = v.String() != before
		}
		return v, true
	}
}

// replay makes a reply that of the same command before it.
func replay() func(*resp.Value) {
	var before resp.Value
	return func(v *resp.Value) {
		if before.Kind == 0 {
			before = *v
			return
		}
		*v = before
	}
}

func bulk(text string) resp.Value { return resp.Value{Kind: '$', Text: []byte(text)} }

// entriesOf are the entries in a reply of XREAD or XREADGROUP.
func entriesOf(v *resp.Value) *resp.Value { return &v.Elems[0].Elems[1] }

// dropFirst takes the first entry out, of replies that have another.
func dropFirst(v *resp.Value) {
	if page := entriesOf(v); len(page.Elems) > 1 {
		page.Elems = page.Elems[1:]
		return
	}
	*v = resp.Value{Kind: '*', Null: true}
}

// repeat has the first entry twice.
func repeat(v *resp.Value) {
	page := entriesOf(v)
	page.Elems[len(page.Elems)-1] = page.Elems[0]
}

// alter changes the last byte of an entry's last value.
func alter(entry resp.Value) {
	fields := entry.Elems[1].Elems
	text := fields[len(fields)-1].Text
	text[len(text)-1] ^= 1
}

// renumber gives an entry the number of one that is far ahead, but looks the same otherwise.
func renumber(entry resp.Value) {
	text := entry.Elems[1].Elems[1].Text
	const digits, ahead = 12, 64_000_000
	n, _ := strconv.ParseInt(string(text[:digits]), 10, 64)
	copy(text, strconv.FormatInt(n+ahead, 10))
}

// fewer makes a number less by one.
func fewer(v *resp.Value) {
	n, _ := v.Int()
	v.Text = strconv.AppendInt(nil, n-1, 10)
}

func (l *liar) number(n int) resp.Value {
	return resp.Value{Kind: ':', Text: strconv.AppendInt(nil, int64(n), 10)}
}

func (l *liar) ask(words []string) resp.Value {
	if _, err := l.server.Write(resp.AppendRequest(nil, words...)); err != nil {
		return resp.Value{}
	}
	v, err := l.replies.Read()
	if err != nil {
		return resp.Value{}
	}
	if words[0] == "XADD" {
		l.lastID = string(v.Text)
	}
	return v
}

// say sends a reply; the zero value is silence.
func (l *liar) say(v resp.Value) {
	if v.Kind != 0 {
		_, _ = l.out.Write(appendReply(nil, v))
	}
}

func (l *liar) hangUp() { _ = l.client.Close() }

func (l *liar) serve(tell lie) {
	requests := resp.NewReader(l.client)
	for {
		if requests.Buffered() == 0 && l.out.Flush() != nil {
			return
		}
		request, err := requests.Read()
		if err != nil {
			return
		}
		var words []string
		for _, w := range request.Elems {
			words = append(words, string(w.Text))
		}
		v, ok := tell(l, words)
		if !ok {
			v = l.ask(words)
		}
		l.say(v)
	}
}

// listenLiar serves the lie on a socket in front of the server at backend.
func listenLiar(t *testing.T, backend string, tell lie) (sock string) {
	t.Helper()
	sock = filepath.Join(shortDir(t), "s")
	listener, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer client.Close()
				server, err := net.Dial("unix", backend)
				if err != nil {
					t.Error(err)
					return
				}
				defer server.Close()
				l := &liar{client: client, out: bufio.NewWriter(client), server: server, replies: resp.NewReader(server)}
				l.serve(tell)
			})
		}
	})
	return sock
}

// appendReply encodes what a Reader of RESP2 replies reads.
func appendReply(dst []byte, v resp.Value) []byte {
	dst = append(dst, v.Kind)
	switch {
	case v.Null:
		return append(dst, "-1\r\n"...)
	case v.Kind == '$':
		dst = append(strconv.AppendInt(dst, int64(len(v.Text)), 10), '\r', '\n')
		return append(append(dst, v.Text...), '\r', '\n')
	case v.Kind == '*':
		dst = append(strconv.AppendInt(dst, int64(len(v.Elems)), 10), '\r', '\n')
		for _, e := range v.Elems {
			dst = appendReply(dst, e)
		}
		return dst
	}
	return append(append(dst, strings.TrimSpace(string(v.Text))...), '\r', '\n')
}

func dialUnix(t *testing.T, sock string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
