package bench

import (
	"fmt"
	"strconv"
	"time"
)

// Metric is a figure of a run that servers are compared by.
type Metric struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	sense sense
	of    func(Result) float64
}

// The metrics of a suite.
func throughput() Metric {
	return Metric{"throughput", "ops/s", most, func(r Result) float64 { return r.OpsPerSec }}
}

func cpu() Metric {
	return Metric{"server CPU", "µs/op", least, func(r Result) float64 { return r.CPUMicros }}
}

func latency50() Metric {
	return Metric{"latency p50", "µs", least, func(r Result) float64 { return r.P50 }}
}

func latency99() Metric {
	return Metric{"latency p99", "µs", least, func(r Result) float64 { return r.P99 }}
}

func perEntry() Metric {
	return Metric{"memory", "B/entry", size, func(r Result) float64 { return r.BytesPerEntry }}
}

func perPending() Metric {
	return Metric{"memory", "B/pending entry", size, func(r Result) float64 { return r.BytesPerPending }}
}

func loadTime() Metric {
	return Metric{"start", "s", least, func(r Result) float64 { return r.LoadSeconds }}
}

func extraPause() Metric {
	return Metric{"p99.9 beyond the quiet load", "µs", least, func(r Result) float64 { return r.ExtraP999 }}
}

// Bar is what a row must reach in one metric. Without a limit the figures are shown and nothing is asked.
type Bar struct {
	Metric  Metric  `json:"metric"`
	AtLeast float64 `json:"at_least,omitempty"` // of the ratio
	AtMost  float64 `json:"at_most,omitempty"`  // of the ratio
	Limit   float64 `json:"limit,omitempty"`    // of our own figure
}

// Text is the bar as the report shows it.
func (b Bar) Text() string {
	switch {
	case b.AtLeast > 0:
		return fmt.Sprintf("≥ %.2f×", b.AtLeast)
	case b.AtMost > 0:
		return fmt.Sprintf("≤ %.2f×", b.AtMost)
	case b.Limit > 0:
		return "≤ " + figure(b.Limit) + " " + b.Metric.Unit
	}
	return "–"
}

// asks tells whether the bar asks for anything.
func (b Bar) asks() bool { return b.AtLeast > 0 || b.AtMost > 0 || b.Limit > 0 }

// Judged is a bar with what was measured.
type Judged struct {
	Bar
	Ours      float64 `json:"ours"`  // median of the rounds
	Other     float64 `json:"other"` // of the best other server, by its median
	OtherName string  `json:"other_name"`
	Ratio     Ratio   `json:"ratio"` // of paired rounds
	Met       bool    `json:"met"`
}

// judge compares the results of one row, for each server by round, ours first.
func (b Bar) judge(names []string, results [][]Result) Judged {
	j := Judged{Bar: b, Ratio: paired(results, b.Metric.sense, b.Metric.of)}
	for i, rounds := range results {
		values := make([]float64, len(rounds))
		for k, r := range rounds {
			values[k] = b.Metric.of(r)
		}
		m := median(values)
		switch {
		case i == 0:
			j.Ours = m
		case j.OtherName == "" || (m > j.Other) == (b.Metric.sense == most):
			j.Other, j.OtherName = m, names[i]
		}
	}
	// A ratio of 0 means that the figure is missing, which meets no bar.
	j.Met = (b.AtLeast == 0 || j.Ratio.Median >= b.AtLeast) && (b.AtMost == 0 || j.Ratio.Median > 0 && j.Ratio.Median <= b.AtMost) &&
		(b.Limit == 0 || j.Ours <= b.Limit)
	return j
}

// figure writes a number with three digits that count, thousands and more in groups: 1.24, 87.3, 1,240,000.
func figure(f float64) string {
	switch {
	case f < 0:
		return "-" + figure(-f)
	case f == 0:
		return "0"
	case f < 10:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 100:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	n, unit := int64(f+0.5), int64(1)
	for unit <= n/1000 {
		unit *= 10
	}
	return grouped((n + unit/2) / unit * unit)
}

func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// span writes a duration as a person says it: 27 min, 45 s.
func span(d time.Duration) string {
	if d >= 2*time.Minute {
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
