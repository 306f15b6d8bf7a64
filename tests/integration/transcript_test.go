package integration

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server"
	"github.com/streamd/streamd/server/settings"
)

// stage is where a dialogue is played.
type stage struct {
	dial    func() *client
	restart func(flags ...string) // nil: never between steps; flags stand for what CONFIG SET changed
	version string                // of a real Redis; "" streamd
}

// TestTranscriptMemory plays every transcript on a server inside the test's process that keeps no log, with one event loop and
// with three.
func TestTranscriptMemory(t *testing.T) {
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprintf("loops=%d", loops), func(t *testing.T) {
			p := &process{t: t, sock: serveHere(t, loops), log: &syncBuffer{}}
			playAll(t, stage{dial: p.client})
		})
	}
}

// serveHere runs a server in this process and returns its socket.
func serveHere(t *testing.T, loops int) string {
	dir := shortDir(t)
	sock := filepath.Join(dir, "s")
	st, _, err := settings.Load("", nil, []settings.Pair{{Name: "port", Value: "0"}, {Name: "unixsocket", Value: sock},
		{Name: "dir", Value: filepath.Join(dir, "data")}, {Name: "appendonly", Value: "no"}, {Name: "save", Value: ""},
		{Name: "enable-debug-command", Value: "yes"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.OpenWith(st, slog.New(slog.DiscardHandler), server.Options{Loops: loops})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return sock
}

// TestTranscriptSocket plays every transcript on a server process.
func TestTranscriptSocket(t *testing.T) {
	p := startStreamd(t, binary)
	playAll(t, stage{dial: p.client})
}

// TestTranscriptRestart plays every transcript with a kill -9 and a restart before any step that allows it.
func TestTranscriptRestart(t *testing.T) {
	p := startStreamd(t, plainBinary)
	playAll(t, stage{dial: p.client, restart: p.restart})
}

// TestTranscriptRedis plays every transcript on a real Redis, as far as its release goes.
func TestTranscriptRedis(t *testing.T) {
	p := startRedis(t)
	info := string(p.client().do("INFO", "server").Text)
	_, rest, _ := strings.Cut(info, "redis_version:")
	version, _, _ := strings.Cut(rest, "\r\n")
	playAll(t, stage{dial: p.client, version: version})
}

// TestEveryCommandHasATranscript refuses a row of the command table that no transcript uses.
func TestEveryCommandHasATranscript(t *testing.T) {
	used := map[string]bool{}
	for _, d := range readDialogues(t) {
		for _, s := range d.steps {
			if len(s.words) > 0 {
				used[strings.ToLower(s.words[0])] = true
			}
			if len(s.words) > 1 {
				used[strings.ToLower(s.words[0]+"|"+s.words[1])] = true
			}
		}
	}
	c := startStreamd(t, plainBinary).client()
	var names []string
	var collect func(v resp.Value)
	collect = func(v resp.Value) {
		names = append(names, string(v.Elems[0].Text))
		for _, sub := range v.Elems[9].Elems {
			collect(sub)
		}
	}
	for _, row := range c.do("COMMAND").Elems {
		collect(row)
	}
	slices.Sort(names)
	for _, name := range names {
		if !used[name] {
			t.Errorf("no transcript uses %s", name)
		}
	}
}

func playAll(t *testing.T, st stage) {
	for _, d := range readDialogues(t) {
		t.Run(d.name, func(t *testing.T) {
			if st.version != "" && (d.streamdOnly || older(st.version, d.since)) {
				return
			}
			play(t, st, d)
		})
	}
}

// older tells whether release a comes before b; "" is before all.
func older(a, b string) bool {
	if b == "" {
		return false
	}
	x, y := numbers(a), numbers(b)
	return slices.Compare(x[:2], y[:2]) < 0
}

func numbers(version string) [2]int {
	var n [2]int
	for i, part := range strings.SplitN(version, ".", 3) {
		if i < 2 {
			n[i], _ = strconv.Atoi(part)
		}
	}
	return n
}

func play(t *testing.T, st stage, d dialogue) {
	p := player{t: t, st: st, d: d, captured: map[string]string{}, clients: map[int]*client{}, resp3: map[int]bool{}}
	defer p.closeAll()
	p.client(1).do("FLUSHALL")
	for i := range d.steps {
		s := &d.steps[i]
		if st.version != "" && older(st.version, s.since) {
			continue
		}
		if st.restart != nil && s.restart && s.kind == '>' && i > 0 {
			p.closeAll()
			st.restart(p.flags...)
		}
		if err := p.step(s); err != nil {
			t.Fatalf("%s.txt:%d: %s: %v", d.name, s.line, strings.Join(s.words, " "), err)
		}
	}
}

type player struct {
	t        *testing.T
	st       stage
	d        dialogue
	captured map[string]string
	clients  map[int]*client
	resp3    map[int]bool // clients that said HELLO 3
	flags    []string     // what CONFIG SET changed, as flags of the next start
}

func (p *player) client(n int) *client {
	if p.clients[n] == nil {
		p.clients[n] = p.st.dial()
	}
	return p.clients[n]
}

func (p *player) closeAll() {
	for n, c := range p.clients {
		_ = c.conn.Close()
		delete(p.clients, n)
	}
	clear(p.resp3)
}

func (p *player) step(s *step) error {
	switch s.kind {
	case 'w':
		<-time.After(time.Duration(s.waitMS) * time.Millisecond)
		return nil
	case '!':
		_ = p.client(s.client).conn.Close()
		delete(p.clients, s.client)
		delete(p.resp3, s.client)
		return nil
	}
	c := p.client(s.client)
	c.t = p.t
	if s.kind != '<' {
		words := make([]string, len(s.words))
		for i, word := range s.words {
			words[i] = p.substitute(word)
		}
		c.send(words...)
	}
	if s.kind == 's' {
		return c.arrived()
	}
	if s.reply == "(nothing)" {
		return c.silent()
	}
	want, err := resp.ParseReply(s.reply)
	if err != nil {
		return fmt.Errorf("the expected reply %s: %w", s.reply, err)
	}
	got := c.read()
	if len(s.words) > 0 && got.Kind != '-' {
		switch words := strings.ToUpper(strings.Join(s.words, " ")); {
		case strings.HasPrefix(words, "HELLO 3"):
			p.resp3[s.client] = true
		case strings.HasPrefix(words, "HELLO 2"), words == "RESET":
			p.resp3[s.client] = false
		case strings.HasPrefix(words, "CONFIG SET"):
			for i := 2; i+1 < len(s.words); i += 2 {
				p.flags = append(p.flags, "--"+s.words[i], s.words[i+1])
			}
		}
	}
	return resp.Compare(want, got, p.resp3[s.client], p.captured)
}

// substitute puts captured values in the place of their names.
func (p *player) substitute(word string) string {
	for name, value := range p.captured {
		word = strings.ReplaceAll(word, "<"+name+">", value)
	}
	return word
}
