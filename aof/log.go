package aof

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options configures a Log. Only Dir is required.
type Options struct {
	Dir    string
	FS     FS // nil: OS()
	Policy Policy
	// SegmentBytes is how large a segment grows before the next begins, 0: 64 MiB. The first ones are smaller.
	SegmentBytes int64
	// InlineSyncLimit is how slow a sync may be, on average, for the appender to wait for it itself under Always, 0: 200 µs.
	InlineSyncLimit time.Duration
	Logger          *slog.Logger     // nil: discarded
	Now             func() time.Time // nil: time.Now
	// Spawn runs the work of preparing the next segment, nil: on a goroutine of its own. Tests run it at once, which makes
	// the order of file operations the same every time.
	Spawn func(func())
}

const (
	defaultSegmentBytes = 64 << 20
	firstSegmentBytes   = 1 << 20 // grows fourfold with each segment
	minSegmentBytes     = 4 << 10
)

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = OS()
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	o.SegmentBytes = max(o.SegmentBytes, minSegmentBytes)
	if o.InlineSyncLimit == 0 {
		o.InlineSyncLimit = 200 * time.Microsecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Log is an ordered sequence of frames on disk. One goroutine at a time appends; the other methods may be called from any.
type Log struct {
	opts Options
	fs   FS
	lock io.Closer

	written atomic.Uint64 // index of the last frame handed to the kernel
	synced  atomic.Uint64 // index up to which all is on disk
	size    atomic.Int64  // bytes of all live segments up to their tails
	trouble atomic.Bool   // Ready has something to say
	prefill atomic.Bool   // zero-fill new segments: worth it only where each round waits for a sync

	// syncMu is held while files are synced and while the snapshot's Commit or Close changes which files exist. mu is never
	// held during a sync, so that the shard goes on appending; this is why a lock other than the shard's is needed at all.
	syncMu sync.Mutex

	mu       sync.Mutex // guards what follows; taken after syncMu
	failed   error
	closed   bool
	segments []*segment // all live ones in order; the last is written to
	unsynced []*segment // segments before the last that may hold what is not synced, in order
	dirDirty bool       // a segment got its name since the directory was synced
	chain    uint32     // crc of the last ops frame
	marked   uint64     // highest index that a frame or mark on disk tells to be synced
	spare    spare
	snapshot *SnapshotWriter // the one being written, or nil
	snapBase SnapshotInfo    // newest complete one; zero: none
	markBuf  [HeaderSize]byte

	scratch []byte     // the appender's, for Append
	stale   []*segment // guarded by syncMu: those of unsynced that sync works on
	spawned sync.WaitGroup
}

// Append writes one frame holding a copy of payload. AppendFrame saves the copy.
func (l *Log) Append(payload []byte) (uint64, error) {
	l.scratch = append(slices.Grow(l.scratch[:0], HeaderSize+len(payload))[:HeaderSize], payload...)
	return l.AppendFrame(l.scratch)
}

// AppendFrame writes one frame, whose payload is frame[HeaderSize:], with a single write; the header is filled in. The frame
// is with the kernel when this returns: it survives the process, and a power cut once Synced reaches the index. An error
// other than ErrTooLarge is final.
func (l *Log) AppendFrame(frame []byte) (index uint64, err error) {
	if len(frame) <= HeaderSize || len(frame) > HeaderSize+MaxPayload {
		return 0, ErrTooLarge
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return 0, err
	}
	if s := l.last(); s.tail+int64(len(frame)) > s.size {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	s := l.last()
	h := Header{
		Length: uint32(len(frame) - HeaderSize), Type: FrameOps, Version: formatVersion,
		Index: l.written.Load() + 1, Synced: l.synced.Load(), Prev: l.chain, Sum: checksum(0, frame[HeaderSize:]),
	}
	h.put(frame, s.seed)
	if err := l.write(s, frame); err != nil {
		return 0, err
	}
	l.chain = h.CRC
	l.marked = max(l.marked, h.Synced)
	l.written.Store(h.Index)
	return h.Index, nil
}

// write puts a frame at the tail of the last segment. Called with mu held.
func (l *Log) write(s *segment, frame []byte) error {
	if _, err := s.file.WriteAt(frame, s.tail); err != nil {
		return l.fail(fmt.Errorf("write %s at offset %d: %w", s.name, s.tail, err))
	}
	s.tail += int64(len(frame))
	l.size.Add(int64(len(frame)))
	return nil
}

// Mark notes on disk that everything up to Synced is synced, if nothing there says so yet and nothing is waiting. Without it
// a flipped bit in the very last frame looks like a torn write. It is called when there is nothing else to do: the mark
// itself need not be synced.
func (l *Log) Mark() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	written := l.written.Load()
	if l.synced.Load() != written || l.marked >= written {
		return nil
	}
	return l.mark(written)
}

// mark is Mark with mu held and its conditions met.
func (l *Log) mark(index uint64) error {
	s := l.last()
	h := Header{Type: FrameMark, Version: formatVersion, Index: index, Synced: index, Prev: l.chain}
	h.put(l.markBuf[:], s.seed)
	if err := l.write(s, l.markBuf[:]); err != nil {
		return err
	}
	l.marked = index
	return nil
}

// Sync makes everything written before the call durable. It may run while another goroutine appends. An error is final.
func (l *Log) Sync() error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	return l.sync()
}

// sync is Sync with syncMu held.
func (l *Log) sync() error {
	l.mu.Lock()
	if err := l.usable(); err != nil {
		l.mu.Unlock()
		return err
	}
	target := l.written.Load()
	if target == l.synced.Load() && !l.dirDirty && len(l.unsynced) == 0 {
		l.mu.Unlock()
		return nil
	}
	l.stale = append(l.stale[:0], l.unsynced...)
	last, dirDirty := l.last(), l.dirDirty
	l.dirDirty = false
	l.mu.Unlock()

	err := l.syncFiles(last, dirDirty)

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed // a write failed meanwhile: nothing counts any more
	}
	if err != nil {
		return l.fail(err)
	}
	for _, s := range l.stale {
		err = errors.Join(err, s.file.Close())
		s.file = nil
	}
	l.unsynced = append(l.unsynced[:0], l.unsynced[len(l.stale):]...)
	clear(l.stale)
	if err != nil {
		return l.fail(fmt.Errorf("close a full segment: %w", err))
	}
	l.synced.Store(target)
	return nil
}

func (l *Log) syncFiles(last *segment, dir bool) error {
	for _, s := range l.stale {
		if err := s.file.Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", s.name, err)
		}
	}
	if err := last.file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", last.name, err)
	}
	if dir {
		if err := l.fs.SyncDir(l.opts.Dir); err != nil {
			return fmt.Errorf("sync directory %s: %w", l.opts.Dir, err)
		}
	}
	return nil
}

// Written is the index of the last frame appended, and Synced the one up to which all is on disk.
func (l *Log) Written() uint64 { return l.written.Load() }
func (l *Log) Synced() uint64  { return l.synced.Load() }

// Size is how many bytes of frames the segments hold, those that a snapshot has not yet replaced included.
func (l *Log) Size() int64 { return l.size.Load() }

// Err is the reason why the log takes no more writes, or nil.
func (l *Log) Err() error {
	if !l.trouble.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// Close syncs and releases the directory; if the log failed, it returns that failure. It may be called twice. A snapshot
// still being written can no longer be committed.
func (l *Log) Close() error {
	l.syncMu.Lock()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		l.syncMu.Unlock()
		return nil
	}
	err := l.failed
	l.mu.Unlock()
	if err == nil {
		err = l.sync()
	}
	if err == nil {
		err = l.closingMark()
	}
	l.mu.Lock()
	l.closed = true
	l.trouble.Store(true)
	l.mu.Unlock()
	l.syncMu.Unlock()

	l.spawned.Wait() // sees closed and gives up
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		if s.file != nil {
			err = errors.Join(err, s.file.Close())
			s.file = nil
		}
	}
	l.spare.close()
	return errors.Join(err, l.lock.Close())
}

// closingMark makes the last frame of an orderly shutdown as well guarded as all others. Called with syncMu held.
func (l *Log) closingMark() error {
	if err := l.Mark(); err != nil {
		return err
	}
	l.mu.Lock()
	last := l.last()
	l.mu.Unlock()
	return last.file.Sync()
}

func (l *Log) last() *segment { return l.segments[len(l.segments)-1] }

// usable is called with mu held.
func (l *Log) usable() error {
	if l.closed {
		return ErrClosed
	}
	return l.failed
}

// fail records the first failure, for ever. Called with mu held.
func (l *Log) fail(cause error) error {
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", ErrFailed, cause)
		l.trouble.Store(true)
		l.opts.Logger.Error("log failed", "err", cause)
	}
	return l.failed
}

func (l *Log) path(name string) string { return filepath.Join(l.opts.Dir, name) }

// newSalt is random so that no client can know it.
func newSalt() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the process instead
	return binary.LittleEndian.Uint64(b[:])
}

// sealedUnsynced reports whether a full segment waits to be synced.
func (l *Log) sealedUnsynced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unsynced) > 0
}
