package integration

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamd/streamd/bench"
)

// benchTool runs `streamd bench` with its servers' data in a directory that has to be empty afterwards.
func benchTool(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	out := runTool(t, "", plainBinary, append([]string{"bench"}, append(args, "--dir", dir)...)...)
	isEmpty(t, dir)
	return out
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBenchSuite(t *testing.T) {
	redis := tool(t, "redis-server")
	files := t.TempDir()
	doc, readme, results := filepath.Join(files, "doc.md"), filepath.Join(files, "readme.md"), filepath.Join(files, "results.json")
	const before, after = "# Benchmarks\n\nby hand\n\n<!-- suite: begin -->\nold\n", "<!-- suite: end -->\n\nreasons\n"
	if err := os.WriteFile(doc, []byte(before+after), 0o644); err != nil {
		t.Fatal(err)
	}
	out := benchTool(t, "suite", "--quick", "--redis", redis, "--only", `^XADD 100 B, c=50 P=16, everysec|from a rewritten log`,
		"--out", doc, "--readme", readme, "--json", results)
	if !strings.Contains(out, "of 2 rows meet their bars") {
		t.Errorf("printed\n%s", out)
	}
	text := readText(t, doc)
	if !strings.HasPrefix(text, strings.TrimSuffix(before, "old\n")) || !strings.HasSuffix(text, after) || strings.Contains(text, "old") {
		t.Errorf("what was written by hand is not all there, or the old report is:\n%s", text)
	}
	for _, want := range []string{"| XADD 100 B, c=50 P=16 | everysec |", "| start, 1 M entries, from a rewritten log | everysec | start, s |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if short := readText(t, readme); !strings.Contains(short, "| XADD 100 B, c=50 P=16, everysec | ops/s |") {
		t.Errorf("short table:\n%s", short)
	}
	var report bench.Report
	if err := json.Unmarshal([]byte(readText(t, results)), &report); err != nil {
		t.Fatal(err)
	}
	for _, row := range report.Rows {
		for i, rounds := range row.Results {
			if len(rounds) != 1 || row.Row.Spec.Load == "xadd" && rounds[0].OpsPerSec <= 0 {
				t.Errorf("%s on %s: %+v", row.Row.Name, report.Programs[i].Name, rounds)
			}
		}
	}
}

func TestBenchSuiteSlowed(t *testing.T) {
	if out, err := exec.Command(tool(t, "strace"), "-f", "--seccomp-bpf", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("this machine does not allow tracing: %v: %s", err, out)
	}
	out := benchTool(t, "suite", "--quick", "--redis", plainBinary, "--only", "c=50 P=1, each sync takes 2 ms")
	if !strings.Contains(out, "of 1 rows meet") {
		t.Errorf("printed\n%s", out)
	}
}

func TestBenchSuiteRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"--redis", "no-such-server"}, {"--redis", plainBinary, "--only", "("}, {"--redis", plainBinary, "--rounds", "0"}, {"more"},
	} {
		err := exec.Command(plainBinary, append([]string{"bench", "suite"}, args...)...).Run()
		if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%v: %v, want exit code 2", args, err)
		}
	}
}

// TestBenchSuiteInterrupted stops a suite in the middle: its servers are gone with it, and so are their files.
func TestBenchSuiteInterrupted(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t, plainBinary, "bench", "suite", "--redis", plainBinary, "--only", "^XADD", "--dir", dir)
	var out syncBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(replyTimeout); ; time.Sleep(10 * time.Millisecond) {
		if data, _ := filepath.Glob(filepath.Join(dir, "*", "*", "lock")); len(data) == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no servers:\n%s", &out)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("%v\n%s", err, &out)
	}
	isEmpty(t, dir)
}

func TestBenchScale(t *testing.T) {
	doc := filepath.Join(t.TempDir(), "doc.md")
	out := benchTool(t, "scale", "--quick", "--only", "entries in a stream|connections", "--out", doc)
	for _, want := range []string{"| **entries in a stream** |", "| XPENDING of 10, none idle enough | CPU µs/op |", "| XADD on as many busy connections | ops/s |"} {
		if !strings.Contains(out, want) || !strings.Contains(readText(t, doc), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
