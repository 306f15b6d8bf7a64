package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/bench"
)

// scaleFlags is what scale is asked for.
type scaleFlags struct {
	options         bench.ScaleOptions
	only, out, json string
}

func scaleCommand() *cobra.Command {
	f := &scaleFlags{}
	cmd := &cobra.Command{
		Use:   "scale",
		Short: "Show what operations cost as entries, streams, groups, pending entries and connections grow a hundredfold",
		Long: `scale starts this binary, fills it and measures the server's CPU for each operation at 1, 10 and 100 times the size: up to 50 million
entries, 100,000 streams, 10,000 groups, 10 million pending entries, 10,000 connections. It needs about 4 GiB of memory.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.only, "only", "", "grow only what matches this `REGEXP`")
	flags.BoolVar(&f.options.Quick, "quick", false, "a thousandth of the sizes: shows that everything works")
	flags.StringVar(&f.options.Dir, "dir", "", "where the server keeps its data (default: the directory for temporary files)")
	flags.StringVar(&f.out, "out", "", "write the report into this Markdown `FILE`, and keep what it says beside")
	flags.StringVar(&f.json, "json", "", "write all results to this `FILE` as JSON")
	return cmd
}

func (f *scaleFlags) run(cmd *cobra.Command) error {
	if f.only != "" {
		only, err := regexp.Compile(f.only)
		if err != nil {
			return usageError{err}
		}
		f.options.Only = only.MatchString
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if f.options.Own, err = bench.Identify(ctx, self); err != nil {
		return err
	}
	live := newLiveLine(cmd.ErrOrStderr())
	f.options.Progress = live.show
	report, err := bench.Scale(ctx, f.options)
	live.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; the server is stopped and its data is removed")
	}
	if err != nil {
		return err
	}
	if len(report.Dimensions) == 0 {
		return usageError{fmt.Errorf("nothing that grows matches %q", f.only)}
	}
	text := report.Markdown()
	fmt.Fprint(cmd.OutOrStdout(), text)
	if err := rewrite(f.out, bench.ScalePart, text); err != nil || f.json == "" {
		return err
	}
	results, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(f.json, append(results, '\n'), 0o644)
}
