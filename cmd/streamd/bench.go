package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/bench"
)

// benchFlags is what a load is asked for.
type benchFlags struct {
	spec     bench.Spec
	addr     string
	versus   []string
	pid      int
	password string
	rounds   int
	json     string
}

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench LOAD",
		Short: "Put a load on a server, check every reply and tell what it took",
		Long: `bench drives streamd, or any other server that speaks the Redis protocol, and compares servers. Every reply is checked: a lost,
repeated or wrong entry ends the run with an error. It works on keys that begin with "bench:" and deletes them before and after; other
keys are left alone, but the load is real: do not point it at a server that others need.`,
		Example: `  streamd bench xadd
  streamd bench xadd --conns 200 --pipeline 128 --vs 127.0.0.1:6380
  streamd bench e2e --rate 5000 --addr 10.0.0.7:6379 --json result.json`,
		Args: usage(func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("there is no load %q; `streamd bench` lists what there is", args[0])
			}
			return nil
		}),
	}
	versus := cmd.Flags().String("vs", "", "") // of a load; here it only tells what is missing
	_ = cmd.Flags().MarkHidden("vs")           // it was defined in the line above
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *versus != "" {
			return usageError{fmt.Errorf("name a load, as in: streamd bench xadd --vs %s", *versus)}
		}
		return cmd.Help()
	}
	for _, l := range bench.Loads() {
		cmd.AddCommand(loadCommand(l))
	}
	cmd.AddCommand(suiteCommand(), scaleCommand())
	return cmd
}

func loadCommand(l bench.Load) *cobra.Command {
	f := &benchFlags{spec: l.Default}
	cmd := &cobra.Command{
		Use:   l.Name,
		Short: l.Summary,
		Long:  l.Summary + ".\n\n" + l.Details,
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.spec.Load = l.Name
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.addr, "addr", "127.0.0.1:6379", "server to load: HOST:PORT, or the path of a unix socket")
	flags.StringSliceVar(&f.versus, "vs", nil, "other servers to compare it with, in rounds: HOST:PORT[,HOST:PORT]")
	flags.IntVar(&f.rounds, "rounds", 0, "rounds; in each, all servers have their turn (default 5 with --vs, else 1)")
	flags.IntVar(&f.pid, "pid", 0, "process of the server at --addr, for figures of CPU and memory (found by itself on this machine)")
	flags.StringVar(&f.password, "password", "", "password of the servers (default $REDISCLI_AUTH)")
	flags.StringVar(&f.json, "json", "", "write all results to this `FILE` as JSON; - is standard output, instead of the table")
	f.parameters(cmd, l)
	flags.DurationVar(&f.spec.Warm, "warm", l.Default.Warm, "load before the measurement begins")
	flags.DurationVar(&f.spec.Measure, "time", l.Default.Measure, "how long to measure")
	flags.DurationVar(&f.spec.Stall, "stall", l.Default.Stall, "silence of a server that ends the run as failed")
	return cmd
}

// parameters adds a flag for each parameter that the load has.
func (f *benchFlags) parameters(cmd *cobra.Command, l bench.Load) {
	flags, s := cmd.Flags(), &f.spec
	for _, name := range l.Uses {
		switch name {
		case "conns":
			flags.IntVarP(&s.Conns, "conns", "c", s.Conns, "connections")
		case "pipeline":
			flags.IntVarP(&s.Pipeline, "pipeline", "P", s.Pipeline, "requests sent before their replies are awaited")
		case "shape":
			flags.IntVar(&s.Shape.Fields, "fields", s.Shape.Fields, "fields of an entry")
			flags.IntVar(&s.Shape.Bytes, "bytes", s.Shape.Bytes, "bytes of each value")
			flags.BoolVar(&s.Shape.Numbers, "numbers", s.Shape.Numbers, "values are decimal numbers")
		case "streams":
			flags.IntVar(&s.Streams, "streams", s.Streams, "streams that entries are spread over")
		case "count":
			flags.IntVar(&s.Count, "count", s.Count, "COUNT of each read")
		case "groups":
			flags.IntVar(&s.Groups, "groups", s.Groups, "consumer groups")
		case "consumers":
			flags.IntVar(&s.Consumers, "consumers", s.Consumers, "consumers of each group, one connection each")
		case "turn":
			flags.IntVar(&s.Turn, "turn", s.Turn, "entries that a connection takes through the cycle together")
		case "maxlen":
			flags.Int64Var(&s.MaxLen, "maxlen", s.MaxLen, "append with MAXLEN ~ this (default: no MAXLEN)")
		case "rate":
			flags.Float64Var(&s.Rate, "rate", s.Rate, "entries a second")
		case "entries":
			flags.Int64Var(&s.Entries, "entries", s.Entries, l.Entries)
		}
	}
}

func (f *benchFlags) run(cmd *cobra.Command) error {
	if f.spec.Warm == 0 {
		f.spec.Warm = -1 // 0 stands for the default
	}
	if f.rounds == 0 {
		f.rounds = 1
		if len(f.versus) > 0 {
			f.rounds = 5
		}
	}
	if f.rounds < 0 || f.spec.Measure <= 0 || f.spec.Stall <= 0 || f.pid < 0 {
		return usageError{errors.New("--rounds, --time, --stall and --pid must be more than 0")}
	}
	if _, err := bench.Complete(f.spec); err != nil {
		return usageError{err}
	}
	if f.password == "" {
		f.password = os.Getenv("REDISCLI_AUTH")
	}
	targets, err := f.targets()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	live := newLiveLine(cmd.ErrOrStderr())
	c, err := bench.Compare(ctx, targets, f.spec, f.rounds, live.show)
	live.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; the keys of the bench are deleted")
	}
	if err != nil {
		return err
	}
	return f.report(cmd.OutOrStdout(), c, targets)
}

func (f *benchFlags) targets() ([]bench.Target, error) {
	var targets []bench.Target
	for i, addr := range slices.Insert(slices.Clone(f.versus), 0, f.addr) {
		t := bench.Target{Addr: addr, Password: f.password}
		if _, _, err := net.SplitHostPort(addr); err != nil && !strings.HasPrefix(addr, "/") {
			return nil, usageError{fmt.Errorf("%q is not an address: give HOST:PORT", addr)}
		}
		if i == 0 {
			t.PID = f.pid
		}
		t, err := bench.Locate(t)
		if err != nil {
			if strings.Contains(err.Error(), "NOAUTH") {
				err = fmt.Errorf("%s asks for a password: give --password, or set REDISCLI_AUTH", addr)
			}
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

func (f *benchFlags) report(w io.Writer, c bench.Comparison, targets []bench.Target) error {
	if f.json != "" {
		text, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			return err
		}
		text = append(text, '\n')
		if f.json == "-" {
			_, err = w.Write(text)
			return err
		}
		if err := os.WriteFile(f.json, text, 0o644); err != nil {
			return err
		}
	}
	if err := benchTable(w, c); err != nil {
		return err
	}
	for _, t := range targets {
		if t.PID == 0 {
			fmt.Fprintf(w, "\nThe process of %s is not known, so its CPU is not: it runs elsewhere, or --pid has to name it.\n", t.Name)
		}
	}
	return nil
}

// liveLine is the line on a terminal that tells how a run goes.
type liveLine struct {
	w  io.Writer
	on bool
}

func newLiveLine(w io.Writer) *liveLine {
	file, ok := w.(*os.File)
	if !ok {
		return &liveLine{}
	}
	info, err := file.Stat()
	return &liveLine{w: w, on: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (l *liveLine) show(p bench.Progress) {
	if !l.on {
		return
	}
	line := fmt.Sprintf("%s: %s", p.Target, p.Phase)
	if p.Rounds > 1 {
		line = fmt.Sprintf("round %d/%d  %s", p.Round, p.Rounds, line)
	}
	if p.Total > 0 {
		line += fmt.Sprintf(" %.1f/%.1f s", min(p.Elapsed, p.Total).Seconds(), p.Total.Seconds())
	}
	if p.Elapsed >= 100*time.Millisecond && p.Ops > 0 {
		line += fmt.Sprintf("  %s/s", thousands(float64(p.Ops)/p.Elapsed.Seconds()))
	}
	fmt.Fprintf(l.w, "\r\x1b[K%s", line)
}

func (l *liveLine) clear() {
	if l.on {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}
