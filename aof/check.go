package aof

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// CheckReport says what is in a data directory and what is wrong with it.
type CheckReport struct {
	Report               // as Open would give it, up to the first damage; Cut is what Open removes by itself
	Damage []DamageError // why Open refuses; empty if it does not
	Drops  []Drop        // what Repair takes away so that it no longer does
	// Unrepairable says why Repair cannot help; empty if it can, or need not.
	Unrepairable string
}

// Drop is one thing that Repair takes out of the log. The bytes stay in a file beside it.
type Drop struct {
	File   string
	Offset int64  // 0: all of the file
	Frames int    // whole frames that are lost although each is intact by itself
	First  uint64 // their lowest and highest index, if there are any
	Last   uint64
}

func (d Drop) String() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Offset > 0 {
		fmt.Fprintf(&b, " from offset %d on", d.Offset)
	}
	if d.Frames > 0 {
		fmt.Fprintf(&b, ", with %d intact frames of index %d to %d", d.Frames, d.First, d.Last)
	}
	return b.String()
}

// Check examines a data directory that no server has open, and changes nothing.
func Check(dir string, fs FS) (CheckReport, error) {
	report, _, err := locked(dir, fs, false)
	return report, err
}

// Repair makes Open accept the directory, by dropping what Check lists and nothing else. What it drops stays beside the log
// in files whose names end in ".dropped". The report tells what was found before.
func Repair(dir string, fs FS) (CheckReport, error) {
	report, p, err := locked(dir, fs, true)
	if err != nil || len(report.Damage) == 0 {
		return report, err
	}
	if report.Unrepairable != "" {
		return report, fmt.Errorf("cannot repair %s: %s", dir, report.Unrepairable)
	}
	defer p.release()
	return report, p.repair(report.Damage)
}

// examination is a replay that looks past damage.
type examination struct {
	replay
	release func()
}

// locked examines the directory under its lock, and keeps the lock if there is something to repair and it is asked to.
func locked(dir string, fs FS, keep bool) (CheckReport, *examination, error) {
	if fs == nil {
		fs = OS()
	}
	lock, err := fs.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return CheckReport{}, nil, err
	}
	release := func() { _ = lock.Close() }
	report, p, err := examine(dir, fs)
	if err != nil || !keep || len(report.Damage) == 0 || report.Unrepairable != "" {
		release()
		return report, nil, err
	}
	p.release = release
	return report, p, nil
}

func examine(dir string, fs FS) (CheckReport, *examination, error) {
	names, err := readLayout(fs, dir)
	if err != nil {
		return CheckReport{}, nil, err
	}
	var report CheckReport
	for {
		p := &examination{replay: replay{fs: fs, dir: dir, layout: names}}
		err := p.run()
		report.Report = p.report()
		if err == nil {
			return report, p, nil
		}
		var damage *DamageError
		if !errors.As(err, &damage) {
			return report, nil, err
		}
		report.Damage = append(report.Damage, *damage)
		switch p.problem {
		case missingStart:
			report.Unrepairable = "the log does not begin where a snapshot ends, and there is no other snapshot"
			report.Drops = nil
			return report, p, nil
		case badSnapshot:
			bad, _ := names.newest()
			report.Drops = append(report.Drops, Drop{File: bad.name})
			names.snapshots = names.snapshots[:len(names.snapshots)-1]
			if len(names.snapshots) == 0 && len(names.segments) == 0 {
				report.Unrepairable = "it is the only snapshot, and there is no log"
				return report, p, nil
			}
			continue
		case badFrames:
			report.Drops = append(report.Drops, p.drops(damage)...)
		case missingLog: // nothing to drop: an empty segment will do
		}
		return report, p, nil
	}
}

// drops lists what goes if the log is to end at the damage.
func (p *examination) drops(damage *DamageError) []Drop {
	at := slices.IndexFunc(p.live, func(s segmentFile) bool { return s.name == damage.File })
	first := Drop{File: damage.File, Offset: damage.Offset, Frames: p.lost.frames, First: p.lost.first, Last: p.lost.last}
	drops := []Drop{first}
	if p.next <= p.base.Index {
		drops[0].Offset = 0
	}
	for _, s := range p.live[at+1:] {
		drops = append(drops, Drop{File: s.name})
	}
	return drops
}

// repair carries out what examine found. Each step leaves a directory that examine would judge the same or better.
func (p *examination) repair(damage []DamageError) error {
	last := damage[len(damage)-1]
	for _, d := range damage {
		if strings.HasSuffix(d.File, snapshotSuffix) {
			if err := p.setAside(d.File); err != nil {
				return err
			}
		}
	}
	switch {
	case p.problem == missingLog:
		return p.beginAt(p.base.Index + 1)
	case p.problem != badFrames || strings.HasSuffix(last.File, snapshotSuffix):
		return p.fs.SyncDir(p.dir)
	}
	at := slices.IndexFunc(p.live, func(s segmentFile) bool { return s.name == last.File })
	for i := len(p.live) - 1; i > at; i-- { // the last first: what stays is always one piece
		if err := p.setAside(p.live[i].name); err != nil {
			return err
		}
	}
	if last.Offset > 0 && p.next > p.base.Index {
		if err := p.cutAt(last.File, last.Offset); err != nil {
			return err
		}
		return p.fs.SyncDir(p.dir)
	}
	if err := p.setAside(last.File); err != nil {
		return err
	}
	return p.beginAt(max(p.next, p.base.Index+1))
}

// setAside takes a file out of the log.
func (p *examination) setAside(name string) error {
	return p.fs.Rename(filepath.Join(p.dir, name), p.asideName(name))
}

func (p *examination) asideName(name string) string {
	for n := 1; ; n++ {
		aside := filepath.Join(p.dir, name+droppedSuffix)
		if n > 1 {
			aside = filepath.Join(p.dir, fmt.Sprintf("%s.%d%s", name, n, droppedSuffix))
		}
		f, err := p.fs.Open(aside, false)
		if err != nil {
			return aside
		}
		_ = f.Close()
	}
}

// cutAt keeps a copy of the segment and zeros it from offset on.
func (p *examination) cutAt(name string, offset int64) error {
	f, err := p.fs.Open(filepath.Join(p.dir, name), true)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	aside, err := p.fs.Create(p.asideName(name))
	if err != nil {
		return err
	}
	defer aside.Close()
	buf := make([]byte, min(readWindow, size))
	for at := int64(0); at < size; at += int64(len(buf)) {
		part := buf[:min(int64(len(buf)), size-at)]
		if n, err := f.ReadAt(part, at); n < len(part) {
			return fmt.Errorf("read %s at offset %d: %w", name, at, err)
		}
		if _, err := aside.WriteAt(part, at); err != nil {
			return fmt.Errorf("keep a copy of %s: %w", name, err)
		}
	}
	if err := aside.Sync(); err != nil {
		return fmt.Errorf("keep a copy of %s: %w", name, err)
	}
	if err := zeroFill(f, offset, size, func() bool { return false }); err != nil {
		return fmt.Errorf("cut %s: %w", name, err)
	}
	return f.Sync()
}

// beginAt makes an empty segment.
func (p *examination) beginAt(first uint64) error {
	l := &Log{opts: Options{Dir: p.dir, FS: p.fs}.withDefaults(), fs: p.fs}
	_ = l.fs.Remove(l.path(firstTemp)) // a leftover, if there is one
	if err := l.begin(first); err != nil {
		return err
	}
	return l.last().file.Close()
}
