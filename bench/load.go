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
	common := Spec{Shape: Shape{Fields: 1, Bytes: 100}, Warm: time.Second / 2, Measure: 2 * time.Second, Stall: 10 * time.Second}
	with := func(change func(*Spec)) Spec {
		s := common
		change(&s)
		return s
	}
	return []Load{
		{
			Name: "xadd", make: newXAdd,
			Summary: "append entries, on connections × pipeline, to one stream or many, with or without MAXLEN ~",
			Details: "Each connection sends a pipeline of XADD, awaits all replies and sends the next. Latency is that of a pipeline.",
			Entries: "end the run after so many entries (default 1 GiB of values; with --maxlen, no end)",
			Uses:    []string{"conns", "pipeline", "shape", "streams", "maxlen", "entries"},
			Default: with(func(s *Spec) { s.Conns, s.Pipeline, s.Streams = 50, 16, 1 }),
		},
		{
			Name: "xrange", make: newScan,
			Summary: "read a stream page by page with XRANGE … COUNT",
			Details: scanDetails,
			Entries: "entries of the stream",
			Uses:    []string{"conns", "pipeline", "shape", "count", "entries"},
			Default: with(scanDefault),
		},
		{
			Name: "xread", make: newScan,
			Summary: "read a stream page by page with XREAD COUNT",
			Details: scanDetails,
			Entries: "entries of the stream",
			Uses:    []string{"conns", "pipeline", "shape", "count", "entries"},
			Default: with(scanDefault),
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
