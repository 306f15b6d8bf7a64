package aof

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
)

// Open opens the log in a directory, or begins one: restore is called with the newest snapshot, if there is one, then apply
// for each later frame in order. The end of the log that a crash left unsynced is cut off and reported. Whatever else is
// wrong is an error, a *DamageError for files that are not what was written, and nothing has been changed then. restore must
// leave nothing behind when it fails; payload is valid during the call only.
func Open(o Options, restore func(r io.Reader, index uint64) error, apply func(payload []byte, index uint64) error) (*Log, Report, error) {
	o = o.withDefaults()
	if err := o.FS.MkdirAll(o.Dir); err != nil {
		return nil, Report{}, fmt.Errorf("create data directory: %w", err)
	}
	lock, err := o.FS.Lock(filepath.Join(o.Dir, lockName))
	if err != nil {
		return nil, Report{}, err
	}
	l := &Log{opts: o, fs: o.FS, lock: lock}
	l.prefill.Store(o.Policy == Always)
	report, err := l.open(restore, apply)
	if err != nil {
		for _, s := range l.segments {
			if s.file != nil {
				_ = s.file.Close()
			}
		}
		return nil, report, errors.Join(err, lock.Close())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prepareSpare()
	return l, report, nil
}

func (l *Log) open(restore func(io.Reader, uint64) error, apply func([]byte, uint64) error) (Report, error) {
	names, err := readLayout(l.fs, l.opts.Dir)
	if err != nil {
		return Report{}, err
	}
	p := &replay{fs: l.fs, dir: l.opts.Dir, restore: restore, apply: apply, layout: names}
	if err := p.run(); err != nil {
		return Report{}, err
	}
	report := p.report()
	if p.cut != nil {
		l.opts.Logger.Warn("the log ends with what a crash left of frames that were never synced; cut off",
			"file", p.cut.File, "offset", p.cut.Offset, "index", p.cut.Index, "bytes", p.cut.Bytes,
			"frames", p.cut.Frames, "files", p.cut.Files, "reason", p.cut.Reason)
	}
	if err := l.clean(p); err != nil {
		return report, err
	}
	if len(p.live) == 0 {
		err = l.begin(1)
	} else {
		err = l.adopt(p)
	}
	l.snapBase = p.base
	l.chain = p.chain
	l.marked = p.marked
	l.written.Store(p.next - 1)
	l.synced.Store(p.next - 1)
	return report, err
}

func (p *replay) report() Report {
	report := Report{
		Fresh: len(p.live) == 0, Snapshot: p.base, Segments: len(p.live), Frames: p.frames, LastIndex: max(p.next, 1) - 1,
		Cut: p.cut, Ignored: p.layout.ignored,
	}
	for _, tail := range p.tails {
		report.Bytes += tail
	}
	return report
}

// clean removes what the replay does not need, then what it cut. A crash in between leaves a directory that replays the same.
func (l *Log) clean(p *replay) error {
	remove := append([]string(nil), p.layout.temps...)
	for _, s := range p.covered {
		remove = append(remove, s.name)
	}
	for _, s := range p.layout.snapshots {
		if s.name != p.base.Name {
			remove = append(remove, s.name)
		}
	}
	if p.cut != nil {
		remove = append(remove, p.cut.Files...)
	}
	for _, name := range remove {
		if err := l.fs.Remove(l.path(name)); err != nil {
			return fmt.Errorf("remove leftover: %w", err)
		}
	}
	if p.cut == nil || p.cut.Bytes == 0 {
		return nil
	}
	f, err := l.fs.Open(l.path(p.cut.File), true)
	if err != nil {
		return fmt.Errorf("cut the end of the log: %w", err)
	}
	err = zeroFill(f, p.cut.Offset, p.cut.Offset+p.cut.Bytes, func() bool { return false })
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cut the end of %s: %w", p.cut.File, err)
	}
	return nil
}

// adopt takes over the live segments. After a crash of the process alone some of their bytes may still be with the kernel only,
// and if a sync failed before, only in its cache, never to be written: what nothing says was synced is written once more.
func (l *Log) adopt(p *replay) error {
	for i, s := range p.live {
		f, err := l.fs.Open(l.path(s.name), true)
		if err != nil {
			return fmt.Errorf("open segment: %w", err)
		}
		seg := &segment{name: s.name, first: s.first, file: f, tail: p.tails[i]}
		l.segments = append(l.segments, seg)
		l.size.Add(seg.tail)
		at := slices.IndexFunc(p.doubt, func(d stretch) bool { return d.segment == i })
		if at >= 0 {
			err = rewrite(f, p.doubt[at].from, seg.tail)
		}
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			return fmt.Errorf("sync %s: %w", s.name, err)
		}
		if i < len(p.live)-1 {
			seg.file = nil
			if err := f.Close(); err != nil {
				return fmt.Errorf("close %s: %w", s.name, err)
			}
			continue
		}
		if seg.size, err = f.Size(); err != nil {
			return fmt.Errorf("open segment %s: %w", s.name, err)
		}
		if seg.seed, err = readSeed(f, s.name, seg.size); err != nil {
			return err
		}
	}
	return l.syncDir()
}

// rewrite writes [from, to) of a file as it is.
func rewrite(f File, from, to int64) error {
	buf := make([]byte, min(readWindow, to-from))
	for from < to {
		part := buf[:min(int64(len(buf)), to-from)]
		if n, err := f.ReadAt(part, from); n < len(part) {
			return err
		}
		if _, err := f.WriteAt(part, from); err != nil {
			return err
		}
		from += int64(len(part))
	}
	return nil
}

func readSeed(f File, name string, size int64) (uint32, error) {
	var b [segmentHeaderSize]byte
	if n, err := f.ReadAt(b[:], 0); n < len(b) {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	salt, reason, err := parseSegmentHeader(b[:], size)
	if reason != "" {
		return 0, &DamageError{File: name, Reason: reason} // it was right a moment ago
	}
	return saltSeed(salt), err
}

// firstTemp is what the first segment is called before it is complete.
const firstTemp = "spare-0" + tempSuffix

// begin makes the first segment of an empty directory. Until it has its name, durably, the directory counts as empty.
func (l *Log) begin(first uint64) error {
	name := segmentName(first)
	f, err := l.fs.Create(l.path(firstTemp))
	if err != nil {
		return fmt.Errorf("begin the log: %w", err)
	}
	seg := &segment{name: name, first: first, file: f, tail: segmentHeaderSize, size: min(firstSegmentBytes, l.opts.SegmentBytes)}
	l.segments = append(l.segments, seg)
	seg.seed, err = formatSegment(f, seg.size, l.prefill.Load(), func() bool { return false })
	if err == nil {
		err = l.fs.Rename(l.path(firstTemp), l.path(name))
	}
	if err != nil {
		return fmt.Errorf("begin the log: %w", err)
	}
	l.size.Add(seg.tail)
	return l.syncDir()
}

func (l *Log) syncDir() error {
	if err := l.fs.SyncDir(l.opts.Dir); err != nil {
		return fmt.Errorf("sync directory %s: %w", l.opts.Dir, err)
	}
	return nil
}

// Replay reads the whole log again, as Open did, while it stays open. The caller sees to it that nothing is appended
// meanwhile.
func (l *Log) Replay(restore func(r io.Reader, index uint64) error, apply func(payload []byte, index uint64) error) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	if err := l.sync(); err != nil {
		return err
	}
	names, err := readLayout(l.fs, l.opts.Dir)
	if err != nil {
		return err
	}
	p := &replay{fs: l.fs, dir: l.opts.Dir, restore: restore, apply: apply, layout: names}
	if err := p.run(); err != nil {
		return err
	}
	if p.next != l.written.Load()+1 {
		return fmt.Errorf("the log on disk ends at index %d, %d frames were written", p.next-1, l.written.Load())
	}
	return nil
}
