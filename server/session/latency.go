package session

import "slices"

// latencySamples is how many samples LATENCY HISTORY shows.
const latencySamples = 160

// Latency keeps the spikes of every kind of event for the LATENCY commands.
type Latency struct{ events map[string]*latencyEvent }

type latencyEvent struct {
	ring  []LatencySample
	next  int // the oldest, once the ring is full
	maxMS int64
}

// LatencySample is the worst spike of one second.
type LatencySample struct{ UnixSec, MS int64 }

// LatencyEvent is one row of LATENCY LATEST.
type LatencyEvent struct {
	Name        string
	Last        LatencySample
	MaxMS       int64
	SampleCount int
}

func newLatency() *Latency { return &Latency{events: make(map[string]*latencyEvent)} }

// Add notes that event took ms.
func (l *Latency) Add(event string, nowMS, ms int64) {
	e := l.events[event]
	if e == nil {
		e = &latencyEvent{}
		l.events[event] = e
	}
	e.maxMS = max(e.maxMS, ms)
	now := nowMS / 1000
	if n := len(e.ring); n > 0 {
		if last := &e.ring[(e.next+n-1)%n]; last.UnixSec == now {
			last.MS = max(last.MS, ms)
			return
		}
	}
	if len(e.ring) < latencySamples {
		e.ring = append(e.ring, LatencySample{now, ms})
		return
	}
	e.ring[e.next] = LatencySample{now, ms}
	e.next = (e.next + 1) % latencySamples
}

// Latest returns the events with their last and worst spikes, by name.
func (l *Latency) Latest() []LatencyEvent {
	list := make([]LatencyEvent, 0, len(l.events))
	for _, name := range l.names() {
		e := l.events[name]
		n := len(e.ring)
		list = append(list, LatencyEvent{Name: name, Last: e.ring[(e.next+n-1)%n], MaxMS: e.maxMS, SampleCount: n})
	}
	return list
}

func (l *Latency) names() []string {
	names := make([]string, 0, len(l.events))
	for name := range l.events {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// History returns the samples of an event, the oldest first; none if it is unknown.
func (l *Latency) History(event string) []LatencySample {
	e := l.events[event]
	if e == nil {
		return nil
	}
	return append(slices.Clone(e.ring[e.next:]), e.ring[:e.next]...)
}

// Reset forgets an event; false if there is none.
func (l *Latency) Reset(event string) bool {
	_, ok := l.events[event]
	delete(l.events, event)
	return ok
}

// ResetAll forgets everything and returns how many events there were.
func (l *Latency) ResetAll() int {
	n := len(l.events)
	clear(l.events)
	return n
}
