package bench

import (
	"fmt"
	"time"
)

// rowKind says how a row is measured.
type rowKind int

const (
	onKept     rowKind = iota // a load on servers that stay up for all rows of their durability
	onFresh                   // a load on a server started for this run alone: memory
	restarting                // starts of a server on data it wrote before
	pausing                   // a paced load beside a snapshot
)

// Row is one line of the suite: a load, how the servers are set, and what ours must reach.
type Row struct {
	Name       string
	Kind       rowKind
	Durability Durability
	Spec       Spec
	Slow       Slowness
	Snapshot   bool // of restarting: the data is a snapshot rather than the log
	Bars       []Bar
	Short      bool // belongs into the short table of the README
}

// oneField and fiveNumbers are the shapes of entries in the rows.
func oneField(bytes int) Shape { return Shape{Fields: 1, Bytes: bytes} }

func fiveNumbers() Shape { return Shape{Fields: 5, Bytes: 6, Numbers: true} }

// Rows returns the suite in the order in which it is run: rows that share servers stand together.
func Rows() []Row {
	var rows []Row
	for _, d := range []Durability{Off, EverySec, Always} {
		rows = append(rows, appends(d)...)
		if d == EverySec {
			rows = append(rows, shapes()...)
			rows = append(rows, deliveries()...)
			rows = append(rows, scans()...)
		}
	}
	rows = append(rows, slowed()...)
	rows = append(rows, footprints()...)
	return append(rows, starts()...)
}

// ratios asks for times as much throughput and times less CPU; 0 asks for nothing.
func ratios(throughputAtLeast, cpuAtLeast float64) []Bar {
	return []Bar{{Metric: throughput(), AtLeast: throughputAtLeast}, {Metric: cpu(), AtLeast: cpuAtLeast}}
}

// appends are XADDs of 100 bytes by connections and pipeline.
func appends(d Durability) []Row {
	var rows []Row
	for _, pipeline := range []int{1, 16, 128} {
		for _, conns := range []int{1, 50, 200} {
			var bars []Bar
			switch {
			case pipeline == 1 && d == Always:
				bars = ratios(1.25, 1.3)
			case pipeline == 1:
				bars = ratios(1.1, 1.15)
			case pipeline == 16 && conns == 1:
				bars = ratios(1.7, 2.5)
			case pipeline == 16:
				bars = ratios(2.5, 2.5)
			case conns == 50:
				bars = ratios(3.5, 4)
			default:
				continue
			}
			rows = append(rows, Row{
				Name: fmt.Sprintf("XADD 100 B, c=%d P=%d", conns, pipeline), Durability: d, Bars: bars,
				Spec:  Spec{Load: "xadd", Conns: conns, Pipeline: pipeline, Shape: oneField(100)},
				Short: conns == 50 && (d == EverySec || d == Always && pipeline == 1),
			})
		}
	}
	return rows
}

// shapes are XADDs of other entries.
func shapes() []Row {
	add := func(name string, bar float64, s Spec) Row {
		s.Load, s.Conns, s.Pipeline = "xadd", 50, 16
		return Row{Name: "XADD " + name + ", c=50 P=16", Durability: EverySec, Bars: ratios(bar, 0), Spec: s}
	}
	return []Row{
		add("1 KiB", 1.9, Spec{Shape: oneField(1024)}),
		add("5 fields", 2.8, Spec{Shape: fiveNumbers()}),
		add("100 B, 1,000 streams", 2.0, Spec{Shape: oneField(100), Streams: 1000}),
		add("100 B, MAXLEN ~ 1,000", 2.8, Spec{Shape: oneField(100), MaxLen: 1000}),
	}
}

// deliveries are entries on their way to consumers.
func deliveries() []Row {
	load := func(name string, bars []Bar, s Spec) Row {
		s.Shape = oneField(100)
		return Row{Name: name, Durability: EverySec, Bars: bars, Spec: s}
	}
	rows := []Row{
		load("cycle XADD → XREADGROUP → XACK, 16 a turn", ratios(2.3, 0), Spec{Load: "cycle", Turn: 16}),
		load("cycle XADD → XREADGROUP → XACK, 1 a turn", ratios(1.15, 0), Spec{Load: "cycle", Turn: 1}),
		load("2 groups × 4 consumers, COUNT 100", ratios(2.8, 0), Spec{Load: "groups", Groups: 2, Consumers: 4, Count: 100}),
		load("drain of a group, COUNT 100", ratios(4, 0), Spec{Load: "drain", Count: 100}),
		load("drain of a group, COUNT 10", ratios(2.2, 0), Spec{Load: "drain", Count: 10}),
		load("blocked consumer, 1,000 entries/s", []Bar{{Metric: latency50(), AtLeast: 1.1}, {Metric: latency99(), AtLeast: 1}},
			Spec{Load: "e2e", Rate: 1000}),
	}
	rows[0].Short = true
	return rows
}

// scans are reads of what is there.
func scans() []Row {
	var rows []Row
	for _, load := range []struct{ name, load string }{{"XRANGE", "xrange"}, {"XREAD", "xread"}} {
		for _, count := range []int{100, 1000} {
			rows = append(rows, Row{
				Name: fmt.Sprintf("%s COUNT %d", load.name, count), Durability: EverySec, Bars: ratios(2.5, 0),
				Spec: Spec{Load: load.load, Count: count, Shape: oneField(100)}, Short: load.load == "xrange" && count == 100,
			})
		}
		rows = append(rows, Row{
			Name: load.name + " COUNT 10, P=16", Durability: EverySec, Bars: ratios(2, 0),
			Spec: Spec{Load: load.load, Count: 10, Pipeline: 16, Shape: oneField(100)},
		})
	}
	return rows
}

// slowSync is the delay of the rows with slowed syncs: a disk of a cloud machine.
const slowSync = Slowness(2 * time.Millisecond)

func slowed() []Row {
	add := func(pipeline int, bar float64) Row {
		return Row{
			Name: fmt.Sprintf("XADD 100 B, c=50 P=%d, each sync takes 2 ms more", pipeline), Durability: Always, Slow: slowSync,
			Bars: []Bar{{Metric: throughput(), AtLeast: bar}},
			Spec: Spec{Load: "xadd", Conns: 50, Pipeline: pipeline, Shape: oneField(100)},
		}
	}
	return []Row{add(1, 1.15), add(16, 2)}
}

// footprints are what entries cost in memory.
func footprints() []Row {
	fill := func(name string, bar Bar, s Spec) Row {
		s.Load = "fill"
		return Row{Name: "memory: " + name, Kind: onFresh, Durability: Off, Bars: []Bar{bar}, Spec: s}
	}
	rows := []Row{
		fill("1 × 100 B", Bar{Metric: perEntry(), AtMost: 0.95}, Spec{Shape: oneField(100)}),
		fill("5 × 6 B numbers", Bar{Metric: perEntry(), AtMost: 0.77}, Spec{Shape: fiveNumbers()}),
		fill("1 KiB", Bar{Metric: perEntry(), AtMost: 0.93}, Spec{Shape: oneField(1024), Entries: 300_000}),
		fill("pending entries", Bar{Metric: perPending(), AtMost: 0.25}, Spec{Shape: fiveNumbers(), Groups: 1}),
	}
	rows[0].Short, rows[3].Short = true, true
	return rows
}

// starts are servers that come back, and what their snapshots cost others.
func starts() []Row {
	million := Spec{Load: "restart", Entries: 1_000_000, Shape: oneField(100)}
	gigabyte := Spec{Load: "pause", Entries: 1 << 20, Shape: oneField(1024), Rate: 2000}
	return []Row{
		{Name: "start, 1 M entries, from the log", Kind: restarting, Durability: EverySec, Spec: million,
			Bars: []Bar{{Metric: loadTime(), AtLeast: 5}}, Short: true},
		{Name: "start, 1 M entries, from a snapshot", Kind: restarting, Durability: Off, Snapshot: true, Spec: million,
			Bars: []Bar{{Metric: loadTime(), AtLeast: 3}}},
		{Name: "start, 1 M entries, from a rewritten log", Kind: restarting, Durability: EverySec, Snapshot: true, Spec: million,
			Bars: []Bar{{Metric: loadTime(), AtLeast: 3}}},
		{Name: "pause of others: BGREWRITEAOF and BGSAVE of 1 GiB", Kind: pausing, Durability: EverySec, Spec: gigabyte,
			Bars: []Bar{{Metric: extraPause(), Limit: 2000}}},
	}
}
