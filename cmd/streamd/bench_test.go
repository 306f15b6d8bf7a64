package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/bench"
	"github.com/streamd/streamd/server"
	"github.com/streamd/streamd/server/settings"
)

// serveBench starts a server and returns the path of its socket.
func serveBench(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "streamd")
	if err != nil {
		t.Fatal(err)
	}
	sock := filepath.Join(dir, "s")
	st, _, err := settings.Load("", nil, []settings.Pair{{Name: "port", Value: "0"}, {Name: "unixsocket", Value: sock}, {Name: "dir", Value: filepath.Join(dir, "data")},
		{Name: "requirepass", Value: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.Open(st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	t.Cleanup(func() {
		srv.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return sock
}

func TestBenchCommand(t *testing.T) {
	sock := serveBench(t)
	code, stdout, stderr := streamd("bench")
	for _, l := range bench.Loads() {
		if code != 0 || !strings.Contains(stdout, l.Name+" ") || !strings.Contains(stdout, l.Summary) {
			t.Errorf("bench does not list %s: code %d, %q, %q", l.Name, code, stdout, stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "result.json")
	short := []string{"--addr", sock, "--password", "secret", "--warm", "0s", "--time", "50ms"}
	code, stdout, stderr = streamd(append([]string{"bench", "xadd", "-c", "2", "-P", "3", "--vs", sock, "--rounds", "2", "--json", file}, short...)...)
	for _, want := range []string{"xadd: 2 connections, pipeline 3, ", "streamd ", "ops/s", "server CPU", "median of 2 rounds", "× as many"} {
		if code != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("code %d, %q, printed %q, want %q", code, stderr, stdout, want)
		}
	}
	text, err := os.ReadFile(file)
	var c bench.Comparison
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || c.Rounds != 2 || len(c.Results) != 2 || c.Results[1][1].Ops == 0 || c.Spec.Pipeline != 3 {
		t.Errorf("%v, %+v", err, c)
	}
	code, stdout, _ = streamd(append([]string{"bench", "drain", "--entries", "1000", "--json", "-"}, short...)...)
	if err := json.Unmarshal([]byte(stdout), &c); code != 0 || err != nil || c.Spec.Load != "drain" || c.Medians[0].Ops == 0 {
		t.Errorf("code %d, %v, %+v", code, err, c)
	}
}

func TestBenchCommandRefuses(t *testing.T) {
	sock := serveBench(t)
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"bench", "nosuch"}, 2, `there is no load "nosuch"`},
		{[]string{"bench", "--vs", "h:1"}, 2, "name a load, as in: streamd bench xadd --vs h:1"},
		{[]string{"bench", "xadd", "--turn", "3"}, 2, "unknown flag: --turn"},
		{[]string{"bench", "xadd", "--conns", "-3"}, 2, "conns must be more than 0"},
		{[]string{"bench", "xadd", "--time", "0s"}, 2, "must be more than 0"},
		{[]string{"bench", "xadd", "--addr", "nowhere"}, 2, `"nowhere" is not an address`},
		{[]string{"bench", "xadd", "--addr", "127.0.0.1:1"}, 1, "no server can be reached at 127.0.0.1:1: connection refused"},
		{[]string{"bench", "xadd", "--addr", sock}, 1, "asks for a password: give --password"},
		{[]string{"bench", "xadd", "--addr", sock, "--password", "wrong"}, 1, "WRONGPASS"},
		{[]string{"bench", "xadd", "--addr", sock, "--password", "secret", "--pid", "4194305"}, 1, "there is no process 4194305"},
		{[]string{"bench", "e2e", "--addr", sock, "--password", "secret", "--rate", "0.5"}, 1, "rate: less than 1 a second"},
	} {
		code, stdout, stderr := streamd(tt.args...)
		if code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("streamd %q: code %d, want %d; printed %q, %q, want %q", tt.args, code, tt.code, stdout, stderr, tt.want)
		}
	}
}
