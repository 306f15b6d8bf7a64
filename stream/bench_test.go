package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

var stock = Limits{NodeMaxBytes: 4096, NodeMaxEntries: 100}

// load makes the fields of the n-th entry; the slices are reused.
type load struct {
	name string
	make func() func(n int) [][]byte
}

var loads = []load{
	{"value100", func() func(int) [][]byte {
		fields := pair("field", string(bytes.Repeat([]byte("v"), 100)))
		return func(int) [][]byte { return fields }
	}},
	{"numbers5x6", func() func(int) [][]byte {
		var fields [][]byte
		for i := range 5 {
			fields = append(fields, fmt.Append(nil, "field", i), []byte("123456"))
		}
		// Made beforehand: making them would take half the time of appending them.
		entries := make([][][]byte, 1024)
		for n := range entries {
			entries[n] = slices.Clone(fields)
			for i := 1; i < len(fields); i += 2 {
				entries[n][i] = fmt.Append(nil, 100000+(n*7919+i*104729)%900000)
			}
		}
		return func(n int) [][]byte { return entries[n%len(entries)] }
	}},
	{"value1024", func() func(int) [][]byte {
		fields := pair("field", string(bytes.Repeat([]byte("v"), 1024)))
		return func(int) [][]byte { return fields }
	}},
}

// busyID is the id of the n-th entry at five entries in a millisecond.
func busyID(n int) ID { return ID{1_700_000_000_000 + uint64(n/5), uint64(n % 5)} }

func filled(b testing.TB, l load, n int) *Stream {
	b.Helper()
	s := New()
	fields := l.make()
	for i := range n {
		if err := s.Append(busyID(i), fields(i), stock); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkAppend(b *testing.B) {
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			b.ReportAllocs()
			s, fields, n := New(), l.make(), 0
			for b.Loop() {
				if err := s.Append(busyID(n), fields(n), stock); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(s.SizeBytes())/float64(n), "B/entry")
		})
	}
}

// A stream held at 10000 entries by every append.
func BenchmarkAppendTrim(b *testing.B) {
	for _, approx := range []bool{false, true} {
		b.Run(fmt.Sprint("approx=", approx), func(b *testing.B) {
			b.ReportAllocs()
			l := loads[0]
			s, fields, n := filled(b, l, 10000), l.make(), 10000
			for b.Loop() {
				if err := s.Append(busyID(n), fields(n), stock); err != nil {
					b.Fatal(err)
				}
				s.Trim(Trim{MaxLen: 10000, Approx: approx, Limit: 10000})
				n++
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	for _, reverse := range []bool{false, true} {
		for _, l := range loads {
			b.Run(fmt.Sprint(l.name, "/reverse=", reverse), func(b *testing.B) {
				s := filled(b, l, 100_000)
				scan := s.Scan
				if reverse {
					scan = s.ScanReverse
				}
				var dst []byte
				c := scan(MinID, MaxID)
				b.ReportAllocs()
				for b.Loop() {
					if !c.Next() {
						c = scan(MinID, MaxID)
						c.Next()
					}
					if dst = c.AppendEntry(dst); len(dst) > 16<<10 {
						dst = dst[:0]
					}
				}
			})
		}
	}
}

// A range read of ten entries from the middle of a million.
func BenchmarkSeek(b *testing.B) {
	s := filled(b, loads[1], 1_000_000)
	r := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		c := s.Scan(busyID(r.IntN(1_000_000)), MaxID)
		for i := 0; i < 10 && c.Next(); i++ {
		}
	}
}

func BenchmarkDelete(b *testing.B) {
	const n = 1_000_000
	s := filled(b, loads[0], n)
	order := rand.New(rand.NewPCG(1, 1)).Perm(n)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i == n {
			b.StopTimer()
			s, i = filled(b, loads[0], n), 0
			b.StartTimer()
		}
		s.Delete(busyID(order[i]))
		i++
	}
}

func BenchmarkFreeze(b *testing.B) {
	s := filled(b, loads[0], 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		s.Freeze()
	}
}

func BenchmarkEncode(b *testing.B) {
	s := filled(b, loads[0], 100_000)
	dst := s.Encode(nil)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		dst = s.Encode(dst[:0])
	}
}

func BenchmarkDecode(b *testing.B) {
	src := filled(b, loads[0], 100_000).Encode(nil)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, _, err := Decode(src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAutoIdentity(b *testing.B) {
	fields := loads[1].make()(0)
	var room [16]byte
	b.ReportAllocs()
	for b.Loop() {
		AutoIdentity(room[:0], fields)
	}
}

// A small stream per user: what 100k of them cost is what matters.
func BenchmarkNew(b *testing.B) {
	fields := loads[0].make()(0)
	b.ReportAllocs()
	var size int64
	for b.Loop() {
		s := New()
		if err := s.Append(ID{1, 1}, fields, stock); err != nil {
			b.Fatal(err)
		}
		size = s.SizeBytes()
	}
	b.ReportMetric(float64(size), "B/stream")
}

// Bytes per entry of a grown stream, against what Redis takes: 118.6, 42.9 and 1212.
func TestBytesPerEntry(t *testing.T) {
	for i, most := range []float64{107.5, 25, 1065} {
		const n = 100_000
		s := filled(t, loads[i], n)
		if got := float64(s.SizeBytes()) / n; got > most {
			t.Errorf("%s: %.1f bytes per entry, want at most %.1f", loads[i].name, got, most)
		}
	}
}

// What the hot paths may allocate: nothing per command, a block or a chunk of nodes now and then.
func TestAllocationBudget(t *testing.T) {
	for _, l := range loads[:2] {
		s, fields, n := filled(t, l, 50_000), l.make(), 50_000
		add := func() {
			if err := s.Append(busyID(n), fields(n), stock); err != nil {
				t.Fatal(err)
			}
			n++
		}
		budget := func(what string, most float64, f func()) {
			t.Helper()
			if got := testing.AllocsPerRun(20_000, f); got > most {
				t.Errorf("%s, %s: %v allocations, want %v", l.name, what, got, most)
			}
		}
		budget("append", 0, add)
		budget("append and trim", 0, func() { add(); s.Trim(Trim{MaxLen: 50_000}) })
		budget("append and trim roughly", 0, func() { add(); s.Trim(Trim{MaxLen: 50_000, Approx: true, Limit: 10_000}) })
		dst := make([]byte, 0, 4096)
		c := s.Scan(MinID, MaxID)
		budget("scan", 0, func() { c.Next(); dst = c.AppendEntry(dst[:0]) })
		budget("range of one", 0, func() {
			c := s.Scan(s.FirstID(), MaxID)
			c.Next()
			dst = c.AppendEntry(dst[:0])
		})
		budget("reverse range of one", 0, func() {
			c := s.ScanReverse(MinID, s.LastID())
			c.Next()
			dst = c.AppendFields(dst[:0])
		})
		var views [][]byte
		d := s.Scan(MinID, MaxID)
		budget("fields", 0, func() { d.Next(); views = d.Fields(views[:0]) })
		budget("has", 0, func() { s.Has(s.FirstID()) })
		budget("delete", 0, func() { s.Delete(s.FirstID()) })
		budget("identity", 0, func() { dst = AutoIdentity(dst[:0], fields(n)) })
	}
	x := New().Idmp()
	x.Record([]byte("p"), []byte("i"), ID{1, 1})
	pid, iid := []byte("p"), []byte("i")
	if got := testing.AllocsPerRun(100, func() { x.Lookup(pid, iid) }); got != 0 {
		t.Errorf("lookup of an iid: %v allocations, want 0", got)
	}
}
