package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/bench"
)

// suiteFlags is what a suite is asked for.
type suiteFlags struct {
	options                 bench.Options
	servers                 []string
	only, out, readme, json string
	strict                  bool
}

func suiteCommand() *cobra.Command {
	f := &suiteFlags{}
	cmd := &cobra.Command{
		Use:   "suite",
		Short: "Start this binary and other servers, run all loads on them in turn, and judge the ratios",
		Long: `suite starts this binary and each server given with --redis, with the same durability and data directories of their own, and runs
every load on all of them in rounds. Each ratio is that of ours and the best other server of the same round; the median of the rounds is
held against a bar. All servers are stopped and their data is removed at the end. It needs strace, for the rows with slowed syncs.

The exit code is 1 if a reply was wrong or a server failed, and with --strict also if a bar was missed.`,
		Example: `  streamd bench suite
  streamd bench suite --only 'XADD.*P=16' --rounds 3
  streamd bench suite --redis redis-server,valkey-server --out docs/benchmarks.md`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&f.servers, "redis", []string{"redis-server"}, "programs to compare with: redis-server, or others that take its flags")
	flags.IntVar(&f.options.Rounds, "rounds", 5, "rounds; in each, all servers have their turn")
	flags.DurationVar(&f.options.Warm, "warm", 300*time.Millisecond, "load before each measurement begins")
	flags.DurationVar(&f.options.Measure, "time", 2*time.Second, "how long each measurement takes")
	flags.StringVar(&f.only, "only", "", "run only the rows that match this `REGEXP`")
	flags.BoolVar(&f.options.Quick, "quick", false, "tiny loads: shows that everything works, not how fast it is")
	flags.BoolVar(&f.strict, "strict", false, "fail if a bar is missed")
	flags.StringVar(&f.options.Dir, "dir", "", "where the servers keep their data (default: the directory for temporary files)")
	flags.StringVar(&f.out, "out", "", "write the report into this Markdown `FILE`, and keep what it says beside")
	flags.StringVar(&f.readme, "readme", "", "write a short table into this Markdown `FILE`")
	flags.StringVar(&f.json, "json", "", "write all results to this `FILE` as JSON")
	return cmd
}

func (f *suiteFlags) run(cmd *cobra.Command) error {
	o := &f.options
	if o.Quick {
		o.Rounds, o.Warm, o.Measure = 1, 50*time.Millisecond, 200*time.Millisecond
	}
	if o.Rounds < 1 || o.Measure <= 0 {
		return usageError{errors.New("--rounds and --time must be more than 0")}
	}
	if f.only != "" {
		only, err := regexp.Compile(f.only)
		if err != nil {
			return usageError{err}
		}
		o.Only = only
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := f.programs(ctx); err != nil {
		return usageError{err}
	}
	live := newLiveLine(cmd.ErrOrStderr())
	o.Out = &aboveLive{cmd.OutOrStdout(), live}
	o.Progress = func(row string, p bench.Progress) {
		p.Target = row + ": " + p.Target
		live.show(p)
	}
	report, err := bench.Suite(ctx, *o)
	live.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; the servers are stopped and their data is removed")
	}
	if err != nil {
		return err
	}
	if err := f.write(report); err != nil {
		return err
	}
	return f.verdict(cmd.OutOrStdout(), report)
}

// programs finds out what is compared.
func (f *suiteFlags) programs(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if f.options.Own, err = bench.Identify(ctx, self); err != nil {
		return err
	}
	f.options.Own.Own = true
	for _, path := range f.servers {
		p, err := bench.Identify(ctx, path)
		if err != nil {
			return fmt.Errorf("--redis: %w", err)
		}
		f.options.Others = append(f.options.Others, p)
	}
	return nil
}

// write puts the report where it was asked for.
func (f *suiteFlags) write(r bench.Report) error {
	err := errors.Join(rewrite(f.out, bench.SuitePart, r.Markdown()), rewrite(f.readme, bench.SuitePart, r.Short()))
	if f.json == "" || err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(f.json, append(text, '\n'), 0o644)
}

// rewrite replaces a part of a Markdown file; path "" does nothing.
func rewrite(path, part, text string) error {
	if path == "" {
		return nil
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	doc, err := bench.Rewrite(string(old), part, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(doc), 0o644)
}

func (f *suiteFlags) verdict(w io.Writer, r bench.Report) error {
	missed, failed := r.Missed(), r.Failed()
	fmt.Fprintf(w, "\n%d of %d rows meet their bars, in %v.\n", len(r.Rows)-len(missed)-len(failed), len(r.Rows), r.Took.Round(time.Second))
	if len(missed) > 0 {
		fmt.Fprintf(w, "Missed:\n  %s\n", strings.Join(missed, "\n  "))
	}
	switch {
	case len(failed) > 0:
		return fmt.Errorf("failed: %s", strings.Join(failed, "; "))
	case f.strict && len(missed) > 0:
		return errors.New("bars were missed")
	}
	return nil
}

// aboveLive writes lines that stay above the live line.
type aboveLive struct {
	w    io.Writer
	live *liveLine
}

func (a *aboveLive) Write(p []byte) (int, error) {
	a.live.clear()
	return a.w.Write(p)
}
