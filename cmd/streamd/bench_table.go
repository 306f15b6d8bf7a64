package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/streamd/streamd/bench"
)

// column is a figure in the table of a load.
type column struct {
	name  string
	of    func(bench.Result) float64
	show  func(float64) string
	ratio func(bench.Ratios) bench.Ratio
	says  string // what the ratio says
}

func columns() []column {
	none := func(bench.Ratios) bench.Ratio { return bench.Ratio{} }
	return []column{
		{"ops/s", func(r bench.Result) float64 { return r.OpsPerSec }, thousands, func(r bench.Ratios) bench.Ratio { return r.Throughput }, "× as many"},
		{"server CPU µs/op", func(r bench.Result) float64 { return r.CPUMicros }, digits, func(r bench.Ratios) bench.Ratio { return r.CPU }, "× less"},
		{"bench CPU µs/op", func(r bench.Result) float64 { return r.ClientCPUMicros }, digits, none, ""},
		{"p50 µs", func(r bench.Result) float64 { return r.P50 }, digits, func(r bench.Ratios) bench.Ratio { return r.P50 }, "× less"},
		{"p99 µs", func(r bench.Result) float64 { return r.P99 }, digits, func(r bench.Ratios) bench.Ratio { return r.P99 }, "× less"},
		{"p99.9 µs", func(r bench.Result) float64 { return r.P999 }, digits, none, ""},
		{"max µs", func(r bench.Result) float64 { return r.Max }, digits, none, ""},
		{"bytes/entry", func(r bench.Result) float64 { return r.BytesPerEntry }, digits, func(r bench.Ratios) bench.Ratio { return r.BytesPerEntry }, "× as much"},
		{"bytes/pending", func(r bench.Result) float64 { return r.BytesPerPending }, digits, func(r bench.Ratios) bench.Ratio { return r.BytesPerPending }, "× as much"},
	}
}

// benchTable shows the medians, and how ours compares with the best other.
func benchTable(w io.Writer, c bench.Comparison) error {
	fmt.Fprintf(w, "%s: %s\n\n", c.Spec.Load, parameters(c.Spec))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	var shown []column
	for _, col := range columns() {
		for _, r := range c.Medians {
			if col.of(r) != 0 {
				shown = append(shown, col)
				break
			}
		}
	}
	fmt.Fprint(t, "\t")
	for _, col := range shown {
		fmt.Fprint(t, col.name, "\t")
	}
	fmt.Fprintln(t)
	for _, r := range c.Medians {
		fmt.Fprint(t, r.Target, "\t")
		for _, col := range shown {
			fmt.Fprint(t, col.show(col.of(r)), "\t")
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil || len(c.Medians) < 2 {
		return err
	}
	fmt.Fprintf(w, "\n%s and the best other of the same round, median of %d rounds (lowest … highest):\n", c.Medians[0].Target, c.Rounds)
	for _, col := range shown {
		if ratio := col.ratio(c.Ratios); ratio.Median != 0 {
			fmt.Fprintf(w, "  %-17s %6.2f%s (%.2f … %.2f)\n", col.name, ratio.Median, col.says, ratio.Low, ratio.High)
		}
	}
	return nil
}

// parameters says in a line what was run.
func parameters(s bench.Spec) string {
	var words []string
	number := func(n int64, form string) {
		if n != 0 {
			words = append(words, fmt.Sprintf(form, thousands(float64(n))))
		}
	}
	number(int64(s.Conns), "%s connections")
	number(int64(s.Pipeline), "pipeline %s")
	number(int64(s.Groups), "%s groups")
	number(int64(s.Consumers), "%s consumers in each group")
	number(int64(s.Turn), "%s entries a turn")
	number(int64(s.Count), "COUNT %s")
	if s.Streams > 1 {
		number(int64(s.Streams), "%s streams")
	}
	number(s.MaxLen, "MAXLEN ~ %s")
	number(int64(s.Rate), "%s entries a second")
	number(s.Entries, "%s entries")
	kind := "bytes"
	if s.Shape.Numbers {
		kind = "digits"
	}
	words = append(words, fmt.Sprintf("values %d × %d %s", s.Shape.Fields, s.Shape.Bytes, kind))
	return strings.Join(append(words, fmt.Sprintf("measured %v after %v", s.Measure, max(s.Warm, 0))), ", ")
}

// digits shows three significant digits, and none that are not there.
func digits(f float64) string {
	switch {
	case f == 0:
		return "–"
	case f >= 100:
		return thousands(f)
	}
	return strconv.FormatFloat(f, 'f', max(0, 2-int(math.Floor(math.Log10(f)))), 64)
}

// thousands shows a whole number in groups of three.
func thousands(f float64) string {
	s := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
