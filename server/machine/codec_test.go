package machine

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/streamd/streamd/stream"
)

// goldenOps are ops and their bytes, frozen: they are in logs.
var goldenOps = []struct {
	op   Op
	want string
}{
	{
		Op{Kind: XAdd, AtMS: 1700000000000, Flags: FlagAutoID | FlagMaxLen | FlagApprox, Key: []byte("s"), Args: list("f", "v"),
			IDs: []stream.ID{{}}, N: [4]int64{1000}},
		"01 01 00 80a0abfef962 73 a201 0173 02 0166 0176 01 0000 d00f",
	},
	{
		Op{Kind: XReadGroup, DB: 3, AtMS: 1, Args: list("a", ""), IDs: []stream.ID{stream.MaxID, {MS: 5, Seq: 1}}, Group: []byte("g"),
			Consumer: []byte("c"), N: [4]int64{-1, 0, 0, -1}},
		"09 01 03 02 fc04 0167 0163 02 0161 00 02 ffffffffffffffffff01 ffffffffffffffffff01 0501 01 01",
	},
	{Op{Kind: Set, Key: []byte("k"), Args: list(""), N: [4]int64{math.MaxInt64}}, "14 01 00 00 52 016b 01 00 feffffffffffffffff01"},
	{Op{Kind: IncrBy, Key: []byte("k"), N: [4]int64{math.MinInt64}}, "19 01 00 00 42 016b ffffffffffffffffff01"},
	{Op{Kind: Rename, Key: []byte("a"), Group: []byte("b"), Flags: FlagNX}, "29 01 00 00 07 80808002 0161 0162"},
	{Op{Kind: SwapDB, AtMS: 1, N: [4]int64{0, 1}}, "30 01 00 02 8001 02"},
	{Op{Kind: FlushAll}, "2f 01 00 00 00"},
	{Op{Kind: Del, Args: list("a", "b")}, "28 01 00 00 10 02 0161 0162"},
}

func TestOpBytes(t *testing.T) {
	for _, g := range goldenOps {
		got := AppendOp(nil, &g.op)
		want, _ := hex.DecodeString(strings.ReplaceAll(g.want, " ", ""))
		if !bytes.Equal(got, want) {
			t.Errorf("%+v:\n got %x\nwant %x", g.op, got, want)
		}
		var back Op
		rest, err := DecodeOp(append(got, "rest"...), &back)
		if err != nil || string(rest) != "rest" || !reflect.DeepEqual(normal(back), normal(g.op)) {
			t.Errorf("%x: decoded %+v, %q, %v", got, back, rest, err)
		}
		for i := range got {
			if _, err := DecodeOp(got[:i], &back); !errors.Is(err, ErrBadOp) {
				t.Errorf("%x, cut to %d bytes: %v", got, i, err)
			}
		}
	}
}

// normal makes empty slices nil.
func normal(op Op) Op {
	for _, b := range []*[]byte{&op.Key, &op.Group, &op.Consumer, &op.Marks} {
		if len(*b) == 0 {
			*b = nil
		}
	}
	if len(op.Args) == 0 {
		op.Args = nil
	}
	if len(op.IDs) == 0 {
		op.IDs = nil
	}
	return op
}

func TestDecodeOpRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                   "",
		"kind 0":                  "00 01 00 00 00",
		"unknown kind":            "13 01 00 00 00",
		"a query":                 "88 01 00 00 02 0161",
		"version 0":               "2f 00 00 00 00",
		"a later version":         "2f 02 00 00 00",
		"unknown field":           "2f 01 00 00 8008",
		"huge database":           "2f 01 ffffff7f 00 00",
		"flags of 33 bits":        "2f 01 00 00 01 8080808010",
		"a number too long":       "2f 01 8000 00 00",
		"a number too large":      "2f 01 00 ffffffffffffffffff02 00",
		"key longer than the op":  "2d 01 00 00 02 05 61",
		"key of 2^63 bytes":       "2d 01 00 00 02 ffffffffffffffff7f",
		"list longer than the op": "28 01 00 00 10 ffff3f 0161",
		"an empty key":            "2d 01 00 00 02 00",
		"zero flags":              "2f 01 00 00 01 00",
		"empty list":              "28 01 00 00 10 00",
		"DEL of nothing":          "28 01 00 00 00",
		"SET without value":       "14 01 00 00 02 0161",
		"MSET without value":      "17 01 00 00 10 01 0161",
		"ids for other keys":      "09 01 00 00 30 02 0161 0162 01 0000",
	} {
		src, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var op Op
		if _, err := DecodeOp(src, &op); !errors.Is(err, ErrBadOp) {
			t.Errorf("%s: %v, %+v", name, err, op)
		}
	}
}

// What DecodeOp accepts is encoded as it was, and Apply survives it.
func FuzzDecodeOp(f *testing.F) {
	for _, g := range goldenOps {
		f.Add(AppendOp(nil, &g.op))
	}
	for k := Kind(0); k <= lastWrite; k++ {
		op := Op{Kind: k, Key: []byte("s"), Group: []byte("g"), Consumer: []byte("c"), Args: list("s", "1"), IDs: []stream.ID{{MS: 1}, {MS: 2}},
			N: [4]int64{1, 1}, AtMS: 5}
		f.Add(AppendOp(nil, &op))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		x := newWorld(t)
		x.fill("k", "1")
		x.addEntry("s", 1)
		x.do(Op{Kind: XGroupCreate, Key: []byte("s"), Group: []byte("g"), IDs: []stream.ID{{}}, N: [4]int64{-1}})
		var op Op
		for len(src) > 0 {
			rest, err := DecodeOp(src, &op)
			if err != nil {
				return
			}
			if used := src[:len(src)-len(rest)]; !bytes.Equal(AppendOp(nil, &op), used) {
				t.Fatalf("%x was encoded as %x", used, AppendOp(nil, &op))
			}
			if len(op.Args) > 0 && len(op.Args[0]) < 1<<20 && op.N[0] < 1<<20 { // not half a gigabyte by SETRANGE
				x.m.Apply(&op, &x.w)
			}
			src = rest
		}
	})
}

func TestAllocations(t *testing.T) {
	x := newWorld(t)
	x.m.Observer = nil
	x.fill("key", "value")
	get, incr := on(Get, "key"), on(IncrBy, "n").with(0, 1)
	set := on(Set, "key", "other")
	x.m.Apply(&incr, nil)
	add := goldenOps[0].op
	var buf []byte
	var op Op
	for name, run := range map[string]func(){
		"Get":      func() { x.w.Buf = x.w.Buf[:0]; x.m.Query(&get, &x.w, 1) },
		"Set":      func() { x.w.Buf = x.w.Buf[:0]; x.m.Apply(&set, &x.w) },
		"IncrBy":   func() { x.w.Buf = x.w.Buf[:0]; x.m.Apply(&incr, &x.w) },
		"AppendOp": func() { buf = AppendOp(buf[:0], &add) },
		"DecodeOp": func() { _, _ = DecodeOp(buf, &op) },
		"Deadline": func() { x.m.Deadline(0, add.Key) },
	} {
		run()
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkOps(b *testing.B) {
	m := New(1)
	set, get := on(Set, "key", "some value of usual length"), on(Get, "key")
	w := newWorld(b).w
	b.Run("set", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.Buf = w.Buf[:0]
			m.Apply(&set, &w)
		}
	})
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.Buf = w.Buf[:0]
			m.Query(&get, &w, 1)
		}
	})
	add := goldenOps[0].op
	var buf []byte
	var op Op
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendOp(buf[:0], &add)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = DecodeOp(buf, &op)
		}
	})
}
