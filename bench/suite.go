package bench

import (
	"fmt"
	"io"
	"regexp"
	"time"
)

// Options say what a suite does.
type Options struct {
	Own     Program
	Others  []Program
	Rounds  int
	Warm    time.Duration // of each run
	Measure time.Duration // of each run
	Only    *regexp.Regexp
	Quick   bool   // tiny data, one round: shows that everything works, not how fast it is
	Dir     string // for the servers' data, see NewHost
	Out     io.Writer
	// Progress is called a few times a second with the name of the row; nil is allowed.
	Progress func(row string, p Progress)
}

// Report is all that a suite measured.
type Report struct {
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Rounds   int           `json:"rounds"`
	Measure  time.Duration `json:"measure_ns"`
	Only     string        `json:"only,omitempty"`
	Quick    bool          `json:"quick,omitempty"`
	Machine  Machine       `json:"machine"`
	Programs []Program     `json:"programs"` // ours first, as in all results
	Rows     []Reported    `json:"rows"`
}

// Reported is a row with what came of it.
type Reported struct {
	Row     Row        `json:"row"`
	Results [][]Result `json:"results,omitempty"` // of each program, by round
	Judged  []Judged   `json:"judged,omitempty"`
	Failed  string     `json:"failed,omitempty"` // a wrong reply or a server that ended
}

// quick makes a row small.
func (r Row) quick() Row {
	if r.Spec.Entries > 0 || r.Kind != onKept || r.Spec.Load == "xrange" || r.Spec.Load == "xread" || r.Spec.Load == "drain" {
		r.Spec.Entries = 20_000
	}
	return r
}

// chosen returns the rows that the options ask for.
func (o Options) chosen() ([]Row, error) {
	var rows []Row
	for _, r := range Rows() {
		if o.Only != nil && !o.Only.MatchString(r.title()) {
			continue
		}
		if o.Quick {
			r = r.quick()
		}
		r.Spec.Warm, r.Spec.Measure = o.Warm, o.Measure
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no row matches %q", o.Only)
	}
	return rows, nil
}

// title names a row in one line: what Only matches.
func (r Row) title() string { return r.Name + ", " + r.Durability.word() }

// word is how the report names a durability.
func (d Durability) word() string {
	if d == Off {
		return "appendonly no"
	}
	return string(d)
}

// finish judges the results of a row.
func (r Row) finish(programs []Program, results [][]Result) Reported {
	names := make([]string, len(programs))
	for i, p := range programs {
		names[i] = p.Name
	}
	rep := Reported{Row: r, Results: results}
	for _, b := range r.Bars {
		rep.Judged = append(rep.Judged, b.judge(names, results))
	}
	return rep
}

// Missed returns the titles of the rows that missed a bar, and Failed those that gave no result.
func (r Report) Missed() []string {
	return r.titles(func(row Reported) bool { return row.Failed == "" && !row.met() })
}

func (r Report) Failed() []string {
	return r.titles(func(row Reported) bool { return row.Failed != "" })
}

func (r Report) titles(which func(Reported) bool) []string {
	var list []string
	for _, row := range r.Rows {
		if which(row) {
			list = append(list, row.Row.title())
		}
	}
	return list
}

func (r Reported) met() bool {
	for _, j := range r.Judged {
		if !j.Met {
			return false
		}
	}
	return true
}

// header and line are the table that is printed while the suite runs.
func header() string {
	return fmt.Sprintf("%-62s %-26s %11s %11s  %-18s %-9s", "load", "figure", "ours", "best other", "ratio (min…max)", "bar")
}

func (j Judged) line(title string) string {
	verdict := ""
	switch {
	case !j.asks():
	case j.Met:
		verdict = "met"
	default:
		verdict = "MISSED"
	}
	return fmt.Sprintf("%-62s %-26s %11s %11s  %-18s %-9s %s", title, j.Metric.Name+" "+j.Metric.Unit, figure(j.Ours), figure(j.Other),
		j.Ratio.text(), j.Text(), verdict)
}

func (r Ratio) text() string {
	if r.Median == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f…%.2f)", r.Median, r.Low, r.High)
}
