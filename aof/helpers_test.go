package aof_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

const dir = "/data"

// state is what a log holds as far as these tests care: the payloads of all frames ever, from index 1. A snapshot of it is
// one payload a line.
type state struct{ ops []string }

func (s *state) restore(r io.Reader, index uint64) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.ops = nil
	if len(b) > 0 {
		s.ops = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
	if uint64(len(s.ops)) != index {
		return fmt.Errorf("snapshot of index %d holds %d ops", index, len(s.ops))
	}
	return nil
}

func (s *state) apply(payload []byte, index uint64) error {
	s.ops = append(s.ops, string(payload))
	if uint64(len(s.ops)) != index {
		return fmt.Errorf("op %d arrived as number %d", index, len(s.ops))
	}
	return nil
}

func (s *state) image() string {
	if len(s.ops) == 0 {
		return ""
	}
	return strings.Join(s.ops, "\n") + "\n"
}

// options are small segments and everything in one goroutine.
func options(fs aof.FS) aof.Options {
	return aof.Options{
		Dir: dir, FS: fs, SegmentBytes: 4 << 10, Policy: aof.Always,
		Spawn: func(f func()) { f() },
		Now:   func() time.Time { return time.Unix(1_700_000_000, 0) },
	}
}

func mustOpen(t testing.TB, fs aof.FS) (*aof.Log, *state, aof.Report) {
	t.Helper()
	var s state
	l, report, err := aof.Open(options(fs), s.restore, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	return l, &s, report
}

// op is the n-th payload, of a length that varies.
func op(n int) string { return fmt.Sprintf("op%d:%s", n, strings.Repeat("x", n*37%160)) }

func appendOps(t testing.TB, l *aof.Log, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		index, err := l.Append([]byte(op(n)))
		if err != nil {
			t.Fatal(err)
		}
		if index != uint64(n) {
			t.Fatalf("op %d got index %d", n, index)
		}
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
	}
}

func ops(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = op(i + 1)
	}
	return list
}

func isPrefix(a, b []string) bool { return len(a) <= len(b) && slices.Equal(a, b[:len(a)]) }

func snapshot(t testing.TB, l *aof.Log, s *state) aof.SnapshotInfo {
	t.Helper()
	w, _, err := l.BeginSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, s.image()); err != nil {
		t.Fatal(err)
	}
	info, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func names(t testing.TB, fs *crashfs.FS) []string {
	t.Helper()
	entries, err := fs.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name)
	}
	return list
}
