package session

import (
	"math/bits"
	"time"
)

// Histogram counts durations with two significant digits, in nanoseconds: exact up to 255, then 128 steps to each power of
// two. These are the buckets of an HdrHistogram (1 ns … 1 s, two digits), so that LATENCY HISTOGRAM and the percentiles of
// INFO show the bounds that Redis shows.
type Histogram struct {
	counts [histogramBuckets]int64
	total  int64
}

const (
	maxHistogramNS   = int64(time.Second)
	histogramBuckets = 22*128 + 256 // bucketOf(maxHistogramNS) < this
)

// bucketOf returns the index of the bucket that holds ns ≥ 0.
func bucketOf(ns int64) int {
	if ns < 256 {
		return int(ns)
	}
	shift := bits.Len64(uint64(ns)) - 8
	return shift*128 + int(ns>>shift)
}

// highestIn returns the largest duration that bucket i holds.
func highestIn(i int) int64 {
	if i < 256 {
		return int64(i)
	}
	shift := i/128 - 1
	return int64(i-shift*128+1)<<shift - 1
}

// Record counts n equal durations; longer than a second counts as a second.
func (h *Histogram) Record(each time.Duration, n int) {
	h.counts[bucketOf(min(max(int64(each), 1), maxHistogramNS))] += int64(n)
	h.total += int64(n)
}

// Total counts the durations.
func (h *Histogram) Total() int64 { return h.total }

// Percentile returns the duration, in nanoseconds, that p percent did not exceed.
func (h *Histogram) Percentile(p float64) int64 {
	want := max(int64(min(p, 100)/100*float64(h.total)+0.5), 1)
	var sum int64
	for i, n := range h.counts {
		if sum += n; sum >= want {
			return highestIn(i)
		}
	}
	return 0
}

// HistogramStep is one line of LATENCY HISTOGRAM: so many durations were at most Micros.
type HistogramStep struct{ Micros, Count int64 }

// Steps returns the cumulative counts at about 1, 2, 4, 8, 16, 33, 66 … µs; steps that add nothing are left out.
func (h *Histogram) Steps() (steps []HistogramStep) {
	var sum int64
	i := 0
	for level := int64(1024); sum < h.total; level *= 2 {
		last := min(bucketOf(level), histogramBuckets-1)
		before := sum
		for ; i <= last; i++ {
			sum += h.counts[i]
		}
		if sum > before {
			steps = append(steps, HistogramStep{highestIn(last) / 1000, sum})
		}
	}
	return steps
}
