package machine

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// BenchmarkSnapshot tells what a key costs an image: the walk under the lock, and encoding.
func BenchmarkSnapshot(b *testing.B) {
	m := New(1)
	const keys = 200_000
	for i := range keys {
		m.Apply(&Op{Kind: Set, Key: fmt.Appendf(nil, "key:%d", i), Args: list("some value of usual length"), AtMS: 1}, nil)
	}
	perKey := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
	}
	b.Run("walk", func(b *testing.B) {
		for b.Loop() {
			img := m.Freeze()
			for !img.Step(300) {
				img.Take()
			}
		}
		perKey(b)
	})
	b.Run("encode", func(b *testing.B) {
		img := m.Freeze()
		for !img.Step(keys) {
		}
		batch := img.Take()
		for b.Loop() {
			enc := NewEncoder(io.Discard, img)
			if enc.Objects(batch) != nil || enc.Close() != nil {
				b.Fatal("encoding failed")
			}
		}
		perKey(b)
	})
}

func BenchmarkRestore(b *testing.B) {
	m := New(1)
	const keys = 200_000
	for i := range keys {
		m.Apply(&Op{Kind: Set, Key: fmt.Appendf(nil, "key:%d", i), Args: list("some value of usual length"), AtMS: 1}, nil)
	}
	data := snapshot(b, m)
	for b.Loop() {
		if err := New(1).Restore(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}

func BenchmarkInsert(b *testing.B) {
	m := New(1)
	op := Op{Kind: Set, Args: list("some value of usual length"), AtMS: 1}
	var key []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key = fmt.Appendf(key[:0], "key:%d", i)
		op.Key = key
		m.Apply(&op, nil)
	}
}
