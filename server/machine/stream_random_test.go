package machine

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// randomLines are commands with blanks: @k key, @g group, @c consumer, @i id, @n number, @r reference mode, @o = or ~.
const randomLines = `
XADD @k * f @n
XADD @k * f @n g @n
XADD @k @i a b
XADD @k MAXLEN @o @n @r * f @n
XADD @k MINID @o @i @r * f @n
XADD @k NOMKSTREAM MAXLEN ~ @n LIMIT @n * f @n
XADD @k IDMP @c @n * f @n
XADD @k IDMPAUTO @c * f @n
XTRIM @k MAXLEN @o @n @r
XTRIM @k MINID ~ @i LIMIT @n
XDEL @k @i @i @i
XDELEX @k @r IDS 2 @i @i
XSETID @k @i
XSETID @k @i ENTRIESADDED 5@n MAXDELETEDID @i
XCFGSET @k IDMP-DURATION 1@n IDMP-MAXSIZE 2
XIDMPRECORD @k @c @n @i
XGROUP CREATE @k @g @i MKSTREAM
XGROUP CREATE @k @g $ ENTRIESREAD @n
XGROUP SETID @k @g @i ENTRIESREAD @n
XGROUP SETID @k @g -
XGROUP CREATECONSUMER @k @g @c
XGROUP DELCONSUMER @k @g @c
XREADGROUP GROUP @g @c STREAMS @k >
XREADGROUP GROUP @g @c COUNT @n STREAMS @k @k > >
XREADGROUP GROUP @g @c NOACK COUNT @n STREAMS @k @k > @i
XREADGROUP GROUP @g @c CLAIM @n COUNT @n STREAMS @k @k > >
XREADGROUP GROUP @g @c CLAIM @n MAXCOUNT @n STREAMS @k @k > >
XREADGROUP GROUP @g @c MAXSIZE 1@n STREAMS @k @k > @i
XREADGROUP GROUP @g @c MAXSIZE 2@n CLAIM 0 STREAMS @k @k @k > @i >
XREADGROUP GROUP @g @c COUNT @n STREAMS @k 0
XACK @k @g @i @i @i
XACKDEL @k @g @r IDS 2 @i @i
XNACK @k @g SILENT IDS 2 @i @i
XNACK @k @g FATAL IDS 1 @i FORCE
XNACK @k @g FAIL IDS 1 @i RETRYCOUNT @n
XCLAIM @k @g @c @n @i @i
XCLAIM @k @g @c 0 @i @i FORCE IDLE @n
XCLAIM @k @g @c 0 @i JUSTID RETRYCOUNT @n LASTID @i
XCLAIM @k @g @c 0 FORCE
XAUTOCLAIM @k @g @c @n - COUNT @n
XAUTOCLAIM @k @g @c 0 @i COUNT 2 JUSTID
XACK @k @g nonsense
XLEN @k
XRANGE @k - + COUNT @n
XREAD COUNT @n STREAMS @k @k @i +
XPENDING @k @g
XPENDING @k @g IDLE @n - + 10 @c
XINFO STREAM @k FULL
XINFO CONSUMERS @k @g
XGROUP DESTROY @k @g`

// TestStreamOpsTellChanges sends random commands and checks that the state changes only when an op says so. When it is over,
// the log is replayed.
func TestStreamOpsTellChanges(t *testing.T) {
	for range 3 {
		seed := rand.Int63()
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runRandomLines(t, seed, 800) })
	}
}

func FuzzStreamOps(f *testing.F) {
	f.Add(int64(1))
	f.Fuzz(func(t *testing.T, seed int64) { runRandomLines(t, seed, 300) })
}

func runRandomLines(t *testing.T, seed int64, steps int) {
	r := rand.New(rand.NewSource(seed))
	d := newDialogue(t)
	d.apply(&Op{Kind: SetParams, N: [4]int64{200, 5, 1, 3}})
	d.run([][2]string{{"SET str x", "+OK"}})
	lines := strings.Split(strings.TrimSpace(randomLines), "\n")
	for range steps {
		d.nowMS += r.Int63n(3)
		i := r.Intn(len(lines))
		if r.Intn(4) == 0 {
			i = r.Intn(8) // appends
		}
		command := fillBlanks(r, d.nowMS, lines[i])
		before := d.m.Digest()
		d.do(command)
		if after := d.m.Digest(); after != before && d.res&Changed == 0 {
			t.Fatalf("%s: changed the state without saying so", command)
		}
		for _, key := range []string{"s", "t", "u"} {
			o, _ := d.m.lookupStream(0, []byte(key))
			if o == nil {
				continue
			}
			if err := o.stream.Check(); err != nil {
				t.Fatalf("%s: %v", command, err)
			}
			if err := o.groups.Check(); err != nil {
				t.Fatalf("%s: %v", command, err)
			}
		}
	}
}

func fillBlanks(r *rand.Rand, nowMS int64, line string) string {
	var out strings.Builder
	for {
		text, rest, more := strings.Cut(line, "@")
		out.WriteString(text)
		if !more {
			return out.String()
		}
		switch rest[0] {
		case 'k':
			out.WriteString([]string{"s", "s", "s", "t", "t", "u", "no", "str"}[r.Intn(8)])
		case 'g':
			out.WriteString([]string{"g", "g", "h"}[r.Intn(3)])
		case 'c':
			out.WriteString([]string{"a", "b", "c"}[r.Intn(3)])
		case 'i':
			fmt.Fprintf(&out, "%d-%d", nowMS-r.Int63n(20), r.Intn(2))
		case 'n':
			fmt.Fprint(&out, r.Intn(9)+1)
		case 'r':
			out.WriteString([]string{"KEEPREF", "DELREF", "ACKED"}[r.Intn(3)])
		case 'o':
			out.WriteString([]string{"=", "~"}[r.Intn(2)])
		}
		line = rest[1:]
	}
}
