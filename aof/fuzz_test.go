package aof_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

// Any bytes in a segment are refused or read; what opens once opens again with the same content.
func FuzzSegment(f *testing.F) {
	file, starts := segmentOf8K(f, 3, true)
	f.Add(file[:starts[3]+100])
	f.Add(goldenSegment())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		fs := crashfs.New()
		fs.WriteFile(firstSegment, append(b, make([]byte, max(0, 8192-len(b)))...))
		_ = aof.ReadSegment(fs, firstSegment, func(aof.Record) error { return nil })
		if _, err := aof.Repair(dir, fs.Killed()); err != nil {
			t.Logf("repair: %v", err)
		}
		var s state
		l, _, err := aof.Open(options(fs), s.restore, s.apply)
		if err != nil {
			return
		}
		appendOps(t, l, len(s.ops)+1, len(s.ops)+2)
		_, again, _ := mustOpen(t, fs.PowerCut(nil))
		if len(again.ops) != len(s.ops)+2 || !isPrefix(s.ops, again.ops) {
			t.Fatalf("%d ops, then %d", len(s.ops), len(again.ops))
		}
	})
}

// Any bytes in a snapshot are refused or read, within their size.
func FuzzSnapshot(f *testing.F) {
	fs := crashfs.New()
	l, _, _ := mustOpen(f, fs)
	appendOps(f, l, 1, 9)
	info := snapshot(f, l, &state{ops: ops(9)})
	whole := fs.ReadFile(filepath.Join(dir, info.Name))
	f.Add(whole)
	f.Add(whole[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		fs := crashfs.New()
		fs.WriteFile(filepath.Join(dir, info.Name), b)
		r, err := aof.OpenSnapshot(fs, filepath.Join(dir, info.Name))
		if err != nil {
			return
		}
		defer r.Close()
		n, err := io.Copy(io.Discard, r)
		if n > int64(len(b)) {
			t.Fatalf("%d bytes out of %d, %v", n, len(b), err)
		}
		if err == nil && strings.Compare(string(b), string(whole)) != 0 && n > 0 && len(b) == len(whole) {
			t.Logf("another valid snapshot: %q", b)
		}
	})
}
