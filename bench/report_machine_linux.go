package bench

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// syncSamples is how often the machine's disk is timed.
const syncSamples = 64

// readMachine looks at the machine and at the disk that dir is on.
func readMachine(dir string) (Machine, error) {
	m := Machine{Cores: runtime.NumCPU(), CPU: runtime.GOARCH, Kernel: strings.TrimSpace(readFile("/proc/sys/kernel/osrelease"))}
	for line := range strings.Lines(readFile("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	if _, rest, ok := strings.Cut(readFile("/proc/meminfo"), "MemTotal:"); ok {
		kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		m.MemoryBytes = kib << 10
	}
	m.FileSystem = fileSystem(dir)
	var err error
	m.SyncMicros, err = timeSync(dir)
	return m, err
}

func readFile(path string) string {
	text, _ := os.ReadFile(path) // "" when the system does not tell
	return string(text)
}

// fileSystem names the type of the file system that dir is on: the mount whose path is the longest above it.
func fileSystem(dir string) string {
	longest, kind := "", ""
	for line := range strings.Lines(readFile("/proc/self/mounts")) {
		words := strings.Fields(line)
		if len(words) < 3 || len(words[1]) < len(longest) {
			continue
		}
		if rel, err := filepath.Rel(words[1], dir); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			longest, kind = words[1], words[2]
		}
	}
	return cmp.Or(kind, "unknown")
}

// timeSync returns the median time of an fdatasync of 4 KiB that overwrite what is there, in microseconds.
func timeSync(dir string) (float64, error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 4096)
	times := make([]float64, 0, syncSamples)
	for range syncSamples + 1 {
		begin := time.Now()
		if _, err := f.WriteAt(block, 0); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(begin).Nanoseconds())/1e3)
	}
	return median(slices.Clone(times[1:])), nil // the first one also makes the file longer
}
