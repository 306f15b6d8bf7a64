package aof_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

func contents(t *testing.T, fs *crashfs.FS) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range names(t, fs) {
		all[name] = string(fs.ReadFile(filepath.Join(dir, name)))
	}
	return all
}

func TestCheckOfASoundDirectoryChangesNothing(t *testing.T) {
	files, _, _ := directoryOf3(t, 0)
	fs := crashfs.New()
	for path, b := range files {
		fs.WriteFile(path, b)
	}
	before := contents(t, fs)
	report, err := aof.Check(dir, fs)
	if err != nil || len(report.Damage) != 0 || report.LastIndex != 120 || report.Frames != 70 || report.Snapshot.Index != 50 {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err = aof.Repair(dir, fs); err != nil || len(report.Drops) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if !maps.Equal(before, contents(t, fs)) {
		t.Error("something changed")
	}
}

// Repair makes every directory start again, with what Check said would be left, and keeps what it drops.
func TestRepair(t *testing.T) {
	for name, c := range map[string]struct {
		change func(files map[string][]byte, segments, snapshots []string)
		want   int // ops left; -1: cannot be repaired
		drops  string
	}{
		"bad frame": {func(f map[string][]byte, s, _ []string) { f[s[1]][200] ^= 1 }, 81,
			"00000000000000000082.log from offset 32 on, with 38 intact frames of index 83 to 120"},
		"bad segment header": {func(f map[string][]byte, s, _ []string) { f[s[1]][3] ^= 1 }, 81, "00000000000000000082.log"},
		"segment missing":    {func(f map[string][]byte, s, _ []string) { delete(f, s[1]) }, 81, ".log from offset"},
		"no log": {func(f map[string][]byte, s, _ []string) {
			for _, p := range s {
				delete(f, p)
			}
		}, 50, ""},
		"bad snapshot, nothing else": {func(f map[string][]byte, _, s []string) { f[s[0]][60] ^= 1 }, -1, ""},
		"log begins after the start": {func(f map[string][]byte, _, s []string) { delete(f, s[0]) }, -1, ""},
		"bad snapshot, older one there": {func(f map[string][]byte, _, s []string) {
			f[dir+"/00000000000000000060-0.snap"] = f[s[0]][:77]
		}, 120, "00000000000000000060-0.snap"},
	} {
		files, segments, snapshots := directoryOf3(t, 0)
		c.change(files, segments, snapshots)
		fs := crashfs.New()
		for path, b := range files {
			fs.WriteFile(path, b)
		}
		before := contents(t, fs)
		report, err := aof.Check(dir, fs)
		if err != nil || len(report.Damage) == 0 {
			t.Errorf("%s: Check: %+v, %v", name, report, err)
			continue
		}
		if !maps.Equal(before, contents(t, fs)) {
			t.Errorf("%s: Check changed something", name)
		}
		var drops []string
		for _, d := range report.Drops {
			drops = append(drops, d.String())
		}
		if !strings.Contains(strings.Join(drops, "; "), c.drops) {
			t.Errorf("%s: drops %q", name, drops)
		}
		_, err = aof.Repair(dir, fs)
		if (err != nil) != (c.want < 0) || (report.Unrepairable != "") != (c.want < 0) {
			t.Errorf("%s: Repair: %v, %q", name, err, report.Unrepairable)
		}
		if c.want < 0 {
			continue
		}
		l, s, _ := mustOpen(t, fs)
		if !slices.Equal(s.ops, ops(c.want)) {
			t.Errorf("%s: %d ops after the repair, want %d", name, len(s.ops), c.want)
		}
		appendOps(t, l, c.want+1, c.want+1)
		after := slices.Collect(maps.Values(contents(t, fs)))
		for _, d := range report.Drops {
			if was, ok := before[d.File]; ok && !slices.Contains(after, was) {
				t.Errorf("%s: %s is gone for good", name, d.File)
			}
		}
	}
}

func TestReadSegmentShowsFramesAroundDamage(t *testing.T) {
	file, starts := segmentOf8K(t, 5, true)
	file[starts[1]+60] ^= 1 // payload of frame 2
	file[starts[3]+9] ^= 1  // header of frame 4
	fs := crashfs.New()
	fs.WriteFile(firstSegment, file)
	var got []string
	err := aof.ReadSegment(fs, firstSegment, func(r aof.Record) error {
		switch {
		case r.Bad != "":
			got = append(got, "bad")
		default:
			got = append(got, r.Header.Type.String()+" "+strings.SplitN(string(r.Payload), ":", 2)[0])
		}
		return nil
	})
	want := []string{"ops op1", "bad", "ops op3", "bad", "ops op5", "mark "}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}
