package machine

import (
	"testing"

	"github.com/streamd/streamd/resp"
)

func TestDelExistsType(t *testing.T) {
	x := newWorld(t)
	x.fill("a", "1", "b", "2")
	x.addEntry("s", 1)
	x.want(Op{Kind: Exists, Args: list("a", "a", "none", "s")}, ":3")
	x.wantHeard("0:none m keymiss")
	x.want(Op{Kind: Touch, Args: list("a", "none")}, ":1")
	x.want(on(Type, "a"), "+string")
	x.want(on(Type, "s"), "+stream")
	x.want(on(Type, "none"), "+none")
	x.want(Op{Kind: Del, Args: list("a", "none", "s", "a")}, ":2")
	x.wantHeard("0:a g del", "0:a changed dirty", "0:s g del", "0:s changed dirty gone")
	x.want(Op{Kind: Del, Args: list("a")}, ":0")
	x.want(Op{Kind: DBSize}, ":1")
	x.want(Op{Kind: DBSize, DB: 9}, "-"+string(resp.ErrDBIndex))
	x.want(Op{Kind: Del, DB: 9, Args: list("a")}, "-"+string(resp.ErrDBIndex))
	x.want(on(Get, "s"), "$-1")
	x.addEntry("s", 1)
	x.want(on(Get, "s"), wrongType)
}

func TestRename(t *testing.T) {
	x := newWorld(t)
	x.want(on(Rename, "none", "").to("b"), "-"+string(resp.ErrNoSuchKey))
	x.want(on(Set, "a", "1").with(0, x.nowMS+9000), "+OK")
	x.want(on(Rename, "a").to("a"), "+OK")
	x.wantHeard()
	x.want(on(Rename, "a").to("a").with(FlagNX), ":0")
	x.want(on(Rename, "a").to("b"), "+OK")
	x.wantHeard("0:b n new", "0:a g rename_from", "0:b g rename_to", "0:a changed dirty", "0:b changed dirty")
	x.want(on(TTL, "b"), ":9")
	x.want(on(Get, "a"), "$-1")
	x.addEntry("s", 1)
	x.want(on(Rename, "s").to("b").with(FlagNX), ":0")
	x.want(on(Rename, "s").to("b"), "+OK")
	x.wantHeard("0:b n new", "0:s g rename_from", "0:b g rename_to", "0:b o overwritten", "0:b c type_changed",
		"0:s changed dirty gone", "0:b changed dirty ready")
	x.want(on(TTL, "b"), ":-1")
	x.want(on(XLen, "b"), ":1")
	x.fill("c", "1")
	x.want(on(Rename, "c").to("b"), "+OK")
	x.wantHeard("0:b n new", "0:c g rename_from", "0:b g rename_to", "0:b o overwritten", "0:b c type_changed",
		"0:c changed dirty", "0:b changed dirty gone")
	x.want(on(Rename, "b").to("d").with(FlagNX), ":1")
	if x.m.Volatile(0) != 0 {
		t.Errorf("%d keys expire", x.m.Volatile(0))
	}
}

func TestCopy(t *testing.T) {
	x := newWorld(t)
	same := "-" + string(resp.ErrSameObject)
	x.want(on(Copy, "a").to("a").with(0, -1), same)
	x.want(on(Copy, "a").to("a").with(0, 0), same)
	x.want(on(Copy, "a").to("b").with(0, 4), "-"+string(resp.ErrDBIndex))
	x.want(on(Copy, "a").to("b").with(0, -1), ":0")
	x.wantHeard("0:a m keymiss")
	x.want(on(Set, "a", "1").with(0, x.nowMS+9000), "+OK")
	x.want(on(Copy, "a").to("b").with(0, -1), ":1")
	x.wantHeard("0:b n new", "0:b g copy_to", "0:b changed dirty")
	x.want(on(TTL, "b"), ":9")
	x.do(on(Append, "b", "2"))
	x.want(on(Get, "a"), "$1 1")
	x.want(on(Copy, "a").to("b").with(0, -1), ":0")
	x.want(on(Copy, "a").to("a").with(0, 2), ":1")
	x.wantHeard("2:a n new", "2:a g copy_to", "2:a changed dirty")

	x.addEntry("s", 1)
	x.do(Op{Kind: XGroupCreate, Key: []byte("s"), Group: []byte("g"), Flags: FlagDollar, N: [4]int64{-1}})
	x.want(on(Copy, "s").to("b").with(FlagReplace, -1), ":1")
	x.wantHeard("0:b n new", "0:b g copy_to", "0:b o overwritten", "0:b c type_changed", "0:b changed dirty ready")
	if x.m.DigestOf(0, []byte("s")) != x.m.DigestOf(0, []byte("b")) {
		t.Error("a copy has another digest")
	}
	x.addEntry("b", 2)
	x.want(on(XLen, "s"), ":1")
	x.want(on(XLen, "b"), ":2")
	x.addEntry("s", 3)
	x.want(on(XLen, "b"), ":2")
	if x.m.DigestOf(0, []byte("s")) == x.m.DigestOf(0, []byte("b")) || x.m.DigestOf(0, []byte("none")) != [20]byte{} {
		t.Error("digests of values")
	}
	x.want(on(Copy, "s").to("b").with(FlagReplace, -1), ":1")
	x.wantHeard("0:b n new", "0:b g copy_to", "0:b o overwritten", "0:b changed dirty ready gone")
}

func TestMove(t *testing.T) {
	x := newWorld(t)
	x.want(on(Move, "a").with(0, 0), "-"+string(resp.ErrSameObject))
	x.want(on(Move, "a").with(0, 4), "-"+string(resp.ErrDBIndex))
	x.want(on(Move, "a").with(0, -1), "-"+string(resp.ErrDBIndex))
	x.want(on(Move, "a").with(0, 1), ":0")
	x.want(on(Set, "a", "1").with(0, x.nowMS+9000), "+OK")
	x.want(on(Move, "a").with(0, 1), ":1")
	x.wantHeard("1:a n new", "0:a g move_from", "1:a g move_to", "0:a changed dirty", "1:a changed dirty")
	x.want(on(TTL, "a").in(1), ":9")
	x.fill("a", "2")
	x.want(on(Move, "a").with(0, 1), ":0")
	x.addEntry("s", 1)
	x.want(on(Move, "s").with(0, 1), ":1")
	x.wantHeard("1:s n new", "0:s g move_from", "1:s g move_to", "0:s changed dirty gone", "1:s changed dirty ready")
}

func TestFlushAndSwap(t *testing.T) {
	x := newWorld(t)
	x.want(Op{Kind: FlushAll}, "+OK")
	x.wantHeard("-1 flushed") // even of nothing: clients drop what they cached
	x.want(on(Set, "a", "1").with(0, x.nowMS+9000), "+OK")
	x.want(on(Set, "b", "1").in(1), "+OK")
	x.want(Op{Kind: SwapDB, N: [4]int64{0, 1}}, "+OK")
	x.wantHeard("0 flushed", "1 flushed")
	x.want(on(Get, "b"), "$1 1")
	x.want(on(TTL, "a").in(1), ":9")
	if ms, ok := x.m.Deadline(1, []byte("a")); !ok || ms != x.nowMS+9000 {
		t.Errorf("deadline %d %v", ms, ok)
	}
	x.want(Op{Kind: SwapDB, N: [4]int64{2, 2}}, "+OK")
	x.want(Op{Kind: SwapDB, N: [4]int64{2, 3}}, "+OK")
	x.wantHeard()
	x.want(Op{Kind: SwapDB, N: [4]int64{0, 4}}, "-"+string(resp.ErrDBIndex))
	x.want(Op{Kind: FlushDB}, "+OK")
	x.wantHeard("0 flushed")
	x.want(Op{Kind: DBSize}, ":0")
	x.want(Op{Kind: DBSize, DB: 1}, ":1")
	x.want(Op{Kind: FlushAll}, "+OK")
	x.wantHeard("-1 flushed")
	if n := x.m.SizeBytes(); n != 0 {
		t.Errorf("an empty machine takes %d bytes", n)
	}
	if _, ok := x.m.NextDue(); ok {
		t.Error("a flushed key expires")
	}
}

func TestSetParams(t *testing.T) {
	x := newWorld(t)
	x.want(Op{Kind: SetParams, N: x.m.ParamsArray()}, "+OK")
	x.want(Op{Kind: SetParams, N: [4]int64{1, 2, 3, 4}}, "+OK")
	if got := x.m.Params(); got != (Params{1, 2, 3, 4}) {
		t.Errorf("parameters %+v", got)
	}
	x.want(Op{Kind: SetParams, N: [4]int64{1, 2, 3, -4}}, "-"+string(resp.ErrOutOfRange))
	if d, n := x.m.createStream(0, []byte("s")).stream.Idmp().Config(); d != 3 || n != 4 {
		t.Errorf("a new stream has IDMP settings %d, %d", d, n)
	}
	x.m.settle()
}

func TestObjectAndMemory(t *testing.T) {
	x := newWorld(t)
	x.fill("a", "1")
	x.want(on(ObjectInfo, "a").with(0, objectRefCount), ":1")
	x.want(on(ObjectInfo, "a").with(0, objectFreq), "-"+string(errNoLFU))
	x.want(on(ObjectInfo, "none").with(0, objectFreq), "$-1")
	x.nowMS += 5000
	x.want(on(ObjectInfo, "a").with(0, objectIdleTime), ":5")
	x.m.NoTouch = true
	x.do(on(Get, "a"))
	x.want(on(ObjectInfo, "a").with(0, objectIdleTime), ":5")
	x.want(Op{Kind: Touch, Args: list("a")}, ":1")
	x.want(on(ObjectInfo, "a").with(0, objectIdleTime), ":0")
	x.m.NoTouch = false
	x.nowMS += 5000
	x.do(on(Get, "a"))
	x.want(on(ObjectInfo, "a").with(0, objectIdleTime), ":0")
	x.want(on(MemoryUsage, "none"), "$-1")

	size := x.m.SizeBytes()
	x.do(on(Append, "a", string(make([]byte, 1000))))
	if grown := x.m.SizeBytes() - size; grown < 1000 || grown > 3000 {
		t.Errorf("1000 bytes more make %d", grown)
	}
	x.do(Op{Kind: Del, Args: list("a")})
	if n := x.m.SizeBytes(); n != 0 {
		t.Errorf("an empty machine takes %d bytes", n)
	}
}
