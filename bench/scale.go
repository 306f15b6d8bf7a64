package bench

import (
	"fmt"
	"strings"
	"time"
)

// world is how much a server holds while scale measures it. All streams are alike.
type world struct {
	streams, entries int64 // entries of each stream
	groups, pending  int64 // groups of each stream, pending entries of each group
	idle             int64 // connections that say nothing
}

// dimension is what grows while everything else stays.
type dimension struct {
	name string
	long bool // at the largest size, a read of all of it is tried as well
	at   func(times int64) world
	size func(world) int64
}

func dimensions() []dimension {
	return []dimension{
		{"entries in a stream", true, func(x int64) world { return world{streams: 1, entries: 500_000 * x, groups: 1, pending: 1000} },
			func(w world) int64 { return w.entries }},
		{"streams", false, func(x int64) world { return world{streams: 1000 * x, entries: 20, groups: 1, pending: 10} },
			func(w world) int64 { return w.streams }},
		{"groups of a stream", false, func(x int64) world { return world{streams: 1, entries: 1000, groups: 100 * x, pending: 100} },
			func(w world) int64 { return w.groups }},
		{"pending entries of a group", false, func(x int64) world { return world{streams: 1, entries: 100_000 * x, groups: 1, pending: 100_000 * x} },
			func(w world) int64 { return w.pending }},
		{"idle connections", false, func(x int64) world {
			return world{streams: 1, entries: 10_000, groups: 1, pending: 1000, idle: 100 * x}
		},
			func(w world) int64 { return w.idle }},
	}
}

// sizes are the multiples of a dimension that are measured.
func sizes() []int64 { return []int64{1, 10, 100} }

// ScaleOptions say what `scale` does.
type ScaleOptions struct {
	Own      Program
	Only     func(dimension string) bool // nil: all
	Quick    bool                        // a thousandth of the sizes
	Dir      string                      // for the server's data, see NewHost
	Progress func(Progress)              // Target and Phase only; nil is allowed
}

// ScaleReport is what growing costs.
type ScaleReport struct {
	Began      time.Time        `json:"began"`
	Took       time.Duration    `json:"took_ns"`
	Quick      bool             `json:"quick,omitempty"`
	Machine    Machine          `json:"machine"`
	Program    Program          `json:"program"`
	Dimensions []ScaleDimension `json:"dimensions"`
}

// ScaleDimension is one table: a column for each size, a row for each figure.
type ScaleDimension struct {
	Name  string     `json:"name"`
	Sizes []int64    `json:"sizes"`
	Rows  []ScaleRow `json:"rows"`
}

// ScaleRow is one figure at each size; -1 where it does not apply.
type ScaleRow struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	Figures []float64 `json:"figures"`
}

// growth is how many times the first figure the last one is; 0 if either is missing.
func (r ScaleRow) growth() float64 {
	first, last := r.Figures[0], r.Figures[len(r.Figures)-1]
	if first <= 0 || last < 0 {
		return 0
	}
	return last / first
}

// put writes the figure of one size into the row of that name and unit, which it makes if there is none.
func (d *ScaleDimension) put(name, unit string, at int, f float64) {
	for i := range d.Rows {
		if d.Rows[i].Name == name && d.Rows[i].Unit == unit {
			d.Rows[i].Figures[at] = f
			return
		}
	}
	row := ScaleRow{Name: name, Unit: unit, Figures: make([]float64, len(d.Sizes))}
	for i := range row.Figures {
		row.Figures[i] = -1
	}
	row.Figures[at] = f
	d.Rows = append(d.Rows, row)
}

// Markdown is the report as docs/benchmarks.md shows it.
func (r ScaleReport) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s in %s with %s, `appendonly no`. %s.\n\n", r.Began.Format(time.DateOnly), span(r.Took), r.Program.Name,
		r.Machine.text())
	if r.Quick {
		b.WriteString("**A quick run at a thousandth of the size: the figures mean nothing.**\n\n")
	}
	for _, d := range r.Dimensions {
		fmt.Fprintf(&b, "| **%s** | |", d.Name)
		rule := "|---|---|"
		for _, size := range d.Sizes {
			fmt.Fprintf(&b, " %s |", grouped(size))
			rule += "--:|"
		}
		fmt.Fprintf(&b, " last ÷ first |\n%s--:|\n", rule)
		for _, row := range d.Rows {
			fmt.Fprintf(&b, "| %s | %s |", row.Name, row.Unit)
			for _, f := range row.Figures {
				if f < 0 {
					b.WriteString(" – |")
				} else {
					fmt.Fprintf(&b, " %s |", figure(f))
				}
			}
			if g := row.growth(); g > 0 && row.Unit == cpuUnit {
				fmt.Fprintf(&b, " %.2f |\n", g)
			} else {
				b.WriteString(" |\n")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// cpuUnit marks the rows in which growth is what matters.
const cpuUnit = "CPU µs/op"
