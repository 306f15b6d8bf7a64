package command

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

func latencyRows() []Spec {
	shown := []string{"nondeterministic_output", "request_policy:all_nodes", "response_policy:special"}
	return []Spec{
		container("latency", "2.8.13", "A container for latency diagnostics commands."),
		{Name: "latency|doctor", Arity: 2, Flags: adminFlags, Since: "2.8.13", Tips: shown,
			Summary: "Returns a human-readable latency analysis report.", Local: latencyDoctor},
		{Name: "latency|graph", Arity: 3, Flags: adminFlags, Since: "2.8.13", Tips: shown, Args: "event",
			Summary: "Returns a latency graph for an event.", Local: latencyGraph},
		{Name: "latency|histogram", Arity: -2, Flags: adminFlags, Since: "7.0.0", Tips: shown, Args: "[command [command ...]]",
			Summary:    "Returns the cumulative distribution of latencies of a subset or all commands.",
			Complexity: "O(N) where N is the number of commands with latency information being retrieved.", Local: latencyHistogram},
		{Name: "latency|history", Arity: 3, Flags: adminFlags, Since: "2.8.13", Tips: shown, Args: "event",
			Summary: "Returns timestamp-latency samples for an event.", Local: latencyHistory},
		{Name: "latency|latest", Arity: 2, Flags: adminFlags, Since: "2.8.13", Tips: shown,
			Summary: "Returns the latest latency samples for all events.", Local: latencyLatest},
		{Name: "latency|reset", Arity: -2, Flags: adminFlags, Since: "2.8.13",
			Tips: []string{"request_policy:all_nodes", "response_policy:agg_sum"}, Args: "[event [event ...]]",
			Summary: "Resets the latency data for one or more events.", Local: latencyReset},
		helpRow("latency", "server", "2.8.13", 0),
	}
}

func latencyLatest(c *Ctx) {
	events := c.Node.Latency.Latest()
	c.W.Array(len(events))
	for _, e := range events {
		c.W.Array(4)
		c.W.BulkString(e.Name)
		c.W.Int(e.Last.UnixSec)
		c.W.Int(e.Last.MS)
		c.W.Int(e.MaxMS)
	}
}

func latencyHistory(c *Ctx) {
	samples := c.Node.Latency.History(string(c.Args[2]))
	c.W.Array(len(samples))
	for _, s := range samples {
		c.W.Array(2)
		c.W.Int(s.UnixSec)
		c.W.Int(s.MS)
	}
}

func latencyReset(c *Ctx) {
	if len(c.Args) == 2 {
		c.W.Int(int64(c.Node.Latency.ResetAll()))
		return
	}
	n := int64(0)
	for _, event := range c.Args[2:] {
		if c.Node.Latency.Reset(string(event)) {
			n++
		}
	}
	c.W.Int(n)
}

// latencyHistogram shows the histograms of the commands named, a container standing for its subcommands, or of all.
func latencyHistogram(c *Ctx) {
	n := 0
	at := c.W.Begin()
	show := func(s *Spec) {
		stats := c.Node.Stats.Command(s.ID)
		if stats.Latency == nil || stats.Latency.Total() == 0 {
			return
		}
		n++
		c.W.BulkString(s.Name)
		c.W.Map(2)
		c.W.BulkString("calls")
		c.W.Int(stats.Latency.Total())
		c.W.BulkString("histogram_usec")
		steps := stats.Latency.Steps()
		c.W.Map(len(steps))
		for _, step := range steps {
			c.W.Int(step.Micros)
			c.W.Int(step.Count)
		}
	}
	if len(c.Args) == 2 {
		for _, s := range c.Spec.Table.Specs() {
			show(s)
		}
	}
	for _, name := range c.Args[2:] {
		if s := c.Spec.Table.Lookup(name); s != nil {
			show(s)
			for _, sub := range s.Subs {
				show(sub)
			}
		}
	}
	c.W.EndMap(at, n)
}

// graphRows is the height of LATENCY GRAPH.
const graphRows = 4

// latencyGraph draws the samples of an event as columns, the oldest on the left.
func latencyGraph(c *Ctx) {
	event := string(c.Args[2])
	samples := c.Node.Latency.History(event)
	if len(samples) == 0 {
		c.W.Error(resp.Error("ERR No samples available for event '" + string(cut(c.Args[2], shownBytes)) + "'"))
		return
	}
	low, high := samples[0].MS, samples[0].MS
	for _, s := range samples {
		low, high = min(low, s.MS), max(high, s.MS)
	}
	worst := high
	for _, e := range c.Node.Latency.Latest() {
		if e.Name == event {
			worst = e.MaxMS
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s - high %d ms, low %d ms (all time high %d ms)\n", event, high, low, worst)
	b.WriteString(strings.Repeat("-", 80) + "\n")
	for row := int64(graphRows); row > 0; row-- {
		for _, s := range samples {
			// A column is filled up to its share of the highest, and always at the bottom.
			if row == 1 || s.MS*graphRows > (row-1)*high {
				b.WriteByte('#')
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d samples, the last %d seconds ago\n", len(samples), c.Node.Host.NowMS()/1000-samples[len(samples)-1].UnixSec)
	c.W.Verbatim(b.String())
}

func latencyDoctor(c *Ctx) {
	threshold := c.Node.Settings.LatencyMillis()
	events := c.Node.Latency.Latest()
	var b strings.Builder
	switch {
	case threshold == 0 && len(events) == 0:
		b.WriteString("Latency monitoring is disabled. \"CONFIG SET latency-monitor-threshold <milliseconds>\" enables it.\n")
	case len(events) == 0:
		fmt.Fprintf(&b, "No event took %d milliseconds or more since the server started or LATENCY RESET.\n", threshold)
	default:
		b.WriteString("Events that took too long:\n\n")
		for i, e := range events {
			describeLatency(&b, i+1, e, c.Node.Latency.History(e.Name))
		}
	}
	c.W.Verbatim(b.String())
}

func describeLatency(b *strings.Builder, number int, e session.LatencyEvent, samples []session.LatencySample) {
	sum := int64(0)
	for _, s := range samples {
		sum += s.MS
	}
	fmt.Fprintf(b, "%d. %s: %d spikes, %d ms on average, the worst %d ms.", number, e.Name, len(samples), sum/int64(len(samples)), e.MaxMS)
	switch e.Name {
	case "command", "fast-command":
		b.WriteString(" SLOWLOG GET shows which commands are slow.")
	case "aof-fsync-always", "aof-write", "aof-fsync":
		b.WriteString(" The disk is slow; appendfsync everysec does not wait for it.")
	}
	b.WriteByte('\n')
}
