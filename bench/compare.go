package bench

import (
	"context"
	"errors"
	"slices"
)

// Comparison is the same Spec on several targets, the first of which is ours.
type Comparison struct {
	Spec    Spec       `json:"spec"`
	Rounds  int        `json:"rounds"`
	Medians []Result   `json:"medians"` // of each target, figure by figure
	Results [][]Result `json:"results"` // of each target, by round
	Ratios  Ratios     `json:"ratios"`  // zero with a single target
}

// Ratios compare ours with the best other of the same round, figure by figure.
type Ratios struct {
	Throughput      Ratio `json:"throughput"`        // ours ÷ best other: how many times more
	CPU             Ratio `json:"cpu"`               // best other ÷ ours: how many times less, as of P50, P99 and LoadSeconds
	P50             Ratio `json:"p50"`               //
	P99             Ratio `json:"p99"`               //
	LoadSeconds     Ratio `json:"load_seconds"`      //
	BytesPerEntry   Ratio `json:"bytes_per_entry"`   // ours ÷ best other, as of BytesPerPending
	BytesPerPending Ratio `json:"bytes_per_pending"` //
}

// Ratio is the median of the rounds' ratios, and their range. All 0: the figure does not apply.
type Ratio struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Compare runs s against the targets in turn, rounds times; each round begins with another target. Progress may be nil.
func Compare(ctx context.Context, targets []Target, s Spec, rounds int, progress func(Progress)) (Comparison, error) {
	if len(targets) == 0 || rounds < 1 {
		return Comparison{}, errors.New("a comparison needs a target and a round")
	}
	results := make([][]Result, len(targets))
	for round := range rounds {
		for i := range targets {
			at := (round + i) % len(targets)
			r, err := Run(ctx, targets[at], s, func(p Progress) {
				p.Round, p.Rounds = round+1, rounds
				if progress != nil {
					progress(p)
				}
			})
			if err != nil {
				return Comparison{}, err
			}
			results[at] = append(results[at], r)
		}
	}
	return Summarize(results), nil
}

// Summarize makes a Comparison of the results of each target, by round; all targets have as many rounds.
func Summarize(results [][]Result) Comparison {
	c := Comparison{Spec: results[0][0].Spec, Rounds: len(results[0]), Results: results}
	for _, rounds := range results {
		c.Medians = append(c.Medians, medians(rounds))
	}
	if len(results) < 2 {
		return c
	}
	c.Ratios = Ratios{
		Throughput:      paired(results, most, func(r Result) float64 { return r.OpsPerSec }),
		CPU:             paired(results, least, func(r Result) float64 { return r.CPUMicros }),
		P50:             paired(results, least, func(r Result) float64 { return r.P50 }),
		P99:             paired(results, least, func(r Result) float64 { return r.P99 }),
		LoadSeconds:     paired(results, least, func(r Result) float64 { return r.LoadSeconds }),
		BytesPerEntry:   paired(results, size, func(r Result) float64 { return r.BytesPerEntry }),
		BytesPerPending: paired(results, size, func(r Result) float64 { return r.BytesPerPending }),
	}
	return c
}

// sense is what is better in a figure, and how its ratio is said.
type sense int

const (
	most  sense = iota // more is better: ours ÷ best other
	least              // less is better: best other ÷ ours
	size               // less is better: ours ÷ best other
)

// paired returns the ratio of ours and the best other, round by round. A round in which a figure is missing gives none.
func paired(results [][]Result, s sense, figure func(Result) float64) Ratio {
	var ratios []float64
	for round, r := range results[0] {
		ours, best := figure(r), 0.0
		for _, other := range results[1:] {
			if f := figure(other[round]); f > 0 && (best == 0 || (f > best) == (s == most)) {
				best = f
			}
		}
		switch {
		case ours <= 0 || best <= 0:
		case s == least:
			ratios = append(ratios, best/ours)
		default:
			ratios = append(ratios, ours/best)
		}
	}
	if len(ratios) == 0 {
		return Ratio{}
	}
	return Ratio{Median: median(ratios), Low: slices.Min(ratios), High: slices.Max(ratios)}
}

// medians takes the median of each figure by itself.
func medians(rounds []Result) Result {
	m := rounds[0]
	of := func(figure func(*Result) *float64) {
		values := make([]float64, len(rounds))
		for i := range rounds {
			values[i] = *figure(&rounds[i])
		}
		*figure(&m) = median(values)
	}
	of(func(r *Result) *float64 { return &r.Seconds })
	of(func(r *Result) *float64 { return &r.OpsPerSec })
	of(func(r *Result) *float64 { return &r.CPUMicros })
	of(func(r *Result) *float64 { return &r.ClientCPUMicros })
	of(func(r *Result) *float64 { return &r.P50 })
	of(func(r *Result) *float64 { return &r.P99 })
	of(func(r *Result) *float64 { return &r.P999 })
	of(func(r *Result) *float64 { return &r.Max })
	of(func(r *Result) *float64 { return &r.BytesPerEntry })
	of(func(r *Result) *float64 { return &r.BytesPerPending })
	of(func(r *Result) *float64 { return &r.LoadSeconds })
	ops := make([]float64, len(rounds))
	for i, r := range rounds {
		ops[i] = float64(r.Ops)
	}
	m.Ops = int64(median(ops))
	return m
}

// median of what is not empty; values are sorted by it.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}
