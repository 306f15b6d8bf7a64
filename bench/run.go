package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Run puts the load of s on t and returns what it gave. Every reply is checked: a lost, repeated or wrong entry is an error. The keys
// it works on begin with "bench:" and are deleted before and after. Progress may be nil.
func Run(ctx context.Context, t Target, s Spec, progress func(Progress)) (Result, error) {
	l, s, err := find(s)
	if err != nil {
		return Result{}, err
	}
	r, err := run(ctx, t, l, s, progress)
	if err != nil {
		return r, fmt.Errorf("%s on %s: %w", s.Load, t.Name, err)
	}
	return r, nil
}

// Complete returns s with the defaults of its load, or says what is wrong with it.
func Complete(s Spec) (Spec, error) {
	_, s, err := find(s)
	return s, err
}

func find(s Spec) (Load, Spec, error) {
	loads := Loads()
	i := slices.IndexFunc(loads, func(l Load) bool { return l.Name == s.Load })
	if i < 0 {
		var names []string
		for _, l := range loads {
			names = append(names, l.Name)
		}
		return Load{}, s, fmt.Errorf("there is no load %q: loads are %s", s.Load, strings.Join(names, ", "))
	}
	s, err := loads[i].complete(s)
	return loads[i], s, err
}

func run(ctx context.Context, t Target, l Load, s Spec, progress func(Progress)) (r Result, err error) {
	a, err := dialAdmin(t)
	if err != nil {
		return r, err
	}
	defer a.close()
	if err := a.clear(); err != nil {
		return r, err
	}
	defer func() {
		if e := a.clear(); e != nil && err == nil {
			err = fmt.Errorf("delete the keys of the run: %w", e)
		}
	}()
	r = Result{Spec: s, Target: t.Name}
	j := &job{target: t, spec: s, meter: newMeter(t, s, progress), admin: a}
	w, err := l.make(j)
	if err != nil {
		return r, err
	}
	j.meter.progress(Progress{Phase: phasePrepare})
	if err := w.prepare(); err != nil {
		return r, err
	}
	if err := drive(ctx, t, j, w); err != nil {
		return r, err
	}
	j.meter.fill(&r)
	return r, w.verify(&r)
}

// drive connects the scripts of w and lets them work.
func drive(ctx context.Context, t Target, j *job, w work) error {
	e, err := newEngine(t, j.meter, w.scripts(), j.spec.Stall)
	if err != nil {
		return err
	}
	defer e.close()
	err = e.run(ctx)
	if missing := w.unfinished(); missing != "" && errors.Is(err, errStalled) {
		err = fmt.Errorf("%w; %s", err, missing)
	}
	return err
}

// errStalled is the end of a run in which the server got no further.
var errStalled = errors.New("the server stalled")
