package session

import (
	"fmt"
	"math/bits"
	"testing"
	"time"
)

func TestStatsPerCommand(t *testing.T) {
	n := newTestNode()
	st := n.Stats
	st.Calls(3, 1, 5*time.Microsecond, false)
	st.Calls(3, 1, 7*time.Microsecond, true)
	st.Rejected(3)
	st.Slow(3, 12*time.Millisecond)
	st.Slow(3, 2*time.Millisecond)
	c := st.Command(3)
	if c.Calls != 2 || c.Nanos != 12000 || c.Failed != 1 || c.Rejected != 1 || c.SlowCount != 2 || c.SlowMS != 14 || c.SlowMaxMS != 12 || c.Latency.Total() != 2 {
		t.Errorf("%+v", c)
	}
	if st.Commands != 2 || st.CommandMicros != 12 || st.SlowMaxMS != 12 || st.Command(2).Calls != 0 || st.Command(99).Calls != 0 {
		t.Errorf("%+v", st)
	}
	set(t, n, "latency-tracking", "no")
	st.Calls(4, 1, time.Microsecond, false)
	if st.Command(4).Latency != nil {
		t.Error("a histogram although latency-tracking is off")
	}
	st.Memory(10)
	st.Memory(5)
	st.Reset()
	if st.Commands != 0 || st.Command(3).Calls != 0 || st.PeakMemory != 10 {
		t.Errorf("after Reset: %+v", st)
	}
}

func TestErrorCodesAreBounded(t *testing.T) {
	st := newTestNode().Stats
	for i := range maxErrorCodes {
		st.Error(fmt.Sprintf("CODE%03d", i))
	}
	st.Error("CODE000")
	if list := st.Errors(); len(list) != maxErrorCodes || list[0] != (ErrorCount{"CODE000", 2}) {
		t.Errorf("%d codes, first %v", len(list), list[0])
	}
	st.Error("ONEMORE")
	st.Error("CODE000")
	if list := st.Errors(); len(list) != 1 || list[0] != (ErrorCount{"ERRORSTATS_DISABLED", 1}) {
		t.Errorf("%v", list)
	}
	if st.ErrorReplies != maxErrorCodes+3 {
		t.Errorf("%d error replies", st.ErrorReplies)
	}
}

func TestInstantaneousRates(t *testing.T) {
	st := newTestNode().Stats
	now := int64(1000)
	st.Tick(now)
	for range 20 {
		now += 100
		st.Commands += 50
		st.NetIn += 1024
		st.NetOut += 2048
		st.Tick(now)
	}
	if st.OpsPerSec() != 500 || st.InputKbps() != 10 || st.OutputKbps() != 20 {
		t.Errorf("%d ops/s, %v in, %v out", st.OpsPerSec(), st.InputKbps(), st.OutputKbps())
	}
}

func TestHistogramBuckets(t *testing.T) {
	for _, ns := range []int64{0, 1, 255, 256, 257, 511, 512, 1000, 1023, 1024, 65536, 131071, 999_999_999, maxHistogramNS} {
		i := bucketOf(ns)
		if i >= histogramBuckets || highestIn(i) < ns || i > 0 && highestIn(i-1) >= ns {
			t.Errorf("%d ns is in bucket %d, which ends at %d", ns, i, highestIn(i))
		}
		if width := highestIn(i) - ns + 1; ns > 0 && width > int64(1)<<max(bits.Len64(uint64(ns))-8, 0) {
			t.Errorf("the bucket of %d ns is %d wide", ns, width)
		}
	}
}

// The bounds are those that Redis shows: 1.003 for a microsecond, and 1, 2, 4, 8, 16, 33, 66, 132 in LATENCY HISTOGRAM.
func TestHistogramShowsRedisBounds(t *testing.T) {
	var h Histogram
	h.Record(time.Microsecond, 1)
	if got := h.Percentile(50); got != 1003 {
		t.Errorf("p50 %d, want 1003", got)
	}
	h.Record(2*time.Microsecond, 1)
	if got := h.Percentile(99.9); got != 2007 {
		t.Errorf("p99.9 %d, want 2007", got)
	}
	for _, us := range []int{3, 6, 12, 25, 50, 100, 100} {
		h.Record(time.Duration(us)*time.Microsecond, 1)
	}
	want(t, "steps", fmt.Sprint(h.Steps()), "[{1 1} {2 2} {4 3} {8 4} {16 5} {33 6} {66 7} {132 9}]")
	h.Record(time.Hour, 1)
	if got := h.Percentile(100); got < maxHistogramNS || h.Steps()[8].Count != 10 {
		t.Errorf("an hour: p100 %d, steps %v", got, h.Steps())
	}
	var empty Histogram
	if empty.Percentile(50) != 0 || empty.Steps() != nil {
		t.Error("an empty histogram shows something")
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	st := newTestNode().Stats
	st.Calls(1, 1, time.Microsecond, false)
	st.Error("ERR")
	if allocs := testing.AllocsPerRun(100, func() {
		st.Calls(1, 1, 3*time.Microsecond, true)
		st.Error("ERR")
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkCall(b *testing.B) {
	st := newTestNode().Stats
	b.ReportAllocs()
	for b.Loop() {
		st.Calls(1, 1, 1234*time.Nanosecond, false)
	}
}

func BenchmarkPublish(b *testing.B) {
	n := newTestNode()
	list := make([]*Session, 100)
	for i := range list {
		list[i] = n.testJoin()
		n.PubSub.Subscribe(list[i], Channel, []byte("c"))
	}
	channel, payload := []byte("c"), make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		n.PubSub.Publish(channel, payload)
		n.Tracking.Flush()
		for _, s := range list {
			s.W.Buf = s.W.Buf[:0]
		}
	}
}
