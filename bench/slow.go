package bench

import (
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// Slowness is a delay that is added to each fsync and fdatasync of a server; 0 is none. It makes a fast disk a slow one, for
// every server alike.
type Slowness time.Duration

// wrap returns the command line that runs words under the delay. strace keeps the server the direct child (-D), stops it at
// the calls in question and at no others (--seccomp-bpf), and delays each thread by itself.
func (s Slowness) wrap(words []string) ([]string, error) {
	if s == 0 {
		return words, nil
	}
	path, err := exec.LookPath("strace")
	if err != nil {
		return nil, fmt.Errorf("slowed syncs need strace 5.3 or newer: %w", err)
	}
	micros := strconv.FormatInt(time.Duration(s).Microseconds(), 10)
	return append([]string{path, "-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
		"-e", "inject=fsync,fdatasync:delay_exit=" + micros, "--"}, words...), nil
}
