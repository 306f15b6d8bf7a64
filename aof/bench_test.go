package aof_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/streamd/streamd/aof"
)

func openBench(b *testing.B, policy aof.Policy) *aof.Log {
	b.Helper()
	o := aof.Options{Dir: b.TempDir(), Policy: policy}
	l, _, err := aof.Open(o, func(io.Reader, uint64) error { return nil }, func([]byte, uint64) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	return l
}

func BenchmarkAppend(b *testing.B) {
	for _, policy := range []aof.Policy{aof.No, aof.Always} {
		for _, size := range []int{200, 16 << 10} {
			b.Run(fmt.Sprintf("%v/%dB", policy, size), func(b *testing.B) {
				l := openBench(b, policy)
				frame := make([]byte, aof.HeaderSize+size)
				b.SetBytes(int64(len(frame)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := l.AppendFrame(frame); err != nil {
						b.Fatal(err)
					}
					if policy == aof.Always {
						if err := l.Sync(); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	o := aof.Options{Dir: t.TempDir(), Policy: aof.Always}
	l, _, err := aof.Open(o, func(io.Reader, uint64) error { return nil }, func([]byte, uint64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	j := aof.NewLocal(l, nil, nil)
	defer j.Close()
	frame := make([]byte, aof.HeaderSize+200)
	if n := testing.AllocsPerRun(200, func() {
		if _, err := j.Append(frame); err != nil {
			t.Fatal(err)
		}
		j.Durable()
	}); n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}
