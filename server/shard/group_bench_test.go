package shard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/resp"
)

// backlog is a stream of entries of 100 bytes with a group that reads it over and over.
type backlog struct {
	r *rig
	c *fake
	n int
}

func newBacklog(tb testing.TB, n int) *backlog {
	r := newRig(tb, "appendonly", "no")
	r.clock = time.Now
	b := &backlog{r: r, c: r.client("bench"), n: n}
	value := strings.Repeat("x", 100)
	for i := range n {
		r.say("bench", fmt.Sprint("XADD s ", b.id(i), " f ", value))
		b.c.s.W.Buf = b.c.s.W.Buf[:0]
		if i%5000 == 0 {
			r.endRound()
		}
	}
	r.say("bench", "XGROUP CREATE s g 0")
	r.endRound()
	return b
}

// id is that of an entry: five to a millisecond.
func (b *backlog) id(i int) string { return fmt.Sprintf("%d-%d", 1_700_000_000_000+i/5, i%5) }

// request encodes one command.
func request(dst []byte, words ...string) []byte {
	w := resp.Writer{Buf: dst}
	w.Array(len(words))
	for _, word := range words {
		w.Bulk([]byte(word))
	}
	return w.Buf
}

// turn sends what one read of the socket would bring, ends the round and drops the replies.
func (b *backlog) turn(in []byte) {
	b.c.in, b.c.s.W.Buf = in, b.c.s.W.Buf[:0]
	b.r.locked(b.c.execute)
	b.r.endRound()
}

// BenchmarkGroups is what consumers do, from the read buffer to the replies, without socket and log; ns/entry is
// what counts.
func BenchmarkGroups(b *testing.B) {
	const count, n = 100, 20_000
	read := request(nil, "XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "STREAMS", "s", ">")
	l := newBacklog(b, n)
	acks, singles := make([][]byte, n/count), make([][]byte, n/count)
	for i := range acks {
		words := []string{"XACK", "s", "g"}
		for j := range count {
			words = append(words, l.id(i*count+j))
			singles[i] = request(singles[i], "XACK", "s", "g", l.id(i*count+j))
		}
		acks[i] = request(nil, words...)
	}
	restart := request(nil, "XGROUP", "SETID", "s", "g", "0")
	for _, bm := range []struct {
		name string
		ack  [][]byte
	}{{"read", nil}, {"read, ack at once", acks}, {"read, ack singly", singles}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			l.turn(restart)
			at := 0
			for b.Loop() {
				if at == len(acks) {
					l.turn(restart)
					if bm.ack == nil {
						b.StopTimer()
						for _, ack := range acks {
							l.turn(ack)
						}
						b.StartTimer()
					}
					at = 0
				}
				l.turn(read)
				if bm.ack != nil {
					l.turn(bm.ack[at])
				}
				at++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/entry")
			b.StopTimer()
			for _, ack := range acks {
				l.turn(ack)
			}
		})
	}
}
