package server

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// backgroundNice gives a thread a tenth of the weight of others: enough to get done on a machine that has no time to spare.
const backgroundNice = 10

// background runs f on a thread of its own of low priority, so that the loops do not wait for a slice of its time where cores
// are few.
func background(f func()) {
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and its priority with it
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), backgroundNice)
		f()
	}()
}
