package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// usage is the process whose use of the machine is measured; 0: none.
type usage int

// cpu is what the process has used of all cores, in user and system mode, by threads that are there or have ended. The kernel's clock
// of the process counts nanoseconds, /proc/PID/stat only hundredths of a second.
func (u usage) cpu() (time.Duration, error) {
	if u == 0 {
		return 0, nil
	}
	const clockSched = 2 // CPUCLOCK_SCHED of the kernel: user and system
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^int(u)<<3|clockSched), &ts); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", int(u), err)
	}
	return time.Duration(ts.Nano()), nil
}

// rss is the resident memory in bytes. smaps_rollup counts pages; the counters of statm lag behind by some for each core.
func (u usage) rss() (int64, error) {
	if u == 0 {
		return 0, nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", int(u)))
	if err == nil {
		if _, after, ok := bytes.Cut(text, []byte("\nRss:")); ok {
			if fields := bytes.Fields(after); len(fields) > 0 {
				kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
				return kib << 10, err
			}
		}
	}
	if text, err = os.ReadFile(fmt.Sprintf("/proc/%d/statm", int(u))); err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", int(u), err)
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("memory of process %d: statm is %q", int(u), text)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// threadCPU is what this thread has used.
func threadCPU() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
