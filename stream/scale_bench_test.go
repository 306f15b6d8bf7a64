package stream

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

var scale = flag.Int("scale", 10, "the largest stream that BenchmarkScale makes, in 500,000 entries")

// BenchmarkScale shows that what an operation costs does not grow with the number of entries:
//
//	go test ./stream -run - -bench Scale -scale 100
func BenchmarkScale(b *testing.B) {
	for times := 1; times <= *scale; times *= 10 {
		n := times * 500_000
		s, fields := filled(b, loads[1], n), loads[1].make()
		r := rand.New(rand.NewPCG(1, 1))
		var dst []byte
		read := func(c Cursor) {
			dst = dst[:0]
			for left := 10; left > 0 && c.Next(); left-- {
				dst = c.AppendEntry(dst)
			}
		}
		at := n
		for _, bm := range []struct {
			name string
			f    func()
		}{
			{"append", func() {
				if err := s.Append(busyID(at), fields(at), stock); err != nil {
					b.Fatal(err)
				}
				at++
			}},
			{"append, trim one", func() {
				if err := s.Append(busyID(at), fields(at), stock); err != nil {
					b.Fatal(err)
				}
				at++
				s.Trim(Trim{MaxLen: int64(n)})
			}},
			{"first 10", func() { read(s.Scan(MinID, MaxID)) }},
			{"last 10", func() { read(s.ScanReverse(MinID, MaxID)) }},
			{"10 anywhere", func() { read(s.Scan(busyID(r.IntN(n)), MaxID)) }},
			{"has", func() { s.Has(busyID(r.IntN(n))) }},
			{"freeze, append", func() {
				s.Freeze()
				if err := s.Append(busyID(at), fields(at), stock); err != nil {
					b.Fatal(err)
				}
				at++
			}},
		} {
			b.Run(fmt.Sprintf("%s/%dk", bm.name, n/1000), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					bm.f()
				}
			})
		}
	}
}
