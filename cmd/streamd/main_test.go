package main

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server"
	"github.com/streamd/streamd/server/settings"
)

// streamd runs a command line that does not serve.
func streamd(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.conf")
	if err := os.WriteFile(bad, []byte("port 6379\nnosuch 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--version"}, 0, "streamd "},
		{[]string{"--help"}, 0, "--appendfsync"},
		{[]string{"check", "--help"}, 0, "--repair"},
		{[]string{"--nosuch"}, 2, "unknown flag: --nosuch"},
		{[]string{"--port", "x"}, 2, "flag --port: argument couldn't be parsed into an integer"},
		{[]string{"a", "b"}, 2, "accepts at most 1 arg(s)"},
		{[]string{bad}, 2, bad + `:2: unknown directive "nosuch"`},
		{[]string{filepath.Join(dir, "none.conf")}, 2, "read configuration"},
		{[]string{"--logfile", filepath.Join(dir, "no", "file")}, 2, "open log file"},
		{[]string{"check"}, 2, "accepts 1 arg(s)"},
		{[]string{"check", filepath.Join(dir, "none")}, 2, "no such file"},
		{[]string{"inspect", filepath.Join(dir, "none.log")}, 1, "no such file"},
	} {
		code, stdout, stderr := streamd(tt.args...)
		if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
			t.Errorf("streamd %q: code %d, want %d; printed %q, want %q", tt.args, code, tt.code, stdout+stderr, tt.want)
		}
	}
}

// serveOnce starts a server on dir, carries out a command and stops.
func serveOnce(t *testing.T, dir string, commands ...[]string) {
	t.Helper()
	sock := filepath.Join(dir, "s")
	st, _, err := settings.Load("", nil, []settings.Pair{{Name: "port", Value: "0"}, {Name: "unixsocket", Value: sock}, {Name: "dir", Value: filepath.Join(dir, "data")}})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.Open(st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	conn := dial(t, sock)
	reader := resp.NewReader(conn)
	for _, words := range commands {
		if _, err := conn.Write(resp.AppendRequest(nil, words...)); err != nil {
			t.Fatal(err)
		}
		if v, err := reader.Read(); err != nil || v.Err() != nil {
			t.Fatalf("%q: %s, %v", words, v, err)
		}
	}
	srv.Stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, sock string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestCheckAndInspect(t *testing.T) {
	dir, err := os.MkdirTemp("", "streamd") // a short path: it holds a unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	data := filepath.Join(dir, "data")
	serveOnce(t, dir, []string{"XADD", "s", "1-1", "f", "v"}, []string{"SET", "k", "a b"}, []string{"SAVE"}, []string{"DEL", "k"})
	if code, stdout, stderr := streamd("check", data); code != 0 || !strings.Contains(stdout, "no damage") {
		t.Errorf("check: code %d, %q, %q", code, stdout, stderr)
	}
	shown := ""
	for _, pattern := range []string{"*.snap", "*.log"} {
		files, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			code, stdout, stderr := streamd("inspect", file)
			if code != 0 {
				t.Errorf("inspect %s: code %d, %q", file, code, stderr)
			}
			shown += stdout
		}
	}
	for _, want := range []string{`db 0 string "k" "a b"`, `db 0 stream "s" %`, `"entries": *1[*2["1-1", *2["f", "v"]]]`, `DEL db 0 at `} {
		if !strings.Contains(shown, want) {
			t.Errorf("inspect lacks %s:\n%s", want, shown)
		}
	}
	damage(t, data)
	code, stdout, _ := streamd("check", data)
	if code != 1 || !strings.Contains(stdout, "damage: ") {
		t.Errorf("check of a damaged directory: code %d, %q", code, stdout)
	}
}

// damage changes a byte in the middle of the snapshot.
func damage(t *testing.T, data string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "*.snap"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBanner(t *testing.T) {
	for _, tt := range []struct {
		flags []settings.Pair
		addrs []string
		want  []string
	}{
		{nil, []string{"127.0.0.1:6379"}, []string{"address     127.0.0.1:6379", "appendfsync everysec", "try         redis-cli XADD"}},
		{[]settings.Pair{{Name: "appendfsync", Value: "always"}}, []string{"0.0.0.0:7000"}, []string{"every reply is on disk", "redis-cli -p 7000 XADD"}},
		{[]settings.Pair{{Name: "appendonly", Value: "no"}}, []string{"10.1.2.3:6379"}, []string{"in memory only", "redis-cli -h 10.1.2.3 -p 6379 XADD"}},
		{[]settings.Pair{{Name: "unixsocket", Value: "/s"}, {Name: "requirepass", Value: "x"}}, []string{"/s"}, []string{"redis-cli -s /s --askpass XADD"}},
	} {
		st, _, err := settings.Load("", nil, tt.flags)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		banner(&b, st, tt.addrs)
		for _, want := range tt.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%v: banner lacks %q:\n%s", tt.flags, want, b.String())
			}
		}
	}
}

func TestLogLevelFollowsTheSetting(t *testing.T) {
	st := settings.New()
	var b bytes.Buffer
	logger, done, err := openLogger(st, &b)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	logger.Debug("one")
	logger.Info("two")
	if _, _, err := st.Set([]settings.Pair{{Name: "loglevel", Value: "warning"}}); err != nil {
		t.Fatal(err)
	}
	logger.Info("three\nfour")
	logger.Warn("five\nsix")
	if got := b.String(); strings.Contains(got, "one") || !strings.Contains(got, "two") || strings.Contains(got, "three") ||
		!strings.Contains(got, `"five\nsix"`) {
		t.Errorf("logged %q", got)
	}
}
