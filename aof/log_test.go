package aof_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

func TestLogComesBack(t *testing.T) {
	fs := crashfs.New()
	l, s, report := mustOpen(t, fs)
	if !report.Fresh || report.LastIndex != 0 {
		t.Errorf("first report: %+v", report)
	}
	appendOps(t, l, 1, 100)
	if got := len(names(t, fs)); got < 4 {
		t.Errorf("%d files: no segment was full", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := l.Append([]byte("x")); !errors.Is(err, aof.ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	size := l.Size()
	l, s, report = mustOpen(t, fs)
	if !slices.Equal(s.ops, ops(100)) || report.Frames != 100 || report.LastIndex != 100 || report.Cut != nil || report.Fresh {
		t.Errorf("%d ops came back, report %+v", len(s.ops), report)
	}
	if l.Size() != size || report.Bytes != size {
		t.Errorf("size %d, report %d, want %d", l.Size(), report.Bytes, size)
	}
	if l.Synced() != 100 || l.Written() != 100 {
		t.Errorf("synced %d, written %d", l.Synced(), l.Written())
	}
}

func TestSnapshotReplacesTheLogBeforeIt(t *testing.T) {
	fs := crashfs.New()
	l, s, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 60)
	before := l.Size()
	s.ops = ops(60)
	w, index, err := l.BeginSnapshot()
	if err != nil || index != 60 {
		t.Fatal(index, err)
	}
	if _, _, err := l.BeginSnapshot(); !errors.Is(err, aof.ErrSnapshotBusy) {
		t.Errorf("second snapshot at once: %v", err)
	}
	appendOps(t, l, 61, 62)
	if _, err := io.WriteString(w, s.image()); err != nil {
		t.Fatal(err)
	}
	info, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	if info.Index != 60 || l.Snapshot() != info || info.Size != int64(len(fs.ReadFile(filepath.Join(dir, info.Name)))) {
		t.Errorf("snapshot %+v", info)
	}
	if l.Size() >= before/2 {
		t.Errorf("size %d after, %d before", l.Size(), before)
	}
	if err := l.Replay(s.restore, s.apply); err != nil || !slices.Equal(s.ops, ops(62)) {
		t.Errorf("replay: %d ops, %v", len(s.ops), err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, s, report := mustOpen(t, fs)
	if !slices.Equal(s.ops, ops(62)) || report.Frames != 2 || report.Snapshot != info {
		t.Errorf("%d ops came back, report %+v", len(s.ops), report)
	}
	second := snapshot(t, l, s)
	third := snapshot(t, l, s) // of the same index: takes its place
	if second.Name != third.Name {
		t.Errorf("%s, then %s", second.Name, third.Name)
	}
	appendOps(t, l, 63, 64)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, s, _ = mustOpen(t, fs); !slices.Equal(s.ops, ops(64)) {
		t.Errorf("%d ops came back", len(s.ops))
	}
	for _, name := range names(t, fs) {
		if strings.HasSuffix(name, ".snap") && name != third.Name {
			t.Errorf("%s is still there", name)
		}
	}
}

// A segment that holds nothing but a mark is not begun again: its successor would take its name, and go with it.
func TestSnapshotsWithNothingButAMarkBetween(t *testing.T) {
	fs := crashfs.New()
	l, s, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 3)
	s.ops = ops(3)
	snapshot(t, l, s)
	if err := l.Mark(); err != nil {
		t.Fatal(err)
	}
	snapshot(t, l, s)
	appendOps(t, l, 4, 4)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, s, _ := mustOpen(t, fs); !slices.Equal(s.ops, ops(4)) {
		t.Errorf("%d ops came back", len(s.ops))
	}
}

func TestAbortedSnapshotLeavesNothing(t *testing.T) {
	fs := crashfs.New()
	l, _, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 3)
	before := names(t, fs)
	w, _, err := l.BeginSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	w.Abort()
	if _, err := w.Commit(); err == nil {
		t.Error("Commit after Abort")
	}
	after := slices.DeleteFunc(names(t, fs), func(s string) bool { return slices.Contains(before, s) })
	for _, name := range after {
		if !strings.HasSuffix(name, ".log") && !strings.HasPrefix(name, "spare-") {
			t.Errorf("%s is left", name)
		}
	}
	if _, _, err := l.BeginSnapshot(); err != nil {
		t.Error(err)
	}
}

func TestSegmentsAreRecycled(t *testing.T) {
	fs := crashfs.New()
	l, s, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 200)
	created := 0
	fs.SetHook(func(op crashfs.Op) error {
		if op.Kind == crashfs.Create && strings.HasPrefix(op.Name, "spare") {
			created++
		}
		return nil
	})
	s.ops = ops(200)
	snapshot(t, l, s)
	appendOps(t, l, 201, 250)
	if created > 1 {
		t.Errorf("%d new files although old ones were there", created)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, s, report := mustOpen(t, fs); !slices.Equal(s.ops, ops(250)) || report.Cut != nil {
		t.Errorf("%d ops came back, %+v", len(s.ops), report)
	}
}

func TestFrameLimits(t *testing.T) {
	l, s, _ := mustOpen(t, crashfs.New())
	if _, err := l.Append(nil); !errors.Is(err, aof.ErrTooLarge) {
		t.Errorf("empty frame: %v", err)
	}
	big := bytes.Repeat([]byte("b"), 3<<20) // larger than a segment and than what is read at a time
	for range 2 {
		if _, err := l.Append(big); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Replay(s.restore, s.apply); err != nil || len(s.ops) != 2 || s.ops[1] != string(big) {
		t.Errorf("%d ops, %v", len(s.ops), err)
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	for name, fs := range map[string]aof.FS{"memory": crashfs.New(), "disk": aof.OS()} {
		o := options(fs)
		if name == "disk" {
			o.Dir = filepath.Join(t.TempDir(), "a", "b")
		}
		var s state
		l, _, err := aof.Open(o, s.restore, s.apply)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := aof.Open(o, s.restore, s.apply); !errors.Is(err, aof.ErrLocked) {
			t.Errorf("%s: second Open: %v", name, err)
		}
		if _, err := aof.Check(o.Dir, fs); !errors.Is(err, aof.ErrLocked) {
			t.Errorf("%s: Check: %v", name, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, _, err = aof.Open(o, s.restore, s.apply)
		if err != nil {
			t.Fatalf("%s: after Close: %v", name, err)
		}
		_ = l.Close()
	}
}

func TestFilesArePrivateAndLinksNotFollowed(t *testing.T) {
	o := aof.Options{Dir: filepath.Join(t.TempDir(), "data")}
	var s state
	l, _, err := aof.Open(o, s.restore, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append([]byte("x")); err != nil {
		t.Fatal(err)
	}
	snapshot(t, l, &state{ops: []string{"x"}})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err = filepath.Walk(o.Dir, func(path string, info os.FileInfo, err error) error {
		if want := os.FileMode(0o600); !info.IsDir() && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if info, statErr := os.Stat(o.Dir); err != nil || statErr != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v, %v", info.Mode(), err, statErr)
	}
	segment, _ := filepath.Glob(filepath.Join(o.Dir, "*.log"))
	if err := os.Rename(segment[0], segment[0]+".dropped"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(segment[0]+".dropped", segment[0]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := aof.Open(o, s.restore, s.apply); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link in place of a segment: %v", err)
	}
}

func TestDirectoriesThatAreNotOurs(t *testing.T) {
	for _, c := range []struct {
		file string
		want error
	}{
		{"dump.rdb", aof.ErrForeign},
		{"appendonly.aof", aof.ErrForeign},
		{"1.log", aof.ErrForeign},
		{"x.snap", aof.ErrForeign},
		{"streamd.conf", nil},
		{".keep", nil},
		{"spare-7.tmp", nil},
		{"00000000000000000001-0.snap.tmp", nil},
	} {
		fs := crashfs.New()
		fs.WriteFile(filepath.Join(dir, c.file), []byte("something"))
		var s state
		if _, _, err := aof.Open(options(fs), s.restore, s.apply); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.file, err, c.want)
		} else if err != nil && !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s is not named: %v", c.file, err)
		}
	}
	fs := crashfs.New()
	l, _, _ := mustOpen(t, fs)
	_ = l.Close()
	fs.WriteFile(filepath.Join(dir, "notes.txt"), nil)
	if _, _, report := mustOpen(t, fs); !slices.Equal(report.Ignored, []string{"notes.txt"}) {
		t.Errorf("ignored: %q", report.Ignored)
	}
}

func TestParsePolicy(t *testing.T) {
	for _, p := range []aof.Policy{aof.Always, aof.EverySec, aof.No} {
		if got, err := aof.ParsePolicy(p.String()); err != nil || got != p {
			t.Errorf("%v: %v, %v", p, got, err)
		}
	}
	if _, err := aof.ParsePolicy("sometimes"); err == nil {
		t.Error("sometimes is not a policy")
	}
}
