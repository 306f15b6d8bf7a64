package machine

import (
	"fmt"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// fill returns what w holds with its gaps filled, limit bytes at a time.
func fill(w *resp.Writer, limit int) string {
	var out resp.Writer
	at := 0
	for _, gap := range w.Gaps {
		out.Raw(w.Buf[at:gap.At])
		out.RESP3 = gap.RESP3
		for more := true; more; {
			more = gap.Rest.Append(&out, limit)
		}
		at = gap.At
	}
	out.Raw(w.Buf[at:])
	return string(out.Buf)
}

// busyWorld has streams a and b with a group g, whose consumers have most of a pending, and a large string.
func busyWorld(t *testing.T) *world {
	x := newWorld(t)
	for _, key := range []string{"a", "b"} {
		create := on(XGroupCreate, key).inGroup("g", "").with(FlagMkStream, -1)
		create.IDs = []stream.ID{{}}
		x.want(create, "+OK")
	}
	for i := range uint64(300) {
		x.addEntry("a", i+1)
		x.addEntry("b", 2*i+1)
		if i%5 == 0 {
			x.do(Op{Kind: XDel, Key: []byte("a"), IDs: []stream.ID{{MS: i, Seq: 1}}})
		}
	}
	for _, name := range []string{"c", "d"} {
		x.do(Op{Kind: XReadGroup, Args: list("a"), IDs: []stream.ID{stream.MaxID}, Group: []byte("g"), Consumer: []byte(name), N: [4]int64{100, 0, 0, -1}})
	}
	x.do(Op{Kind: XDel, Key: []byte("a"), IDs: []stream.ID{{MS: 2, Seq: 1}, {MS: 50, Seq: 1}, {MS: 51, Seq: 1}, {MS: 120, Seq: 1}}})
	x.fill("s", string(make([]byte, 20_000)))
	return x
}

func (op Op) inGroup(group, consumer string) Op {
	op.Group, op.Consumer = []byte(group), []byte(consumer)
	return op
}

// disturb changes everything that replies put off may look at.
func (x *world) disturb() {
	for _, op := range []Op{
		{Kind: XDel, Key: []byte("a"), IDs: []stream.ID{{MS: 200, Seq: 1}, {MS: 298, Seq: 1}}},
		{Kind: XAck, Key: []byte("a"), Group: []byte("g"), IDs: []stream.ID{{MS: 7, Seq: 1}, {MS: 150, Seq: 1}, {MS: 199, Seq: 1}}},
		{Kind: XAdd, Key: []byte("a"), IDs: []stream.ID{{MS: 1000}}, Args: list("f", "v")},
		{Kind: XReadGroup, Args: list("a"), IDs: []stream.ID{{}}, Group: []byte("g"), Consumer: []byte("d"), N: [4]int64{0, 0, 0, -1}},
		on(XTrim, "a").with(FlagMaxLen, 30),
		on(SetRange, "s", "changed"),
		{Kind: Del, Args: list("b")},
	} {
		if got := x.do(op); got[0] == '-' {
			x.t.Fatalf("%+v: %s", op, got)
		}
	}
}

// TestRest asks everything that may be put off, whole and in pieces, and changes what was asked about in between.
func TestRest(t *testing.T) {
	all := []stream.ID{stream.MinID, stream.MaxID}
	some := []stream.ID{{MS: 20}, {MS: 250, Seq: 5}}
	group := func(kind Kind, consumer string) Op { return on(kind, "a").inGroup("g", consumer) }
	ids := func(op Op, ids ...stream.ID) Op { op.IDs = ids; return op }
	read := Op{Kind: XRead, Args: list("b", "none", "a", "b"), IDs: make([]stream.ID, 4)}
	deliver := Op{Kind: XReadGroup, Args: list("a", "b"), IDs: []stream.ID{stream.MaxID, stream.MaxID}, Group: []byte("g"), Consumer: []byte("e")}
	history := ids(deliver, stream.ID{}, stream.ID{})
	history.Consumer = []byte("c")
	later := ids(history, stream.ID{MS: 30}, stream.MaxID)
	ops := []Op{
		history.with(0, 0, 0, 0, -1), history.with(0, 70, 0, 0, -1), history.with(0, 0, 80, 0, -1), history.with(0, 0, 0, 5000, -1), later.with(0, 0, 0, 0, -1),
		{Kind: XReadGroup, Args: list("a", "a"), IDs: make([]stream.ID, 2), Group: []byte("g"), Consumer: []byte("d"), N: [4]int64{0, 0, 0, -1}},
		ids(on(XRange, "a").with(0, -1), all...), ids(on(XRange, "a").with(FlagReverse, -1), all...),
		ids(on(XRange, "a").with(0, -1), some...), ids(on(XRange, "b").with(FlagReverse, -1), some...),
		ids(on(XRange, "a").with(0, 100), some...), ids(on(XRange, "a").with(FlagReverse, 77), all...), ids(on(XRange, "b").with(0, 1), all...),
		read, read.with(0, 50), read.with(0, 200, 300), read.with(0, 0, 299), read.with(0, 0, 0, 9000),
		on(XInfoStream, "a").with(FlagFull, 0), on(XInfoStream, "a").with(FlagFull, 60), on(XInfoStream, "a").with(FlagFull, 5000),
		ids(group(XPendingRange, "").with(0, 5000), all...), ids(group(XPendingRange, "d").with(FlagConsumer, 50), all...),
		ids(group(XPendingRange, "d").with(FlagConsumer, 5000), all...), ids(group(XPendingRange, "").with(0, 5000), some...),
		deliver.with(0, 0, 0, 0, -1), deliver.with(FlagNoAck, 0, 0, 0, -1), deliver.with(0, 90, 0, 0, -1), deliver.with(0, 0, 120, 0, -1),
		deliver.with(0, 0, 0, 9000, -1), deliver.with(0, 0, 0, 0, 0), deliver.with(0, 150, 0, 0, 1_000_000),
		{Kind: Get, Key: []byte("s")}, {Kind: MGet, Args: list("s", "s", "none", "s")}, on(GetRange, "s").with(0, 5, -7),
	}
	for _, op := range ops {
		for _, resp3 := range []bool{false, true} {
			x := busyWorld(t)
			x.w.RESP3 = resp3
			x.do(op)
			want, digest := string(x.w.Buf), x.m.Digest()
			put := 0
			for _, piece := range []int{1, 500, 6000, 1 << 20} {
				x := busyWorld(t)
				x.w = resp.Writer{RESP3: resp3, Piece: piece}
				x.do(op)
				if x.m.Digest() != digest {
					t.Errorf("%+v, pieces of %d: another state", op, piece)
				}
				w := x.w
				x.w = resp.Writer{}
				x.disturb()
				put += len(w.Gaps)
				if got := fill(&w, piece); got != want {
					t.Errorf("%+v, pieces of %d: got %d bytes, want %d:\n%.300q\n%.300q", op, piece, len(got), len(want), got, want)
				}
			}
			if exempt := op.Kind == XPendingRange && (op.IDs[0] == some[0] || op.N[0] < manyPending) || op.Kind == XRead && op.N[2] > 0 || op.N[0] == 1; put == 0 && !exempt {
				t.Errorf("%+v was never put off", op)
			}
		}
	}
}

// TestRestIsShort: what is written at once is bounded, however long the whole is.
func TestRestIsShort(t *testing.T) {
	x := newWorld(t)
	for i := range uint64(5000) {
		x.addEntry("a", i+1)
	}
	for _, op := range []Op{
		{Kind: XRange, Key: []byte("a"), IDs: []stream.ID{stream.MinID, stream.MaxID}, N: [4]int64{-1}},
		{Kind: XRead, Args: list("a", "a", "a"), IDs: make([]stream.ID, 3)},
		on(XInfoStream, "a").with(FlagFull, 0),
	} {
		x.w = resp.Writer{Piece: 1000}
		if x.do(op); len(x.w.Buf) > 2000 || len(x.w.Gaps) == 0 {
			t.Errorf("%s: %d bytes at once, %d gaps", fmt.Sprint(op.Kind), len(x.w.Buf), len(x.w.Gaps))
		}
	}
}
