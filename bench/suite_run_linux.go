package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// suite is a running suite. It belongs to one goroutine.
type suite struct {
	Options
	programs []Program // ours first
	host     *Host
	kept     []*Server // of each program, started for the rows of one durability
	row      Row
	round    int // from 1
}

// Suite runs the rows on servers of its own and judges them. A row that fails is reported and does not end the suite; the error
// tells that nothing could be measured, or that ctx ended. The report then has what was measured so far.
func Suite(ctx context.Context, o Options) (Report, error) {
	rows, err := o.chosen()
	if err != nil {
		return Report{}, err
	}
	host, err := NewHost(o.Dir)
	if err != nil {
		return Report{}, err
	}
	defer host.Close()
	s := &suite{Options: o, programs: append([]Program{o.Own}, o.Others...), host: host}
	report := Report{Began: time.Now(), Rounds: o.Rounds, Measure: o.Measure, Quick: o.Quick, Programs: s.programs}
	if o.Only != nil {
		report.Only = o.Only.String()
	}
	if report.Machine, err = readMachine(host.dir); err != nil {
		return report, err
	}
	fmt.Fprintln(o.Out, header())
	for _, row := range rows {
		s.row, s.round = row, 0
		results, err := s.measure(ctx)
		if ctx.Err() != nil {
			return report, ctx.Err()
		}
		reported := Reported{Row: row}
		if err != nil {
			reported.Failed = err.Error()
			fmt.Fprintf(o.Out, "%-62s FAILED: %v\n", row.title(), err)
			s.release() // whatever state they are in, the next row needs others
		} else {
			reported = row.finish(s.programs, results)
		}
		for _, j := range reported.Judged {
			fmt.Fprintln(o.Out, j.line(row.title()))
		}
		report.Rows = append(report.Rows, reported)
		report.Took = time.Since(report.Began)
	}
	s.release()
	return report, host.Close()
}

// measure runs one row on all programs.
func (s *suite) measure(ctx context.Context) ([][]Result, error) {
	if s.row.Kind != onKept {
		s.release()
	}
	switch s.row.Kind {
	case onFresh:
		return s.rounds(func(p int) (Result, error) {
			server, err := s.host.Start(ctx, s.launch(p))
			if err != nil {
				return Result{}, err
			}
			defer server.Stop()
			return s.load(ctx, server, s.row.Spec)
		})
	case restarting:
		return s.restarts(ctx)
	case pausing:
		return s.pauses(ctx)
	}
	if err := s.keep(ctx); err != nil {
		return nil, err
	}
	return s.rounds(func(p int) (Result, error) {
		r, err := s.load(ctx, s.kept[p], s.row.Spec)
		if err != nil {
			return r, err
		}
		return r, tidy(s.kept[p])
	})
}

// rounds measures each program once a round. Each round begins with another program.
func (s *suite) rounds(measure func(program int) (Result, error)) ([][]Result, error) {
	results := make([][]Result, len(s.programs))
	for round := range s.Rounds {
		s.round = round + 1
		for i := range s.programs {
			p := (round + i) % len(s.programs)
			r, err := measure(p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.programs[p].Name, err)
			}
			results[p] = append(results[p], r)
		}
	}
	return results, nil
}

// load runs a load on a server.
func (s *suite) load(ctx context.Context, server *Server, spec Spec) (Result, error) {
	r, err := Run(ctx, server.Target, spec, func(p Progress) {
		p.Round, p.Rounds = s.round, s.Rounds
		if s.Progress != nil {
			s.Progress(s.row.title(), p)
		}
	})
	return r, errors.Join(err, server.Alive())
}

func (s *suite) launch(program int) Launch {
	return Launch{Program: s.programs[program], Durability: s.row.Durability, Slow: s.row.Slow}
}

// keep makes sure that the kept servers are those of the row.
func (s *suite) keep(ctx context.Context) error {
	if len(s.kept) > 0 && s.kept[0].Durability == s.row.Durability && s.kept[0].Slow == s.row.Slow {
		return nil
	}
	s.release()
	for p := range s.programs {
		server, err := s.host.Start(ctx, s.launch(p))
		if err != nil {
			return err
		}
		s.kept = append(s.kept, server)
	}
	return nil
}

// release stops the kept servers.
func (s *suite) release() {
	for _, server := range s.kept {
		server.Stop()
	}
	s.kept = nil
}

func tidy(s *Server) error {
	a, err := dialAdmin(s.Target)
	if err != nil {
		return err
	}
	defer a.close()
	return a.tidy()
}
