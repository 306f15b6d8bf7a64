package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Load is a kind of work to put on a server.
type Load struct {
	Name    string
	Summary string
	Details string   // what exactly is done, and what is counted and timed
	Entries string   // what the parameter entries means
	Uses    []string // the parameters it has, by their names in JSON
	Default Spec
	make    func(*job) (work, error)
}

// work is a load that has been given its parameters.
type work interface {
	// prepare makes the keys that scripts expect.
	prepare() error
	// scripts are the connections of the run.
	scripts() []script
	// unfinished says what is missing when the server falls silent; "": nothing that the load knows of.
	unfinished() string
	// verify examines what the run left behind, and may add figures.
	verify(r *Result) error
}

// job is what a work is made of.
type job struct {
	target Target
	spec   Spec
	meter  *meter
	admin  *admin
}

// Loads returns what `bench` can do, in the order in which it is told to users.
func Loads() []Load {
	return slices.Concat(plainLoads(), queueLoads())
}

// defaults are those that all loads share, with changes.
func defaults(change func(*Spec)) Spec {
	s := Spec{Shape: Shape{Fields: 1, Bytes: 100}, Warm: time.Second / 2, Measure: 2 * time.Second, Stall: 10 * time.Second}
	change(&s)
	return s
}

// plainLoads have no groups.
func plainLoads() []Load {
	return []Load{
		{
			Name: "xadd", make: newXAdd,
			Summary: "append entries, on connections × pipeline, to one stream or many, with or without MAXLEN ~",
			Details: "Each connection sends a pipeline of XADD, awaits all replies and sends the next. Latency is that of a pipeline.",
			Entries: "end the run after so many entries (default 1 GiB of values; with --maxlen, no end)",
			Uses:    []string{"conns", "pipeline", "shape", "streams", "maxlen", "entries"},
			Default: defaults(func(s *Spec) { s.Conns, s.Pipeline, s.Streams = 50, 16, 1 }),
		},
		{
			Name: "xrange", make: newScan,
			Summary: "read a stream page by page with XRANGE … COUNT",
			Details: scanDetails,
			Entries: "entries of the stream",
			Uses:    []string{"conns", "pipeline", "shape", "count", "entries"},
			Default: defaults(scanDefault),
		},
		{
			Name: "xread", make: newScan,
			Summary: "read a stream page by page with XREAD COUNT",
			Details: scanDetails,
			Entries: "entries of the stream",
			Uses:    []string{"conns", "pipeline", "shape", "count", "entries"},
			Default: defaults(scanDefault),
		},
	}
}

// queueLoads have consumer groups.
func queueLoads() []Load {
	return []Load{
		{
			Name: "cycle", make: newCycle,
			Summary: "take entries through a queue: XADD n, XREADGROUP COUNT n, XACK n",
			Details: `As job libraries do: n XADDs in one pipeline, one XREADGROUP COUNT n, one XACK of n ids, each awaited before the next. All
connections share a stream and a group in which each is a consumer. An op is an entry. Latency is that of the three steps together.`,
			Uses:    []string{"conns", "turn", "shape", "maxlen"},
			Default: defaults(func(s *Spec) { s.Conns, s.Turn = 50, 16 }),
		},
		{
			Name: "groups", make: newGroups,
			Summary: "producers, and groups of consumers that read and acknowledge all they append",
			Details: `Consumers send the XACK of what they got and their next XREADGROUP … BLOCK together. Producers wait while the slowest group is far
behind. Each group has to get each entry once. An op is an entry that a group acknowledged. Latency is that of XACK.`,
			Uses:    []string{"conns", "pipeline", "shape", "groups", "consumers", "count"},
			Default: defaults(func(s *Spec) { s.Conns, s.Pipeline, s.Groups, s.Consumers, s.Count = 8, 64, 2, 4, 100 }),
		},
		{
			Name: "drain", make: newDrain,
			Summary: "work off a backlog with XREADGROUP COUNT n and XACK",
			Details: `The consumers of one group send the XACK of what they got and their next XREADGROUP together. When the backlog is worked off, the
group is set back to its beginning. An op is an acknowledged entry. Latency is that of the two commands together.`,
			Entries: "entries of the backlog",
			Uses:    []string{"conns", "shape", "count", "entries"},
			Default: defaults(func(s *Spec) { s.Conns, s.Count, s.Entries = 8, 100, 200_000 }),
		},
		{
			Name: "e2e", make: newE2E,
			Summary: "time entries from when they are due to when a blocked consumer has them",
			Details: `One producer sends entries at a fixed rate, never waiting for replies. Consumers wait in XREADGROUP … BLOCK. Latency counts from when an
entry was due, so a server that holds up the producer does not hide it. An op is an acknowledged entry.`,
			Uses:    []string{"rate", "shape", "consumers", "count"},
			Default: defaults(func(s *Spec) { s.Rate, s.Consumers, s.Count = 1000, 1, 100 }),
		},
		{
			Name: "fill", make: newFill,
			Summary: "append entries and tell the memory that each takes, and each that is pending",
			Details: `Memory is the growth of the server's resident set once it has come to rest. Start the server anew for each run: memory that it already
has from the system would not count.`,
			Entries: "entries to append",
			Uses:    []string{"conns", "pipeline", "shape", "streams", "entries", "groups"},
			Default: defaults(func(s *Spec) { s.Conns, s.Pipeline, s.Streams, s.Entries = 4, 128, 1, 1_000_000 }),
		},
	}
}

const scanDetails = `Each connection begins elsewhere in the stream and reads on from there, a pipeline of pages at a time. An op is a page. Latency is
that of a pipeline.`

func scanDefault(s *Spec) { s.Conns, s.Pipeline, s.Count, s.Entries = 50, 1, 100, 100_000 }

// complete gives s the load's defaults, and refuses what the load does not have.
func (l Load) complete(s Spec) (Spec, error) {
	d := l.Default
	d.Load = l.Name
	if s.Shape.Bytes == 0 {
		s.Shape.Bytes = d.Shape.Bytes
	}
	if s.Shape.Fields == 0 {
		s.Shape.Fields = d.Shape.Fields
	}
	d.Shape.Numbers = s.Shape.Numbers
	err := errors.Join(
		take(l, "conns", &d.Conns, s.Conns),
		take(l, "pipeline", &d.Pipeline, s.Pipeline),
		take(l, "shape", &d.Shape.Fields, s.Shape.Fields),
		take(l, "shape", &d.Shape.Bytes, s.Shape.Bytes),
		take(l, "streams", &d.Streams, s.Streams),
		take(l, "count", &d.Count, s.Count),
		take(l, "groups", &d.Groups, s.Groups),
		take(l, "consumers", &d.Consumers, s.Consumers),
		take(l, "turn", &d.Turn, s.Turn),
		take(l, "maxlen", &d.MaxLen, s.MaxLen),
		take(l, "rate", &d.Rate, s.Rate),
		take(l, "entries", &d.Entries, s.Entries),
	)
	if s.Warm != 0 {
		d.Warm = s.Warm
	}
	if s.Measure > 0 {
		d.Measure = s.Measure
	}
	if s.Stall > 0 {
		d.Stall = s.Stall
	}
	return d, err
}

func take[N int | int64 | float64](l Load, name string, to *N, from N) error {
	switch {
	case from == 0:
	case !slices.Contains(l.Uses, name):
		return fmt.Errorf("%s: not a parameter of this load; it has %s", name, strings.Join(l.Uses, ", "))
	case from < 0:
		return fmt.Errorf("%s must be more than 0", name)
	default:
		*to = from
	}
	return nil
}
