package shard_test

import (
	"fmt"
	"testing"
)

// TestExecuteAllocatesNothing states the budget of whole commands, from the read buffer to the replies and the frame: nothing,
// but for what stored entries take now and then.
func TestExecuteAllocatesNothing(t *testing.T) {
	r := newRig(t)
	c := r.client("c")
	for i := range 3000 {
		r.say("c", fmt.Sprintf("XADD s %d-0 f %0100d", i+1, i))
	}
	r.say("c", "XGROUP CREATE s g 0")
	r.say("c", "XREADGROUP GROUP g a COUNT 1000 STREAMS s >")
	next := 0
	ack := func() []byte {
		next++
		return request(nil, "XACK", "s", "g", fmt.Sprint(next, "-0"))
	}
	acks := make([][]byte, 300)
	for i := range acks {
		acks[i] = ack()
	}
	at := 0
	for _, test := range []struct {
		name string
		in   func() []byte
	}{
		{"PING", always("PING")},
		{"XADD", always("XADD", "s", "*", "field", fmt.Sprintf("%0100d", 1))},
		{"XADD of numbers", always("XADD", "s", "*", "a", "123456", "b", "234567", "c", "345678")},
		{"XADD MAXLEN ~", always("XADD", "s", "MAXLEN", "~", "2500", "*", "field", "value")},
		{"XADD MAXLEN", always("XADD", "s", "MAXLEN", "=", "2500", "*", "field", "value")},
		{"XRANGE COUNT 10", always("XRANGE", "s", "-", "+", "COUNT", "10")},
		{"XREVRANGE COUNT 10", always("XREVRANGE", "s", "+", "-", "COUNT", "10")},
		{"XREAD COUNT 10", always("XREAD", "COUNT", "10", "STREAMS", "s", "0")},
		{"XLEN", always("XLEN", "s")},
		{"XREADGROUP", always("XREADGROUP", "GROUP", "g", "a", "COUNT", "1", "STREAMS", "s", ">")},
		{"XREADGROUP of history", always("XREADGROUP", "GROUP", "g", "a", "COUNT", "10", "STREAMS", "s", "0")},
		{"XACK", func() []byte { at++; return acks[(at-1)%len(acks)] }},
		{"XPENDING", always("XPENDING", "s", "g", "-", "+", "10")},
		{"XPENDING IDLE", always("XPENDING", "s", "g", "IDLE", "1", "-", "+", "10")},
		{"XREADGROUP CLAIM", always("XREADGROUP", "GROUP", "g", "b", "COUNT", "10", "CLAIM", "1", "STREAMS", "s", ">")},
		{"XCLAIM", always("XCLAIM", "s", "g", "b", "0", "900-0")},
		{"XAUTOCLAIM", always("XAUTOCLAIM", "s", "g", "b", "0", "0", "COUNT", "10")},
	} {
		run := func() {
			c.in, c.s.W.Buf = test.in(), c.s.W.Buf[:0]
			r.locked(c.execute)
			if c.s.W.Failed > 0 {
				t.Fatalf("%s failed: %s", test.name, c.s.W.Buf)
			}
		}
		r.endRound()
		if got := testing.AllocsPerRun(200, run); got > 0 {
			t.Errorf("%s allocates %v times", test.name, got)
		}
	}
}

func always(words ...string) func() []byte {
	in := request(nil, words...)
	return func() []byte { return in }
}
