package aof

import (
	"errors"
	"fmt"
	"time"
)

// spare is the segment to come. It is prepared in the background as soon as the one before it is taken, header written and
// synced, so that beginning a segment is one rename. Guarded by Log.mu.
type spare struct {
	state   spareState
	file    File
	name    string
	seed    uint32
	size    int64
	serial  int       // makes temporary names unique
	err     error     // why the last attempt failed; nil in the other states
	retryAt time.Time // not before
	// recycled are the names of former segments, kept under temporary names to be filled with zeros and used again:
	// overwriting blocks that a file already has makes its syncs twice as fast.
	recycled []recycledFile
}

type recycledFile struct {
	name string
	size int64
}

type spareState uint8

const (
	spareNone spareState = iota
	sparePreparing
	spareReady
	spareFailed
)

const (
	maxRecycled     = 2
	spareRetryAfter = time.Second
)

func (s *spare) close() {
	if s.file != nil {
		_ = s.file.Close() // removed at the next start
		s.file = nil
	}
	s.state = spareNone
}

// rotate begins the next segment if the last one holds a frame of ops (a segment is named after its first, and two of one
// name would go together) and a spare is ready; otherwise the last one just goes on beyond its size, since whoever appends
// must not wait for a disk to be filled with zeros. Called with mu held.
func (l *Log) rotate() error {
	first := l.written.Load() + 1
	if l.spare.state != spareReady || l.last().first == first {
		return nil
	}
	next := &segment{
		name: segmentName(first), first: first, file: l.spare.file, seed: l.spare.seed,
		tail: segmentHeaderSize, size: l.spare.size,
	}
	if err := l.fs.Rename(l.path(l.spare.name), l.path(next.name)); err != nil {
		return l.fail(fmt.Errorf("begin segment %s: %w", next.name, err))
	}
	l.spare.state, l.spare.file = spareNone, nil
	l.unsynced = append(l.unsynced, l.last())
	l.segments = append(l.segments, next)
	l.dirDirty = true
	l.size.Add(segmentHeaderSize)
	l.prepareSpare()
	return nil
}

// prepareSpare starts preparing a spare unless there is one. Called with mu held.
func (l *Log) prepareSpare() {
	if l.closed || l.spare.state == sparePreparing || l.spare.state == spareReady {
		return
	}
	l.spare.state = sparePreparing
	l.spare.serial++
	job := spareJob{
		log: l, name: fmt.Sprintf("spare-%d%s", l.spare.serial, tempSuffix),
		size: min(l.last().size*4, l.opts.SegmentBytes), prefill: l.prefill.Load(),
	}
	if n := len(l.spare.recycled); n > 0 {
		r := l.spare.recycled[n-1]
		l.spare.recycled = l.spare.recycled[:n-1]
		job.name, job.size, job.reuse = r.name, r.size, true
	}
	l.spawned.Add(1)
	if l.opts.Spawn != nil {
		// Run at once, but not under the lock that it takes.
		l.mu.Unlock()
		defer l.mu.Lock()
		l.opts.Spawn(job.run)
		return
	}
	go job.run()
}

// spareJob prepares one spare, without any lock.
type spareJob struct {
	log     *Log
	name    string
	size    int64
	prefill bool
	reuse   bool
}

func (j *spareJob) run() {
	l := j.log
	defer l.spawned.Done()
	file, seed, err := j.prepare()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.closed {
		err = ErrClosed
	}
	if err == nil {
		l.spare.state, l.spare.err = spareReady, nil
		l.spare.file, l.spare.name, l.spare.seed, l.spare.size = file, j.name, seed, j.size
		l.trouble.Store(l.failed != nil)
		return
	}
	if file != nil {
		_ = file.Close()
	}
	_ = l.fs.Remove(l.path(j.name)) // gives the space back; if it stays, the next start removes it
	if l.closed {
		l.spare.state = spareNone
		return
	}
	l.spare.state, l.spare.err = spareFailed, err
	l.spare.retryAt = l.opts.Now().Add(spareRetryAfter)
	l.trouble.Store(true)
	l.opts.Logger.Warn("next log segment could not be prepared", "err", err)
}

func (j *spareJob) prepare() (File, uint32, error) {
	l := j.log
	stop := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.closed
	}
	var f File
	var err error
	if j.reuse {
		f, err = l.fs.Open(l.path(j.name), true)
	} else {
		f, err = l.fs.Create(l.path(j.name))
	}
	if err != nil {
		return nil, 0, err
	}
	seed, err := formatSegment(f, j.size, j.prefill || j.reuse, stop)
	return f, seed, err
}

// formatSegment makes a file an empty segment, durably but for its name. A file that was a segment before must be filled.
func formatSegment(f File, size int64, fill bool, stop func() bool) (seed uint32, err error) {
	old, err := f.Size()
	if err != nil {
		return 0, err
	}
	if err := f.Allocate(max(size, old)); err != nil {
		return 0, fmt.Errorf("allocate %d bytes: %w", size, err)
	}
	if fill {
		if err := zeroFill(f, 0, max(size, old), stop); err != nil {
			return 0, err
		}
		if stop() {
			return 0, ErrClosed
		}
	}
	salt := newSalt()
	var header [segmentHeaderSize]byte
	putSegmentHeader(header[:], salt, size)
	if _, err := f.WriteAt(header[:], 0); err != nil {
		return 0, err
	}
	return saltSeed(salt), f.Sync()
}

// Ready reports why a write should be refused before it is carried out, or nil. Unlike a failure of Append, ErrNoSpace passes
// by itself once the disk has room again. It costs next to nothing while all is well.
func (l *Log) Ready() error {
	if !l.trouble.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	if l.spare.state == spareFailed && !l.opts.Now().Before(l.spare.retryAt) {
		l.prepareSpare()
	}
	// The last eighth of the segment is kept for rounds that were let in before.
	if s := l.last(); l.spare.err != nil && s.tail > s.size-s.size/8 {
		return fmt.Errorf("%w: %w", ErrNoSpace, l.spare.err)
	}
	return nil
}

// recycle disposes of files that no longer are part of the log.
func (l *Log) recycle(dropped []*segment) error {
	var errs error
	for _, s := range dropped {
		if err := l.recycleOne(s); err != nil {
			errs = errors.Join(errs, fmt.Errorf("drop %s: %w", s.name, err))
		}
	}
	return errs
}

// recycleOne keeps the file if it is of use. Until the rename is durable a crash can bring the old name back, by then with
// zeros and another salt inside. That is safe because only segments wholly covered by a durable snapshot come here, and
// recovery tells those by the names alone and never reads them.
func (l *Log) recycleOne(s *segment) error {
	l.mu.Lock()
	keep := l.prefill.Load() && s.size == l.opts.SegmentBytes && len(l.spare.recycled) < maxRecycled
	l.spare.serial++
	name := fmt.Sprintf("spare-%d%s", l.spare.serial, tempSuffix)
	l.mu.Unlock()
	if !keep {
		return l.fs.Remove(l.path(s.name))
	}
	if err := l.fs.Rename(l.path(s.name), l.path(name)); err != nil {
		return err
	}
	l.mu.Lock()
	l.spare.recycled = append(l.spare.recycled, recycledFile{name, s.size})
	l.mu.Unlock()
	return nil
}
