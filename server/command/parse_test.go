package command

import (
	"math"
	"reflect"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/stream"
)

// parse reads a command line; a zero blockMS is reported as it is, -1 means not blocking.
func parse(t *testing.T, table *Table, line string) (machine.Op, int64, error) {
	t.Helper()
	args := words(line)
	spec, err := table.Find(args)
	if err != nil {
		return machine.Op{}, notBlocking, err
	}
	var op machine.Op
	blockMS, err := spec.Parse(args, &op)
	return op, blockMS, err
}

func id(ms, seq uint64) stream.ID { return stream.ID{MS: ms, Seq: seq} }

func ids(list ...stream.ID) []stream.ID { return list }

func b(s string) []byte { return []byte(s) }

// testGoodForms parses each line and compares the op it becomes.
func testGoodForms(t *testing.T, forms []goodForm) {
	table := NewTable()
	for _, f := range forms {
		got, blockMS, err := parse(t, table, f.line)
		want := f.want
		if f.blockMS == 0 {
			f.blockMS = notBlocking
		}
		if f.blockMS == forEver {
			f.blockMS = 0
		}
		if err != nil || !reflect.DeepEqual(got, want) || blockMS != f.blockMS {
			t.Errorf("%s:\n got %+v, block %d, error %v\nwant %+v, block %d", f.line, got, blockMS, err, want, f.blockMS)
		}
	}
}

type goodForm struct {
	line    string
	want    machine.Op
	blockMS int64 // 0: not blocking; forEver: 0
}

const forEver = -2

// badForm is a command with a wrong argument. late: reported only after checks of state.
type badForm struct {
	line string
	want string
	late bool
}

func testBadForms(t *testing.T, forms []badForm) {
	table := NewTable()
	for _, f := range forms {
		op, _, err := parse(t, table, f.line)
		late := err == nil && op.Err != nil
		if late {
			err = op.Err
		}
		if err == nil || err.Error() != f.want || late != f.late {
			t.Errorf("%s:\n got %v (late %v)\nwant %s (late %v)", f.line, err, late, f.want, f.late)
		}
	}
}

const (
	arityXAdd  = "ERR wrong number of arguments for 'xadd' command"
	badID      = "ERR Invalid stream ID specified as stream command argument"
	badInt     = "ERR value is not an integer or out of range"
	badSyntax  = "ERR syntax error"
	badCreate  = "ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP."
	badStream  = "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."
	lateReport = true
)

func TestAppendForms(t *testing.T) {
	s := b("s")
	ab := words("a b")
	testGoodForms(t, []goodForm{
		{line: "XADD s * a b", want: machine.Op{Kind: machine.XAdd, Key: s, Flags: machine.FlagAutoID, IDs: ids(id(0, 0)), Args: ab}},
		{line: "XADD s 0-* a b", want: machine.Op{Kind: machine.XAdd, Key: s, Flags: machine.FlagAutoSeq, IDs: ids(id(0, 0)), Args: ab}},
		{line: "XADD s 7-* a b", want: machine.Op{Kind: machine.XAdd, Key: s, Flags: machine.FlagAutoSeq, IDs: ids(id(7, 0)), Args: ab}},
		{line: "XADD s 01-01 a b", want: machine.Op{Kind: machine.XAdd, Key: s, IDs: ids(id(1, 1)), Args: ab}},
		{line: "XADD s +5-0 a b", want: machine.Op{Kind: machine.XAdd, Key: s, IDs: ids(id(5, 0)), Args: ab}},
		{line: "XADD s 7--0 a b", want: machine.Op{Kind: machine.XAdd, Key: s, IDs: ids(id(7, 0)), Args: ab}},
		{line: "XADD s 9 a b", want: machine.Op{Kind: machine.XAdd, Key: s, IDs: ids(id(9, 0)), Args: ab}},
		{line: "XADD s 10-18446744073709551615 a b", want: machine.Op{Kind: machine.XAdd, Key: s, IDs: ids(id(10, math.MaxUint64)), Args: ab}},
		{line: "XADD s nomkstream maxlen ~ 2 LIMIT 0 acked * a b", want: machine.Op{Kind: machine.XAdd, Key: s,
			Flags: machine.FlagAutoID | machine.FlagNoMkStream | machine.FlagMaxLen | machine.FlagApprox | machine.FlagHasLimit | machine.FlagAcked,
			IDs:   ids(id(0, 0)), N: [4]int64{2, 0}, Args: ab}},
		{line: "XADD s MINID = 3 DELREF 5-5 a b", want: machine.Op{Kind: machine.XAdd, Key: s,
			Flags: machine.FlagMinID | machine.FlagDelRef, IDs: ids(id(5, 5), id(3, 0)), Args: ab}},
		{line: "XADD s IDMP p i KEEPREF MAXLEN 4 * a b", want: machine.Op{Kind: machine.XAdd, Key: s, Group: b("p"), Consumer: b("i"),
			Flags: machine.FlagAutoID | machine.FlagMaxLen | machine.FlagIdmp, IDs: ids(id(0, 0)), N: [4]int64{4}, Args: ab}},
		{line: "XADD s IDMPAUTO p * a b", want: machine.Op{Kind: machine.XAdd, Key: s, Group: b("p"),
			Flags: machine.FlagAutoID | machine.FlagIdmpAuto, IDs: ids(id(0, 0)), Args: ab}},
		{line: "XTRIM s MAXLEN 3", want: machine.Op{Kind: machine.XTrim, Key: s, Flags: machine.FlagMaxLen, IDs: ids(id(0, 0)), N: [4]int64{3}}},
		{line: "XTRIM s ACKED MINID ~ 30 LIMIT 15", want: machine.Op{Kind: machine.XTrim, Key: s,
			Flags: machine.FlagMinID | machine.FlagApprox | machine.FlagHasLimit | machine.FlagAcked, IDs: ids(id(30, 0)), N: [4]int64{0, 15}}},
		{line: "XDEL s 1-1 2", want: machine.Op{Kind: machine.XDel, Key: s, IDs: ids(id(1, 1), id(2, 0))}},
		{line: "XDELEX s IDS 2 1-1 2 acked", want: machine.Op{Kind: machine.XDelEx, Key: s, Flags: machine.FlagAcked, IDs: ids(id(1, 1), id(2, 0))}},
		{line: "XSETID s 20-0", want: machine.Op{Kind: machine.XSetID, Key: s, IDs: ids(id(20, 0)), N: [4]int64{-1}}},
		{line: "XSETID s 20-0 ENTRIESADDED 7 MAXDELETEDID 3-0", want: machine.Op{Kind: machine.XSetID, Key: s,
			Flags: machine.FlagHasLimit, IDs: ids(id(20, 0), id(3, 0)), N: [4]int64{7}}},
		{line: "XCFGSET s IDMP-MAXSIZE 5 idmp-duration 86400", want: machine.Op{Kind: machine.XCfgSet, Key: s, N: [4]int64{86400, 5}}},
		{line: "XIDMPRECORD s p i 1-0", want: machine.Op{Kind: machine.XIdmpRecord, Key: s, Group: b("p"), Consumer: b("i"), IDs: ids(id(1, 0))}},
	})
}

func TestAppendErrors(t *testing.T) {
	const twice = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
	testBadForms(t, []badForm{
		{line: "XADD s", want: arityXAdd},
		{line: "XADD s * a", want: arityXAdd},
		{line: "XADD s * a b c", want: arityXAdd},
		{line: "XADD s NOMKSTREAM * a", want: arityXAdd},
		{line: "XADD s 0-0 a b", want: "ERR The ID specified in XADD must be greater than 0-0"},
		{line: "XADD s 0 a b", want: "ERR The ID specified in XADD must be greater than 0-0"},
		{line: `XADD s "" a b`, want: badID},
		{line: "XADD s 7- a b", want: badID},
		{line: "XADD s -1 a b", want: badID},
		{line: "XADD s 7-1-1 a b", want: badID},
		{line: "XADD s 1.5 a b", want: badID},
		{line: "XADD s - a b", want: badID},
		{line: "XADD s + a b", want: badID},
		{line: "XADD s $ a b", want: badID},
		{line: "XADD s 7-1-* a b", want: badID},
		{line: "XADD s -* a b", want: badID},
		{line: "XADD s ** a b", want: badID},
		{line: "XADD s 18446744073709551616-0 a b", want: badID},
		{line: "XADD nos NOMKSTREAM abc a b", want: badID},
		{line: "XADD str NOMKSTREAM * a", want: arityXAdd},
		{line: "XADD s MAXLEN 2 MINID 1 * a b", want: twice},
		{line: "XADD s MAXLEN 2 MAXLEN 1 * a b", want: twice},
		{line: "XADD s MAXLEN -1 * a b", want: "ERR The MAXLEN argument must be >= 0."},
		{line: "XADD s MAXLEN a * a b", want: badInt},
		{line: "XADD s MINID abc * a b", want: badID},
		{line: "XADD s MINID - * a b", want: badID},
		{line: "XADD s MAXLEN = 2 LIMIT 10 * a b", want: "ERR syntax error, LIMIT cannot be used without the special ~ option"},
		{line: "XADD s LIMIT 10 * a b", want: "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
		{line: "XADD s LIMIT 0 * a b", want: "ERR syntax error, LIMIT cannot be used without the special ~ option"},
		{line: "XADD s MAXLEN ~ 2 LIMIT -1 * a b", want: "ERR The LIMIT argument must be >= 0."},
		{line: "XADD s MAXLEN ~ 2 NOMKSTREAM", want: arityXAdd},
		{line: "XADD s FOO * a b", want: badID},
		{line: "XADD x KEEPREF KEEPREF * a b", want: badID},
		{line: "XADD s IDMP p1 i9 5-5 a 1", want: "ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs"},
		{line: "XADD s IDMP p1 i9 99999999999999-* a 1", want: "ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs"},
		{line: "XADD s IDMP p1 * a b", want: badID},
		{line: `XADD s IDMP "" i * a b`, want: "ERR syntax error, IDMP requires a non-empty producer ID"},
		{line: `XADD s IDMP p1 "" * a b`, want: "ERR syntax error, IDMP requires a non-empty idempotent ID"},
		{line: `XADD s IDMPAUTO "" * a b`, want: "ERR syntax error, IDMPAUTO requires a non-empty producer ID"},
		{line: "XADD s IDMP p1 i1 IDMPAUTO p1 * a b", want: "ERR syntax error, IDMP/IDMPAUTO specified multiple times"},
		{line: "XTRIM s FOO 1", want: badSyntax},
		{line: "XTRIM s ACKED KEEPREF", want: badSyntax},
		{line: "XTRIM x MAXLEN 0 KEEPREF DELREF", want: badSyntax},
		{line: "XTRIM s LIMIT 1", want: "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
		{line: "XTRIM s LIMIT 0", want: "ERR syntax error, XTRIM must be called with a trimming strategy"},
		{line: "XTRIM s KEEPREF LIMIT", want: badSyntax},
		{line: "XDEL s abc 1-2", want: badID, late: lateReport},
		{line: "XDEL s - 1-2", want: badID, late: lateReport},
		{line: "XDELEX s IDS 1", want: "ERR wrong number of arguments for 'xdelex' command"},
		{line: "XDELEX s ACKED IDS 1", want: "ERR The `numids` parameter must match the number of arguments", late: lateReport},
		{line: "XDELEX s IDS 0 1-0", want: "ERR Number of IDs must be a positive integer", late: lateReport},
		{line: "XDELEX s IDS abc 1-0", want: "ERR Number of IDs must be a positive integer", late: lateReport},
		{line: "XDELEX s IDS 1 1-0 2-0", want: badSyntax, late: lateReport},
		{line: "XDELEX s KEEPREF DELREF IDS 1 1-0", want: badSyntax, late: lateReport},
		{line: "XDELEX s IDS 2 1-0 abc", want: badID, late: lateReport},
		{line: "XSETID s abc", want: badID},
		{line: "XSETID s 20-0 ENTRIESADDED -1", want: "ERR entries_added must be positive"},
		{line: "XSETID s 20-0 ENTRIESADDED x", want: badInt},
		{line: "XSETID s 20-0 MAXDELETEDID 21-0", want: "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"},
		{line: "XSETID s 20-0 ENTRIESADDED", want: badSyntax},
		{line: "XSETID s 20-0 FOO", want: badSyntax},
		{line: "XCFGSET s", want: "ERR At least one parameter must be specified", late: lateReport},
		{line: "XCFGSET s IDMP-DURATION 0", want: "ERR IDMP-DURATION must be between 1 and 86400 seconds", late: lateReport},
		{line: "XCFGSET s IDMP-MAXSIZE 10001", want: "ERR IDMP-MAXSIZE must be between 1 and 10000 entries", late: lateReport},
		{line: "XCFGSET s IDMP-DURATION 5 IDMP-DURATION 6", want: "ERR IDMP-DURATION specified multiple times", late: lateReport},
		{line: "XCFGSET s IDMP-MAXSIZE 5 IDMP-MAXSIZE 6", want: "ERR IDMP-MAXSIZE specified multiple times", late: lateReport},
		{line: "XCFGSET s IDMP-DURATION", want: badSyntax, late: lateReport},
		{line: "XCFGSET s IDMP-DURATION abc", want: badInt, late: lateReport},
		{line: "XCFGSET s FOO 1", want: badSyntax, late: lateReport},
		{line: "XIDMPRECORD k p i abc", want: badID},
		{line: `XIDMPRECORD k "" i 1-0`, want: "ERR producer ID must be non-empty"},
		{line: `XIDMPRECORD k p "" 1-0`, want: "ERR idempotent ID must be non-empty"},
	})
}

func TestTrailingBlankIsNoID(t *testing.T) {
	if _, ok := stream.ParseID([]byte("8-1 "), 0); ok {
		t.Error("8-1 with a trailing blank is taken for an id")
	}
}

// A missing key is answered with as many elements as numids said, so a bad id must leave that many.
func TestIDsBlockKeepsItsLength(t *testing.T) {
	table := NewTable()
	for _, test := range []struct {
		line string
		want int
	}{{"XDELEX nos IDS 2 abc 1-0", 2}, {"XACKDEL s nog IDS 2 4-0 x", 2}, {"XDELEX nos IDS 0 1-0", 0}, {"XDELEX nos FOO IDS 1 1-0", 0}} {
		op, _, err := parse(t, table, test.line)
		if err != nil || op.Err == nil || len(op.IDs) != test.want {
			t.Errorf("%s: %d ids, %v, %v; want %d ids and a late error", test.line, len(op.IDs), op.Err, err, test.want)
		}
	}
}

func TestReadForms(t *testing.T) {
	s := b("s")
	testGoodForms(t, []goodForm{
		{line: "XLEN s", want: machine.Op{Kind: machine.XLen, Key: s}},
		{line: "XRANGE s - +", want: machine.Op{Kind: machine.XRange, Key: s, IDs: ids(stream.MinID, stream.MaxID), N: [4]int64{-1}}},
		{line: "XRANGE s 1 1", want: machine.Op{Kind: machine.XRange, Key: s, IDs: ids(id(1, 0), id(1, math.MaxUint64)), N: [4]int64{-1}}},
		{line: "XRANGE s (1-1 (3 count 1 COUNT 2", want: machine.Op{Kind: machine.XRange, Key: s, IDs: ids(id(1, 2), id(3, math.MaxUint64-1)), N: [4]int64{2}}},
		{line: "XRANGE s - (0 COUNT -1", want: machine.Op{Kind: machine.XRange, Key: s, IDs: ids(id(0, 0), id(0, math.MaxUint64-1))}},
		{line: "XREVRANGE s 3 2 COUNT 0", want: machine.Op{Kind: machine.XRange, Key: s, Flags: machine.FlagReverse, IDs: ids(id(2, 0), id(3, math.MaxUint64))}},
		{line: "XREAD STREAMS s 1-1", want: machine.Op{Kind: machine.XRead, Args: words("s"), IDs: ids(id(1, 1)), Marks: []byte{0}}},
		{line: "XREAD COUNT -5 BLOCK 0 STREAMS s q r $ + 4", blockMS: forEver, want: machine.Op{Kind: machine.XRead, Args: words("s q r"),
			IDs: ids(id(0, 0), id(0, 0), id(4, 0)), Marks: []byte{'$', '+', 0}}},
		{line: "XREAD block 15 COUNT 2 MAXCOUNT 3 MAXSIZE 4 streams STREAMS 0", blockMS: 15, want: machine.Op{Kind: machine.XRead,
			Args: words("STREAMS"), IDs: ids(id(0, 0)), Marks: []byte{0}, N: [4]int64{2, 3, 4}}},
		{line: "XREADGROUP GROUP g c STREAMS s q > 5", want: machine.Op{Kind: machine.XReadGroup, Group: b("g"), Consumer: b("c"),
			Args: words("s q"), IDs: ids(stream.MaxID, id(5, 0)), N: [4]int64{0, 0, 0, -1}}},
		{line: "XREADGROUP COUNT 7 NOACK CLAIM 0 BLOCK 1 GROUP STREAMS c STREAMS s >", blockMS: 1, want: machine.Op{Kind: machine.XReadGroup,
			Group: b("STREAMS"), Consumer: b("c"), Flags: machine.FlagNoAck, Args: words("s"), IDs: ids(stream.MaxID), N: [4]int64{7, 0, 0, 0}}},
	})
}

func TestReadErrors(t *testing.T) {
	const (
		badStart = "ERR invalid start ID for the interval"
		badEnd   = "ERR invalid end ID for the interval"
		last     = "18446744073709551615-18446744073709551615"
		only     = " option is only supported by XREADGROUP. You called XREAD instead."
		dollar   = "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
		plus     = "ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would just return an empty result set."
	)
	testBadForms(t, []badForm{
		{line: "XRANGE s ( +", want: badID},
		{line: "XRANGE s (- +", want: badID},
		{line: "XRANGE s - (+", want: badID},
		{line: "XRANGE s (" + last + " +", want: badStart},
		{line: "XRANGE s - (0-0", want: badEnd},
		{line: "XRANGE s - + COUNT abc", want: badInt},
		{line: "XRANGE s - + COUNT", want: badSyntax},
		{line: "XRANGE s - + FOO", want: badSyntax},
		{line: "XRANGE nos abc +", want: badID},
		{line: "XREVRANGE s (0-0 -", want: badEnd},
		{line: "XREVRANGE s + (" + last, want: badStart},
		{line: "XREVRANGE s (0-0 (" + last, want: badStart},
		{line: "XREAD STREAMS s -", want: badID, late: lateReport},
		{line: "XREAD STREAMS s >", want: "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.", late: lateReport},
		{line: "XREAD STREAMS s (1-1", want: badID, late: lateReport},
		{line: "XREAD STREAMS nos abc", want: badID, late: lateReport},
		{line: "XREAD STREAMS s q 0", want: "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."},
		{line: "XREAD COUNT abc STREAMS s 0", want: badInt},
		{line: "XREAD COUNT STREAMS s 0", want: badInt},
		{line: "XREAD BLOCK -1 STREAMS s 0", want: "ERR timeout is negative"},
		{line: "XREAD BLOCK 1.5 STREAMS s 0", want: "ERR timeout is not an integer or out of range"},
		{line: "XREAD BLOCK 9223372036854775807 STREAMS s 0", want: "ERR timeout is out of range"},
		{line: "XREAD FOO 1 STREAMS s 0", want: badSyntax},
		{line: "XREAD BLOCK 0 COUNT 1", want: badSyntax},
		{line: "XREAD BLOCK 0 STREAMS", want: badSyntax},
		{line: "XREAD GROUP g c STREAMS s 0", want: "ERR The GROUP" + only},
		{line: "XREAD COUNT 1 GROUP g", want: badSyntax},
		{line: "XREAD NOACK STREAMS s 0", want: "ERR The NOACK" + only},
		{line: "XREAD CLAIM 0 STREAMS s 0", want: "ERR The CLAIM" + only},
		{line: "XREAD STREAMS s", want: "ERR wrong number of arguments for 'xread' command"},
		{line: "XREAD MAXCOUNT 0 STREAMS s 0", want: "ERR MAXCOUNT must be a positive integer"},
		{line: "XREAD MAXSIZE 0 STREAMS s 0", want: "ERR MAXSIZE must be a positive integer"},
		{line: "XREAD COUNT 5 MAXCOUNT 1 STREAMS s 0", want: "ERR MAXCOUNT must be greater than or equal to COUNT"},
		{line: "XREADGROUP GROUP g c STREAMS s", want: "ERR wrong number of arguments for 'xreadgroup' command"},
		{line: "XREADGROUP GROUP g c STREAMS s > x", want: "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."},
		{line: "XREADGROUP COUNT 1 BLOCK 1 STREAMS s >", want: "ERR Missing GROUP option for XREADGROUP"},
		{line: "XREADGROUP GROUP g c STREAMS s $", want: dollar, late: lateReport},
		{line: "XREADGROUP GROUP g c STREAMS s +", want: plus, late: lateReport},
		{line: "XREADGROUP GROUP g c STREAMS s -", want: badID, late: lateReport},
		{line: "XREADGROUP GROUP g STREAMS s > x", want: badSyntax},
		{line: "XREADGROUP GROUP g c2 CLAIM abc STREAMS s >", want: "ERR min-idle-time is not an integer or out of range"},
		{line: "XREADGROUP GROUP g c2 CLAIM -1 STREAMS s >", want: "ERR min-idle-time must be a positive integer"},
	})
}

func TestErrAtNamesTheKey(t *testing.T) {
	op, _, err := parse(t, NewTable(), "XREADGROUP GROUP g c STREAMS a b c > $ -")
	if err != nil || op.ErrAt != 1 || op.Err != errReadGroupDollar || len(op.IDs) != 1 {
		t.Errorf("got ErrAt %d, Err %v, %d ids, %v", op.ErrAt, op.Err, len(op.IDs), err)
	}
}

func TestHotCommandsDoNotAllocate(t *testing.T) {
	table := NewTable()
	for _, line := range []string{
		"XADD s MAXLEN ~ 1000 * field value other value",
		"XREADGROUP GROUP g c COUNT 10 BLOCK 1000 STREAMS s >",
		"XREAD COUNT 10 STREAMS s 5-5",
		"XACK s g 1-0 2-0 3-0",
		"XRANGE s - + COUNT 100",
		"XLEN s",
		"XCLAIM s g c 10 1-0 2-0 JUSTID",
		"SET k v EX 10",
		"GET k",
	} {
		args := words(line)
		spec, err := table.Find(args)
		if err != nil {
			t.Fatal(err)
		}
		var op machine.Op
		var keys [][]byte
		if n := testing.AllocsPerRun(100, func() {
			op.Reset()
			if _, err := spec.Parse(args, &op); err != nil {
				t.Fatal(err)
			}
			if keys, err = spec.KeysOf(args, keys[:0]); err != nil || len(keys) != 1 {
				t.Fatal(keys, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkParseXAdd(bench *testing.B) {
	table := NewTable()
	args := words("XADD stream:1 * field value")
	var op machine.Op
	bench.ReportAllocs()
	for bench.Loop() {
		spec, err := table.Find(args)
		if err != nil {
			bench.Fatal(err)
		}
		op.Reset()
		if _, err := spec.Parse(args, &op); err != nil {
			bench.Fatal(err)
		}
	}
}

func TestResolveRelative(t *testing.T) {
	for _, test := range []struct {
		op   machine.Op
		want int64
		err  error
	}{
		{op: machine.Op{Kind: machine.Set, Flags: machine.FlagRelative, N: [4]int64{5}, AtMS: 100}, want: 105},
		{op: machine.Op{Kind: machine.ExpireAt, Flags: machine.FlagRelative, N: [4]int64{-5}, AtMS: 100}, want: 95},
		{op: machine.Op{Kind: machine.ExpireAt, N: [4]int64{5}, AtMS: 100}, want: 5},
		{op: machine.Op{Kind: machine.XClaim, Flags: machine.FlagTime, N: [4]int64{5}, AtMS: 100}, want: 5},
		{op: machine.Op{Kind: machine.Set, Flags: machine.FlagRelative, N: [4]int64{math.MaxInt64}, AtMS: 1}, want: math.MaxInt64,
			err: resp.Error("ERR invalid expire time in 'set' command")},
	} {
		op := test.op
		if err := ResolveRelative(&op, "set"); err != test.err || op.N[0] != test.want {
			t.Errorf("%+v: got %d, %v; want %d, %v", test.op, op.N[0], err, test.want, test.err)
		}
	}
	op := machine.Op{Kind: machine.GetEx, Flags: machine.FlagRelative, N: [4]int64{math.MaxInt64}, AtMS: 1}
	want := resp.Error("ERR invalid expire time in 'getex' command")
	if err := ResolveRelative(&op, "getex"); err != nil || op.Err != want || op.Flags != 0 {
		t.Errorf("GETEX: got %v, %v, flags %x; its error waits until the key was looked at", err, op.Err, op.Flags)
	}
}
