package session

import (
	"slices"
	"strings"
	"time"

	"github.com/streamd/streamd/server/settings"
)

// Stats counts what INFO shows. Fields that others count are exported; CONFIG RESETSTAT is Reset.
type Stats struct {
	ConnectionsReceived, ConnectionsRejected int64
	Commands, CommandMicros                  int64
	ErrorReplies                             int64
	ExpiredKeys                              int64
	KeyspaceHits, KeyspaceMisses             int64
	NetIn, NetOut                            int64 // bytes
	Reads, Writes                            int64 // of sockets
	QueryLimitClosed, OutputLimitClosed      int64 // connections closed by a buffer limit
	LoopCycles, LoopMicros                   int64
	AuthDenied                               int64
	SlowCount, SlowMS, SlowMaxMS             int64
	PeakMemory                               int64 // bytes; not reset

	settings *settings.Settings

	perCommand []CommandStats
	errors     map[string]int64
	tooMany    bool // more distinct error codes than maxErrorCodes: none are counted any more

	ops, in, out rate
	lastTickMS   int64
}

// CommandStats are the counters of one command.
type CommandStats struct {
	Calls, Nanos                 int64
	Rejected, Failed             int64
	SlowCount, SlowMS, SlowMaxMS int64
	Latency                      *Histogram // nil as long as there is nothing in it
}

// maxErrorCodes bounds INFO errorstats.
const maxErrorCodes = 128

func newStats(st *settings.Settings) *Stats {
	return &Stats{errors: make(map[string]int64), settings: st}
}

// Calls counts n executions of the command with this id, each of which took so long; either all failed or none.
func (s *Stats) Calls(id, n int, each time.Duration, failed bool) {
	all := each * time.Duration(n)
	s.Commands += int64(n)
	s.CommandMicros += all.Microseconds()
	c := s.at(id)
	c.Calls += int64(n)
	c.Nanos += int64(all)
	if failed {
		c.Failed += int64(n)
	}
	if s.settings.LatencyTracking() {
		if c.Latency == nil {
			c.Latency = new(Histogram)
		}
		c.Latency.Record(each, n)
	}
}

// at returns the counters of a command, making room for those not yet called.
func (s *Stats) at(id int) *CommandStats {
	if id >= len(s.perCommand) {
		s.perCommand = append(s.perCommand, make([]CommandStats, id+1-len(s.perCommand))...)
	}
	return &s.perCommand[id]
}

// Command returns the counters of the command with this id.
func (s *Stats) Command(id int) CommandStats {
	if id >= len(s.perCommand) {
		return CommandStats{}
	}
	return s.perCommand[id]
}

// Rejected counts a refusal before execution.
func (s *Stats) Rejected(id int) { s.at(id).Rejected++ }

// Slow counts a command that went into the slow log.
func (s *Stats) Slow(id int, took time.Duration) {
	ms := took.Milliseconds()
	s.SlowCount++
	s.SlowMS += ms
	s.SlowMaxMS = max(s.SlowMaxMS, ms)
	c := s.at(id)
	c.SlowCount++
	c.SlowMS += ms
	c.SlowMaxMS = max(c.SlowMaxMS, ms)
}

// Error counts an error reply by its code.
func (s *Stats) Error(code string) {
	s.ErrorReplies++
	if s.tooMany {
		return
	}
	if _, known := s.errors[code]; !known && len(s.errors) >= maxErrorCodes {
		s.tooMany = true
		clear(s.errors)
		s.errors["ERRORSTATS_DISABLED"] = 1
		return
	}
	s.errors[code]++
}

// ErrorCount is how often one error code was answered.
type ErrorCount struct {
	Code  string
	Count int64
}

// Errors returns the counts of all error codes, by code.
func (s *Stats) Errors() []ErrorCount {
	list := make([]ErrorCount, 0, len(s.errors))
	for code, n := range s.errors {
		list = append(list, ErrorCount{code, n})
	}
	slices.SortFunc(list, func(a, b ErrorCount) int { return strings.Compare(a.Code, b.Code) })
	return list
}

// Expired counts keys whose deadline passed.
func (s *Stats) Expired(n int64) { s.ExpiredKeys += n }

// Memory notes a sample of the bytes in use.
func (s *Stats) Memory(used int64) { s.PeakMemory = max(s.PeakMemory, used) }

// Reset is CONFIG RESETSTAT.
func (s *Stats) Reset() {
	peak := s.PeakMemory
	*s = *newStats(s.settings)
	s.PeakMemory = peak
}

// Tick takes the samples behind the instantaneous numbers; call it every 100 ms.
func (s *Stats) Tick(nowMS int64) {
	elapsed := nowMS - s.lastTickMS
	if s.lastTickMS == 0 || elapsed <= 0 {
		elapsed = 0
	}
	s.lastTickMS = nowMS
	s.ops.sample(s.Commands, elapsed)
	s.in.sample(s.NetIn, elapsed)
	s.out.sample(s.NetOut, elapsed)
}

// OpsPerSec, InputKbps and OutputKbps are averages over the last 1.6 s: commands, KiB in and KiB out per second.
func (s *Stats) OpsPerSec() int64    { return s.ops.average() }
func (s *Stats) InputKbps() float64  { return float64(s.in.average()) / 1024 }
func (s *Stats) OutputKbps() float64 { return float64(s.out.average()) / 1024 }

// rate keeps the last samples of how fast a counter grows per second.
type rate struct {
	samples [16]int64
	next    int
	last    int64
}

// sample notes the counter's value, elapsed milliseconds after the last one; 0 is the first.
func (r *rate) sample(value, elapsed int64) {
	if elapsed > 0 {
		r.samples[r.next] = (value - r.last) * 1000 / elapsed
		r.next = (r.next + 1) % len(r.samples)
	}
	r.last = value
}

func (r *rate) average() int64 {
	var sum int64
	for _, v := range r.samples {
		sum += v
	}
	return sum / int64(len(r.samples))
}
