package command

import (
	"math"
	"testing"

	"github.com/streamd/streamd/server/machine"
)

func TestStringForms(t *testing.T) {
	k, v := b("k"), words("v")
	set := func(flags machine.Flags, n int64, args string) machine.Op {
		return machine.Op{Kind: machine.Set, Key: k, Flags: flags, N: [4]int64{n}, Args: words(args)}
	}
	testGoodForms(t, []goodForm{
		{line: "SET k v", want: set(0, 0, "v")},
		{line: "SET k v nx GET ex 10", want: set(machine.FlagNX|machine.FlagGet|machine.FlagRelative, 10000, "v")},
		{line: "SET k v PX 10 XX", want: set(machine.FlagXX|machine.FlagRelative, 10, "v")},
		{line: "SET k v EXAT 10", want: set(0, 10000, "v")},
		{line: "SET k v PXAT 10", want: set(0, 10, "v")},
		{line: "SET k v EX 10 EX 20", want: set(machine.FlagRelative, 20000, "v")},
		{line: "SET k v KEEPTTL KEEPTTL", want: set(machine.FlagKeepTTL, 0, "v")},
		{line: "SET k v IFEQ old", want: set(machine.FlagIfEq, 0, "v old")},
		{line: "SET k v IFNE GET GET", want: set(machine.FlagIfNe|machine.FlagGet, 0, "v GET")},
		{line: "SET k v IFDEQ 0011223344556677", want: set(machine.FlagIfDeq, 0, "v 0011223344556677")},
		{line: "SET k v IFDNE 0011223344556677 PX 1", want: set(machine.FlagIfDne|machine.FlagRelative, 1, "v 0011223344556677")},
		{line: "SETNX k v", want: set(machine.FlagNX|machine.FlagReplyInt, 0, "v")},
		{line: "SETEX k 10 v", want: set(machine.FlagRelative, 10000, "v")},
		{line: "PSETEX k 10 v", want: set(machine.FlagRelative, 10, "v")},
		{line: "GETSET k v", want: set(machine.FlagGet, 0, "v")},
		{line: "GET k", want: machine.Op{Kind: machine.Get, Key: k}},
		{line: "GETDEL k", want: machine.Op{Kind: machine.GetDel, Key: k}},
		{line: "GETEX k", want: machine.Op{Kind: machine.GetEx, Key: k}},
		{line: "GETEX k PERSIST", want: machine.Op{Kind: machine.GetEx, Key: k, Flags: machine.FlagPersist}},
		{line: "GETEX k PX 7", want: machine.Op{Kind: machine.GetEx, Key: k, Flags: machine.FlagExpire | machine.FlagRelative, N: [4]int64{7}}},
		{line: "GETEX k EXAT 7", want: machine.Op{Kind: machine.GetEx, Key: k, Flags: machine.FlagExpire, N: [4]int64{7000}}},
		{line: "MGET a b", want: machine.Op{Kind: machine.MGet, Args: words("a b")}},
		{line: "MSET a 1 b 2", want: machine.Op{Kind: machine.MSet, Args: words("a 1 b 2")}},
		{line: "MSETNX a 1", want: machine.Op{Kind: machine.MSet, Flags: machine.FlagNX, Args: words("a 1")}},
		{line: "APPEND k v", want: machine.Op{Kind: machine.Append, Key: k, Args: v}},
		{line: "STRLEN k", want: machine.Op{Kind: machine.StrLen, Key: k}},
		{line: "INCR k", want: machine.Op{Kind: machine.IncrBy, Key: k, N: [4]int64{1}}},
		{line: "DECR k", want: machine.Op{Kind: machine.IncrBy, Key: k, N: [4]int64{-1}}},
		{line: "INCRBY k -5", want: machine.Op{Kind: machine.IncrBy, Key: k, N: [4]int64{-5}}},
		{line: "DECRBY k 5", want: machine.Op{Kind: machine.IncrBy, Key: k, N: [4]int64{-5}}},
		{line: "INCRBYFLOAT k 1.5", want: machine.Op{Kind: machine.IncrByFloat, Key: k, Args: words("1.5")}},
		{line: "GETRANGE k 0 -1", want: machine.Op{Kind: machine.GetRange, Key: k, N: [4]int64{0, -1}}},
		{line: "SUBSTR k 1 2", want: machine.Op{Kind: machine.GetRange, Key: k, N: [4]int64{1, 2}}},
		{line: "SETRANGE k 3 v", want: machine.Op{Kind: machine.SetRange, Key: k, N: [4]int64{3}, Args: v}},
	})
}

func TestStringErrors(t *testing.T) {
	expire := func(name string) string { return "ERR invalid expire time in '" + name + "' command" }
	testBadForms(t, []badForm{
		{line: "SET k", want: "ERR wrong number of arguments for 'set' command"},
		{line: "SET k v FOO", want: badSyntax},
		{line: "SET k v NX XX", want: badSyntax},
		{line: "SET k v NX IFEQ a", want: badSyntax},
		{line: "SET k v IFEQ a IFEQ b", want: badSyntax},
		{line: "SET k v IFEQ", want: badSyntax},
		{line: "SET k v EX", want: badSyntax},
		{line: "SET k v EX 10 PX 10", want: badSyntax},
		{line: "SET k v EX 10 KEEPTTL", want: badSyntax},
		{line: "SET k v KEEPTTL EX 10", want: badSyntax},
		{line: "SET k v EX abc", want: badInt},
		{line: "SET k v EX 0", want: expire("set")},
		{line: "SET k v PX -1", want: expire("set")},
		{line: "SET k v EX 9223372036854776", want: expire("set")},
		{line: "SET k v EX abc NX XX", want: badSyntax},
		{line: "SETEX k abc v", want: badInt},
		{line: "SETEX k 0 v", want: expire("setex")},
		{line: "PSETEX k -5 v", want: expire("psetex")},
		{line: "GETEX k EX 0", want: expire("getex"), late: lateReport},
		{line: "GETEX k EX", want: badSyntax},
		{line: "GETEX k PERSIST EX 1", want: badSyntax},
		{line: "GETEX k EX 1 PERSIST", want: badSyntax},
		{line: "MSET a 1 b", want: "ERR wrong number of arguments for 'mset' command"},
		{line: "MSETNX a 1 b", want: "ERR wrong number of arguments for 'msetnx' command"},
		{line: "INCRBY k 1.5", want: badInt},
		{line: "DECRBY k x", want: badInt},
		{line: "DECRBY k -9223372036854775808", want: "ERR decrement would overflow"},
		{line: "GETRANGE k a 1", want: badInt},
		{line: "GETRANGE k 1 a", want: badInt},
		{line: "SETRANGE k a v", want: badInt},
		{line: "SETRANGE k -1 v", want: "ERR offset is out of range"},
	})
}

func TestKeyspaceForms(t *testing.T) {
	k := b("k")
	expire := func(flags machine.Flags, n int64) machine.Op {
		return machine.Op{Kind: machine.ExpireAt, Key: k, Flags: flags, N: [4]int64{n}}
	}
	scan := func(at int64, count int64, pattern, kind []byte) machine.Op {
		return machine.Op{Kind: machine.Scan, N: [4]int64{at, count}, Args: [][]byte{pattern, kind}}
	}
	testGoodForms(t, []goodForm{
		{line: "DEL a b", want: machine.Op{Kind: machine.Del, Args: words("a b")}},
		{line: "UNLINK a", want: machine.Op{Kind: machine.Del, Args: words("a")}},
		{line: "EXISTS a a", want: machine.Op{Kind: machine.Exists, Args: words("a a")}},
		{line: "TOUCH a", want: machine.Op{Kind: machine.Touch, Args: words("a")}},
		{line: "TYPE k", want: machine.Op{Kind: machine.Type, Key: k}},
		{line: "KEYS a*", want: machine.Op{Kind: machine.Keys, Args: words("a*")}},
		{line: "SCAN 0", want: scan(0, 10, nil, nil)},
		{line: "SCAN 18446744073709551615 TYPE Stream COUNT 5 MATCH s*", want: scan(-1, 5, b("s*"), b("stream"))},
		{line: "RANDOMKEY", want: machine.Op{Kind: machine.RandomKey}},
		{line: "DBSIZE", want: machine.Op{Kind: machine.DBSize}},
		{line: "RENAME k d", want: machine.Op{Kind: machine.Rename, Key: k, Group: b("d")}},
		{line: "RENAMENX k d", want: machine.Op{Kind: machine.Rename, Key: k, Group: b("d"), Flags: machine.FlagNX}},
		{line: "COPY k d", want: machine.Op{Kind: machine.Copy, Key: k, Group: b("d"), N: [4]int64{-1}}},
		{line: "COPY k d REPLACE db 3", want: machine.Op{Kind: machine.Copy, Key: k, Group: b("d"), N: [4]int64{3}, Flags: machine.FlagReplace}},
		{line: "MOVE k 3", want: machine.Op{Kind: machine.Move, Key: k, N: [4]int64{3}}},
		{line: "SWAPDB 0 3", want: machine.Op{Kind: machine.SwapDB, N: [4]int64{0, 3}}},
		{line: "FLUSHDB", want: machine.Op{Kind: machine.FlushDB}},
		{line: "FLUSHALL async", want: machine.Op{Kind: machine.FlushAll}},
		{line: "EXPIRE k 10", want: expire(machine.FlagRelative, 10000)},
		{line: "EXPIRE k -1 xx GT", want: expire(machine.FlagRelative|machine.FlagXX|machine.FlagGT, -1000)},
		{line: "PEXPIRE k 10 NX", want: expire(machine.FlagRelative|machine.FlagNX, 10)},
		{line: "EXPIREAT k 10 LT", want: expire(machine.FlagLT, 10000)},
		{line: "PEXPIREAT k 10", want: expire(0, 10)},
		{line: "TTL k", want: machine.Op{Kind: machine.TTL, Key: k}},
		{line: "PTTL k", want: machine.Op{Kind: machine.TTL, Key: k, Flags: machine.FlagMS}},
		{line: "EXPIRETIME k", want: machine.Op{Kind: machine.TTL, Key: k, Flags: machine.FlagAbsolute}},
		{line: "PEXPIRETIME k", want: machine.Op{Kind: machine.TTL, Key: k, Flags: machine.FlagAbsolute | machine.FlagMS}},
		{line: "PERSIST k", want: machine.Op{Kind: machine.Persist, Key: k}},
		{line: "OBJECT ENCODING k", want: machine.Op{Kind: machine.ObjectInfo, Key: k}},
		{line: "OBJECT REFCOUNT k", want: machine.Op{Kind: machine.ObjectInfo, Key: k, N: [4]int64{1}}},
		{line: "OBJECT IDLETIME k", want: machine.Op{Kind: machine.ObjectInfo, Key: k, N: [4]int64{2}}},
		{line: "OBJECT FREQ k", want: machine.Op{Kind: machine.ObjectInfo, Key: k, N: [4]int64{3}}},
		{line: "MEMORY USAGE k SAMPLES 0", want: machine.Op{Kind: machine.MemoryUsage, Key: k}},
	})
}

func TestKeyspaceErrors(t *testing.T) {
	const (
		badNX   = "ERR NX and XX, GT or LT options at the same time are not compatible"
		badGTLT = "ERR GT and LT options at the same time are not compatible"
		badDB   = "ERR DB index is out of range"
	)
	testBadForms(t, []badForm{
		{line: "SCAN abc", want: "ERR invalid cursor"},
		{line: "SCAN -1", want: "ERR invalid cursor"},
		{line: "SCAN 0 COUNT 0", want: badSyntax},
		{line: "SCAN 0 COUNT x", want: badInt},
		{line: "SCAN 0 COUNT", want: badSyntax},
		{line: "SCAN 0 TYPE nosuch", want: "ERR unknown type name 'nosuch'"},
		{line: "SCAN 0 FOO", want: badSyntax},
		{line: "COPY a b DB x", want: badInt},
		{line: "COPY a b DB -1", want: badDB},
		{line: "COPY a b FOO", want: badSyntax},
		{line: "COPY a b DB", want: badSyntax},
		{line: "MOVE a x", want: badInt},
		{line: "MOVE a -1", want: badDB},
		{line: "SWAPDB x y", want: "ERR invalid first DB index"},
		{line: "SWAPDB 0 y", want: "ERR invalid second DB index"},
		{line: "SWAPDB 0 -1", want: badDB},
		{line: "SWAPDB -4294967296 0", want: "ERR invalid first DB index"},
		{line: "SWAPDB 0 4294967296", want: "ERR invalid second DB index"},
		{line: "MOVE k 4294967296", want: string(errIntRange)},
		{line: "COPY k l DB 4294967296", want: string(errIntRange)},
		{line: "FLUSHDB FOO", want: badSyntax},
		{line: "FLUSHALL SYNC ASYNC", want: badSyntax},
		{line: "EXPIRE k 1 FOO", want: "ERR Unsupported option FOO"},
		{line: "EXPIRE k abc NX XX", want: badNX},
		{line: "EXPIRE k 1 NX GT", want: badNX},
		{line: "EXPIRE k 1 LT GT", want: badGTLT},
		{line: "EXPIRE k abc", want: badInt},
		{line: "EXPIRE k 9223372036854776", want: "ERR invalid expire time in 'expire' command"},
		{line: "EXPIREAT k -9223372036854776", want: "ERR invalid expire time in 'expireat' command"},
		{line: "OBJECT FOO k", want: "ERR unknown subcommand 'FOO'. Try OBJECT HELP."},
		{line: "MEMORY USAGE k FOO 1", want: badSyntax},
		{line: "MEMORY USAGE k SAMPLES -1", want: badSyntax},
		{line: "MEMORY USAGE k SAMPLES x", want: badInt},
		{line: "MEMORY USAGE k SAMPLES", want: badSyntax},
	})
}

func TestRelativeExpiryOverflow(t *testing.T) {
	op, _, err := parse(t, NewTable(), "PEXPIRE k 9223372036854775807")
	if err != nil {
		t.Fatal(err)
	}
	op.AtMS = 1
	if err := ResolveRelative(&op, "pexpire"); err == nil || op.N[0] != math.MaxInt64 {
		t.Errorf("got %v, %d", err, op.N[0])
	}
}
