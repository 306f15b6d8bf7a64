package bench

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The engine's calls bypass the scheduler, which otherwise may give the processor of a thread that waits to others, and has to find one
// when it comes back: that is a tenth of the throughput of a single connection, and more of the slowest replies. Reads and writes never
// block; a wait is short, and the signal by which the collector stops a thread ends it.

func rawWait(epoll int, events []unix.EpollEvent, ms int) (int, error) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(ms), 0, 0)
	return result(n, errno)
}

func rawRead(fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return result(n, errno)
}

func rawWrite(fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return result(n, errno)
}

func result(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
