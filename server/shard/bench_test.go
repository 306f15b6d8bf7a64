package shard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/resp"
)

// BenchmarkExecute is a pipeline of 128 equal commands from the read buffer to the replies, without socket and log.
func BenchmarkExecute(b *testing.B) {
	value := strings.Repeat("x", 100)
	for _, bm := range []struct{ name, command string }{
		{"xadd 100B", "XADD s * f " + value},
		{"xadd 5x6", "XADD s * a 123456 b 234567 c 345678 d 456789 e 567890"},
		{"xadd maxlen", "XADD s MAXLEN ~ 10000 * f " + value},
		{"ping", "PING"},
		{"xlen", "XLEN s"},
		{"xrange count 10", "XRANGE base - + COUNT 10"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			r := newRig(b, "appendonly", "no", "slowlog-log-slower-than", "10000")
			r.clock = time.Now
			r.now = time.Now()
			for i := range 1000 {
				r.say("setup", fmt.Sprintf("XADD base * f v%d", i))
			}
			c := r.client("bench")
			w := resp.Writer{}
			for range 128 {
				words := strings.Fields(bm.command)
				w.Array(len(words))
				for _, word := range words {
					w.Bulk([]byte(word))
				}
			}
			b.ReportAllocs()
			for done := 0; b.Loop(); done++ {
				c.in, c.s.W.Buf = w.Buf, c.s.W.Buf[:0]
				r.locked(c.execute)
				if done%1000 == 999 {
					r.say("setup", "DEL s")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/command")
		})
	}
}
