//go:build linux

package loop

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// alarm wakes a loop at a given time. A timeout of epoll_wait would do that too, but sets and clears a timer of the kernel at
// every sleep, which on virtual machines costs as much as a system call; this one is set ten times a second.
type alarm struct {
	fd  int
	due time.Time // when it rings; zero: it is not set
}

func (a *alarm) open() (err error) {
	if a.fd, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return fmt.Errorf("timerfd: %w", err)
	}
	return nil
}

// at makes the alarm ring no later than in wait from now.
func (a *alarm) at(now time.Time, wait time.Duration) {
	due := now.Add(wait)
	if !a.due.IsZero() && !due.Before(a.due) {
		return
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(int64(wait), 1))} // 0 would mean never
	if unix.TimerfdSettime(a.fd, 0, &spec, nil) == nil {
		a.due = due
	}
}

// rang notes that the time came.
func (a *alarm) rang() {
	var count [8]byte
	_, _ = read(a.fd, count[:])
	a.due = time.Time{}
}
