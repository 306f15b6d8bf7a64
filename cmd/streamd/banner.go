package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/settings"
)

// banner tells whoever started the server what they need to use it.
func banner(w io.Writer, st *settings.Settings, addrs []string) {
	dir, err := filepath.Abs(st.Dir())
	if err != nil {
		dir = st.Dir()
	}
	fmt.Fprintf(w, "streamd %s\n", command.Version)
	fmt.Fprintf(w, "  address     %s\n", strings.Join(addrs, ", "))
	fmt.Fprintf(w, "  data        %s\n", dir)
	fmt.Fprintf(w, "  durability  %s\n", durability(st))
	fmt.Fprintf(w, "  try         %s XADD orders '*' item book\n", clientLine(st, addrs))
}

func durability(st *settings.Settings) string {
	if !st.AppendOnly() {
		return "appendonly no: in memory only, but for SAVE and BGSAVE"
	}
	switch st.AppendFsync() {
	case settings.FsyncAlways:
		return "appendfsync always: every reply is on disk"
	case settings.FsyncNo:
		return "appendfsync no: the kernel decides when to write to disk"
	}
	return "appendfsync everysec: a power cut loses at most the last second"
}

// clientLine is how redis-cli reaches the first address.
func clientLine(st *settings.Settings, addrs []string) string {
	words := []string{"redis-cli"}
	host, port := "", ""
	if len(addrs) > 0 {
		host, port, _ = net.SplitHostPort(addrs[0])
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	switch {
	case port == "" && st.UnixSocket() != "":
		words = append(words, "-s", st.UnixSocket())
	case host != "127.0.0.1":
		words = append(words, "-h", host, "-p", port)
	case port != "6379":
		words = append(words, "-p", port)
	}
	if st.RequirePass() != "" {
		words = append(words, "--askpass")
	}
	return strings.Join(words, " ")
}

// level makes the log follow the setting loglevel while the server runs.
type level struct{ st *settings.Settings }

// Level returns the least severity that is logged.
func (l level) Level() slog.Level {
	switch l.st.LogLevel() {
	case "debug":
		return slog.LevelDebug
	case "warning":
		return slog.LevelWarn
	case "nothing":
		return slog.LevelError + 1
	}
	return slog.LevelInfo
}

// openLogger logs to the file of the settings, else to stderr.
func openLogger(st *settings.Settings, stderr io.Writer) (*slog.Logger, func(), error) {
	out, done := stderr, func() {}
	if path := st.LogFile(); path != "" {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("open log file: %w", err)
		}
		out, done = file, func() { _ = file.Close() } // nobody is left to tell
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level{st}})), done, nil
}
