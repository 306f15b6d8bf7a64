package aof

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"path/filepath"
)

// SnapshotReader reads the body of a snapshot. What Read returns has passed its chunk's checksum; that the snapshot is
// whole is known only once Read has returned io.EOF.
type SnapshotReader struct {
	info   SnapshotInfo
	file   File
	crc    uint32 // of the header
	digest hash.Hash
	buf    []byte // chunk being read
	rest   []byte // of buf, not yet returned
	number uint64
	total  uint64
	off    int64
	err    error // sticky, io.EOF at the verified end
}

// OpenSnapshot opens a snapshot file and checks its header.
func OpenSnapshot(fs FS, path string) (*SnapshotReader, error) {
	name := filepath.Base(path)
	f, err := fs.Open(path, false)
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	r := &SnapshotReader{file: f, digest: sha256.New(), info: SnapshotInfo{Name: name}}
	if err := r.readHeader(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

func (r *SnapshotReader) readHeader() error {
	size, err := r.file.Size()
	if err != nil {
		return fmt.Errorf("read snapshot %s: %w", r.info.Name, err)
	}
	r.info.Size = size
	b := make([]byte, snapshotHeaderSize)
	if err := r.read(b); err != nil {
		return err
	}
	le := binary.LittleEndian
	if string(b[:8]) != snapshotMagic {
		return r.damage(0, "not a snapshot: bad magic")
	}
	r.crc = le.Uint32(b[12:])
	if snapshotHeaderCRC(b) != r.crc {
		return r.damage(0, "snapshot header fails its checksum")
	}
	if v := le.Uint16(b[8:]); v > formatVersion {
		return fmt.Errorf("%s: %w (snapshot format %d, this one knows %d)", r.info.Name, ErrVersion, v, formatVersion)
	}
	if le.Uint16(b[8:]) != formatVersion || le.Uint16(b[10:]) != 0 || le.Uint32(b[44:]) != 0 {
		return r.damage(0, "snapshot header has an impossible version")
	}
	r.info.Index, r.info.Term = le.Uint64(b[16:]), le.Uint64(b[24:])
	r.info.CreatedMS, r.info.Chain = int64(le.Uint64(b[32:])), le.Uint32(b[40:])
	r.digest.Write(b)
	return nil
}

// Info is what the header says.
func (r *SnapshotReader) Info() SnapshotInfo { return r.info }

// Read implements io.Reader. Its errors are io.EOF, a *DamageError or the file's.
func (r *SnapshotReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.rest) == 0 {
		if r.err == nil {
			r.err = r.next()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next reads one chunk, or the trailer after the last.
func (r *SnapshotReader) next() error {
	start := r.off
	var head [chunkHeaderSize]byte
	if err := r.read(head[:]); err != nil {
		return err
	}
	length := binary.LittleEndian.Uint32(head[0:])
	if length > maxChunkSize {
		return r.damage(start, fmt.Sprintf("chunk of %d bytes, more than the limit of %d", length, maxChunkSize))
	}
	if cap(r.buf) < int(length) {
		r.buf = make([]byte, length)
	}
	r.buf = r.buf[:length]
	if err := r.read(r.buf); err != nil {
		return err
	}
	if chunkCRC(r.crc, r.number, length, r.buf) != binary.LittleEndian.Uint32(head[4:]) {
		return r.damage(start, "chunk fails its checksum")
	}
	r.digest.Write(head[:])
	r.number++
	r.total += uint64(length)
	if length == 0 {
		return r.readTrailer()
	}
	r.rest = r.buf
	return nil
}

// readTrailer returns io.EOF if the file is whole.
func (r *SnapshotReader) readTrailer() error {
	start := r.off
	b := make([]byte, snapshotTrailerSize)
	if err := r.read(b); err != nil {
		return err
	}
	switch end := len(b) - 4; {
	case checksum(0, b[:end]) != binary.LittleEndian.Uint32(b[end:]):
		return r.damage(start, "trailer fails its checksum")
	case binary.LittleEndian.Uint64(b) != r.total:
		return r.damage(start, fmt.Sprintf("body has %d bytes, trailer says %d", r.total, binary.LittleEndian.Uint64(b)))
	case !bytes.Equal(b[8:end], r.digest.Sum(nil)):
		return r.damage(start, "digest does not match")
	case r.off != r.info.Size:
		return r.damage(r.off, "bytes after the trailer")
	}
	return io.EOF
}

// read fills b or fails; it never reads beyond the size the file had when it was opened.
func (r *SnapshotReader) read(b []byte) error {
	if int64(len(b)) > r.info.Size-r.off {
		return r.damage(r.info.Size, "file ends too early")
	}
	if n, err := r.file.ReadAt(b, r.off); n < len(b) {
		return fmt.Errorf("read snapshot %s at offset %d: %w", r.info.Name, r.off, err)
	}
	r.off += int64(len(b))
	return nil
}

func (r *SnapshotReader) damage(off int64, reason string) error {
	return &DamageError{File: r.info.Name, Offset: off, Reason: reason}
}

// Verify reads what is left and returns nil if the snapshot is whole.
func (r *SnapshotReader) Verify() error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	return nil
}

// Close closes the file.
func (r *SnapshotReader) Close() error { return r.file.Close() }
