package command

import (
	"math"
	"runtime"
	"runtime/metrics"
)

// infoRuntime is a section that Redis does not have, and is therefore given only to those who ask for it: what the Go runtime
// does beside the commands.
func infoRuntime(r *infoReport) {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}, {Name: "/sched/goroutines:goroutines"},
	}
	metrics.Read(samples)
	r.text("go_version", runtime.Version())
	r.number("goroutines", metricInt(samples[6]))
	r.number("gc_cycles", metricInt(samples[0]))
	// Marking on cores that have nothing else to do is told apart: it takes nothing from anyone.
	idle := metricFloat(samples[2])
	r.line("gc_cpu_seconds", "%.6f", max(metricFloat(samples[1])-idle, 0))
	r.line("gc_idle_cpu_seconds", "%.6f", idle)
	r.number("gc_pause_usec_max", longest(samples[3]))
	r.number("gc_heap_live", metricInt(samples[4]))
	r.number("gc_heap_goal", metricInt(samples[5]))
}

func metricInt(s metrics.Sample) int64 {
	if s.Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s.Value.Uint64())
}

func metricFloat(s metrics.Sample) float64 {
	if s.Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return s.Value.Float64()
}

// longest returns an upper bound of the longest time in a histogram of seconds, in microseconds.
func longest(s metrics.Sample) int64 {
	if s.Value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	h := s.Value.Float64Histogram()
	for i := len(h.Counts) - 1; i >= 0; i-- {
		if h.Counts[i] == 0 {
			continue
		}
		bound := h.Buckets[i+1]
		if math.IsInf(bound, 1) {
			bound = h.Buckets[i]
		}
		return int64(math.Ceil(bound * 1e6))
	}
	return 0
}
