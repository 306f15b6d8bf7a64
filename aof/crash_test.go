package aof_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

// history is what a workload told its clients.
type history struct {
	proposed []string // handed to Append
	written  int      // of those, Append returned
	acked    int      // of those, synced
	failed   bool     // the log failed
	late     bool     // something was acked after that
}

// reopened begins another life: what came back counts as acked, since a client may see it.
func (h *history) reopened(s *state) {
	h.proposed = append([]string(nil), s.ops...)
	h.written, h.acked, h.failed = len(s.ops), len(s.ops), false
}

func (h *history) append(l *aof.Log) {
	if h.written < len(h.proposed) {
		return // the last one failed: nothing may follow it
	}
	p := op(len(h.proposed) + 1)
	h.proposed = append(h.proposed, p)
	if _, err := l.Append([]byte(p)); err == nil {
		h.written = len(h.proposed)
	}
	h.failed = h.failed || l.Err() != nil
}

func (h *history) sync(l *aof.Log) {
	n := h.written
	if l.Sync() == nil {
		h.late = h.late || h.failed
		h.acked = n
	}
	h.failed = h.failed || l.Err() != nil
}

func (h *history) snapshot(l *aof.Log, during int) {
	w, index, err := l.BeginSnapshot()
	if err != nil {
		return
	}
	image := (&state{ops: h.proposed[:index]}).image()
	for range during {
		h.append(l)
	}
	if _, err := io.WriteString(w, image); err != nil {
		w.Abort()
		return
	}
	_, _ = w.Commit() // a snapshot that fails changes nothing
	h.failed = h.failed || l.Err() != nil
}

// script is boot, write, rotate, snapshots, write, restart, snapshots, write. It stops at the first failed append.
func script(fs aof.FS, h *history) {
	for life := range 2 {
		var s state
		l, _, err := aof.Open(options(fs), s.restore, s.apply)
		if err != nil {
			return
		}
		if !isPrefix(s.ops, h.proposed) || len(s.ops) < h.acked {
			panic(fmt.Sprintf("%d ops came back of %d acked", len(s.ops), h.acked))
		}
		h.reopened(&s)
		for i := 0; i < 40 && l.Err() == nil; i++ {
			h.append(l)
			if i%3 != 1 { // now and then a sync covers two frames
				h.sync(l)
			}
			if i == 11 || i == 30 {
				h.snapshot(l, life+1)
				h.sync(l)
				h.snapshot(l, 0)
				_ = l.Mark()
				h.snapshot(l, 0) // again, with nothing but a mark since
			}
		}
		if l.Close() == nil {
			h.late = h.late || h.failed
			h.acked = h.written
		}
	}
}

// verify opens what a crash left and checks that at least min of the proposed ops are there, in order, and nothing else. It
// then goes on writing, and crashes and opens once more.
func verify(t *testing.T, fs *crashfs.FS, h *history, min int) {
	t.Helper()
	var s state
	l, _, err := aof.Open(options(fs), s.restore, s.apply)
	if err != nil {
		t.Fatalf("does not open: %v", err)
	}
	if !isPrefix(s.ops, h.proposed) {
		t.Fatalf("%d ops are there that are no prefix of the %d proposed", len(s.ops), len(h.proposed))
	}
	if len(s.ops) < min {
		t.Fatalf("%d ops are there, %d were promised", len(s.ops), min)
	}
	want := append(append([]string(nil), s.ops...), "after", "the crash")
	for _, p := range want[len(s.ops):] {
		if _, err := l.Append([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	_, s2, _ := mustOpen(t, fs.PowerCut(nil))
	if fmt.Sprint(s2.ops) != fmt.Sprint(want) {
		t.Fatalf("after going on: %d ops, want %d", len(s2.ops), len(want))
	}
}

func TestCrashAtEveryOperation(t *testing.T) {
	fs := crashfs.New()
	var whole history
	script(fs, &whole)
	total := fs.Ops()
	if whole.acked != 80+2*3 || total < 200 {
		t.Fatalf("the script acked %d ops in %d file operations", whole.acked, total)
	}
	for n := 1; n <= total; n++ {
		fs := crashfs.New()
		fs.CrashAt(n)
		var h history
		script(fs, &h)
		fs.Crash()
		verify(t, fs.Killed(), &h, h.written)
		verify(t, fs.PowerCut(nil), &h, h.acked)
		for seed := range uint64(8) {
			verify(t, fs.PowerCut(rand.New(rand.NewPCG(seed, uint64(n)))), &h, h.acked)
		}
		if t.Failed() {
			t.Fatalf("crash at operation %d", n)
		}
	}
	t.Logf("%d crash points, 10 recoveries each", total)
}

// Recovery itself changes files: it too may be stopped anywhere.
func TestCrashAtEveryOperationOfRecovery(t *testing.T) {
	points := 0
	for n := 20; n < 250; n += 23 {
		for seed := range uint64(4) {
			fs := crashfs.New()
			fs.CrashAt(n)
			var h history
			script(fs, &h)
			fs.Crash()
			for m := 1; ; m++ {
				again := fs.PowerCut(rand.New(rand.NewPCG(seed, uint64(n))))
				again.CrashAt(m)
				var s state
				_, _, err := aof.Open(options(again), s.restore, s.apply)
				if again.Ops() < m {
					break
				}
				points++
				if err == nil && !isPrefix(s.ops, h.proposed) {
					t.Fatal("opened with something else")
				}
				again.Crash()
				verify(t, again.Killed(), &h, h.acked)
				verify(t, again.PowerCut(rand.New(rand.NewPCG(uint64(m), seed))), &h, h.acked)
			}
		}
	}
	if points < 100 {
		t.Errorf("only %d crash points", points)
	}
}

// One error, at any operation, of any kind: what was acked is on disk, and after a failed write or sync of the log nothing is
// acked any more.
func TestErrorAtEveryOperation(t *testing.T) {
	fs := crashfs.New()
	script(fs, &history{})
	total := fs.Ops()
	failures := 0
	for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
		for n := 1; n <= total; n++ {
			fs := crashfs.New()
			var kind crashfs.Kind
			fs.SetHook(func(op crashfs.Op) error {
				if op.N != n {
					return nil
				}
				kind = op.Kind
				return cause
			})
			var h history
			script(fs, &h)
			if h.failed {
				failures++
			}
			if h.late {
				t.Fatalf("%v at %s %d: acked after the log had failed", cause, kind, n)
			}
			fs.SetHook(nil)
			verify(t, fs.PowerCut(nil), &h, h.acked)
			if t.Failed() {
				t.Fatalf("%v at %s %d", cause, kind, n)
			}
		}
	}
	if failures < total/2 {
		t.Errorf("the log failed only %d times in %d runs", failures, 2*total)
	}
}

func TestFailureIsFinal(t *testing.T) {
	for _, kind := range []crashfs.Kind{crashfs.Write, crashfs.Sync} {
		fs := crashfs.New()
		l, _, _ := mustOpen(t, fs)
		appendOps(t, l, 1, 3)
		once := false
		fs.SetHook(func(op crashfs.Op) error {
			if op.Kind == kind && !once {
				once = true
				return syscall.EIO
			}
			return nil
		})
		_, err := l.Append([]byte("x"))
		if err == nil {
			err = l.Sync()
		}
		if !errors.Is(err, aof.ErrFailed) || !errors.Is(err, syscall.EIO) {
			t.Fatalf("%s: %v", kind, err)
		}
		for range 3 {
			if _, err := l.Append([]byte("y")); !errors.Is(err, aof.ErrFailed) {
				t.Errorf("%s: Append after it: %v", kind, err)
			}
			if err := l.Sync(); !errors.Is(err, aof.ErrFailed) {
				t.Errorf("%s: Sync after it: %v", kind, err)
			}
		}
		if l.Synced() != 3 || !errors.Is(l.Ready(), aof.ErrFailed) {
			t.Errorf("%s: synced %d, ready: %v", kind, l.Synced(), l.Ready())
		}
		if _, _, err := l.BeginSnapshot(); !errors.Is(err, aof.ErrFailed) {
			t.Errorf("%s: BeginSnapshot after it: %v", kind, err)
		}
		if err := l.Close(); !errors.Is(err, aof.ErrFailed) {
			t.Errorf("%s: Close: %v", kind, err)
		}
	}
}

// Many lives, each ended by a power cut that keeps any part of what was not synced, under every way of syncing.
func TestRandomPowerCuts(t *testing.T) {
	lives, cuts := 0, 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 4))
		fs := crashfs.New()
		var kept []string
		syncEvery := []int{1, 4, 1000}[seed%3]
		for range 8 {
			lives++
			var s state
			l, report, err := aof.Open(options(fs), s.restore, s.apply)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if report.Cut != nil {
				cuts++
			}
			var h history
			h.reopened(&s)
			if fmt.Sprint(s.ops) != fmt.Sprint(kept) {
				t.Fatalf("seed %d: %d ops, want the %d of the life before", seed, len(s.ops), len(kept))
			}
			if r.IntN(3) > 0 {
				fs.CrashAt(fs.Ops() + 1 + r.IntN(120))
			}
			for i, n := 0, r.IntN(60); i < n && l.Err() == nil; i++ {
				h.append(l)
				if r.IntN(syncEvery) == 0 {
					h.sync(l)
				}
				if r.IntN(25) == 0 {
					h.snapshot(l, r.IntN(3))
				}
			}
			fs.SetHook(nil)
			fs = fs.PowerCut(r)
			kept = survivors(t, fs.Killed(), &h, seed)
			fs = fs.Killed()
		}
	}
	if cuts < lives/10 {
		t.Errorf("only %d of %d lives began with a torn log", cuts, lives)
	}
	t.Logf("%d lives, %d torn logs", lives, cuts)
}

// survivors opens a copy, so that the real recovery is still to come.
func survivors(t *testing.T, fs *crashfs.FS, h *history, seed uint64) []string {
	t.Helper()
	var s state
	if _, _, err := aof.Open(options(fs), s.restore, s.apply); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if !isPrefix(s.ops, h.proposed) || len(s.ops) < h.acked {
		t.Fatalf("seed %d: %d ops survived of %d acked and %d proposed", seed, len(s.ops), h.acked, len(h.proposed))
	}
	return s.ops
}
