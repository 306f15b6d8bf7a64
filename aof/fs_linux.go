package aof

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Sync is fdatasync: a log segment has its full size from the start, so times are all that fsync would add.
func (f osFile) Sync() error {
	for {
		// EINTR means that nothing was tried yet, unlike every other error of fdatasync.
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (f osFile) Allocate(size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return f.Truncate(size) // no reservation on this file system
		}
		return err
	}
}
