package integration

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/server"
)

// TestClockGoesBack sets the clock back by an hour, to 1970 and forth by ten years, over restarts too: ids go up all the time,
// and what waits for a time is not lost (T18).
func TestClockGoesBack(t *testing.T) {
	var offset atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	fs := crashfs.New()
	h := host(t, fs, server.Options{Clock: clock})
	c := h.client()
	c.want("+OK", "XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
	last, _ := parseID("0-0")
	toEpoch := -time.Duration(time.Now().UnixNano())
	for i, at := range []time.Duration{0, -time.Hour, toEpoch, 87600 * time.Hour, 0, -time.Hour, toEpoch + time.Second, 0} {
		offset.Store(int64(at))
		for range 3 {
			v := c.do("XADD", "s", "*", "f", "v")
			id, err := parseID(string(v.Text))
			if err != nil || !last.Less(id) {
				t.Fatalf("clock %v: %s after %v (%v)", at, v, last, err)
			}
			last = id
		}
		// One delivered entry is claimed at once, whatever the clock did since; idle times are never negative.
		if v := c.do("XREADGROUP", "GROUP", "g", "a", "COUNT", "1", "STREAMS", "s", ">"); len(v.Elems) != 1 {
			t.Fatalf("clock %v: XREADGROUP: %s", at, v)
		}
		for _, e := range c.do("XPENDING", "s", "g", "-", "+", "100").Elems {
			if idle, _ := e.Elems[2].Int(); idle < 0 {
				t.Errorf("clock %v: idle %d", at, idle)
			}
		}
		if v := c.do("XAUTOCLAIM", "s", "g", "b", "0", "-", "COUNT", "100"); len(v.Elems) != 3 || len(v.Elems[1].Elems) != i+1 {
			t.Errorf("clock %v: XAUTOCLAIM: %s", at, v)
		}
		// A blocked reader is woken by its entry, not by the clock; a short block ends.
		c.want("*-1", "XREAD", "BLOCK", "5", "STREAMS", "s", "$")
		if i%2 == 1 {
			before := c.do("DEBUG", "DIGEST").String()
			if err := h.end(); err != nil {
				t.Fatal(err)
			}
			fs = fs.Killed()
			h = host(t, fs, server.Options{Clock: clock})
			c = h.client()
			if after := c.do("DEBUG", "DIGEST").String(); after != before {
				t.Fatalf("clock %v: digest %s before and %s after the restart", at, before, after)
			}
		}
	}
}
