package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary and plainBinary are streamd as the tests start it: with the race detector if the tests have it, and without.
var binary, plainBinary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "streamd-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	plainBinary = filepath.Join(dir, "streamd")
	binary = plainBinary
	if err := build(plainBinary); err != nil {
		return 1
	}
	if raceEnabled {
		binary = filepath.Join(dir, "streamd-race")
		if err := build(binary, "-race"); err != nil {
			return 1
		}
	}
	return m.Run()
}

func build(out string, flags ...string) error {
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", out, "../../cmd/streamd")...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// tool returns the path of a program the test needs. Without it the test skips, but in CI it fails.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return path
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
