//go:build linux

package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls on descriptors that never block need not tell Go's scheduler that they may take long.

// read is read(2); n is 0 with an error.
func read(fd int, p []byte) (n int, err error) { return call(unix.SYS_READ, fd, p, 0) }

// write is write(2); n is 0 with an error.
func write(fd int, p []byte) (n int, err error) { return call(unix.SYS_WRITE, fd, p, 0) }

// receive and send are read and write for sockets, which spares the kernel's way through the file system.
func receive(fd int, p []byte) (n int, err error) { return call(unix.SYS_RECVFROM, fd, p, 0) }
func send(fd int, p []byte) (n int, err error) {
	return call(unix.SYS_SENDTO, fd, p, unix.MSG_NOSIGNAL)
}

// call makes a system call whose arguments are a descriptor, a buffer and its length, flags, and no address.
func call(number uintptr, fd int, p []byte, flags uintptr) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
