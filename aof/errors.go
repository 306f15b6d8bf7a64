package aof

import (
	"errors"
	"fmt"
)

var (
	// ErrFailed wraps the cause of the first failed write or sync. It is final: what is on disk is no longer known, and a
	// second fsync of the same file would report success for data that the kernel has already thrown away.
	ErrFailed = errors.New("the log failed and takes no more writes until a restart")
	// ErrClosed is returned by every method after Close.
	ErrClosed = errors.New("the log is closed")
	// ErrLocked means that another process has the directory open.
	ErrLocked = errors.New("the data directory is in use by another process")
	// ErrForeign means that the directory holds files, but not ours.
	ErrForeign = errors.New("the data directory holds files that are not streamd's")
	// ErrVersion means that a newer release wrote the file.
	ErrVersion = errors.New("written by a newer version of streamd")
	// ErrNoSpace is returned by Ready while the next segment cannot be allocated. Nothing was lost; it goes away with the
	// reason for it.
	ErrNoSpace = errors.New("no space for the next log segment")
	// ErrTooLarge means that a frame is empty or larger than MaxPayload; nothing was written.
	ErrTooLarge = errors.New("log frame is empty or too large")
	// ErrSnapshotBusy means that a snapshot is already being written.
	ErrSnapshotBusy = errors.New("a snapshot is already being written")
)

// DamageError says that a file is not what was written: the server must not start from it. It is never returned for what a
// crash alone can leave behind.
type DamageError struct {
	File     string // name inside the directory
	Offset   int64  // where the first byte that cannot be trusted is
	LastGood uint64 // index of the last frame (or snapshot) before it that is intact
	Reason   string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at offset %d: %s (intact up to index %d)", e.File, e.Offset, e.Reason, e.LastGood)
}
