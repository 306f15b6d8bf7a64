package bench

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	names := []string{"streamd 1", "redis 7", "valkey 8"}
	rate := func(list ...float64) (rounds []Result) {
		for _, f := range list {
			rounds = append(rounds, Result{OpsPerSec: f, CPUMicros: 1e6 / f, BytesPerEntry: f, ExtraP999: f})
		}
		return rounds
	}
	all := [][]Result{rate(300, 200, 400), rate(100, 100, 100), rate(50, 200, 80)}
	for _, test := range []struct {
		name  string
		bar   Bar
		ratio Ratio
		other string
		met   bool
	}{
		{"the best other of each round", Bar{Metric: throughput(), AtLeast: 3}, Ratio{Median: 3, Low: 1, High: 4}, "redis 7", true},
		{"just missed", Bar{Metric: throughput(), AtLeast: 3.01}, Ratio{Median: 3, Low: 1, High: 4}, "redis 7", false},
		{"less is better", Bar{Metric: cpu(), AtLeast: 3}, Ratio{Median: 3, Low: 1, High: 4}, "redis 7", true},
		{"a share", Bar{Metric: perEntry(), AtMost: 4}, Ratio{Median: 5, Low: 2, High: 6}, "valkey 8", false},
		{"our own figure", Bar{Metric: extraPause(), Limit: 300}, Ratio{Median: 0.2, Low: 1. / 6, High: 0.5}, "valkey 8", true},
		{"a figure that is missing", Bar{Metric: loadTime(), AtLeast: 1}, Ratio{}, "valkey 8", false},
		{"no bar", Bar{Metric: throughput()}, Ratio{Median: 3, Low: 1, High: 4}, "redis 7", true},
	} {
		got := test.bar.judge(names, all)
		if d := got.Ratio.Median - test.ratio.Median; d > 1e-9 || d < -1e-9 || got.OtherName != test.other || got.Met != test.met {
			t.Errorf("%s: got %v from %s, met %v; want %v from %s, met %v", test.name, got.Ratio, got.OtherName, got.Met, test.ratio, test.other,
				test.met)
		}
	}
}

func TestFigure(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 0.123: "0.12", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 999.6: "1,000", 1234: "1,230", 12345: "12,300", 1234567: "1,230,000",
		-5.5: "-5.50",
	} {
		if got := figure(f); got != want {
			t.Errorf("figure(%v) = %s, want %s", f, got, want)
		}
	}
}

func TestRewrite(t *testing.T) {
	const doc = "# Title\n\n<!-- suite: begin -->\nold\n<!-- suite: end -->\n\n## Reasons\nby hand\n"
	for _, test := range []struct{ name, doc, want string }{
		{"between marks", doc, "# Title\n\n<!-- suite: begin -->\nnew\n<!-- suite: end -->\n\n## Reasons\nby hand\n"},
		{"no marks yet", "# Title\n", "# Title\n\n<!-- suite: begin -->\nnew\n<!-- suite: end -->\n"},
		{"nothing yet", "", "<!-- suite: begin -->\nnew\n<!-- suite: end -->\n"},
	} {
		got, err := Rewrite(test.doc, SuitePart, "\nnew\n\n")
		if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		}
		if again, err := Rewrite(got, SuitePart, "new"); err != nil || again != got {
			t.Errorf("%s, again: got %q, %v", test.name, again, err)
		}
	}
	for _, broken := range []string{"<!-- suite: begin -->\n", "<!-- suite: end -->\n"} {
		if got, err := Rewrite(broken, SuitePart, "new"); err == nil {
			t.Errorf("%q: got %q, want an error", broken, got)
		}
	}
}

// TestRows checks what nothing else would: that titles tell rows apart, and that the rows with one durability stand together.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	short := 0
	for _, r := range Rows() {
		if seen[r.title()] {
			t.Errorf("two rows %q", r.title())
		}
		seen[r.title()] = true
		if len(r.Bars) == 0 {
			t.Errorf("%s: no figures", r.title())
		}
		if r.Short {
			short++
		}
	}
	if short < 6 || short > 10 {
		t.Errorf("%d rows in the short table", short)
	}
}

func TestMarkdown(t *testing.T) {
	programs := []Program{{Name: "streamd 0.1.0", Own: true}, {Name: "redis 7.0.15"}}
	report := Report{
		Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 27 * time.Minute, Rounds: 5, Measure: 2 * time.Second, Programs: programs,
		Machine: Machine{CPU: "Example CPU", Cores: 2, Kernel: "6.1", MemoryBytes: 8 << 30, FileSystem: "ext4", SyncMicros: 120},
	}
	for _, r := range Rows() {
		var ours, other []Result
		for round := range 5 {
			f := float64(round + 1)
			ours = append(ours, Result{OpsPerSec: 500 * f, CPUMicros: 1, P50: 10, P99: 20, BytesPerEntry: 50, BytesPerPending: 100, LoadSeconds: 0.1})
			other = append(other, Result{OpsPerSec: 100 * f, CPUMicros: 5, P50: 20, P99: 40, BytesPerEntry: 100, BytesPerPending: 80, LoadSeconds: 0.9})
		}
		report.Rows = append(report.Rows, r.finish(programs, [][]Result{ours, other}))
	}
	report.Rows = append(report.Rows, Reported{Row: Row{Name: "broken", Durability: Off}, Failed: "entry 7\nis missing"})
	text := report.Markdown()
	for _, want := range []string{
		"2026-01-02 in 27 min: 5 rounds, 2s for each run and server. Example CPU, 2 cores, 8 GiB of memory, Linux 6.1; data on ext4, where fdatasync of 4 KiB takes 0.12 ms.",
		"Missed: memory: pending entries, appendonly no.",
		"| XADD 100 B, c=50 P=16 | everysec | 1,500 | 300 | 5.00 (5.00…5.00) | ≥ 2.50× | 1.00 | 5.00 | 5.00 (5.00…5.00) | ≥ 2.50× | ✓ |",
		"| memory: pending entries | appendonly no | memory, B/pending entry | 100 | 80.0 | 1.25 (1.25…1.25) | ≤ 0.25× | ✗ |",
		"| everysec | `--save '' --auto-aof-rewrite-percentage 0 --appendonly yes --appendfsync everysec` |",
		"**broken, appendonly no failed**: entry 7 is missing",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if short := report.Short(); !strings.Contains(short, "Beside redis 7.0.15 ") || !strings.Contains(short, "| ops/s | 1,500 | 300 | **5.00** |") {
		t.Errorf("short table:\n%s", short)
	}
	if missed, failed := len(report.Missed()), len(report.Failed()); missed != 1 || failed != 1 {
		t.Errorf("%d missed, %d failed", missed, failed)
	}
}

func TestProgramOf(t *testing.T) {
	for banner, want := range map[string]string{
		"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64": "redis 7.0.15",
		"Valkey server v=8.0.1 sha=0":                                        "valkey 8.0.1",
		"streamd 0.1.0 (commit abc, go1.26, linux/amd64)":                    "streamd 0.1.0",
	} {
		if p, err := programOf("/bin/x", banner); err != nil || p.Name != want || p.Path != "/bin/x" {
			t.Errorf("%q: got %+v, %v, want %s", banner, p, err, want)
		}
	}
	if p, err := programOf("/bin/x", "usage: x [FILE]"); err == nil {
		t.Errorf("got %+v, want an error", p)
	}
}

func TestSlowness(t *testing.T) {
	words := []string{"server", "--port", "1"}
	if got, err := Slowness(0).wrap(words); err != nil || !slices.Equal(got, words) {
		t.Errorf("no delay: got %v, %v", got, err)
	}
	got, err := slowSync.wrap(words)
	if _, missing := exec.LookPath("strace"); missing != nil {
		if err == nil {
			t.Errorf("without strace: got %v, want an error", got)
		}
		return
	}
	if err != nil || !slices.Contains(got, "inject=fsync,fdatasync:delay_exit=2000") || !slices.Equal(got[len(got)-3:], words) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestScaleMarkdown(t *testing.T) {
	d := ScaleDimension{Name: "streams", Sizes: []int64{1000, 10_000, 100_000}}
	for at, f := range []float64{0.5, 0.6, 0.75} {
		d.put("XADD", cpuUnit, at, f)
		d.put("longest pause for it", "µs", at, 300*f)
	}
	d.put("XACK", cpuUnit, 2, 1)
	text := ScaleReport{Program: Program{Name: "streamd 0.1.0"}, Dimensions: []ScaleDimension{d}}.Markdown()
	const want = `| **streams** | | 1,000 | 10,000 | 100,000 | last ÷ first |
|---|---|--:|--:|--:|--:|
| XADD | CPU µs/op | 0.50 | 0.60 | 0.75 | 1.50 |
| longest pause for it | µs | 150 | 180 | 225 | |
| XACK | CPU µs/op | – | – | 1.00 | |
`
	if !strings.Contains(text, want) {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
