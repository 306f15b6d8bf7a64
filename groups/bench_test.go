package groups

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/streamd/streamd/stream"
)

const million = 1_000_000

// delivered returns a group with n pending entries, four to a millisecond, a thousand to a delivery time.
func delivered(n int) (*Group, []stream.ID) {
	g := New().Create([]byte("g"), stream.MinID, 0)
	c := g.AddConsumer([]byte("a"), 0)
	ids := make([]stream.ID, n)
	for i := range ids {
		ids[i] = stream.ID{MS: uint64(1_700_000_000_000 + i/4), Seq: uint64(i % 4)}
		g.Put(ids[i], c, int64(i/1000), 1)
	}
	return g, ids
}

func TestDeliverAndAckAllocateNothing(t *testing.T) {
	g, ids := delivered(10_000)
	c := g.Consumer([]byte("a"))
	last := ids[len(ids)-1]
	first := 0
	if got := testing.AllocsPerRun(20_000, func() {
		last.Seq++
		g.Put(last, c, 11, 1)
		g.Ack(ids[first%10_000])
		ids[first%10_000] = last
		first++
	}); got > 0 {
		t.Errorf("deliver and ack: %v allocations", got)
	}
}

func TestWalksAllocateNothing(t *testing.T) {
	g, ids := delivered(10_000)
	g.Nack(ids[77], 3)
	c := g.Consumer([]byte("a"))
	long := g.AddConsumer([]byte("a consumer with a name of more than thirty-two bytes"), 1).Name()
	if got := testing.AllocsPerRun(100, func() {
		n := 0
		for cursor := g.PendingsOf(c, stream.MinID); cursor.Next(); {
			n++
		}
		g.ByIdle(math.MaxInt64, func(Pending) bool { n++; return n < 20_000 })
		g.OldestSince()
		g.home.Referenced(ids[5])
		g.home.Drop(stream.MinID)
		g.Consumer(long)
		g.home.Get(long)
	}); got > 1 { // the variable that the visitor counts in
		t.Errorf("walks: %v allocations", got)
	}
}

func TestBytesPerPendingEntry(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g := New().Create([]byte("g"), stream.MinID, 0)
	c := g.AddConsumer([]byte("a"), 0)
	for i := range uint64(million) {
		g.Put(stream.ID{MS: 1_700_000_000_000 + i}, c, 0, 1)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	real := float64(after.HeapAlloc-before.HeapAlloc) / million
	said := float64(g.home.SizeBytes()) / million
	if real > 18 || said < 0.9*real || said > 1.1*real {
		t.Errorf("%.1f bytes per entry, SizeBytes says %.1f", real, said)
	}
	runtime.KeepAlive(g)
}

func BenchmarkDeliver(b *testing.B) {
	b.ReportAllocs()
	g := New().Create([]byte("g"), stream.MinID, 0)
	c := g.AddConsumer([]byte("a"), 0)
	n := uint64(0)
	for b.Loop() {
		g.Put(stream.ID{MS: 1_700_000_000_000 + n}, c, int64(n>>10), 1)
		n++
	}
}

func BenchmarkDeliverAndAck(b *testing.B) {
	b.ReportAllocs()
	g := New().Create([]byte("g"), stream.MinID, 0)
	c := g.AddConsumer([]byte("a"), 0)
	n := uint64(0)
	for b.Loop() {
		g.Put(stream.ID{MS: n}, c, int64(n), 1)
		if n >= 1000 {
			g.Ack(stream.ID{MS: n - 1000})
		}
		n++
	}
}

func BenchmarkAckInOrder(b *testing.B) {
	b.ReportAllocs()
	g, ids := delivered(million)
	n := 0
	for b.Loop() {
		if n == million {
			b.StopTimer()
			g, ids = delivered(million)
			n = 0
			b.StartTimer()
		}
		g.Ack(ids[n])
		n++
	}
}

func BenchmarkAckRandom(b *testing.B) {
	b.ReportAllocs()
	shuffled := func() (*Group, []stream.ID) {
		g, ids := delivered(million)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		return g, ids
	}
	g, ids := shuffled()
	n := 0
	for b.Loop() {
		if n == million {
			b.StopTimer()
			g, ids = shuffled()
			n = 0
			b.StartTimer()
		}
		g.Ack(ids[n])
		n++
	}
}

// BenchmarkClaimByIdle claims a hundred entries a call, as XREADGROUP CLAIM does; ns/entry is what counts.
func BenchmarkClaimByIdle(b *testing.B) {
	b.ReportAllocs()
	g, _ := delivered(million)
	c := g.AddConsumer([]byte("b"), 0)
	now, total := int64(million), 0
	for b.Loop() {
		n := 0
		now++
		g.ByIdle(now-1, func(p Pending) bool {
			g.Put(p.ID, c, now, p.Count+1)
			n++
			return n < 100
		})
		total += n
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(total), "ns/entry")
}

// BenchmarkClaimInOrder claims along the ids, as XAUTOCLAIM does.
func BenchmarkClaimInOrder(b *testing.B) {
	b.ReportAllocs()
	g, _ := delivered(million)
	c := g.AddConsumer([]byte("b"), 0)
	now := int64(million)
	cursor := g.Pendings(stream.MinID)
	for b.Loop() {
		if !cursor.Next() {
			now++
			cursor = g.Pendings(stream.MinID)
			continue
		}
		p := cursor.Pending()
		g.Put(p.ID, c, now, p.Count+1)
	}
}

// BenchmarkSkipIdle looks for idle entries where the only one comes last.
func BenchmarkSkipIdle(b *testing.B) {
	b.ReportAllocs()
	g, ids := delivered(million)
	g.Put(ids[million-1], g.Consumer([]byte("a")), -1, 1)
	for b.Loop() {
		c := g.Pendings(stream.MinID)
		c.SkipIdle(-1)
		if !c.Next() || c.Pending().ID != ids[million-1] {
			b.Fatal("not found")
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	b.ReportAllocs()
	g, _ := delivered(million)
	c := g.Pendings(stream.MinID)
	for b.Loop() {
		if !c.Next() {
			c = g.Pendings(stream.MinID)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	g, _ := delivered(million)
	var buf []byte
	for b.Loop() {
		buf = g.home.Encode(buf[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
	b.ReportMetric(float64(len(buf))/million, "bytes/entry")
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	g, _ := delivered(million)
	encoded := g.home.Encode(nil)
	for b.Loop() {
		if _, _, err := Decode(encoded); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/entry")
}
