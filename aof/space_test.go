//go:build linux

package aof_test

import (
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

// A full disk is noticed while the segment in use still has room: writes are refused before they are carried out, and go on
// when there is space again, without a restart.
func TestNoSpacePassesWithoutARestart(t *testing.T) {
	fs := crashfs.New()
	now := time.Unix(1_700_000_000, 0)
	o := options(fs)
	o.Now = func() time.Time { return now }
	var s state
	l, _, err := aof.Open(o, s.restore, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	fs.SetSpace(17 << 10)
	n := 0
	for ; l.Ready() == nil; n++ {
		appendOps(t, l, n+1, n+1)
		if n > 1000 {
			t.Fatal("the disk never got full")
		}
	}
	if err := l.Ready(); !errors.Is(err, aof.ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Ready: %v", err)
	}
	if l.Err() != nil {
		t.Errorf("the log failed: %v", l.Err())
	}
	appendOps(t, l, n+1, n+1) // a round that had been let in
	n++
	now = now.Add(2 * time.Second)
	if l.Ready() == nil {
		t.Error("ready while the disk is still full")
	}
	fs.SetSpace(0)
	now = now.Add(2 * time.Second)
	for range 2 { // the first asks for another try, done by the time of the second
		err = l.Ready()
	}
	if err != nil {
		t.Fatalf("there is space again: %v", err)
	}
	appendOps(t, l, n+1, n+50)
	if _, s, _ := mustOpen(t, fs.PowerCut(nil)); !slices.Equal(s.ops, ops(n+50)) {
		t.Errorf("%d ops came back, want %d", len(s.ops), n+50)
	}
}

// Where nobody asks Ready, the write that does not fit fails, whole or in part, and what was synced stays.
func TestNoSpaceInTheMiddleOfAFrame(t *testing.T) {
	for space := int64(8 << 10); space < 10<<10; space += 13 {
		fs := crashfs.New()
		l, _, _ := mustOpen(t, fs)
		fs.SetSpace(space)
		n := 0
		for {
			if _, err := l.Append([]byte(op(n + 1))); err != nil {
				if !errors.Is(err, aof.ErrFailed) || !errors.Is(err, syscall.ENOSPC) {
					t.Fatal(err)
				}
				break
			}
			if err := l.Sync(); err != nil {
				t.Fatal(err)
			}
			n++
		}
		again := fs.Killed()
		again.SetSpace(0)
		if _, s, _ := mustOpen(t, again); !slices.Equal(s.ops, ops(n)) {
			t.Fatalf("space %d: %d ops came back, want %d", space, len(s.ops), n)
		}
	}
}

func TestNoSpaceForASnapshotLeavesTheLogAlone(t *testing.T) {
	fs := crashfs.New()
	l, _, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 20)
	w, _, err := l.BeginSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	fs.SetSpace(1)
	_, err = w.Write(make([]byte, 1<<20))
	if err == nil {
		_, err = w.Commit()
	} else if _, again := w.Commit(); again == nil {
		t.Error("Commit after a failed Write")
	}
	if !errors.Is(err, syscall.ENOSPC) || l.Err() != nil {
		t.Errorf("%v, log: %v", err, l.Err())
	}
	fs.SetSpace(0)
	appendOps(t, l, 21, 40)
	snapshot(t, l, &state{ops: ops(40)})
	if _, s, _ := mustOpen(t, fs.PowerCut(nil)); !slices.Equal(s.ops, ops(40)) {
		t.Errorf("%d ops came back", len(s.ops))
	}
}

// The same against the kernel: a limit on the size of files stands for a full disk.
func TestFileSizeLimit(t *testing.T) {
	o := aof.Options{Dir: t.TempDir(), SegmentBytes: 64 << 10, Policy: aof.Always, Spawn: func(f func()) { f() }}
	var s state
	l, _, err := aof.Open(o, s.restore, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	limitFileSize(t, 96<<10)
	w, _, err := l.BeginSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, 1<<20); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("snapshot: %v", err)
	}
	w.Abort()
	if _, err := l.Append([]byte("fits")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(make([]byte, 200<<10)); !errors.Is(err, aof.ErrFailed) || !errors.Is(err, syscall.EFBIG) {
		t.Errorf("append: %v", err)
	}
	_ = l.Close()
	l, report, err := aof.Open(o, s.restore, s.apply)
	if err != nil || !slices.Equal(s.ops, []string{"fits"}) {
		t.Fatalf("%d ops came back, %+v, %v", len(s.ops), report, err)
	}
	_ = l.Close()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
