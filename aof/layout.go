package aof

import (
	"fmt"
	"slices"
	"strings"
)

// layout is what the names in a directory say.
type layout struct {
	segments  []segmentFile // by first index
	snapshots []snapshotFile
	temps     []string // leftovers of a crash
	ignored   []string
}

type segmentFile struct {
	name  string
	first uint64
}

type snapshotFile struct {
	name  string
	index uint64
}

// readLayout lists the directory. Names that look like ours but are not, and any other file where there is no log, are
// refused: the directory is then likely the wrong one.
func readLayout(fs FS, dir string) (layout, error) {
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return layout{}, fmt.Errorf("read data directory: %w", err)
	}
	var l layout
	for _, e := range entries {
		if e.Name == lockName {
			continue
		}
		if first, ok := parseSegmentName(e.Name); ok && !e.Dir {
			l.segments = append(l.segments, segmentFile{e.Name, first})
			continue
		}
		if index, _, ok := parseSnapshotName(e.Name); ok && !e.Dir {
			l.snapshots = append(l.snapshots, snapshotFile{e.Name, index})
			continue
		}
		switch {
		case !e.Dir && ours(e.Name):
			l.temps = append(l.temps, e.Name)
		case strings.HasSuffix(e.Name, segmentSuffix), strings.HasSuffix(e.Name, snapshotSuffix):
			return layout{}, fmt.Errorf("%w: %s in %s", ErrForeign, e.Name, dir)
		default:
			l.ignored = append(l.ignored, e.Name)
		}
	}
	slices.SortFunc(l.snapshots, func(a, b snapshotFile) int { return strings.Compare(a.name, b.name) })
	if len(l.segments) == 0 && len(l.snapshots) == 0 {
		for _, name := range l.ignored {
			if !harmless(name) {
				return layout{}, fmt.Errorf("%w: %s in %s, and no log", ErrForeign, name, dir)
			}
		}
	}
	return l, nil
}

// ours reports whether the name is one that this package gives to unfinished files.
func ours(name string) bool {
	base, ok := strings.CutSuffix(name, tempSuffix)
	if !ok {
		return false
	}
	_, _, snapshot := parseSnapshotName(base)
	return snapshot || strings.HasPrefix(base, "spare-")
}

// harmless names appear in directories that are empty as far as anyone cares.
func harmless(name string) bool {
	return name == "lost+found" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".conf") ||
		strings.HasSuffix(name, droppedSuffix)
}

// newest returns the snapshot to start from.
func (l *layout) newest() (snapshotFile, bool) {
	if len(l.snapshots) == 0 {
		return snapshotFile{}, false
	}
	return l.snapshots[len(l.snapshots)-1], true
}

// live returns the segments that hold frames above index, or will. Those before are not even opened: they may be half
// recycled.
func (l *layout) live(index uint64) (covered, live []segmentFile) {
	n := 0
	for n+1 < len(l.segments) && l.segments[n+1].first <= index+1 {
		n++
	}
	return l.segments[:n], l.segments[n:]
}
