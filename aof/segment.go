package aof

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A segment is a file `<first index, 20 digits>.log`: this header, then frames, then zeros.
//
//	0             8         10         12      16       24       32
//	┌─────────────┬─────────┬──────────┬───────┬────────┬────────┐
//	│ "STREAMDL"  │ version │ reserved │  crc  │  salt  │  size  │
//	│   8 bytes   │   u16   │  u16, 0  │  u32  │  u64   │  u64   │
//	└─────────────┴─────────┴──────────┴───────┴────────┴────────┘
//
// crc is the CRC-32C of bytes 0–11 and 16–31. The salt is random, new in each life of a recycled file. The header, and zeros up
// to size, are synced before the file gets its name: a segment with a bad header, or shorter than size, is damaged, never torn.
const (
	segmentHeaderSize = 32
	segmentMagic      = "STREAMDL"

	segmentSuffix  = ".log"
	snapshotSuffix = ".snap"
	tempSuffix     = ".tmp"     // removed at every start
	droppedSuffix  = ".dropped" // kept by Repair, never read
	lockName       = "lock"
)

func putSegmentHeader(b []byte, salt uint64, size int64) {
	le := binary.LittleEndian
	copy(b, segmentMagic)
	le.PutUint16(b[8:], formatVersion)
	le.PutUint16(b[10:], 0)
	le.PutUint64(b[16:], salt)
	le.PutUint64(b[24:], uint64(size))
	le.PutUint32(b[12:], segmentHeaderCRC(b))
}

func segmentHeaderCRC(b []byte) uint32 {
	return checksum(checksum(0, b[:12]), b[16:segmentHeaderSize])
}

// parseSegmentHeader returns the salt of a file with this header and length, or why there is none: a reason if it is damaged.
func parseSegmentHeader(b []byte, size int64) (salt uint64, reason string, err error) {
	le := binary.LittleEndian
	switch {
	case string(b[:8]) != segmentMagic:
		return 0, "not a log segment: bad magic", nil
	case segmentHeaderCRC(b) != le.Uint32(b[12:]):
		return 0, "segment header fails its checksum", nil
	case le.Uint16(b[8:]) > formatVersion:
		return 0, "", fmt.Errorf("%w (segment format %d, this one knows %d)", ErrVersion, le.Uint16(b[8:]), formatVersion)
	case le.Uint16(b[8:]) != formatVersion || le.Uint16(b[10:]) != 0:
		return 0, "segment header has an impossible version", nil
	case le.Uint64(b[24:]) > uint64(size):
		return 0, fmt.Sprintf("file has %d bytes, was made with %d", size, le.Uint64(b[24:])), nil
	}
	return le.Uint64(b[16:]), "", nil
}

func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, segmentSuffix) }

func snapshotName(index, term uint64) string {
	return fmt.Sprintf("%020d-%d%s", index, term, snapshotSuffix)
}

// parseSegmentName and parseSnapshotName accept exactly what the functions above make.
func parseSegmentName(name string) (first uint64, ok bool) {
	base, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, false
	}
	first, err := strconv.ParseUint(base, 10, 64)
	return first, err == nil && first > 0 && segmentName(first) == name
}

func parseSnapshotName(name string) (index, term uint64, ok bool) {
	base, ok := strings.CutSuffix(name, snapshotSuffix)
	if !ok {
		return 0, 0, false
	}
	a, b, _ := strings.Cut(base, "-")
	index, err1 := strconv.ParseUint(a, 10, 64)
	term, err2 := strconv.ParseUint(b, 10, 64)
	return index, term, err1 == nil && err2 == nil && snapshotName(index, term) == name
}

// segment is one file of the log. Guarded by Log.mu.
type segment struct {
	name  string
	first uint64 // index of its first frame, written or to come
	file  File   // nil once closed: older segments, fully synced
	seed  uint32 // saltSeed of its salt
	tail  int64  // where the next frame goes
	size  int64  // bytes allocated; a frame may go beyond when no spare is ready
}

// zeroWindow is how much is zero-filled at a time.
const zeroWindow = 1 << 20

// zeroSyncEvery bounds how much a sync of the log may have to wait for while a spare is filled on the same disk.
const zeroSyncEvery = 8 << 20

// zeroFill overwrites [from, to) with zeros. It gives up without an error when stop says so.
func zeroFill(f File, from, to int64, stop func() bool) error {
	zeros := make([]byte, min(zeroWindow, max(to-from, 0)))
	for unsynced := int64(0); from < to && !stop(); {
		n := min(int64(len(zeros)), to-from)
		if _, err := f.WriteAt(zeros[:n], from); err != nil {
			return err
		}
		from += n
		if unsynced += n; unsynced >= zeroSyncEvery {
			if err := f.Sync(); err != nil {
				return err
			}
			unsynced = 0
		}
	}
	return nil
}

// leadingZeros returns how many bytes of b are zero before the first that is not.
func leadingZeros(b []byte) int {
	n := 0
	for n+8 <= len(b) && binary.LittleEndian.Uint64(b[n:]) == 0 {
		n += 8
	}
	for n < len(b) && b[n] == 0 {
		n++
	}
	return n
}
