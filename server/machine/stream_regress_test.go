package machine

import (
	"testing"
)

// Bugs that Redis had, by the number of their report, and what must happen instead. The replay at the end of each dialogue
// is the part that counts for those of persistence and replication.
func TestRegressions(t *testing.T) {
	exhausted := "-ERR The stream has exhausted the last possible ID, unable to add more items"
	small := "-ERR The ID specified in XADD is equal or smaller than the target stream top item"
	noGroup := "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
	start := [][2]string{
		{"XADD s 1-0 a 1", ""}, {"XADD s 2-0 b 2", ""}, {"XADD s 3-0 c 3", ""}, {"XGROUP CREATE s g 0", "+OK"},
	}
	for name, dialogue := range map[string][][2]string{
		"15729 pending entries of deleted entries stay": {
			{"XREADGROUP GROUP g c STREAMS s >", ""},
			{"XDEL s 1-0 3-0", ":2"},
			{"XPENDING s g", `*4[:3, "1-0", "3-0", *1[*2["c", "3"]]]`},
		},
		"7140 NOACK creates the consumer": {
			{"XREADGROUP GROUP g c NOACK STREAMS s >", ""},
			{"XINFO CONSUMERS s g", `*1[*8["name", "c", "pending", :0, "idle", :0, "inactive", :-1]]`},
			{"XREADGROUP GROUP g c NOACK STREAMS s >", "*-1"},
		},
		"7105 last-delivered-id does not go back": {
			{"XREADGROUP GROUP g c STREAMS s >", ""},
			{"XACK s g 1-0 2-0 3-0", ":3"},
			{"XINFO GROUPS s", `…"last-delivered-id", "3-0", …`},
		},
		"6930 history across a deleted entry": {
			{"XREADGROUP GROUP g c STREAMS s >", ""},
			{"XDEL s 2-0", ":1"},
			{"XREADGROUP GROUP g c STREAMS s 0", `*1[*2["s", *3[*2["1-0", *2["a", "1"]], *2["2-0", *-1], *2["3-0", *2["c", "3"]]]]]`},
			{"XREADGROUP GROUP g c COUNT 1 STREAMS s 1-0", `*1[*2["s", *1[*2["2-0", *-1]]]]`},
		},
		"6644 empty streams and idle consumers stay": {
			{"XGROUP CREATECONSUMER s g c", ":1"},
			{"XTRIM s MAXLEN 0", ":3"},
			{"XGROUP CREATE empty g $ MKSTREAM", "+OK"},
			{"XLEN empty", ":0"},
			{"XINFO CONSUMERS s g", `*1[…]`},
		},
		"CVE-2022-31144 XAUTOCLAIM over many dead entries": {
			{"XREADGROUP GROUP g c STREAMS s >", ""},
			{"XDEL s 1-0 2-0 3-0", ":3"},
			{"XAUTOCLAIM s g d 0 0 COUNT 1", `*3["2-0", *0[], *1["1-0"]]`},
			{"XAUTOCLAIM s g d 0 0", `*3["0-0", *0[], *2["2-0", "3-0"]]`},
		},
		"CVE-2026-63639 a pending entry has one owner": {
			{"XREADGROUP GROUP g c STREAMS s >", ""},
			{"XCLAIM s g d 0 1-0 JUSTID", ""},
			{"XGROUP DELCONSUMER s g c", ":2"},
			{"XREADGROUP GROUP g d STREAMS s 0", `*1[*2["s", *1[*2["1-0", *2["a", "1"]]]]]`},
			{"XGROUP DELCONSUMER s g d", ":1"},
			{"XPENDING s g", "*4[:0, $-1, $-1, *-1]"},
		},
		"5109 the group goes while a client waits": {
			{"XGROUP DESTROY s g", ":1"},
			{"XREADGROUP GROUP g c STREAMS s >", noGroup},
		},
		"5426 ids do not go back after a trim": {
			{"XTRIM s MAXLEN 0", ":3"},
			{"XADD s 3-0 a b", small},
			{"XSETID s 10-0", "+OK"},
			{"XADD s 10-0 a b", small},
			{"XADD s 10-* a b", `"10-1"`},
		},
		"10782 the highest id": {
			{"XADD s 18446744073709551615-18446744073709551615 a b", ""},
			{"XADD s * a b", exhausted},
			{"XADD s 18446744073709551615-* a b", exhausted},
			{"XGROUP CREATE s top $", "+OK"},
			{"XREADGROUP GROUP top c STREAMS s >", "*-1"},
			{"XREAD STREAMS s $", "*-1"},
			{"XREAD STREAMS s +", `*1[*2["s", *1[*2["18446744073709551615-18446744073709551615", *2["a", "b"]]]]]`},
			{"XREADGROUP GROUP g c STREAMS s >", ""},
			{"XAUTOCLAIM s g d 0 18446744073709551615-18446744073709551615 JUSTID", `*3["0-0", *1["18446744073709551615-18446744073709551615"], *0[]]`},
			{"XREADGROUP GROUP g d STREAMS s 18446744073709551615-18446744073709551614", `*1[*2["s", *1[…]]]`},
			{"XREVRANGE s + - COUNT 1", `*1[…]`},
		},
		"15836 idempotent ids expire though the stream is ahead of the clock": {
			{"XADD s 1500000-0 a b", ""},
			{"XADD s IDMP p i * a b", `"1500000-1"`},
			{"SLEEP 599999", ""},
			{"XADD s IDMP p i * a b", `"1500000-1"`},
			{"SLEEP 1", ""},
			{"XADD s IDMP p i * a b", `"1600000-0"`},
		},
		"14794 idempotent ids are state": {
			{"XADD s IDMP p i * a b", `"1000000-0"`},
			{"XADD s IDMP p i * a b", `"1000000-0"`},
			{"XDEL s 1000000-0", ":1"},
			{"XADD s IDMP p i * a b", `"1000000-0"`}, // 14908: also after the entry was deleted
		},
		"14869 idempotent ids expire while nothing is added": {
			{"XADD s IDMP p i * a b", `"1000000-0"`},
			{"SLEEP 1", ""},
			{"XADD s IDMP p j * a b", `"1000001-0"`},
			{"XADD s IDMP q i * a b", `"1000001-1"`},
			{"SLEEP 99999", ""},
			{"XINFO STREAM s", `…"pids-tracked", :2, "iids-tracked", :2, "iids-added", :3, …`},
			{"SLEEP 1", ""},
			{"XINFO STREAM s", `…"pids-tracked", :0, "iids-tracked", :0, "iids-added", :3, …`},
			{"XINFO STREAM s FULL", `…"pids-tracked", :0, "iids-tracked", :0, "iids-added", :3, …`},
		},
		"14726 delivery again through '>' starts a new count": {
			{"XREADGROUP GROUP g c COUNT 1 STREAMS s >", ""},
			{"XREADGROUP GROUP g c STREAMS s 0", ""},
			{"XGROUP SETID s g 0", "+OK"},
			{"XREADGROUP GROUP g d COUNT 1 STREAMS s >", ""},
			{"XPENDING s g - + 10", `*1[*4["1-0", "d", :0, :1]]`},
		},
		"14797 unowned pending entries without data are dropped": {
			{"XREADGROUP GROUP g c STREAMS s >", ""},
			{"XNACK s g FAIL IDS 2 1-0 2-0", ":2"},
			{"XDEL s 1-0", ":1"},
			{"XAUTOCLAIM s g d 100 0 JUSTID", `*3["0-0", *1["2-0"], *1["1-0"]]`},
			{"XPENDING s g", `*4[:2, "2-0", "3-0", *2[*2["c", "1"], *2["d", "1"]]]`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDialogue(t)
			d.run(start)
			d.run(dialogue)
		})
	}
}
