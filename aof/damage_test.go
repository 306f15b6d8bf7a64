package aof_test

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

const firstSegment = dir + "/00000000000000000001.log"

// segmentOf8K makes one segment of 8 KiB with n synced frames, and returns its bytes and where each frame begins.
func segmentOf8K(t testing.TB, n int, closed bool) (file []byte, starts []int64) {
	t.Helper()
	fs := crashfs.New()
	o := options(fs)
	o.SegmentBytes = 8 << 10
	var s state
	l, _, err := aof.Open(o, s.restore, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= n; i++ {
		starts = append(starts, l.Size())
		appendOps(t, l, i, i)
	}
	starts = append(starts, l.Size())
	if closed {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fs.Killed().ReadFile(firstSegment), starts
}

// openFiles opens a directory with these files in it.
func openFiles(files map[string][]byte) (*state, aof.Report, error) {
	fs := crashfs.New()
	for path, b := range files {
		fs.WriteFile(path, b)
	}
	o := options(fs)
	o.Spawn = func(func()) {} // no spare: there is nothing to append
	var s state
	_, report, err := aof.Open(o, s.restore, s.apply)
	return &s, report, err
}

func isDamage(err error) bool {
	var damage *aof.DamageError
	return errors.As(err, &damage)
}

// Every bit of a log, flipped: it is refused, or what comes back is all of it but possibly the very last frame; and all of it
// after an orderly shutdown.
func TestEveryBitFlipOfALog(t *testing.T) {
	const n = 60
	for _, closed := range []bool{false, true} {
		file, _ := segmentOf8K(t, n, closed)
		min := n - 1
		if closed {
			min = n
		}
		refused, cut, whole := 0, 0, 0
		for bit := range len(file) * 8 {
			file[bit/8] ^= 1 << (bit % 8)
			s, report, err := openFiles(map[string][]byte{firstSegment: file})
			file[bit/8] ^= 1 << (bit % 8)
			switch {
			case err != nil:
				if !isDamage(err) && !errors.Is(err, aof.ErrVersion) {
					t.Fatalf("bit %d: %v", bit, err)
				}
				refused++
			case !isPrefix(s.ops, ops(n)) || len(s.ops) < min:
				t.Fatalf("bit %d of byte %d: %d ops came back of %d synced, closed %v", bit%8, bit/8, len(s.ops), n, closed)
			case report.Cut != nil:
				cut++
			default:
				whole++
			}
		}
		if whole > 0 {
			t.Errorf("%d flips went unnoticed", whole)
		}
		t.Logf("closed %v: %d flips refused, %d cut and reported", closed, refused, cut)
	}
}

// A log whose last frame was torn at any byte loses that frame only, and says so.
func TestTornLastFrame(t *testing.T) {
	const n = 40
	file, starts := segmentOf8K(t, n, false)
	for at := starts[n-1]; at < starts[n]; at++ {
		torn := slices.Clone(file)
		clear(torn[at:])
		s, report, err := openFiles(map[string][]byte{firstSegment: torn})
		if err != nil || !slices.Equal(s.ops, ops(n-1)) {
			t.Fatalf("torn at %d: %d ops, %v", at, len(s.ops), err)
		}
		if at > starts[n-1] && (report.Cut == nil || report.Cut.Index != n || report.Cut.Offset != starts[n-1]) {
			t.Fatalf("torn at %d: %+v", at, report.Cut)
		}
	}
}

// No crash makes a segment shorter: it had its size before it had its name.
func TestTruncatedSegmentIsRefused(t *testing.T) {
	file, _ := segmentOf8K(t, 40, false)
	for size := range len(file) {
		if _, _, err := openFiles(map[string][]byte{firstSegment: file[:size]}); !isDamage(err) {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
	}
}

func TestEveryBitFlipAndTruncationOfASnapshot(t *testing.T) {
	fs := crashfs.New()
	l, _, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 90)
	info := snapshot(t, l, &state{ops: ops(90)})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names(t, fs) {
		if strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".snap") {
			files[filepath.Join(dir, name)] = fs.ReadFile(filepath.Join(dir, name))
		}
	}
	path := filepath.Join(dir, info.Name)
	whole := files[path]
	if s, _, err := openFiles(files); err != nil || len(s.ops) != 90 {
		t.Fatal(len(s.ops), err)
	}
	for bit := range len(whole) * 8 {
		whole[bit/8] ^= 1 << (bit % 8)
		if _, _, err := openFiles(files); !isDamage(err) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		whole[bit/8] ^= 1 << (bit % 8)
	}
	for size := range len(whole) {
		files[path] = whole[:size]
		if _, _, err := openFiles(files); !isDamage(err) {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
	}
	files[path] = append(slices.Clone(whole), 0)
	if _, _, err := openFiles(files); !isDamage(err) {
		t.Errorf("with a byte more: %v", err)
	}
	t.Logf("%d flips, %d truncations", len(whole)*8, len(whole))
}

// directoryOf3 is a directory with a snapshot of 50 ops and three segments up to op 120.
func directoryOf3(t *testing.T, more int) (files map[string][]byte, segments, snapshots []string) {
	t.Helper()
	fs := crashfs.New()
	l, _, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 50)
	snapshot(t, l, &state{ops: ops(50)})
	appendOps(t, l, 51, 120+more)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, name := range names(t, fs) {
		path := filepath.Join(dir, name)
		switch filepath.Ext(name) {
		case ".log":
			segments = append(segments, path)
		case ".snap":
			snapshots = append(snapshots, path)
		default:
			continue
		}
		files[path] = fs.ReadFile(path)
	}
	if len(segments) < 3 || len(snapshots) != 1 {
		t.Fatal(segments, snapshots)
	}
	return files, segments, snapshots
}

func TestDamageIsNamed(t *testing.T) {
	other, otherSegments, otherSnapshots := directoryOf3(t, 1)
	for name, c := range map[string]struct {
		change func(files map[string][]byte, segments, snapshots []string)
		want   string
	}{
		"segment missing in the middle": {func(f map[string][]byte, s, _ []string) { delete(f, s[1]) }, "is missing: the next segment begins with"},
		"first segment missing":         {func(f map[string][]byte, s, _ []string) { delete(f, s[0]) }, "from index 51 on, before it, are missing"},
		"all segments missing": {func(f map[string][]byte, s, _ []string) {
			for _, p := range s {
				delete(f, p)
			}
		}, "the log segment that follows the snapshot is missing"},
		"snapshot missing":        {func(f map[string][]byte, _, s []string) { delete(f, s[0]) }, "from index 1 on, before it, are missing"},
		"bad frame in the middle": {func(f map[string][]byte, s, _ []string) { f[s[1]][200] ^= 1 }, "and the log was synced up to index"},
		"segments swapped":        {func(f map[string][]byte, s, _ []string) { f[s[0]], f[s[1]] = f[s[1]], f[s[0]] }, "where 51 must follow"},
		"segment of another log":  {func(f map[string][]byte, s, _ []string) { f[s[0]] = other[otherSegments[0]] }, "does not continue the frame before it"},
		"snapshot of another log": {func(f map[string][]byte, _, s []string) { f[s[0]] = other[otherSnapshots[0]] }, "does not continue the frame before it"},
		"zeroed in the middle":    {func(f map[string][]byte, s, _ []string) { clear(f[s[1]][32:]) }, "is missing: the next segment begins with"},
		"snapshot renamed":        {func(f map[string][]byte, _, s []string) { f[dir+"/00000000000000000051-0.snap"] = f[s[0]] }, "it holds the snapshot of index 50"},
		"not a segment":           {func(f map[string][]byte, s, _ []string) { copy(f[s[0]], "REDIS001") }, "bad magic"},
	} {
		files, segments, snapshots := directoryOf3(t, 0)
		c.change(files, segments, snapshots)
		_, _, err := openFiles(files)
		if !isDamage(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewerVersionsAreRefused(t *testing.T) {
	file, _ := segmentOf8K(t, 3, true)
	for name, b := range map[string][]byte{
		"segment": aof.SegmentHeaderForTest(2, file),
		"frame":   aof.FrameForTest(aof.FrameOps, 2, file),
		"type":    aof.FrameForTest(3, 1, file),
	} {
		if _, _, err := openFiles(map[string][]byte{firstSegment: b}); !errors.Is(err, aof.ErrVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a client writes may look like a frame: without the salt it never is one.
func TestPayloadThatLooksLikeAFrame(t *testing.T) {
	file, starts := segmentOf8K(t, 3, false)
	fs := crashfs.New()
	l, _, _ := mustOpen(t, fs)
	frame := file[starts[1]:starts[2]] // index 2, synced 1, under the salt of another segment
	if _, err := l.Append(slices.Concat(frame, frame)); err != nil {
		t.Fatal(err)
	}
	b := fs.ReadFile(firstSegment)
	b[40] ^= 1 // the real header
	s, report, err := openFiles(map[string][]byte{firstSegment: b})
	if err != nil || len(s.ops) != 0 || report.Cut == nil || report.Cut.Frames != 0 {
		t.Errorf("%d ops, %+v, %v", len(s.ops), report.Cut, err)
	}
}

// A later write may survive a power cut that an earlier one did not: neither was synced, so both go, and none comes back.
func TestUnsyncedFramesAfterALostOneAreDropped(t *testing.T) {
	fs := crashfs.New()
	l, _, _ := mustOpen(t, fs)
	appendOps(t, l, 1, 5)
	from := l.Size()
	for n := 6; n <= 9; n++ {
		if _, err := l.Append([]byte(op(n))); err != nil {
			t.Fatal(err)
		}
	}
	b := fs.ReadFile(firstSegment)
	clear(b[from : from+50])
	disk := crashfs.New()
	disk.WriteFile(firstSegment, b)
	l, s, report := mustOpen(t, disk)
	if !slices.Equal(s.ops, ops(5)) || report.Cut == nil || report.Cut.Frames != 3 || report.Cut.Index != 6 {
		t.Fatalf("%d ops, %+v", len(s.ops), report.Cut)
	}
	appendOps(t, l, 6, 6) // byte for byte what was lost
	_, s, report = mustOpen(t, disk.Killed())
	if !slices.Equal(s.ops, ops(6)) || report.Cut != nil {
		t.Errorf("%d ops, %+v", len(s.ops), report.Cut)
	}
}

func TestRestoreAndApplyErrorsAreReturned(t *testing.T) {
	files, _, _ := directoryOf3(t, 0)
	boom := errors.New("boom")
	fs := crashfs.New()
	for path, b := range files {
		fs.WriteFile(path, b)
	}
	var s state
	if _, _, err := aof.Open(options(fs), func(io.Reader, uint64) error { return boom }, s.apply); !errors.Is(err, boom) {
		t.Errorf("restore: %v", err)
	}
	if _, _, err := aof.Open(options(fs), s.restore, func([]byte, uint64) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("apply: %v", err)
	}
	if _, s, _ := mustOpen(t, fs); len(s.ops) != 120 {
		t.Errorf("%d ops after the errors", len(s.ops))
	}
}
