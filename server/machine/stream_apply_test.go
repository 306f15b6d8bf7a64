package machine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/stream"
)

// fill adds one-pair entries from-0 … to-0.
func (d *dialogue) fill(key string, from, to int) {
	d.t.Helper()
	for i := from; i <= to; i++ {
		d.run([][2]string{{fmt.Sprintf("XADD %s %d-0 a %d", key, i, i), fmt.Sprintf("%q", fmt.Sprintf("%d-0", i))}})
	}
}

func TestTrimTable(t *testing.T) {
	for _, c := range []struct{ command, reply, state string }{
		{"XTRIM s MAXLEN ~ 12", ":10", "15 11-0"},
		{"XTRIM s MAXLEN ~ 15", ":10", "15 11-0"},
		{"XTRIM s MAXLEN ~ 16", ":0", "25 1-0"},
		{"XTRIM s MAXLEN ~ 5", ":20", "5 21-0"},
		{"XTRIM s MAXLEN ~ 5 LIMIT 9", ":0", "25 1-0"},
		{"XTRIM s MAXLEN ~ 5 LIMIT 10", ":10", "15 11-0"},
		{"XTRIM s MAXLEN ~ 5 LIMIT 19", ":10", "15 11-0"},
		{"XTRIM s MAXLEN ~ 0 LIMIT 0", ":25", "0 0-0"},
		{"XTRIM s MAXLEN 12", ":13", "12 14-0"},
		{"XTRIM s MINID ~ 11", ":10", "15 11-0"},
		{"XTRIM s MINID ~ 10", ":0", "25 1-0"},
		{"XTRIM s MINID ~ 26", ":25", "0 0-0"},
		{"XTRIM s MINID 15", ":14", "11 15-0"},
		{"XTRIM s MINID 14-1", ":14", "11 15-0"},
		{"XTRIM s MINID ~ 30 LIMIT 15", ":10", "15 11-0"},
		{"XADD s MAXLEN ~ 12 100-0 a b", `"100-0"`, "16 11-0"},
		{"XADD s MAXLEN 3 100-0 a b", `"100-0"`, "3 24-0"},
		{"XADD s MINID 200 100-0 a b", `"100-0"`, "0 0-0"},
	} {
		d := newDialogue(t)
		d.apply(&Op{Kind: SetParams, N: [4]int64{4096, 10, 100, 100}})
		d.fill("s", 1, 25)
		d.run([][2]string{{c.command, c.reply}})
		o, _ := d.m.lookupStream(0, []byte("s"))
		if got := fmt.Sprint(o.stream.Len(), " ", o.stream.FirstID()); got != c.state {
			t.Errorf("%s: left %s, want %s", c.command, got, c.state)
		}
	}
}

func TestTrimLimitDefault(t *testing.T) {
	for _, c := range []struct{ perNode, want int64 }{{100, 10000}, {0, 10000}, {1, 100}, {20000, 1000000}, {1 << 60, 1000000}} {
		m := New(1)
		m.params.NodeMaxEntries = c.perNode
		if got := m.trimLimit(&Op{Flags: FlagApprox}); got != c.want {
			t.Errorf("nodes of %d: limit %d, want %d", c.perNode, got, c.want)
		}
	}
	if got := New(1).trimLimit(&Op{Flags: FlagApprox | FlagHasLimit, N: [4]int64{0, 7}}); got != 7 {
		t.Errorf("LIMIT 7: %d", got)
	}
}

func TestLagTable(t *testing.T) {
	for _, c := range []struct {
		name, read, lag string
		script          []string
	}{
		{"L1", "$-1", ":5", []string{"XGROUP CREATE x g 0"}},
		{"L2", "$-1", ":0", []string{"XGROUP CREATE x g $"}},
		{"L3", "$-1", "$-1", []string{"XGROUP CREATE x g 3-0"}},
		{"L4", "$-1", ":4", []string{"XGROUP CREATE x g 1-0"}},
		{"L5", "$-1", "$-1", []string{"XGROUP CREATE x g 99-0"}},
		{"L6", ":1", ":4", []string{"XGROUP CREATE x g 0", "READ 1"}},
		{"L7", "$-1", "$-1", []string{"XGROUP CREATE x g 3-0", "READ 1"}},
		{"L8", ":5", ":0", []string{"XGROUP CREATE x g 3-0", "READ 1", "READ 1"}},
		{"L9", "$-1", "$-1", []string{"XGROUP CREATE x g 1-0", "READ 1"}},
		{"L10", ":1", "$-1", []string{"XGROUP CREATE x g 0", "READ 1", "XDEL x 3-0"}},
		{"L11", "$-1", "$-1", []string{"XGROUP CREATE x g 0", "READ 1", "XDEL x 3-0", "READ 1"}},
		{"L12", ":5", ":0", []string{"XGROUP CREATE x g 0", "READ 1", "XDEL x 3-0", "READ 1", "READ 2"}},
		{"L13", ":5", ":0", []string{"XGROUP CREATE x g 0", "READ 1", "XDEL x 3-0", "READ 1", "READ 2", "XTRIM x MAXLEN 1"}},
		{"L14", "$-1", ":1", []string{"XGROUP CREATE x g 1-0", "READ 1", "XDEL x 3-0", "XTRIM x MAXLEN 1"}},
		{"L15", ":1", ":0", []string{"XGROUP CREATE x g 0", "READ 1", "XTRIM x MAXLEN 0"}},
		{"L16", "$-1", ":0", []string{"XGROUP CREATE x g 99-0", "XTRIM x MAXLEN 0"}},
		{"L17", ":0", ":2", []string{"XGROUP CREATE x g 0 ENTRIESREAD 0", "XTRIM x MAXLEN 2"}},
		{"L18", ":4", ":1", []string{"XGROUP CREATE x g 0 ENTRIESREAD 0", "XTRIM x MAXLEN 2", "READ 1"}},
		{"L19", ":5", ":0", []string{"XGROUP CREATE x g 4-0 ENTRIESREAD 50"}},
		{"L20", "$-1", ":0", []string{"DEL x", "XGROUP CREATE x g $ MKSTREAM"}},
		{"SETID above", ":5", ":0", []string{"XGROUP CREATE x g $", "XGROUP SETID x g $ ENTRIESREAD 9999"}},
		{"SETID equal", ":5", ":0", []string{"XGROUP CREATE x g $", "XGROUP SETID x g $ ENTRIESREAD 5"}},
		{"SETID unknown", "$-1", ":0", []string{"XGROUP CREATE x g $", "XGROUP SETID x g $ ENTRIESREAD -1"}},
	} {
		d := newDialogue(t)
		d.fill("x", 1, 5)
		for _, command := range c.script {
			if n, read := strings.CutPrefix(command, "READ "); read {
				command = "XREADGROUP GROUP g c COUNT " + n + " STREAMS x >"
			}
			d.run([][2]string{{command, ""}})
		}
		got := d.do("XINFO GROUPS x")
		if want := fmt.Sprintf(`"entries-read", %s, "lag", %s]]`, c.read, c.lag); !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %s, want … %s", c.name, got, want)
		}
	}
}

// TestObserved checks events, invalidation and wake-ups of each command, and that Changed is told exactly when something did.
func TestObserved(t *testing.T) {
	d := newDialogue(t)
	for _, c := range []struct {
		command string
		changed bool
		heard   string
	}{
		{"XGROUP CREATE m g $ MKSTREAM", true, "n:new m, dirty m, ready m, t:xgroup-create m"},
		{"XGROUP CREATE m g $", false, ""},
		{"XADD s 1-0 a b", true, "n:new s, t:xadd s, dirty s, ready s"},
		{"XADD s 2-0 a b", true, "t:xadd s, dirty s, ready s"},
		{"XADD s MAXLEN 1 3-0 a b", true, "t:xadd s, t:xtrim s, dirty s, ready s"},
		{"XADD s MAXLEN 5 4-0 a b", true, "t:xadd s, dirty s, ready s"},
		{"XADD s 4-0 a b", false, ""},
		{"XADD no NOMKSTREAM 4-0 a b", false, ""},
		{"XADD s IDMP p i * a b", true, "t:xadd s, dirty s, ready s"},
		{"XADD s IDMP p i MAXLEN 0 * a b", true, ""},
		{"XTRIM s MAXLEN 10", false, ""},
		{"XTRIM s MAXLEN 2", true, "t:xtrim s, dirty s"},
		{"XTRIM no MAXLEN 2", false, ""},
		{"XADD s 2000000-0 a b", true, "t:xadd s, dirty s, ready s"},
		{"XADD s 3000000-0 a b", true, "t:xadd s, dirty s, ready s"},
		{"XDEL s 4-0", true, "t:xdel s, dirty s"},
		{"XDEL s 4-0", false, ""},
		{"XDELEX s IDS 1 4-0", false, ""},
		{"XDELEX s IDS 1 2000000-0", true, "t:xdel s, dirty s"},
		{"XSETID s 4000000-0", true, "t:xsetid s"},
		{"XSETID s 4000000-0", false, "t:xsetid s"},
		{"XSETID s 1", false, ""},
		{"XGROUP CREATE s g 0", true, "t:xgroup-create s"},
		{"XGROUP SETID s g 0 ENTRIESREAD 3", true, "t:xgroup-setid s"},
		{"XGROUP SETID s g 0 ENTRIESREAD 3", false, "t:xgroup-setid s"},
		{"XGROUP SETID s g 0 ENTRIESREAD 9999", true, "t:xgroup-setid s"},
		{"XGROUP SETID s g 0 ENTRIESREAD 8888", false, "t:xgroup-setid s"}, // both are lowered to the entries added
		{"XGROUP SETID s g 0 ENTRIESREAD 3", true, "t:xgroup-setid s"},
		{"XGROUP CREATECONSUMER s g c", true, "t:xgroup-createconsumer s"},
		{"XGROUP CREATECONSUMER s g c", false, ""},
		{"XGROUP DELCONSUMER s g c", true, "t:xgroup-delconsumer s"},
		{"XGROUP DELCONSUMER s g c", false, ""},
		{"XREADGROUP GROUP g c STREAMS s >", true, "t:xgroup-createconsumer s"},
		{"XREADGROUP GROUP g c STREAMS s >", false, ""},
		{"XREADGROUP GROUP g c STREAMS s 0", true, ""},
		{"XREADGROUP GROUP g c STREAMS s 9000000-0", false, ""},
		{"XREADGROUP GROUP g new STREAMS s >", true, "t:xgroup-createconsumer s"},
		{"XCLAIM s g c 0 77-0", false, ""},
		{"XCLAIM s g d 0 77-0", true, "t:xgroup-createconsumer s"},
		{"XCLAIM s g d 0 3000000-0", true, ""},
		{"XCLAIM s g d 0 77-0 LASTID 3000000-0", false, ""},
		{"XCLAIM s g d 0 77-0 LASTID 3000000-1", true, ""},
		{"XAUTOCLAIM s g d 100 0", false, ""},
		{"XAUTOCLAIM s g e 0 0", true, "t:xgroup-createconsumer s"},
		{"XNACK s g FAIL IDS 1 9-9", false, ""},
		{"XNACK s g FAIL IDS 1 3000000-0", true, "ready s"},
		{"XACK s g 9-9", false, ""},
		{"XACK s g 3000000-0", true, ""},
		{"XACKDEL s g IDS 1 3000000-0", false, ""},
		{"XNACK s g FAIL IDS 1 3000000-0 FORCE", true, "ready s"},
		{"XACKDEL s g ACKED IDS 1 3000000-0", true, "t:xdel s, dirty s"},
		{"XCFGSET s IDMP-DURATION 100", false, ""},
		{"XCFGSET s IDMP-DURATION 101", true, ""},
		{"XADD s 5000000-0 a b", true, "t:xadd s, dirty s, ready s"},
		{"XIDMPRECORD s p i 5000000-0", true, ""},
		{"XIDMPRECORD s p i 5000000-0", false, ""},
		{"XGROUP DESTROY s no", false, ""},
		{"XGROUP DESTROY s g", true, "t:xgroup-destroy s, ready s, gone s"},
	} {
		d.do(c.command)
		if got := strings.Join(d.heard, ", "); got != c.heard {
			t.Errorf("%s: heard %q, want %q", c.command, got, c.heard)
		}
		if got := d.res&Changed != 0; got != c.changed {
			t.Errorf("%s: changed %v, want %v", c.command, got, c.changed)
		}
	}
}

func TestIdempotentAppend(t *testing.T) {
	d := newDialogue(t)
	d.run([][2]string{
		{"XADD s IDMP p1 i1 * a 1", `"1000000-0"`},
		{"XADD s IDMP p1 i1 * a 2", `"1000000-0"`},
		{"XLEN s", ":1"},
		{"XADD s IDMP p2 i1 * a 1", `"1000000-1"`},
		{"XADD s IDMPAUTO p1 * a 1 b 2", `"1000000-2"`},
		{"XADD s IDMPAUTO p1 * b 2 a 1", `"1000000-2"`},
		{"XADD s IDMP p1 i1 MAXLEN 0 * a 1", `"1000000-0"`},
		{"XLEN s", ":3"},
		{"XADD nos NOMKSTREAM IDMP p i * a b", "$-1"},
		{"XCFGSET nos IDMP-DURATION 5", "-ERR no such key"},
		{"XCFGSET s IDMP-DURATION 100", "+OK"},
		{"XADD s IDMP p1 i1 * a 3", `"1000000-0"`},
		{"XCFGSET s IDMP-DURATION 101", "+OK"},
		{"XADD s IDMP p1 i1 * a 3", `"1000000-3"`},
		{"XDEL s 1000000-3", ":1"},
		{"XADD s IDMP p1 i1 * a 3", `"1000000-3"`}, // the entry may be gone, its id is still the answer
		{"SLEEP 100999", ""},
		{"XADD s IDMP p1 i1 * a 3", `"1000000-3"`},
		{"SLEEP 1", ""},
		{"XADD s IDMP p1 i1 * a 3", `"1101000-0"`},
		{"XINFO STREAM s", `…"pids-tracked", :1, "iids-tracked", :1, "iids-added", :5, "iids-duplicates", :6, …`},
	})
}

func TestIdempotentRecord(t *testing.T) {
	newDialogue(t).run([][2]string{
		{"XADD k 1-0 a b", ""},
		{"XADD k 2-0 a b", ""},
		{"SET str x", ""},
		{"XIDMPRECORD nos p i 1-0", "-ERR no such key"},
		{"XIDMPRECORD str p i 1-0", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
		{"XIDMPRECORD k p i 9-0", "-ERR No such message in stream"},
		{"XIDMPRECORD k p i 1-0", "+OK"},
		{"XIDMPRECORD k p i 1-0", "+OK"},
		{"XIDMPRECORD k p i 2-0", "-ERR IID already exists for this producer with a different stream ID"},
		{"XADD k IDMP p i * a b", `"1000000-0"`}, // 1-0 expired long ago
		{"XADD k IDMP p i * a b", `"1000000-0"`},
	})
}

// TestIdempotentRefusal checks that a refused XADD leaves no idempotent id behind.
func TestIdempotentRefusal(t *testing.T) {
	d := newDialogue(t)
	d.run([][2]string{
		{"XADD s 18446744073709551615-18446744073709551615 a b", ""},
		{"XADD s IDMP p i * a b", "-ERR The stream has exhausted the last possible ID, unable to add more items"},
		{"XINFO STREAM s", `…"pids-tracked", :0, "iids-tracked", :0, "iids-added", :0, "iids-duplicates", :0, …`},
	})
	huge := make([]byte, maxEntryBytes)
	op := &Op{Kind: XAdd, Key: []byte("new"), Flags: FlagAutoID | FlagIdmp, IDs: make([]stream.ID, 1), AtMS: 1,
		Group: []byte("p"), Consumer: []byte("i"), Args: [][]byte{huge, []byte("v")}}
	if res := d.m.Apply(op, nil); res != Refused || d.m.Has(0, op.Key) {
		t.Errorf("too large an entry: result %b, key there %v", res, d.m.Has(0, op.Key))
	}
}

func TestReadCaps(t *testing.T) {
	for _, prefix := range []string{"XREAD ", "XREADGROUP GROUP g c "} {
		d := newDialogue(t)
		id := "0"
		if prefix != "XREAD " {
			id = ">"
		}
		for _, key := range []string{"s", "q", "r"} {
			d.fill(key, 1, 3)
			d.run([][2]string{{"XGROUP CREATE " + key + " g 0", "+OK"}})
		}
		read := func(options, keys string) string {
			got := d.do(prefix + options + " STREAMS " + keys + strings.Repeat(" "+id, len(strings.Fields(keys))))
			for _, key := range []string{"s", "q", "r"} {
				d.do("XGROUP SETID " + key + " g 0")
			}
			return got
		}
		one := func(i int) string { return fmt.Sprintf(`*2["%d-0", *2["a", "%d"]]`, i, i) }
		s3 := `*2["s", *3[` + one(1) + ", " + one(2) + ", " + one(3) + "]]"
		for _, c := range [][3]string{
			{"COUNT 2 MAXCOUNT 3", "s q", `*2[*2["s", *2[` + one(1) + ", " + one(2) + `]], *2["q", *1[` + one(1) + "]]]"},
			{"MAXCOUNT 3", "s q", "*1[" + s3 + "]"},
			{"MAXSIZE 1", "s q", `*1[*2["s", *1[` + one(1) + "]]]"},
			// An entry takes 31 bytes: *2 $3 1-0 *2 $1 a $1 1.
			{"MAXSIZE 61", "s q", `*1[*2["s", *1[` + one(1) + "]]]"},
			{"MAXSIZE 123", "s q r", "*1[" + s3 + "]"},
			{"MAXSIZE 124", "s q r", "*2[" + s3 + `, *2["q", *1[` + one(1) + "]]]"},
		} {
			if got := read(c[0], c[1]); got != c[2] {
				t.Errorf("%s%s STREAMS %s\n got %s\nwant %s", prefix, c[0], c[1], got, c[2])
			}
		}
	}
}

func TestReadGroupCapsHoldBack(t *testing.T) {
	d := newDialogue(t)
	d.fill("s", 1, 3)
	d.fill("q", 1, 3)
	d.run([][2]string{
		{"XGROUP CREATE s g 0", ""},
		{"XGROUP CREATE q g 0", ""},
		{"XREADGROUP GROUP g c MAXCOUNT 2 STREAMS s q > >", `*1[*2["s", *2[*2["1-0", *2["a", "1"]], *2["2-0", *2["a", "2"]]]]]`},
		{"XPENDING s g", `*4[:2, "1-0", "2-0", *1[*2["c", "2"]]]`},
		{"XINFO CONSUMERS q g", `*1[*8["name", "c", "pending", :0, "idle", :0, "inactive", :-1]]`},
		{"XINFO GROUPS q", `…"last-delivered-id", "0-0", "entries-read", $-1, "lag", :3]]`},
		{"XREADGROUP GROUP g c MAXCOUNT 1 STREAMS s q 0 0", `*1[*2["s", *1[*2["1-0", *2["a", "1"]]]]]`},
		{"XPENDING s g - + 10", `*2[*4["1-0", "c", :0, :2], *4["2-0", "c", :0, :1]]`},
		{"XDEL s 1-0", ":1"},
		{"XREADGROUP GROUP g c MAXSIZE 20 STREAMS s 0", `*1[*2["s", *1[*2["1-0", *-1]]]]`},
		{"XREADGROUP GROUP g c CLAIM 0 MAXSIZE 1 STREAMS s q > >", `*1[*2["s", *1[*4["2-0", *2["a", "2"], :0, :1]]]]`},
	})
}

func TestReadGroupClaimOffAfterHistory(t *testing.T) {
	d := newDialogue(t)
	d.fill("s", 1, 2)
	d.run([][2]string{
		{"XGROUP CREATE s g 0", ""},
		{"XREADGROUP GROUP g c1 COUNT 1 STREAMS s >", ""},
		{"XREADGROUP GROUP g c2 CLAIM 0 STREAMS s s 0 >", `*2[*2["s", *0[]], *2["s", *1[*2["2-0", *2["a", "2"]]]]]`},
		{"XREADGROUP GROUP g c2 CLAIM 0 STREAMS s s > 0", `*2[*2["s", *2[*4["1-0", *2["a", "1"], :0, :1], *4["2-0", *2["a", "2"], :0, :1]]], *2["s", *2[*2["1-0", *2["a", "1"]], *2["2-0", *2["a", "2"]]]]]`},
	})
}

func TestRESP3Maps(t *testing.T) {
	d := newDialogue(t)
	d.w.RESP3 = true
	d.fill("s", 1, 1)
	d.run([][2]string{
		{"XGROUP CREATE s g 0", ""},
		{"XREAD STREAMS s s 0 0", `%2{"s": *1[*2["1-0", *2["a", "1"]]], "s": *1[*2["1-0", *2["a", "1"]]]}`},
		{"XREADGROUP GROUP g c STREAMS s >", `%1{"s": *1[*2["1-0", *2["a", "1"]]]}`},
		{"XDEL s 1-0", ":1"},
		{"XREADGROUP GROUP g c STREAMS s 0", `%1{"s": *1[*2["1-0", _]]}`},
		{"XACK s g 1-0", ":1"},
		{"XPENDING s g", `*4[:0, _, _, _]`},
		{"XRANGE s - + COUNT 0", `_`},
		{"XINFO GROUPS s", `*1[%6{"name": "g", "consumers": :1, "pending": :0, "last-delivered-id": "1-0", "entries-read": :1, "lag": :0}]`},
		{"XINFO CONSUMERS s g", `*1[%4{"name": "c", "pending": :0, "idle": :0, "inactive": :0}]`},
	})
}

func TestInfoStream(t *testing.T) {
	d := newDialogue(t)
	d.fill("s", 1, 3)
	d.run([][2]string{
		{"XGROUP CREATE s g 0", ""},
		{"XREADGROUP GROUP g c COUNT 2 STREAMS s >", ""},
		{"XGROUP CREATECONSUMER s g b", ""},
		{"XNACK s g FAIL IDS 1 2-0", ":1"},
		{"SLEEP 5", ""},
		{"XINFO STREAM s", `*32["length", :3, "radix-tree-keys", :1, "radix-tree-nodes", :2, "last-generated-id", "3-0", "max-deleted-entry-id", "0-0", "entries-added", :3, "recorded-first-entry-id", "1-0", "idmp-duration", :100, "idmp-maxsize", :100, "pids-tracked", :0, "iids-tracked", :0, "iids-added", :0, "iids-duplicates", :0, "groups", :1, "first-entry", *2["1-0", *2["a", "1"]], "last-entry", *2["3-0", *2["a", "3"]]]`},
		{"XINFO STREAM s FULL COUNT 1", `*30["length", :3, "radix-tree-keys", :1, "radix-tree-nodes", :2, "last-generated-id", "3-0", "max-deleted-entry-id", "0-0", "entries-added", :3, "recorded-first-entry-id", "1-0", "idmp-duration", :100, "idmp-maxsize", :100, "pids-tracked", :0, "iids-tracked", :0, "iids-added", :0, "iids-duplicates", :0, "entries", *1[*2["1-0", *2["a", "1"]]], "groups", *1[*16["name", "g", "last-delivered-id", "2-0", "entries-read", :2, "lag", :1, "pel-count", :2, "nacked-count", :1, "pending", *1[*4["1-0", "c", :1000000, :1]], "consumers", *2[*10["name", "b", "seen-time", :1000000, "active-time", :-1, "pel-count", :0, "pending", *0[]], *10["name", "c", "seen-time", :1000000, "active-time", :1000000, "pel-count", :1, "pending", *1[*3["1-0", :1000000, :1]]]]]]]`},
		{"XINFO STREAM s FULL COUNT 0", `…"pending", *2[*4["1-0", "c", :1000000, :1], *4["2-0", "", :0, :1]], …`},
		{"XINFO CONSUMERS s g", `*2[*8["name", "b", "pending", :0, "idle", :5, "inactive", :-1], *8["name", "c", "pending", :1, "idle", :5, "inactive", :5]]`},
		{"XTRIM s MAXLEN 0", ":3"},
		{"XINFO STREAM s", `*32["length", :0, "radix-tree-keys", :0, "radix-tree-nodes", :1, …"first-entry", $-1, "last-entry", $-1]`},
	})
}

func TestAutoClaimBudget(t *testing.T) {
	d := newDialogue(t)
	d.fill("s", 1, 30)
	d.run([][2]string{
		{"XGROUP CREATE s g 0", ""},
		{"XREADGROUP GROUP g c STREAMS s >", ""},
		{"SLEEP 100", ""},
		{"XCLAIM s g c 0 1-0 2-0 3-0 4-0 5-0 6-0 7-0 8-0 9-0 10-0 JUSTID", ""}, // young again
		{"XAUTOCLAIM s g d 50 0 COUNT 1 JUSTID", `*3["11-0", *0[], *0[]]`},
		{"XAUTOCLAIM s g d 50 11-0 COUNT 2 JUSTID", `*3["13-0", *2["11-0", "12-0"], *0[]]`},
		{"XDEL s 14-0", ":1"},
		{"XAUTOCLAIM s g d 50 13-0 COUNT 3 JUSTID", `*3["16-0", *2["13-0", "15-0"], *1["14-0"]]`},
		{"XAUTOCLAIM s g d 50 28-0 COUNT 3 JUSTID", `*3["0-0", *3["28-0", "29-0", "30-0"], *0[]]`},
	})
}

func TestClaimTimes(t *testing.T) {
	d := newDialogue(t)
	d.fill("s", 1, 1)
	d.run([][2]string{
		{"XGROUP CREATE s g 0", ""},
		{"XREADGROUP GROUP g c STREAMS s >", ""},
		{"XCLAIM s g c 0 1-0 IDLE 10 TIME 999000 JUSTID", ""},
		{"XPENDING s g - + 1", `*1[*4["1-0", "c", :1000, :1]]`},
		{"XCLAIM s g c 0 1-0 TIME 999000 IDLE 10 JUSTID", ""},
		{"XPENDING s g - + 1", `*1[*4["1-0", "c", :10, :1]]`},
		{"XCLAIM s g c 0 1-0 IDLE 1000001 JUSTID", ""}, // before 1970
		{"XPENDING s g - + 1", `*1[*4["1-0", "c", :0, :1]]`},
		{"XCLAIM s g c 0 1-0 RETRYCOUNT 9223372036854775807 JUSTID", ""},
		{"XCLAIM s g c 0 1-0", ""},
		{"XREADGROUP GROUP g c STREAMS s 0", ""},
		{"XREADGROUP GROUP g c CLAIM 0 STREAMS s >", ""},
		{"XPENDING s g - + 1", `*1[*4["1-0", "c", :0, :9223372036854775807]]`},
		{"XCLAIM s g c 0 1-0 RETRYCOUNT 0 JUSTID", ""},
		{"XNACK s g SILENT IDS 1 1-0", ""},
		{"XPENDING s g - + 1", `*1[*4["1-0", "", :-1, :0]]`},
	})
}

func TestServable(t *testing.T) {
	d := newDialogue(t)
	d.fill("s", 1, 2)
	d.run([][2]string{{"XGROUP CREATE s g $", ""}, {"XGROUP CREATE e g $ MKSTREAM", ""}, {"SET str x", ""}})
	check := func(command string, want bool) {
		t.Helper()
		if got := d.m.Servable(parseLine(t, command), d.nowMS); got != want {
			t.Errorf("%s: servable %v, want %v", command, got, want)
		}
	}
	check("XREAD STREAMS s 2-0", false)
	check("XREAD STREAMS s 1-0", true)
	check("XREAD STREAMS s $", false)
	check("XREAD STREAMS s +", true)
	check("XREAD STREAMS e +", false)
	check("XREAD STREAMS nos e 0 0", false)
	check("XREAD STREAMS nos s 0 0", true)
	check("XREAD STREAMS nos str 0 0", true)
	check("XREADGROUP GROUP g c STREAMS s >", false)
	check("XREADGROUP GROUP g c STREAMS s 0", true)
	check("XREADGROUP GROUP no c STREAMS s >", true)
	check("XREADGROUP GROUP g c STREAMS nos >", true)
	check("XREADGROUP GROUP g c STREAMS str >", true)
	check("XREADGROUP GROUP g c STREAMS e s > >", false)

	claim := "XREADGROUP GROUP g d CLAIM 50 STREAMS e s > >"
	due := func(want int64) {
		t.Helper()
		if got, ok := d.m.ClaimDueMS(parseLine(t, claim), d.nowMS); got != want || !ok {
			t.Errorf("due at %d (%v), want %d", got, ok, want)
		}
	}
	due(1_000_050)
	d.run([][2]string{{"SLEEP 10", ""}, {"XADD s 3-0 a b", ""}, {"XADD s 4-0 a b", ""}, {"XREADGROUP GROUP g c STREAMS s >", ""}, {"SLEEP 20", ""}})
	check(claim, false)
	due(1_000_060)
	d.run([][2]string{{"XCLAIM s g c 0 3-0 JUSTID", ""}, {"XDEL s 4-0", ":1"}})
	due(1_000_080) // 4-0 is older, but gone
	d.run([][2]string{{"SLEEP 50", ""}})
	check(claim, true)
	d.run([][2]string{{"XACK s g 3-0", ":1"}})
	check(claim, false)
	d.run([][2]string{{"XNACK s g FAIL IDS 1 1-0 FORCE", ":1"}})
	check(claim, true)
	if _, ok := d.m.ClaimDueMS(parseLine(t, "XREADGROUP GROUP g d STREAMS s >"), 1); ok {
		t.Error("no CLAIM, but due")
	}
	op := parseLine(t, claim)
	op.N[3] = math.MaxInt64
	if got, _ := d.m.ClaimDueMS(op, d.nowMS); got != math.MaxInt64 {
		t.Errorf("endless min-idle: due at %d", got)
	}
}

func TestResolveMarks(t *testing.T) {
	d := newDialogue(t)
	d.fill("s", 1, 2)
	d.run([][2]string{{"XDEL s 2-0", ":1"}})
	op := parseLine(t, "XREAD STREAMS s nos s s $ $ + 7-7")
	d.m.ResolveMarks(op)
	if want := []stream.ID{{MS: 2}, {}, {}, {MS: 7, Seq: 7}}; !slices.Equal(op.IDs, want) {
		t.Errorf("ids %v, want %v", op.IDs, want)
	}
	if string(op.Marks) != "\x00\x00+\x00" {
		t.Errorf("marks %q", op.Marks)
	}
}
