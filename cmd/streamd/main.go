package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/server"
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/settings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// usageError is an error that was found before anything was begun.
type usageError struct{ error }

// run carries out the command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "streamd:", err)
	if advice := advice(err); advice != "" {
		fmt.Fprintln(stderr, advice)
	}
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// advice says what to do about the errors that a start meets most often; "" about others.
func advice(err error) string {
	switch {
	case errors.As(err, new(*aof.DamageError)):
		return "`streamd check DIR` shows what a repair would drop, `streamd check DIR --repair` does it and keeps what it drops."
	case errors.Is(err, syscall.EADDRINUSE):
		return "Another server, a Redis perhaps, listens there: stop it, or give this one another --port."
	}
	return ""
}

func rootCommand() *cobra.Command {
	commit, dirty := command.Revision()
	if dirty {
		commit += "+"
	}
	root := &cobra.Command{
		Use:   "streamd [FILE.conf]",
		Short: "A stream server that speaks the Redis protocol",
		Long: `streamd serves Redis Streams on a log that survives.

Every directive of FILE.conf is also a flag, --port 6380, and an environment variable, STREAMD_PORT=6380. Flags win over the
environment, the environment wins over the file. docs/config.md lists them all.`,
		Example: `  streamd
  streamd --port 6380 --dir /var/lib/streamd --appendfsync always
  streamd /etc/streamd.conf`,
		Version:           command.Version,
		Args:              usage(cobra.MaximumNArgs(1)),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:              serve,
	}
	root.SetVersionTemplate(fmt.Sprintf("streamd %s (commit %s, %s, %s/%s)\n", command.Version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.Flags()
	flags.SortFlags = false
	for _, r := range settings.New().Rows() {
		flags.String(r.Name, r.Default, strings.ReplaceAll(r.Doc, "`", ""))
		if r.Accepted() {
			_ = flags.MarkHidden(r.Name) // it was defined in the line above
		}
	}
	flags.String("cpuprofile", "", "write a CPU profile to this file until the server stops (go tool pprof reads it)")
	root.AddCommand(benchCommand(), checkCommand(), inspectCommand())
	return root
}

// load reads the configuration that the command line asks for.
func load(cmd *cobra.Command, args []string) (*settings.Settings, []string, error) {
	var flags []settings.Pair
	for _, r := range settings.New().Rows() {
		if flag := cmd.Flags().Lookup(r.Name); flag.Changed {
			flags = append(flags, settings.Pair{Name: r.Name, Value: flag.Value.String()})
		}
	}
	path := ""
	if len(args) > 0 {
		path = args[0]
	}
	return settings.Load(path, os.Environ(), flags)
}

func serve(cmd *cobra.Command, args []string) error {
	st, warnings, err := load(cmd, args)
	if err != nil {
		return usageError{err}
	}
	logger, closeLog, err := openLogger(st, cmd.ErrOrStderr())
	if err != nil {
		return usageError{err}
	}
	defer closeLog()
	path, _ := cmd.Flags().GetString("cpuprofile")
	stopProfile, err := profile(path)
	if err != nil {
		return err
	}
	defer stopProfile()
	for _, w := range warnings {
		logger.Warn(w)
	}
	// Caught from here on, so that a stop while the data loads is a clean one too.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	srv, err := server.Open(st, logger)
	if err != nil {
		return err
	}
	banner(cmd.OutOrStdout(), st, srv.Addrs())
	go stopOn(signals, srv, st, logger)
	err = srv.Serve()
	signal.Stop(signals)
	close(signals)
	if err == nil {
		logger.Info("stopped")
	}
	return err
}

// stopOn stops the server cleanly at the first signal, and without a last snapshot at the second.
func stopOn(signals <-chan os.Signal, srv *server.Server, st *settings.Settings, logger *slog.Logger) {
	first := true
	for sig := range signals {
		logger.Info("stopping", "signal", sig.String())
		if !first {
			srv.Stop()
			continue
		}
		first = false
		if err := srv.Shutdown(len(st.SavePoints()) > 0); err != nil {
			logger.Error("the last snapshot could not be written; the log has everything", "err", err)
			srv.Stop()
		}
	}
}
