package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

// The data that restarts and pauses are measured with. Its keys do not begin with the prefix that loads clean up.
const (
	heldPrefix  = "held:"
	fillBatch   = 500
	heldStreams = 16 // of pausing; a restart has one stream, as the entries of a queue stand in one
)

// fillHeld appends spec.Entries entries to streams of a server.
func fillHeld(a *admin, spec Spec, streams int) error {
	m := newMaker(spec.Shape)
	var fields [64][]byte // enough to keep a compressing server from seeing repetition within a block
	for i := range fields {
		fields[i] = m.append(nil)
	}
	var batch []byte
	for done := int64(0); done < spec.Entries; {
		batch = batch[:0]
		n := min(fillBatch, spec.Entries-done)
		for i := range n {
			f := fields[(done+i)%int64(len(fields))]
			putSeq(f[seqAt(f):], done+i)
			batch = appendAdd(batch, spec, heldKey(int(done+i)%streams), "*", f)
		}
		if err := a.send(batch); err != nil {
			return err
		}
		for range n {
			if _, err := a.read(); err != nil {
				return err
			}
		}
		done += n
	}
	return nil
}

func heldKey(stream int) string { return heldPrefix + strconv.Itoa(stream) }

// checkHeld makes sure that a server has what fillHeld wrote: how many, and the first and the last of them.
func checkHeld(a *admin, spec Spec) error {
	n, err := a.number("XLEN", heldKey(0))
	if err != nil {
		return err
	}
	if n != spec.Entries {
		return fmt.Errorf("%d entries after the start, %d were written", n, spec.Entries)
	}
	for _, ask := range []struct {
		words []string
		want  int64
	}{{[]string{"XRANGE", heldKey(0), "-", "+", "COUNT", "1"}, 0}, {[]string{"XREVRANGE", heldKey(0), "+", "-", "COUNT", "1"}, spec.Entries - 1}} {
		v, err := a.do(ask.words...)
		if err != nil {
			return err
		}
		if len(v.Elems) != 1 || len(v.Elems[0].Elems) != 2 || len(v.Elems[0].Elems[1].Elems) != 2*spec.Shape.Fields {
			return fmt.Errorf("%s: got %s", ask.words[0], v)
		}
		if value := v.Elems[0].Elems[1].Elems[1].Text; len(value) != spec.Shape.Bytes || getSeq(value) != ask.want {
			return fmt.Errorf("%s: entry %q, want number %d", ask.words[0], value, ask.want)
		}
	}
	return nil
}

// restarts measures how long each program takes to start on data it wrote itself, which the kernel still has in its cache.
func (s *suite) restarts(ctx context.Context) ([][]Result, error) {
	dirs := make([]string, len(s.programs))
	for p := range s.programs {
		var err error
		if dirs[p], err = s.host.DataDir(); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dirs[p])
		if err := s.written(ctx, p, dirs[p]); err != nil {
			return nil, fmt.Errorf("%s: %w", s.programs[p].Name, err)
		}
	}
	return s.rounds(func(p int) (Result, error) {
		s.tell("measure", p)
		launch := s.launch(p)
		launch.Dir = dirs[p]
		server, err := s.host.Start(ctx, launch)
		if err != nil {
			return Result{}, err
		}
		defer server.Stop()
		a, err := dialAdmin(server.Target)
		if err != nil {
			return Result{}, err
		}
		defer a.close()
		return Result{Spec: s.row.Spec, Target: server.Name, LoadSeconds: server.Ready.Seconds()}, checkHeld(a, s.row.Spec)
	})
}

// written leaves the data of a program in dir.
func (s *suite) written(ctx context.Context, program int, dir string) error {
	s.tell("prepare", program)
	launch := s.launch(program)
	launch.Dir = dir
	server, err := s.host.Start(ctx, launch)
	if err != nil {
		return err
	}
	defer server.Stop()
	a, err := dialAdmin(server.Target)
	if err != nil {
		return err
	}
	defer a.close()
	if err := fillHeld(a, s.row.Spec, 1); err != nil || !s.row.Snapshot {
		return err
	}
	return a.save(s.row.Durability)
}

// save puts all data of a server into a snapshot: with a log, into one that begins with a snapshot.
func (a *admin) save(d Durability) error {
	command := "BGREWRITEAOF"
	if d == Off {
		command = "BGSAVE"
	}
	if _, err := a.do(command); err != nil {
		return err
	}
	return a.idle()
}

func (s *suite) tell(phase string, program int) {
	if s.Progress != nil {
		s.Progress(s.row.title(), Progress{Target: s.programs[program].Name, Phase: phase, Round: s.round, Rounds: s.Rounds})
	}
}
