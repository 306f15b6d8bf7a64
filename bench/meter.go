package bench

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	maxLatency    = int64(5 * time.Minute)
	latencyDigits = 3 // significant digits of latencies
	progressEvery = int64(250 * time.Millisecond)
)

// meter counts and times what the scripts of a run report, from the end of the warm-up to the end of the measurement.
type meter struct {
	server   usage
	progress func(Progress)
	latency  *hdrhistogram.Histogram
	ops      int64 // since the phase began
	stopping bool  // scripts begin nothing new

	phase   string
	began   int64 // of the phase, in the engine's time
	next    int64 // when tick has to look again
	warm    int64
	measure int64 // 0: until finish is called

	from, to sample
	count    int64 // ops of the measurement
}

// sample is what was used up to a moment.
type sample struct {
	at             int64
	server, client time.Duration
}

func newMeter(t Target, s Spec, progress func(Progress)) *meter {
	if progress == nil {
		progress = func(Progress) {}
	}
	m := &meter{
		server: usage(t.PID), latency: hdrhistogram.New(1, maxLatency, latencyDigits),
		warm: max(int64(s.Warm), 0), measure: int64(s.Measure), phase: phaseWarm,
	}
	m.progress = func(p Progress) {
		p.Target = t.Name
		progress(p)
	}
	return m
}

const (
	phasePrepare = "prepare"
	phaseWarm    = "warm up"
	phaseMeasure = "measure"
	phaseFinish  = "finish"
)

// record takes the latency of something that was answered. What is answered after the measurement is not part of it.
func (m *meter) record(ns int64) {
	if !m.stopping {
		_ = m.latency.RecordValue(min(max(ns, 1), maxLatency)) // in range, so it cannot fail
	}
}

// begin is called once, on the thread of the engine.
func (m *meter) begin(now int64) (err error) {
	m.from, err = m.sample(now)
	return err
}

// tick begins and ends the phases and tells the progress.
func (m *meter) tick(now int64) error {
	if now < m.next {
		return nil
	}
	var err error
	switch {
	case m.phase == phaseWarm && now >= m.warm:
		m.latency.Reset()
		err = m.enter(phaseMeasure, now)
	case m.phase == phaseMeasure && m.measure > 0 && now >= m.began+m.measure:
		err = m.finish(now)
	}
	if m.phase != phaseFinish {
		m.tell(now)
	}
	m.next = now + progressEvery
	if end := m.end(); end > 0 {
		m.next = min(m.next, max(end, now+1))
	}
	return err
}

// end is when the phase ends; 0: not by time.
func (m *meter) end() int64 {
	switch {
	case m.phase == phaseWarm:
		return max(m.warm, 1)
	case m.phase == phaseMeasure && m.measure > 0:
		return m.began + m.measure
	}
	return 0
}

func (m *meter) enter(phase string, now int64) error {
	s, err := m.sample(now)
	if err != nil {
		return err
	}
	if phase == phaseMeasure {
		m.from = s
	} else {
		m.to, m.count = s, m.ops
	}
	m.phase, m.began, m.ops = phase, now, 0
	return nil
}

// finish ends the measurement, and with it the load. If that is still warming up, all of it counts. Later calls do nothing.
func (m *meter) finish(now int64) error {
	if m.stopping {
		return nil
	}
	m.stopping = true
	return m.enter(phaseFinish, now)
}

func (m *meter) sample(now int64) (sample, error) {
	server, err := m.server.cpu()
	return sample{at: now, server: server, client: threadCPU()}, err
}

func (m *meter) tell(now int64) {
	p := Progress{Phase: m.phase, Elapsed: time.Duration(now - m.began), Ops: m.ops}
	if m.phase == phaseWarm {
		p.Total = time.Duration(m.warm)
	} else {
		p.Total = time.Duration(m.measure)
	}
	m.progress(p)
}

// fill writes the figures into r.
func (m *meter) fill(r *Result) {
	r.Ops, r.Seconds = m.count, float64(m.to.at-m.from.at)/1e9
	r.OpsPerSec = ratio(float64(r.Ops), r.Seconds)
	r.CPUMicros = ratio(float64(m.to.server-m.from.server)/1e3, float64(r.Ops))
	r.ClientCPUMicros = ratio(float64(m.to.client-m.from.client)/1e3, float64(r.Ops))
	r.P50, r.P99, r.P999 = m.quantile(50), m.quantile(99), m.quantile(99.9)
	r.Max = float64(m.latency.Max()) / 1e3
}

func (m *meter) quantile(percent float64) float64 {
	return float64(m.latency.ValueAtQuantile(percent)) / 1e3
}

func ratio(a, b float64) float64 {
	if b == 0 || math.IsNaN(a) {
		return 0
	}
	return a / b
}
