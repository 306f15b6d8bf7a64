package command

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
)

// process is what INFO and MEMORY say about the process; sizes in bytes, times in microseconds. What the system does not
// tell is 0.
type process struct {
	resident, system         int64 // of the process, of the machine
	heapLive, heapHeld       int64 // objects; pages that hold them
	runtimeHeld              int64 // all that the Go runtime has from the system
	cpuSystem, cpuUser       int64
	childSystem, childUser   int64
	threadSystem, threadUser int64
}

// rusageThread asks for the calling thread's times.
const rusageThread = 1

func readProcess() process {
	var p process
	if fields := strings.Fields(readText("/proc/self/statm")); len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		p.resident = pages * int64(os.Getpagesize())
	}
	if _, rest, ok := strings.Cut(readText("/proc/meminfo"), "MemTotal:"); ok {
		kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		p.system = kib << 10
	}
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) int64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return int64(samples[i].Value.Uint64())
	}
	p.heapLive = value(0)
	p.heapHeld = value(0) + value(1)
	p.runtimeHeld = value(2) - value(3)
	p.cpuSystem, p.cpuUser = usage(syscall.RUSAGE_SELF)
	p.childSystem, p.childUser = usage(syscall.RUSAGE_CHILDREN)
	p.threadSystem, p.threadUser = usage(rusageThread)
	return p
}

func usage(who int) (system, user int64) {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0, 0
	}
	return int64(u.Stime.Sec)*1e6 + int64(u.Stime.Usec), int64(u.Utime.Sec)*1e6 + int64(u.Utime.Usec)
}

// readText returns the contents of a small file of the system, "" when there is none.
func readText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// machineName is the processor's name as uname gives it.
func machineName() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return runtime.GOARCH
}
