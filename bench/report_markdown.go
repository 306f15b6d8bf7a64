package bench

import (
	"fmt"
	"strings"
	"time"
)

// Machine is where a report was made.
type Machine struct {
	CPU         string  `json:"cpu"`
	Cores       int     `json:"cores"`
	Kernel      string  `json:"kernel"`
	MemoryBytes int64   `json:"memory_bytes"`
	FileSystem  string  `json:"file_system"` // of the servers' data
	SyncMicros  float64 `json:"sync_us"`     // fdatasync of 4 KiB there
}

func (m Machine) text() string {
	return fmt.Sprintf("%s, %d cores, %.0f GiB of memory, Linux %s; data on %s, where fdatasync of 4 KiB takes %s ms",
		m.CPU, m.Cores, float64(m.MemoryBytes)/(1<<30), m.Kernel, m.FileSystem, figure(m.SyncMicros/1000))
}

// The names of the parts that a run rewrites in a document.
const (
	SuitePart = "suite"
	ScalePart = "scale"
)

// Rewrite replaces what stands between <!-- name: begin --> and <!-- name: end --> in doc with text, and keeps all the rest. A doc
// without these marks gets them at its end.
func Rewrite(doc, name, text string) (string, error) {
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
	part := begin + strings.TrimSpace(text) + "\n" + end
	before, rest, ok := strings.Cut(doc, begin)
	if !ok {
		if strings.Contains(doc, end) {
			return "", fmt.Errorf("%q without %q", strings.TrimSpace(end), strings.TrimSpace(begin))
		}
		if doc != "" {
			doc = strings.TrimRight(doc, "\n") + "\n\n"
		}
		return doc + part, nil
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("%q without %q", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + part + after, nil
}

// Markdown is the report as docs/benchmarks.md shows it.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s in %s: %d rounds, %s for each run and server. %s.\n\n", r.Began.Format(time.DateOnly), span(r.Took), r.Rounds,
		r.Measure, r.Machine.text())
	if r.Only != "" {
		fmt.Fprintf(&b, "**A part of the suite only: the rows that match `%s`.**\n\n", r.Only)
	}
	if r.Quick {
		b.WriteString("**A quick run on tiny loads: the figures mean nothing.**\n\n")
	}
	fmt.Fprintf(&b, "%s\n\n", r.verdict())
	r.settings(&b)
	r.loads(&b)
	r.others(&b)
	for _, row := range r.Rows {
		if row.Failed != "" {
			fmt.Fprintf(&b, "**%s failed**: %s\n\n", row.Row.title(), strings.ReplaceAll(row.Failed, "\n", " "))
		}
	}
	return b.String()
}

// verdict counts the bars.
func (r Report) verdict() string {
	rows, met := 0, 0
	for _, row := range r.Rows {
		rows++
		if row.Failed == "" && row.met() {
			met++
		}
	}
	text := fmt.Sprintf("**%d of %d rows meet their bars.**", met, rows)
	if missed := r.Missed(); len(missed) > 0 {
		text += " Missed: " + strings.Join(missed, "; ") + "."
	}
	return text
}

// settings lists the servers and what they were started with.
func (r Report) settings(b *strings.Builder) {
	var names []string
	for _, p := range r.Programs {
		names = append(names, p.Name)
	}
	fmt.Fprintf(b, "Servers: %s. Each is started with `--bind 127.0.0.1 --maxclients 20000`, a new `--dir`, its defaults, and\n\n",
		strings.Join(names, ", "))
	b.WriteString("| durability | directives |\n|---|---|\n")
	for _, d := range []Durability{Off, EverySec, Always} {
		fmt.Fprintf(b, "| %s | `%s` |\n", d.word(), d.Settings())
	}
	b.WriteString("\n")
}

// loads is the table of the rows that are judged by throughput.
func (r Report) loads(b *strings.Builder) {
	b.WriteString("### Throughput and CPU\n\nOperations a second, and microseconds of server CPU for each. Ratio: how many times more, how many times less CPU.\n\n")
	b.WriteString("| load | log | ours | best other | ratio (min…max) | bar | CPU ours | best other | ratio (min…max) | bar | |\n")
	b.WriteString("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n")
	for _, row := range r.Rows {
		if row.Failed != "" || !row.throughput() {
			continue
		}
		fmt.Fprintf(b, "| %s | %s |", row.Row.Name, row.Row.Durability.word())
		for _, j := range row.Judged {
			fmt.Fprintf(b, " %s | %s | %s | %s |", figure(j.Ours), r.other(j), j.Ratio.text(), j.Text())
		}
		if len(row.Judged) == 1 {
			b.WriteString(" – | – | – | – |")
		}
		fmt.Fprintf(b, " %s |\n", mark(row.met()))
	}
	b.WriteString("\n")
}

func (r Reported) throughput() bool { return len(r.Judged) > 0 && r.Judged[0].Metric.sense == most }

// others is the table of all other rows.
func (r Report) others(b *strings.Builder) {
	b.WriteString("### Latency, memory, starts\n\nRatio: how many times less, but of memory the share of the best other.\n\n")
	b.WriteString("| load | log | figure | ours | best other | ratio (min…max) | bar | |\n|---|---|---|--:|--:|--:|--:|---|\n")
	for _, row := range r.Rows {
		if row.Failed != "" || row.throughput() {
			continue
		}
		for _, j := range row.Judged {
			fmt.Fprintf(b, "| %s | %s | %s, %s | %s | %s | %s | %s | %s |\n", row.Row.Name, row.Row.Durability.word(), j.Metric.Name, j.Metric.Unit,
				figure(j.Ours), r.other(j), j.Ratio.text(), j.Text(), mark(j.Met))
		}
	}
	b.WriteString("\n")
}

// other shows a figure of another server, with its name if there are several.
func (r Report) other(j Judged) string {
	if j.OtherName == "" {
		return "–"
	}
	if len(r.Programs) > 2 {
		return figure(j.Other) + " (" + j.OtherName + ")"
	}
	return figure(j.Other)
}

func mark(met bool) string {
	if met {
		return "✓"
	}
	return "✗"
}

// Short is the table of the README: the chosen rows, by their first figure.
func (r Report) Short() string {
	var b strings.Builder
	var others []string
	for _, p := range r.Programs[1:] {
		others = append(others, p.Name)
	}
	fmt.Fprintf(&b, "Beside %s with the same durability, on %s, %d cores, client included; medians of %d interleaved rounds:\n\n",
		strings.Join(others, " and "), r.Machine.CPU, r.Machine.Cores, r.Rounds)
	b.WriteString("| load | figure | streamd | best other | ratio |\n|---|---|--:|--:|--:|\n")
	for _, row := range r.Rows {
		if !row.Row.Short || len(row.Judged) == 0 {
			continue
		}
		j := row.Judged[0]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | **%.2f** |\n", row.Row.title(), j.Metric.Unit, figure(j.Ours), r.other(j), j.Ratio.Median)
	}
	return b.String()
}
