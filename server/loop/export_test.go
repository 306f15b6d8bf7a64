//go:build linux

package loop

import "runtime"

// WatchRests returns how many replies of the loop's connections go on; gone is called for each once nothing holds what it is
// written from. Under the shard's lock, and only while none of them can go on.
func (l *Loop) WatchRests(gone func()) int {
	n := 0
	for c := range l.conns.all {
		for _, at := range c.later {
			n++
			runtime.SetFinalizer(at.gap.Rest, func(any) { gone() })
		}
	}
	return n
}
