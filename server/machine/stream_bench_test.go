package machine

import (
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

const batch = 100

// load is a stream with a group, and the ops of its busiest days, made once and used again.
type load struct {
	m     *Machine
	w     resp.Writer
	nowMS int64

	add, read, deliver, history, ack, length Op
}

func newLoad(tb testing.TB) *load {
	key, group, consumer := []byte("orders"), []byte("billing"), []byte("worker-1")
	l := &load{m: New(1), nowMS: 1_700_000_000_000}
	l.add = Op{Kind: XAdd, Key: key, Flags: FlagAutoID, IDs: make([]stream.ID, 1),
		Args: list("customer", "0123456789", "amount", "42", "note", "delivered to the neighbour next door")}
	l.read = Op{Kind: XRead, Args: [][]byte{key}, IDs: make([]stream.ID, 1), N: [4]int64{batch}}
	l.deliver = Op{Kind: XReadGroup, Args: [][]byte{key}, IDs: []stream.ID{stream.MaxID}, Group: group, Consumer: consumer, N: [4]int64{batch, 0, 0, -1}}
	l.history = l.deliver
	l.history.IDs = make([]stream.ID, 1)
	l.ack = Op{Kind: XAck, Key: key, Group: group}
	l.length = Op{Kind: XLen, Key: key}
	create := Op{Kind: XGroupCreate, Key: key, Group: group, Flags: FlagMkStream | FlagDollar, N: [4]int64{-1}}
	if res := l.m.Apply(&create, nil); res != Changed {
		tb.Fatalf("group not made: %b", res)
	}
	return l
}

func (l *load) apply(op *Op) Result {
	l.w.Buf = l.w.Buf[:0]
	l.nowMS++
	op.AtMS = l.nowMS
	return l.m.Apply(op, &l.w)
}

func (l *load) fill(n int) {
	for range n {
		l.apply(&l.add)
	}
}

// ackAll acknowledges what the last delivery gave out.
func (l *load) ackAll() {
	o, _ := l.m.lookupStream(0, l.ack.Key)
	l.ack.IDs = l.ack.IDs[:0]
	for at := o.groups.Get(l.ack.Group).Pendings(stream.MinID); at.Next(); {
		l.ack.IDs = append(l.ack.IDs, at.Pending().ID)
	}
	l.apply(&l.ack)
}

// TestStreamAllocations states the budget: nothing per command but the growth of what is stored.
func TestStreamAllocations(t *testing.T) {
	l := newLoad(t)
	l.fill(50 * batch)
	l.apply(&l.deliver)
	l.ackAll()
	for _, c := range []struct {
		name   string
		budget float64
		run    func()
	}{
		{"XADD", 0.2, func() { l.apply(&l.add) }},
		{"XREAD of 100", 0, func() { l.w.Buf = l.w.Buf[:0]; l.m.Query(&l.read, &l.w, l.nowMS) }},
		{"XLEN", 0, func() { l.w.Buf = l.w.Buf[:0]; l.m.Query(&l.length, &l.w, l.nowMS) }},
		{"XREADGROUP of 100, XACK of 100", 0, func() { l.apply(&l.deliver); l.ackAll() }},
		{"XREADGROUP of nothing", 0, func() { l.apply(&l.deliver) }},
	} {
		if c.name == "XREADGROUP of nothing" {
			for l.apply(&l.deliver)&Empty == 0 {
				l.ackAll()
			}
		}
		if got := testing.AllocsPerRun(40, c.run); got > c.budget {
			t.Errorf("%s allocates %v times, budget %v", c.name, got, c.budget)
		}
	}
}

func BenchmarkStreamOps(b *testing.B) {
	b.Run("xadd", func(b *testing.B) {
		l := newLoad(b)
		b.ReportAllocs()
		for b.Loop() {
			l.apply(&l.add)
		}
	})
	b.Run("xadd-trimmed", func(b *testing.B) {
		l := newLoad(b)
		l.add.Flags |= FlagMaxLen | FlagApprox
		l.add.N[0] = 100_000
		b.ReportAllocs()
		for b.Loop() {
			l.apply(&l.add)
		}
	})
	b.Run("xread-100", func(b *testing.B) {
		l := newLoad(b)
		l.fill(batch)
		b.ReportAllocs()
		for b.Loop() {
			l.w.Buf = l.w.Buf[:0]
			l.m.Query(&l.read, &l.w, l.nowMS)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/entry")
	})
	b.Run("deliver-ack-100", func(b *testing.B) {
		l := newLoad(b)
		l.fill(batch)
		rewind := Op{Kind: XGroupSetID, Key: l.ack.Key, Group: l.ack.Group, IDs: make([]stream.ID, 1), N: [4]int64{-1}}
		b.ReportAllocs()
		for b.Loop() {
			l.apply(&l.deliver)
			l.ackAll()
			l.apply(&rewind)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/entry")
	})
	b.Run("history-100", func(b *testing.B) {
		l := newLoad(b)
		l.fill(batch)
		l.apply(&l.deliver)
		b.ReportAllocs()
		for b.Loop() {
			l.apply(&l.history)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/entry")
	})
}
