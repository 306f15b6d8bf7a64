package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestProfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu.prof")
	stop, err := profile(path)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	data, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		t.Errorf("the profile is %d bytes, not compressed, %v", len(data), err)
	}
	if _, err := profile(filepath.Join(t.TempDir(), "missing", "cpu.prof")); !errors.As(err, new(usageError)) {
		t.Errorf("a file that cannot be made: %v", err)
	}
	stop, err = profile("")
	if err != nil {
		t.Fatal(err)
	}
	stop()
}
