package integration

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/resp"
)

var (
	diffSeed     = flag.Uint64("seed", 0, "seed of the differential test, 0 takes the time")
	diffCommands = flag.Int("commands", 120_000, "commands that the differential test sends")
	diffSession  = flag.Int("session", -1, "the one session of -seed to play, -1 all")
	diffServer   = flag.String("redis", "redis-server", "the Redis that the differential test compares with")
)

// TestDifferential plays generated sessions on streamd and on a real Redis and compares every reply. What may differ, because
// the releases do, is listed in differential_rules_test.go; anything else is a bug. A session depends on nothing but the seed,
// its number and the release of that Redis:
//
//	go test ./tests/integration -run Differential -seed 17 -session 204
//	go test ./tests/integration -run Differential -commands 2000000 -timeout 1h
func TestDifferential(t *testing.T) {
	seed := *diffSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	theirs := startRedisAt(t, tool(t, *diffServer))
	ours := startStreamd(t, binary)
	d := &duel{ours: newSide(t, ours), theirs: newSide(t, theirs)}
	d.release = d.theirs.release()
	t.Logf("seed %d, against Redis %s", seed, d.release)
	commands, first, last := 0, 0, 1<<30
	if *diffSession >= 0 {
		first, last = *diffSession, *diffSession+1
	}
	started, shapes := time.Now(), map[string]int{}
	n := first
	for ; n < last && commands < *diffCommands; n++ {
		s := newSession(seed, n, d.release)
		commands += s.size()
		shapes[s.shape] += s.size()
		if diff := d.play(s, s.units); diff != nil {
			t.Fatalf("seed %d, session %d (%s): %s", seed, n, s.shape, d.report(s, diff))
		}
	}
	t.Logf("%d commands in %d sessions %v, %.1f s; explained: %v", commands, n-first, shapes, time.Since(started).Seconds(), d.explained)
}

// A session is what is played from two empty servers on. Its units can be left out one by one.
type session struct {
	shape    string
	resp3    [numConns]bool
	settings []string // of CONFIG SET
	pipeline int      // commands sent at once
	units    []unit
}

// unit is a few calls that mean something only together.
type unit []call

type call struct {
	conn  int
	kind  callKind
	words []string
}

type callKind int

const (
	plain callKind = iota
	// scan repeats the command with the cursor it returns, and compares the set of keys.
	scan
	// park sends and waits until the client is blocked, or answered.
	park
	// drain collects what was pushed to a subscriber.
	drain
)

// numConns is the number of connections of a session: 0 and 1 send, 2 to 4 block, 4 subscribes.
const numConns = 5

const subscriber = 4

func (s *session) size() int {
	n := 0
	for _, u := range s.units {
		n += len(u)
	}
	return n
}

func newSession(seed uint64, n int, release string) *session {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, uint64(n))), release: release, next: map[string]uint64{}, ids: map[string][]string{}}
	return g.session()
}

// duel is two servers that are asked the same.
type duel struct {
	ours, theirs *side
	release      string // of theirs
	explained    map[string]int
}

// difference is the first reply of a run that differs.
type difference struct {
	units        []unit // up to the one that differs
	call         call
	ours, theirs string
}

// play runs some units of a session. Both servers get the same calls, as many at once as the session says.
func (d *duel) play(s *session, units []unit) *difference {
	if d.explained == nil {
		d.explained = map[string]int{}
	}
	d.ours.reset(s)
	d.theirs.reset(s)
	deletes := slices.ContainsFunc(units, unit.movesCounters)
	judge := &judge{release: d.release, counters: !deletes, explained: d.explained}
	var batch []call
	for i, u := range units {
		for j, c := range u {
			batch = append(batch, c)
			next := call{conn: -1}
			if j+1 < len(u) {
				next = u[j+1]
			} else if i+1 < len(units) && len(units[i+1]) > 0 {
				next = units[i+1][0]
			}
			if c.kind == plain && next.kind == plain && next.conn == c.conn && len(batch) < s.pipeline {
				continue
			}
			at, a, b := d.exchange(judge, batch)
			batch = batch[:0]
			switch {
			case judge.stop:
				d.settle()
				return nil
			case at != nil:
				d.settle()
				return &difference{units: units[:i+1], call: *at, ours: a, theirs: b}
			}
		}
	}
	return d.unblock(units)
}

// exchange plays a batch and returns the first call whose replies differ.
func (d *duel) exchange(j *judge, batch []call) (*call, string, string) {
	ours, theirs := d.ours.exchange(batch), d.theirs.exchange(batch)
	for i := range ours {
		c := ours[i].call
		a, b := ours[i].value, theirs[i].value
		if !j.same(c, a, b) {
			return &c, a.String(), b.String()
		}
		if j.stop {
			return nil, "", ""
		}
	}
	return nil, "", ""
}

// unblock ends the waiting that is left at the end of a session, and compares who was waiting.
func (d *duel) unblock(units []unit) *difference {
	a, b := d.ours.unblock(), d.theirs.unblock()
	if a != b {
		return &difference{units: units, call: call{words: []string{"(the clients still blocked at the end)"}}, ours: a, theirs: b}
	}
	return nil
}

// settle leaves no connection in a state that the next session would inherit.
func (d *duel) settle() {
	d.ours.reconnect()
	d.theirs.reconnect()
}

// report shrinks the session while the same command differs, and shows what is left.
func (d *duel) report(s *session, first *difference) string {
	diff := first
	deadline := time.Now().Add(30 * time.Second)
	for size := len(diff.units) / 2; size > 0; {
		shrunk := false
		for from := 0; from < len(diff.units) && time.Now().Before(deadline); {
			fewer := slices.Concat(diff.units[:from], diff.units[min(from+size, len(diff.units)):])
			if again := d.play(s, fewer); again != nil && strings.EqualFold(again.call.words[0], diff.call.words[0]) {
				diff, shrunk = again, true
				continue
			}
			from += size
		}
		if !shrunk || size > 1 {
			size /= 2
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "settings %v, RESP3 on %v, shrunk from %d to %d units\n", s.settings, s.resp3, len(first.units), len(diff.units))
	var lines []string
	for _, u := range diff.units {
		for _, c := range u {
			lines = append(lines, fmt.Sprintf("  %d> %s", c.conn, showWords(c.words)))
		}
	}
	fmt.Fprintln(&out, strings.Join(lines[max(0, len(lines)-40):], "\n"))
	fmt.Fprintf(&out, "differs: %d> %s\n streamd: %s\n redis:   %s", diff.call.conn, showWords(diff.call.words), cut(diff.ours), cut(diff.theirs))
	return out.String()
}

func showWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
			quoted[i] = resp.Quote([]byte(w))
		}
	}
	return cut(strings.Join(quoted, " "))
}

func cut(s string) string {
	if len(s) > 3000 {
		return fmt.Sprintf("%s… (%d bytes)", s[:3000], len(s))
	}
	return s
}

// startRedisAt starts the real redis-server at path.
func startRedisAt(t *testing.T, path string) *process {
	t.Helper()
	p := &process{t: t, path: path, dir: shortDir(t)}
	p.sock = p.dir + string(os.PathSeparator) + "s"
	p.args = []string{"--port", "0", "--unixsocket", p.sock, "--dir", p.dir, "--save", "", "--appendonly", "no"}
	p.start()
	t.Cleanup(p.kill)
	return p
}
