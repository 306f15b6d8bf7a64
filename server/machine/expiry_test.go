package machine

import (
	"fmt"
	"slices"
	"testing"
)

func TestExpireAt(t *testing.T) {
	x := newWorld(t)
	now := x.nowMS
	at := func(ms int64, f Flags) Op { return on(ExpireAt, "a").with(f, now+ms) }
	x.want(at(100, 0), ":0")
	x.fill("a", "1")
	x.want(at(100, FlagXX), ":0")
	x.want(at(100, FlagGT), ":0")
	x.want(at(100, FlagLT), ":1")
	x.wantHeard("0:a g expire", "0:a changed dirty")
	x.want(at(200, FlagNX), ":0")
	x.want(at(200, FlagLT), ":0")
	x.want(at(100, FlagGT), ":0")
	x.want(at(200, FlagXX|FlagGT), ":1")
	x.want(at(150, FlagLT), ":1")
	x.want(on(TTL, "a").with(FlagMS), ":150")
	x.want(on(Persist, "a"), ":1")
	x.wantHeard("0:a g persist", "0:a changed dirty")
	x.want(on(Persist, "a"), ":0")
	x.want(on(Persist, "none"), ":0")
	x.want(at(100, FlagNX), ":1")
	x.want(at(0, FlagGT), ":0")
	x.want(at(0, 0), ":1")
	x.wantHeard("0:a g del", "0:a changed dirty")
	x.want(on(Get, "a"), "$-1")
	x.addEntry("s", 1)
	x.want(on(ExpireAt, "s").with(0, -5), ":1")
	x.wantHeard("0:s g del", "0:s changed dirty gone")
	if x.m.Volatile(0) != 0 {
		t.Errorf("%d keys expire", x.m.Volatile(0))
	}
}

func TestTTL(t *testing.T) {
	x := newWorld(t)
	x.fill("a", "1")
	x.want(on(TTL, "none"), ":-2")
	x.wantHeard("0:none m keymiss")
	x.want(on(TTL, "a"), ":-1")
	x.do(on(ExpireAt, "a").with(0, x.nowMS+1499))
	x.want(on(TTL, "a"), ":1")
	x.want(on(TTL, "a").with(FlagMS), ":1499")
	x.want(on(TTL, "a").with(FlagMS|FlagAbsolute), fmt.Sprint(":", x.nowMS+1499))
	x.want(on(TTL, "a").with(FlagAbsolute), fmt.Sprint(":", (x.nowMS+1499+500)/1000))
	x.do(on(ExpireAt, "a").with(0, x.nowMS+1500))
	x.want(on(TTL, "a"), ":2")
}

// A key whose deadline passed is not there for queries, but goes only by a decision in the log.
func TestExpire(t *testing.T) {
	x := newWorld(t)
	x.want(on(Set, "a", "1").with(0, x.nowMS+10), "+OK")
	x.addEntry("s", 1)
	x.do(on(ExpireAt, "s").with(0, x.nowMS+5))
	x.want(on(Expire, "a"), "")
	x.want(on(Expire, "none"), "")
	x.nowMS += 10
	for _, q := range []struct {
		op   Op
		want string
	}{
		{on(Get, "a"), "$-1"}, {on(XLen, "s"), ":0"}, {on(Type, "a"), "+none"}, {on(TTL, "a"), ":-2"}, {Op{Kind: DBSize}, ":2"},
		{Op{Kind: Exists, Args: list("a", "s")}, ":0"}, {Op{Kind: Keys, Args: list("*")}, "*0"}, {Op{Kind: RandomKey}, "$-1"},
		{on(ObjectInfo, "a"), "$-1"}, {on(MemoryUsage, "a"), "$-1"}, {Op{Kind: Scan, N: [4]int64{0, 10}}, "*2 $1 0 *0"},
	} {
		x.want(q.op, q.want)
	}
	if !x.m.Has(0, []byte("a")) {
		t.Error("a query removed a key")
	}
	x.want(on(Expire, "a"), "")
	x.wantHeard("0:a x expired", "0:a changed dirty")
	x.want(on(Expire, "s"), "")
	x.wantHeard("0:s x expired", "0:s changed dirty gone")
	x.want(Op{Kind: DBSize}, ":0")
}

func TestDueKeys(t *testing.T) {
	x := newWorld(t)
	for i := range 20 {
		x.do(on(Set, fmt.Sprint("k", i), "v").in(i%4).with(0, x.nowMS+int64(100-i)))
	}
	x.do(on(Set, "never", "v"))
	if n := x.m.Volatile(1); n != 5 {
		t.Errorf("%d keys expire", n)
	}
	if ms, ok := x.m.NextDue(); !ok || ms != x.nowMS+81 {
		t.Errorf("next deadline %d %v", ms-x.nowMS, ok)
	}
	due := func(nowMS int64, limit int) (keys []string) {
		x.m.DueKeys(nowMS, limit, func(db int, key []byte) { keys = append(keys, fmt.Sprint(db, " ", string(key))) })
		return keys
	}
	if got := due(x.nowMS+80, 10); got != nil {
		t.Errorf("due too early: %q", got)
	}
	if got, want := due(x.nowMS+84, 10), []string{"3 k19", "2 k18", "1 k17", "0 k16"}; !slices.Equal(got, want) {
		t.Errorf("due: %q, want %q", got, want)
	}
	if got, want := due(x.nowMS+1000, 3), []string{"3 k19", "2 k18", "1 k17"}; !slices.Equal(got, want) {
		t.Errorf("due: %q, want %q", got, want)
	}
	// Removing them as they come is allowed.
	x.nowMS += 1000
	x.m.DueKeys(x.nowMS, 100, func(db int, key []byte) { x.m.Apply(&Op{Kind: Expire, DB: db, Key: key, AtMS: x.nowMS}, nil) })
	if n := x.m.Len(0) + x.m.Len(1) + x.m.Len(2) + x.m.Len(3); n != 1 {
		t.Errorf("%d keys are left", n)
	}
}
