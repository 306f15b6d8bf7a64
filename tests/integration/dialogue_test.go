package integration

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
)

// A dialogue is a transcript file, read into steps:
//
//	> COMMAND      client 1 sends and reads one reply, which the next line shows
//	2> COMMAND     client 2
//	2>> COMMAND    client 2 sends and does not wait
//	2< reply       client 2 reads; (nothing): nothing comes
//	2! close       client 2 hangs up
//	@wait 100      milliseconds
//	@since 7.2     the next exchange needs this release, when a real Redis is asked; @since-all for the whole file
//	@streamd-only reason    not for a real Redis
//	@norestart     the connections or the process have a state from here on that a restart would lose; @restart-ok ends that
type dialogue struct {
	name        string
	since       string // "" any
	streamdOnly bool
	steps       []step
}

type step struct {
	line    int
	kind    byte // '>' command and reply, 's' send only, '<' read only, '!' close, 'w' wait
	client  int
	words   []string
	reply   string // "(nothing)" for silence
	since   string
	waitMS  int
	restart bool // a restart before this step loses nothing that the dialogue relies on
}

func readDialogues(t *testing.T) []dialogue {
	t.Helper()
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	var all []dialogue
	for _, path := range files {
		d, err := readDialogue(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, d)
	}
	return all
}

func readDialogue(path string) (dialogue, error) {
	f, err := os.Open(path)
	if err != nil {
		return dialogue{}, err
	}
	defer f.Close()
	d := dialogue{name: strings.TrimSuffix(filepath.Base(path), ".txt")}
	p := dialogueParser{d: &d, restart: true}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.n++
		if err := p.line(lines.Text()); err != nil {
			return d, fmt.Errorf("line %d: %w", p.n, err)
		}
	}
	if p.open != nil {
		return d, fmt.Errorf("line %d: a command without its reply", p.open.line)
	}
	return d, lines.Err()
}

type dialogueParser struct {
	d       *dialogue
	n       int
	open    *step // waits for its reply line
	since   string
	restart bool
}

func (p *dialogueParser) line(text string) error {
	if p.open != nil {
		p.open.reply = text
		p.add(*p.open)
		p.open = nil
		return nil
	}
	switch {
	case strings.TrimSpace(text) == "" || text[0] == '#':
		return nil
	case text[0] == '@':
		return p.directive(text[1:])
	}
	s := step{line: p.n, client: 1, since: p.since, restart: p.restart}
	if text[0] >= '1' && text[0] <= '9' {
		s.client, text = int(text[0]-'0'), text[1:]
	}
	mark, rest, _ := strings.Cut(text, " ")
	switch mark {
	case ">":
		s.kind, s.words = '>', split(rest)
		p.open = &s
		return nil
	case ">>":
		s.kind, s.words = 's', split(rest)
	case "<":
		s.kind, s.reply = '<', rest
	case "!":
		s.kind = '!'
	default:
		return fmt.Errorf("%q is neither a command nor a directive", text)
	}
	p.add(s)
	return nil
}

func (p *dialogueParser) add(s step) {
	p.d.steps = append(p.d.steps, s)
	p.since = ""
}

func (p *dialogueParser) directive(text string) error {
	name, value, _ := strings.Cut(text, " ")
	switch name {
	case "since":
		p.since = value
	case "since-all":
		p.d.since = value
	case "streamd-only":
		p.d.streamdOnly = true
	case "norestart":
		p.restart = false
	case "restart-ok":
		p.restart = true
	case "wait":
		ms, err := strconv.Atoi(value)
		p.add(step{line: p.n, kind: 'w', waitMS: ms, restart: p.restart})
		return err
	default:
		return fmt.Errorf("unknown directive %q", name)
	}
	return nil
}

// split reads the words of an inline command.
func split(text string) []string {
	var p resp.Parser
	args, _, err := p.Parse([]byte(text+"\r\n"), &resp.Limits{MaxBulk: 1 << 29, MaxArgs: 1 << 20})
	if err != nil {
		panic(fmt.Sprintf("%q: %v", text, err))
	}
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = string(arg)
	}
	return words
}
