package machine

import (
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
)

const wrongType = "-" + string(resp.ErrWrongType)

func TestSet(t *testing.T) {
	x := newWorld(t)
	x.want(on(Set, "a", "1"), "+OK")
	x.wantHeard("0:a n new", "0:a changed dirty", "0:a $ set")
	x.want(on(Set, "a", "2").with(0, x.nowMS+500), "+OK")
	x.wantHeard("0:a o overwritten", "0:a changed dirty", "0:a $ set", "0:a g expire")
	x.want(on(Get, "a"), "$1 2")
	x.want(on(TTL, "a").with(FlagMS), ":500")
	x.want(on(Set, "a", "3").with(FlagKeepTTL), "+OK")
	x.want(on(TTL, "a").with(FlagMS), ":500")
	x.want(on(Set, "a", "4").with(FlagNX), "$-1")
	x.wantHeard()
	x.want(on(Set, "a", "4").with(FlagNX|FlagGet), "$1 3")
	x.want(on(Set, "b", "4").with(FlagXX), "$-1")
	x.want(on(Set, "b", "4").with(FlagXX|FlagGet), "$-1")
	x.want(on(Set, "b", "4").with(FlagNX|FlagReplyInt), ":1")
	x.want(on(Set, "b", "5").with(FlagNX|FlagReplyInt), ":0")
	x.want(on(Set, "b", "5").with(FlagGet), "$1 4")
	x.want(on(Set, "c", "5").with(FlagGet), "$-1")
	x.wantHeard("0:c m keymiss", "0:c n new", "0:c changed dirty", "0:c $ set")
	x.want(on(Set, "a", "5"), "+OK")
	x.want(on(TTL, "a"), ":-1")
	x.want(Op{Kind: Set, Key: []byte("a"), Args: list("x"), Err: resp.ErrSyntax}, "-"+string(resp.ErrSyntax))

	x.addEntry("s", 1)
	x.want(on(Set, "s", "x").with(FlagGet), wrongType)
	x.want(on(Set, "s", "x", "y").with(FlagIfEq), wrongType)
	x.want(on(Set, "s", "x"), "+OK")
	x.wantHeard("0:s o overwritten", "0:s c type_changed", "0:s changed dirty gone", "0:s $ set")
	x.want(on(Type, "s"), "+string")
}

func TestSetComparing(t *testing.T) {
	x := newWorld(t)
	x.fill("a", "hello")
	digest := strings.TrimPrefix(x.do(Op{Kind: DigestValue, Args: list("a")}), "$16 ")
	if len(digest) != 16 {
		t.Fatalf("DIGEST answers %q", digest)
	}
	x.want(on(DigestValue, "none"), "$-1")
	x.want(on(Set, "a", "1", "world").with(FlagIfEq), "$-1")
	x.want(on(Set, "a", "1", "hello").with(FlagIfNe), "$-1")
	x.want(on(Set, "a", "1", "0123456789abcdef").with(FlagIfDeq), "$-1")
	x.want(on(Set, "a", "1", digest).with(FlagIfDne), "$-1")
	x.want(on(Set, "a", "hello", strings.ToUpper(digest)).with(FlagIfDeq), "+OK")
	x.want(on(Set, "a", "hello", "not hexadecimal!").with(FlagIfDne), "+OK")
	x.want(on(Set, "a", "world", "hello").with(FlagIfEq|FlagGet), "$5 hello")
	x.want(on(Set, "a", "world", "hello").with(FlagIfNe), "+OK")
	x.want(on(Set, "none", "1", "").with(FlagIfEq), "$-1")
	x.want(on(Set, "none", "1", digest).with(FlagIfDeq), "$-1")
	x.want(on(Set, "none", "1", "").with(FlagIfNe), "+OK")
	x.want(on(Set, "none2", "1", digest).with(FlagIfDne), "+OK")
}

// The digest is part of the protocol: clients compute it themselves.
func TestDigestIsXXH3(t *testing.T) {
	x := newWorld(t)
	x.fill("empty", "", "a", "a")
	x.want(on(DigestValue, "empty"), "$16 2d06800538d394c2")
	x.want(on(DigestValue, "a"), "$16 e6c632b61e964e1f")
}

func TestGetDelAndGetEx(t *testing.T) {
	x := newWorld(t)
	x.fill("a", "1")
	x.addEntry("s", 1)
	x.want(on(GetEx, "a"), "$1 1")
	x.wantHeard()
	x.want(on(GetEx, "a").with(FlagPersist), "$1 1")
	x.wantHeard()
	x.want(on(GetEx, "a").with(FlagExpire, x.nowMS+1000), "$1 1")
	x.wantHeard("0:a g expire", "0:a changed dirty")
	x.want(on(GetEx, "a").with(FlagPersist), "$1 1")
	x.wantHeard("0:a g persist", "0:a changed dirty")
	x.want(Op{Kind: GetEx, Key: []byte("none"), Err: resp.ErrSyntax}, "$-1")
	x.wantHeard("0:none m keymiss")
	x.want(Op{Kind: GetEx, Key: []byte("s"), Err: resp.ErrSyntax}, wrongType)
	x.want(Op{Kind: GetEx, Key: []byte("a"), Err: resp.ErrSyntax}, "-"+string(resp.ErrSyntax))
	x.want(on(GetEx, "a").with(FlagExpire, x.nowMS), "$1 1")
	x.wantHeard("0:a g del", "0:a changed dirty")
	x.want(on(Get, "a"), "$-1")
	x.fill("a", "1")
	x.want(on(GetDel, "a"), "$1 1")
	x.wantHeard("0:a g del", "0:a changed dirty")
	x.want(on(GetDel, "a"), "$-1")
	x.want(on(GetDel, "s"), wrongType)
}

func TestMSetAndMGet(t *testing.T) {
	x := newWorld(t)
	x.want(Op{Kind: MSet, Args: list("a", "1", "b", "2", "a", "3")}, "+OK")
	x.wantHeard("0:a n new", "0:a changed dirty", "0:a $ set", "0:b n new", "0:b changed dirty", "0:b $ set",
		"0:a o overwritten", "0:a changed dirty", "0:a $ set")
	x.want(Op{Kind: MSet, Flags: FlagNX, Args: list("c", "1", "b", "2")}, ":0")
	x.want(Op{Kind: MSet, Flags: FlagNX, Args: list("c", "1", "d", "2")}, ":1")
	x.addEntry("s", 1)
	x.want(Op{Kind: MGet, Args: list("a", "none", "s", "d")}, "*4 $1 3 $-1 $-1 $1 2")
}

func TestAppendAndRanges(t *testing.T) {
	x := newWorld(t)
	x.addEntry("s", 1)
	x.want(on(Append, "a", "Hello"), ":5")
	x.wantHeard("0:a n new", "0:a changed dirty", "0:a $ append")
	x.want(on(Append, "a", " World"), ":11")
	x.want(on(Append, "s", "x"), wrongType)
	x.want(on(StrLen, "a"), ":11")
	x.want(on(StrLen, "none"), ":0")
	x.want(on(StrLen, "s"), wrongType)
	for _, c := range []struct {
		start, end int64
		want       string
	}{{0, 4, "$5 Hello"}, {-5, -1, "$5 World"}, {0, -1, "$11 Hello World"}, {5, 2, "$0"}, {-1, -5, "$0"}, {6, 100, "$5 World"},
		{-100, 0, "$1 H"}, {-100, -50, "$0"}, {50, 60, "$0"}, {-1 << 63, 1<<63 - 1, "$11 Hello World"}} {
		got := x.do(on(GetRange, "a").with(0, c.start, c.end))
		if strings.TrimRight(got, " ") != c.want {
			t.Errorf("GETRANGE %d %d: got %q, want %q", c.start, c.end, got, c.want)
		}
	}
	x.want(on(SetRange, "a", "Redis").with(0, 6), ":11")
	x.wantHeard("0:a changed dirty", "0:a $ setrange")
	x.want(on(Get, "a"), "$11 Hello Redis")
	x.want(on(SetRange, "pad", "x").with(0, 3), ":4")
	x.want(on(Get, "pad"), "$4 \x00\x00\x00x")
	x.want(on(SetRange, "pad", "").with(0, 100), ":4")
	x.want(on(SetRange, "none", "").with(0, 100), ":0")
	x.wantHeard()
	x.want(on(SetRange, "pad", "x").with(0, maxStringBytes), "-"+string(resp.ErrStringTooLong))
	x.want(on(SetRange, "none", "x").with(0, maxStringBytes), "-"+string(resp.ErrStringTooLong))
	x.want(on(SetRange, "a", "x").with(0, -1), "-ERR offset is out of range")
	x.want(on(SetRange, "s", "x").with(0, 1), wrongType)
	// A shrunk value leaves room behind, which must read as zeros when it is used again.
	x.fill("r", "abcdefgh")
	x.fill("r", "ab")
	x.want(on(SetRange, "r", "x").with(0, 5), ":6")
	x.want(on(Get, "r"), "$6 ab\x00\x00\x00x")
}

func TestIncrBy(t *testing.T) {
	x := newWorld(t)
	x.addEntry("s", 1)
	x.want(on(IncrBy, "a").with(0, 5), ":5")
	x.wantHeard("0:a n new", "0:a changed dirty", "0:a $ incrby")
	x.want(on(IncrBy, "a").with(0, -7), ":-2")
	x.want(on(IncrBy, "a").with(0, 0), ":-2")
	x.want(on(IncrBy, "s").with(0, 1), wrongType)
	x.fill("max", "9223372036854775807", "min", "-9223372036854775808")
	x.want(on(IncrBy, "max").with(0, 1), "-ERR increment or decrement would overflow")
	x.want(on(IncrBy, "min").with(0, -1), "-ERR increment or decrement would overflow")
	x.want(on(IncrBy, "min").with(0, 1), ":-9223372036854775807")
	for _, text := range []string{"", " 1", "1 ", "01", "+1", "-0", "1.5", "9223372036854775808", "abc", "-"} {
		x.fill("bad", text)
		x.want(on(IncrBy, "bad").with(0, 1), "-ERR value is not an integer or out of range")
	}
	x.want(on(Set, "e", "1").with(0, x.nowMS+1000), "+OK")
	x.want(on(IncrBy, "e").with(0, 1), ":2")
	x.want(on(TTL, "e"), ":1")
}

func TestIncrByFloat(t *testing.T) {
	for _, c := range []struct{ value, by, want string }{
		{"3.0", "1.5", "4.5"}, {"10.50", "0.1", "10.6"}, {"5.0e3", "2.0e2", "5200"}, {"0.1", "0.2", "0.3"}, {"1", "-1", "0"},
		{"3", "-0.0", "3"}, {"-1.5", "1", "-0.5"}, {"1e-05", "0", "0.00001"}, {"1.23", "0.4", "1.63"}, {".5", "1.", "1.5"},
		{"17179869184", "1.5", "17179869185.5"}, {"1e20", "1", "100000000000000000000"}, {"+1", "1", "2"},
		{"123456789.123456789", "0", "123456789.12345678899873747"}, {"-0.00000000000000000001", "0", "0"},
	} {
		x := newWorld(t)
		x.fill("a", c.value)
		if got := x.do(on(IncrByFloat, "a", c.by)); !strings.HasSuffix(got, " "+c.want) {
			t.Errorf("%s + %s: got %q, want %q", c.value, c.by, got, c.want)
		}
		x.wantHeard("0:a changed dirty", "0:a $ incrbyfloat")
	}
	x := newWorld(t)
	x.want(on(IncrByFloat, "new", "2.50"), "$3 2.5")
	for _, bad := range []string{"", " 1", "1 ", "abc", "1e", "1e5000", "1e99999999999", "1.2.3", "e5", ".", "-", "nan", "1_000", "0b1"} {
		x.want(on(IncrByFloat, "new", bad), "-ERR value is not a valid float")
	}
	x.want(on(IncrByFloat, "new", "inf"), "-ERR increment would produce NaN or Infinity")
	x.want(on(IncrByFloat, "new", "-Infinity"), "-ERR increment would produce NaN or Infinity")
	x.fill("bad", "abc")
	x.want(on(IncrByFloat, "bad", "1"), "-ERR value is not a valid float")
	x.fill("huge", "1.1e4932")
	x.want(on(IncrByFloat, "huge", "1.1e4932"), "-ERR increment would produce NaN or Infinity")
	x.addEntry("s", 1)
	x.want(on(IncrByFloat, "s", "1"), wrongType)
}

func TestEncoding(t *testing.T) {
	x := newWorld(t)
	encoding := func(key, want string) {
		t.Helper()
		if got := x.do(on(ObjectInfo, key)); !strings.HasSuffix(got, " "+want) {
			t.Errorf("%s: got %q, want %s", key, got, want)
		}
	}
	x.fill("int", "123", "text", "hello", "long", strings.Repeat("x", 45), "limit", strings.Repeat("x", 44), "zero", "0123")
	encoding("int", "int")
	encoding("text", "embstr")
	encoding("limit", "embstr")
	encoding("long", "raw")
	encoding("zero", "embstr")
	x.do(on(Append, "int", "4"))
	encoding("int", "raw")
	x.do(on(IncrBy, "int").with(0, 1))
	encoding("int", "int")
	x.do(on(IncrByFloat, "int", "1"))
	encoding("int", "embstr")
	x.do(on(Append, "fresh", "4"))
	encoding("fresh", "int")
	x.do(on(SetRange, "ranged", "4").with(0, 0))
	encoding("ranged", "raw")
	x.addEntry("s", 1)
	encoding("s", "stream")
	x.want(on(ObjectInfo, "none"), "$-1")
}
