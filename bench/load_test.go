package bench

import (
	"reflect"
	"strings"
	"testing"
)

func TestLoadsAreDescribed(t *testing.T) {
	fields := map[string]bool{}
	spec := reflect.TypeFor[Spec]()
	for i := range spec.NumField() {
		name, _, _ := strings.Cut(spec.Field(i).Tag.Get("json"), ",")
		fields[name] = true
	}
	for _, l := range Loads() {
		if l.Summary == "" || l.Details == "" || l.make == nil {
			t.Errorf("%s lacks a description or its work", l.Name)
		}
		for _, name := range l.Uses {
			if !fields[name] {
				t.Errorf("%s has an unknown parameter %q", l.Name, name)
			}
			if (name == "entries") && l.Entries == "" {
				t.Errorf("%s does not say what entries are", l.Name)
			}
		}
		s, err := Complete(Spec{Load: l.Name})
		if err != nil {
			t.Error(err)
		}
		want := l.Default
		want.Load = l.Name
		if s != want {
			t.Errorf("%s: the defaults are %+v, want %+v", l.Name, s, want)
		}
		if _, err := Complete(s); err != nil {
			t.Errorf("%s: a complete spec is refused: %v", l.Name, err)
		}
	}
}

func TestRatios(t *testing.T) {
	results := [][]Result{
		{{OpsPerSec: 300, CPUMicros: 2, BytesPerEntry: 80}, {OpsPerSec: 100, CPUMicros: 3, BytesPerEntry: 90}, {OpsPerSec: 500, CPUMicros: 1, BytesPerEntry: 85}},
		{{OpsPerSec: 100, CPUMicros: 8, BytesPerEntry: 100}, {OpsPerSec: 100, CPUMicros: 3, BytesPerEntry: 100}, {OpsPerSec: 100, CPUMicros: 5, BytesPerEntry: 100}},
		{{OpsPerSec: 150, CPUMicros: 4, BytesPerEntry: 200}, {OpsPerSec: 50, CPUMicros: 9, BytesPerEntry: 200}, {OpsPerSec: 50, CPUMicros: 9, BytesPerEntry: 200}},
	}
	c := Summarize(results)
	if got, want := c.Ratios.Throughput, (Ratio{Median: 2, Low: 1, High: 5}); got != want {
		t.Errorf("throughput %+v, want %+v", got, want)
	}
	if got, want := c.Ratios.CPU, (Ratio{Median: 2, Low: 1, High: 5}); got != want {
		t.Errorf("CPU %+v, want %+v", got, want)
	}
	if got, want := c.Ratios.BytesPerEntry, (Ratio{Median: 0.85, Low: 0.8, High: 0.9}); got != want {
		t.Errorf("memory %+v, want %+v", got, want)
	}
	if c.Ratios.P50 != (Ratio{}) {
		t.Errorf("a figure that nobody has gave %+v", c.Ratios.P50)
	}
	if m := c.Medians[0]; m.OpsPerSec != 300 || m.CPUMicros != 2 || m.BytesPerEntry != 85 {
		t.Errorf("medians %+v", m)
	}
	if alone := Summarize(results[:1]); alone.Ratios != (Ratios{}) || alone.Rounds != 3 {
		t.Errorf("alone: %+v", alone)
	}
}
