package shard_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/shard"
)

// FuzzSessions gives arbitrary bytes to three clients: "client (1 byte), length (2 bytes), bytes" again and again, each a
// millisecond after the one before. Whatever they are, replies are well formed, each command gets one, and the log replays to
// the live state.
func FuzzSessions(f *testing.F) {
	paths, _ := filepath.Glob("../../tests/integration/testdata/transcripts/*.txt")
	if len(paths) == 0 {
		f.Fatal("no transcripts")
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(script(string(text)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newRig(t, "enable-debug-command", "no")
		names := []string{"1", "2", "3"}
		for _, name := range names {
			r.client(name).executed = r.client(name).checkAnswer
		}
		for len(data) > 3 {
			n := min(int(data[1])<<8|int(data[2]), len(data)-3)
			r.client(names[int(data[0])%3]).send(data[3 : 3+n])
			data = data[3+n:]
			r.tick(1)
			r.endRound()
		}
		r.tick(200)
		for _, name := range names {
			c := r.client(name)
			c.ended = true
			c.heard()
		}
		r.tick(1100)
		if r.node.Clients.Count() != 0 || r.node.PubSub.Len(0) != 0 || r.node.Watches.Keys() != 0 {
			t.Error("something is left of clients that are gone")
		}
		r.checkReplay()
	})
}

// script turns the commands of a transcript into input of FuzzSessions.
func script(text string) (data []byte) {
	for _, line := range strings.Split(text, "\n") {
		client := byte(0)
		if line != "" && line[0] >= '1' && line[0] <= '9' {
			client, line = line[0]-'1', line[1:]
		}
		line, ok := strings.CutPrefix(line, ">")
		if !ok {
			continue
		}
		line = strings.TrimLeft(line, "> ") + "\r\n"
		data = append(data, client, byte(len(line)>>8), byte(len(line)))
		data = append(data, line...)
	}
	return data
}

// checkAnswer fails unless a command got exactly one answer, where nothing else can be among it.
func (f *fake) checkAnswer(args [][]byte, out shard.Outcome, answer []byte) {
	n := 0
	for in := resp.NewReader(bytes.NewReader(answer)); ; n++ {
		if _, err := in.Read(); err == io.EOF {
			break
		} else if err != nil {
			f.r.t.Fatalf("%q answered %q: %v", args, answer, err)
		}
	}
	s, want := f.s, 1
	if out == shard.Parked || out == shard.Again {
		want = 0
	}
	silent := s.Skipping || s.ReplyOff || s.Monitor || s.Track.On() || s.Subs.Count() > 0 || s.CloseAfter || f.r.exited
	if !silent && !manyAnswers(s.LastCommand) && n != want {
		f.r.t.Fatalf("%q answered %q: %d answers, want %d", args, answer, n, want)
	}
}

// manyAnswers tells of commands that are answered once for each argument, or of which a transaction may be full.
func manyAnswers(name string) bool {
	return strings.HasSuffix(name, "subscribe") || name == "exec" || name == "client|reply" || name == "reset"
}
