//go:build linux

package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reads and writes of descriptors that never block need not tell Go's scheduler that they may take long.

// read is read(2); n is 0 with an error.
func read(fd int, p []byte) (n int, err error) { return transfer(unix.SYS_READ, fd, p) }

// write is write(2); n is 0 with an error.
func write(fd int, p []byte) (n int, err error) { return transfer(unix.SYS_WRITE, fd, p) }

func transfer(call uintptr, fd int, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
