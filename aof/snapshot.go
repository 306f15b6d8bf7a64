package aof

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"
)

// A snapshot file `<index, 20 digits>-<term>.snap`: a header, the body in chunks, an empty chunk, a trailer, nothing more.
//
//	header                                                                   chunk
//	0             8         10         12      16      24     32        40      44         48
//	┌─────────────┬─────────┬──────────┬───────┬───────┬──────┬─────────┬───────┬──────────┐  ┌────────┬───────┬────────┐
//	│ "STREAMDS"  │ version │ reserved │  crc  │ index │ term │ created │ chain │ reserved │  │ length │  crc  │  data  │
//	│   8 bytes   │   u16   │  u16, 0  │  u32  │  u64  │ u64  │ i64, ms │  u32  │  u32, 0  │  │  u32   │  u32  │ length │
//	└─────────────┴─────────┴──────────┴───────┴───────┴──────┴─────────┴───────┴──────────┘  └────────┴───────┴────────┘
//	trailer
//	0        8                40      44
//	┌────────┬────────────────┬───────┐
//	│ total  │     digest     │  crc  │
//	│  u64   │    SHA-256     │  u32  │
//	└────────┴────────────────┴───────┘
//
// The header's crc covers its other bytes. A chunk's starts from the header's crc and covers the chunk's number (u64, from 0),
// its length and its data. total counts body bytes; digest is over the header and each chunk's first 8 bytes, which binds all
// data through the checksums at no cost per byte; the trailer's crc covers total and digest. chain is the crc of the ops frame
// with this index, so a snapshot of another history does not pass for one of this log.
const (
	snapshotHeaderSize  = 48
	snapshotTrailerSize = 8 + sha256.Size + 4
	chunkHeaderSize     = 8
	chunkSize           = 256 << 10
	maxChunkSize        = 1 << 20 // a reader refuses more
	snapshotMagic       = "STREAMDS"

	// snapshotSyncEvery bounds how much of a snapshot waits to be written out when the log wants its next sync.
	snapshotSyncEvery = 16 << 20
)

// SnapshotInfo describes a snapshot.
type SnapshotInfo struct {
	Name      string
	Index     uint64 // of the last frame it contains
	Term      uint64
	CreatedMS int64
	Chain     uint32 // crc of that frame
	Size      int64  // of the file
}

func putSnapshotHeader(b []byte, info *SnapshotInfo) uint32 {
	le := binary.LittleEndian
	clear(b[:snapshotHeaderSize])
	copy(b, snapshotMagic)
	le.PutUint16(b[8:], formatVersion)
	le.PutUint64(b[16:], info.Index)
	le.PutUint64(b[24:], info.Term)
	le.PutUint64(b[32:], uint64(info.CreatedMS))
	le.PutUint32(b[40:], info.Chain)
	crc := snapshotHeaderCRC(b)
	le.PutUint32(b[12:], crc)
	return crc
}

func snapshotHeaderCRC(b []byte) uint32 {
	return checksum(checksum(0, b[:12]), b[16:snapshotHeaderSize])
}

// chunkCRC leaves room for nothing to be moved: the number is not stored, both sides count.
func chunkCRC(headerCRC uint32, number uint64, length uint32, data []byte) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[0:], number)
	binary.LittleEndian.PutUint32(b[8:], length)
	return checksum(checksum(headerCRC, b[:]), data)
}

// SnapshotWriter writes one snapshot. It belongs to one goroutine, which need not hold any lock.
type SnapshotWriter struct {
	log      *Log
	file     File
	temp     string
	info     SnapshotInfo
	crc      uint32 // of the header
	digest   hash.Hash
	buf      []byte // chunk header, then what waits to become a chunk
	number   uint64
	total    uint64
	off      int64
	unsynced int64
	err      error // sticky
	done     bool
}

// BeginSnapshot starts a snapshot of the state after the frame with the index it returns, the last one written. The caller
// freezes that state before it appends again.
func (l *Log) BeginSnapshot() (*SnapshotWriter, uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return nil, 0, err
	}
	if l.snapshot != nil {
		return nil, 0, ErrSnapshotBusy
	}
	// With a segment of their own for what comes after it, all frames of the snapshot can be dropped with it.
	if err := l.rotate(); err != nil {
		return nil, 0, err
	}
	w := &SnapshotWriter{log: l, digest: sha256.New(), buf: make([]byte, chunkHeaderSize, chunkHeaderSize+chunkSize)}
	w.info = SnapshotInfo{Index: l.written.Load(), CreatedMS: l.opts.Now().UnixMilli(), Chain: l.chain}
	w.info.Name = snapshotName(w.info.Index, w.info.Term)
	w.temp = w.info.Name + tempSuffix
	f, err := l.fs.Create(l.path(w.temp))
	if err != nil {
		return nil, 0, fmt.Errorf("create snapshot: %w", err)
	}
	w.file = f
	l.snapshot = w
	header := make([]byte, snapshotHeaderSize)
	w.crc = putSnapshotHeader(header, &w.info)
	w.digest.Write(header)
	w.put(header)
	return w, w.info.Index, nil
}

// Write adds to the body. An error is final; the log itself is unharmed by it.
func (w *SnapshotWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 && w.err == nil {
		n := min(len(p), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		if len(w.buf) == cap(w.buf) {
			w.flush()
		}
	}
	return written - len(p), w.err
}

// flush writes what waits as one chunk, or the final empty one if nothing does.
func (w *SnapshotWriter) flush() {
	length := uint32(len(w.buf) - chunkHeaderSize)
	binary.LittleEndian.PutUint32(w.buf[0:], length)
	binary.LittleEndian.PutUint32(w.buf[4:], chunkCRC(w.crc, w.number, length, w.buf[chunkHeaderSize:]))
	w.digest.Write(w.buf[:chunkHeaderSize])
	w.number++
	w.total += uint64(length)
	w.put(w.buf)
	w.buf = w.buf[:chunkHeaderSize]
}

func (w *SnapshotWriter) put(b []byte) {
	if w.err != nil {
		return
	}
	if w.done {
		w.err = errors.New("the snapshot was committed or aborted")
		return
	}
	if _, err := w.file.WriteAt(b, w.off); err != nil {
		w.err = fmt.Errorf("write snapshot: %w", err)
		return
	}
	w.off += int64(len(b))
	if w.unsynced += int64(len(b)); w.unsynced >= snapshotSyncEvery {
		w.sync()
	}
}

func (w *SnapshotWriter) sync() {
	if err := w.file.Sync(); err != nil {
		w.err = fmt.Errorf("sync snapshot: %w", err)
	}
	w.unsynced = 0
}

// Commit makes the snapshot the one to start from, durably, and then drops what it replaces. After an error the log goes on
// as if there had been no snapshot, unless Err says that it failed as well.
func (w *SnapshotWriter) Commit() (SnapshotInfo, error) {
	if w.done {
		return SnapshotInfo{}, errors.New("the snapshot was committed or aborted")
	}
	if len(w.buf) > chunkHeaderSize {
		w.flush()
	}
	w.flush()
	trailer := make([]byte, 8, snapshotTrailerSize)
	binary.LittleEndian.PutUint64(trailer, w.total)
	trailer = w.digest.Sum(trailer)
	w.put(binary.LittleEndian.AppendUint32(trailer, checksum(0, trailer)))
	if w.err == nil {
		w.sync()
	}
	if w.err != nil {
		err := w.err
		w.Abort()
		return SnapshotInfo{}, err
	}
	w.info.Size = w.off
	if err := w.log.install(w); err != nil {
		w.Abort()
		return SnapshotInfo{}, err
	}
	w.end()
	return w.info, nil
}

// Abort removes the unfinished file. After Commit it does nothing.
func (w *SnapshotWriter) Abort() {
	if w.done {
		return
	}
	w.end()
	_ = w.log.fs.Remove(w.log.path(w.temp)) // if it stays, the next start removes it
}

func (w *SnapshotWriter) end() {
	w.done = true
	_ = w.file.Close() // synced before, or given up
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	if w.log.snapshot == w {
		w.log.snapshot = nil
	}
}

// install gives the synced snapshot its name and drops the segments and snapshots that it replaces.
func (l *Log) install(w *SnapshotWriter) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	// Invariant: a snapshot on disk means that the log is synced up to its index, and that the segment for what comes after
	// is there. Recovery takes either's absence for damage.
	if err := l.sync(); err != nil {
		return err
	}
	if err := l.fs.Rename(l.path(w.temp), l.path(w.info.Name)); err != nil {
		return fmt.Errorf("name snapshot %s: %w", w.info.Name, err)
	}
	if err := l.fs.SyncDir(l.opts.Dir); err != nil {
		// The error is reported once only: the name of a new segment may be what was lost.
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fail(fmt.Errorf("sync directory %s: %w", l.opts.Dir, err))
	}
	l.mu.Lock()
	old := l.snapBase
	l.snapBase = w.info
	dropped := l.drop(w.info.Index)
	l.mu.Unlock()
	err := l.recycle(dropped)
	if old.Name != "" && old.Name != w.info.Name {
		err = errors.Join(err, l.fs.Remove(l.path(old.Name)))
	}
	if err != nil {
		l.opts.Logger.Warn("files that a snapshot replaced stay until the next start", "err", err)
	}
	return nil
}

// drop takes the segments that hold nothing above index off the list. Called with syncMu and mu held.
func (l *Log) drop(index uint64) []*segment {
	n := 0
	for n+1 < len(l.segments) && l.segments[n+1].first <= index+1 {
		n++
	}
	dropped := append([]*segment(nil), l.segments[:n]...)
	l.segments = append(l.segments[:0], l.segments[n:]...)
	for _, s := range dropped {
		l.size.Add(-s.tail)
		if s.file != nil { // begun to be replaced since the sync above
			_ = s.file.Close()
			s.file = nil
		}
	}
	kept := l.unsynced[:0]
	for _, s := range l.unsynced {
		if s.file != nil {
			kept = append(kept, s)
		}
	}
	l.unsynced = kept
	return dropped
}

// Snapshot describes the newest complete snapshot; its Name is empty if there is none.
func (l *Log) Snapshot() SnapshotInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapBase
}

// Created is when the snapshot was begun.
func (i SnapshotInfo) Created() time.Time { return time.UnixMilli(i.CreatedMS) }
