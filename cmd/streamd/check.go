package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/aof"
)

func checkCommand() *cobra.Command {
	var repair bool
	check := &cobra.Command{
		Use:   "check DIR",
		Short: "Examine a data directory, and repair it if asked to",
		Long: `check reads every byte of a data directory that no server has open. It says what it holds, what is damaged, and what a repair
would drop; it changes nothing. With --repair it drops that, and keeps it in files ending in ".dropped".`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			examine := aof.Check
			if repair {
				examine = aof.Repair
			}
			report, err := examine(args[0], aof.OS())
			if err != nil && len(report.Damage) == 0 {
				return usageError{err}
			}
			tell(cmd.OutOrStdout(), report, repair && err == nil)
			if err == nil && len(report.Damage) > 0 && !repair {
				err = errors.New("the directory is damaged")
			}
			return err
		},
	}
	check.Flags().BoolVar(&repair, "repair", false, "drop what keeps a server from starting; what is dropped stays in a file")
	return check
}

// usage makes a complaint about arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func tell(w io.Writer, r aof.CheckReport, repaired bool) {
	if r.Snapshot.Name != "" {
		fmt.Fprintf(w, "snapshot %s: index %d, %d bytes, written %s\n", r.Snapshot.Name, r.Snapshot.Index, r.Snapshot.Size,
			r.Snapshot.Created().UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	fmt.Fprintf(w, "log: %d segments, %d frames after the snapshot, %d bytes, last index %d\n", r.Segments, r.Frames, r.Bytes, r.LastIndex)
	if r.Cut != nil {
		fmt.Fprintf(w, "unfinished end: %s from offset %d on, %d bytes; a start removes it, nothing of it was ever synced\n",
			r.Cut.File, r.Cut.Offset, r.Cut.Bytes)
	}
	for _, name := range r.Ignored {
		fmt.Fprintf(w, "not ours: %s\n", name)
	}
	for i := range r.Damage {
		fmt.Fprintf(w, "damage: %v\n", &r.Damage[i])
	}
	verb := "a repair drops"
	if repaired {
		verb = "dropped"
	}
	for _, d := range r.Drops {
		fmt.Fprintf(w, "%s: %v\n", verb, d)
	}
	switch {
	case r.Unrepairable != "":
		fmt.Fprintf(w, "beyond repair: %s\n", r.Unrepairable)
	case len(r.Damage) == 0:
		fmt.Fprintln(w, "no damage")
	}
}
