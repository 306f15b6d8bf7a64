package bench

import (
	"context"
	"errors"
	"time"
)

// How long the load is measured alone, and beside snapshots: long enough for ten samples beyond p99.9.
const (
	quietFor  = 3 * time.Second
	savingFor = 5 * time.Second
)

// pauses measures what snapshots and rewrites cost others: a producer and a blocked consumer, paced, each entry timed from when it was
// due, first undisturbed and then with one snapshot or rewrite after the other going on.
func (s *suite) pauses(ctx context.Context) ([][]Result, error) {
	servers := make([]*Server, len(s.programs))
	for p := range s.programs {
		s.tell("prepare", p)
		server, err := s.host.Start(ctx, s.launch(p))
		if err != nil {
			return nil, err
		}
		defer server.Stop()
		servers[p] = server
		a, err := dialAdmin(server.Target)
		if err != nil {
			return nil, err
		}
		defer a.close()
		if err := errors.Join(fillHeld(a, s.row.Spec, heldStreams), a.save(s.row.Durability)); err != nil {
			return nil, err
		}
	}
	return s.rounds(func(p int) (Result, error) { return s.pause(ctx, servers[p]) })
}

// pause measures one server once.
func (s *suite) pause(ctx context.Context, server *Server) (Result, error) {
	spec := Spec{Load: "e2e", Rate: s.row.Spec.Rate, Warm: s.row.Spec.Warm, Measure: quietFor}
	long := savingFor
	if s.Quick {
		spec.Measure, long = s.row.Spec.Measure, s.row.Spec.Measure
	}
	quiet, err := s.load(ctx, server, spec)
	if err != nil {
		return quiet, err
	}
	saving, stop := context.WithCancel(ctx)
	saved := make(chan error, 1)
	go func() { saved <- keepSaving(saving, server.Target) }()
	spec.Measure = long
	busy, err := s.load(ctx, server, spec)
	stop()
	err = errors.Join(err, <-saved)
	busy.Spec = s.row.Spec
	busy.ExtraP999 = busy.P999 - quiet.P999
	return busy, err
}

// keepSaving has the log rewritten and snapshots written in turn until ctx ends and the last is done.
func keepSaving(ctx context.Context, t Target) error {
	a, err := dialAdmin(t)
	if err != nil {
		return err
	}
	defer a.close()
	commands := []string{"BGREWRITEAOF", "BGSAVE"}
	for i := 0; ctx.Err() == nil; i++ {
		if _, err := a.do(commands[i%2]); err != nil {
			return err
		}
		if err := a.idle(); err != nil {
			return err
		}
	}
	return nil
}
