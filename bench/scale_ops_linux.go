package bench

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/streamd/streamd/resp"
)

// The parameters of a measurement: batches go out one after the other on one connection.
const (
	scaleBatch  = 32 // operations of one batch
	scaleSlices = 5  // whose median counts
	scaleSlice  = 100 * time.Millisecond
	scaleRead   = 10 // COUNT of what reads and claims
)

// pipe is a connection that asks for much and keeps nothing of the replies.
type pipe struct {
	conn net.Conn
	r    *bufio.Reader
	out  []byte
	want []expectation
}

// expectation is what a reply must be: its kind, and its number or the elements of its array; -1 is any.
type expectation struct {
	kind byte
	n    int64
}

func dialPipe(addr string) (*pipe, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &pipe{conn: conn, r: bufio.NewReaderSize(conn, 256<<10)}, nil
}

// ask adds a command to the batch.
func (p *pipe) ask(kind byte, n int64, words ...string) {
	p.out = resp.AppendRequest(p.out, words...)
	p.want = append(p.want, expectation{kind, n})
}

// flush sends the batch and checks its replies.
func (p *pipe) flush() error {
	_ = p.conn.SetDeadline(time.Now().Add(adminTimeout))
	if _, err := p.conn.Write(p.out); err != nil {
		return err
	}
	for _, want := range p.want {
		kind, n, line, err := p.skip()
		if err != nil {
			return err
		}
		if kind != want.kind || want.n >= 0 && n != want.n {
			return fmt.Errorf("got %q, want %q and %d", line, want.kind, want.n)
		}
	}
	p.out, p.want = p.out[:0], p.want[:0]
	return nil
}

// skip reads over one reply and returns its first line, which is valid until the next read.
func (p *pipe) skip() (kind byte, n int64, line string, err error) {
	text, err := p.r.ReadSlice('\n')
	if err != nil {
		return 0, 0, "", err
	}
	if len(text) < 3 {
		return 0, 0, "", resp.ErrReply
	}
	kind = text[0]
	n, _ = resp.ParseInt(text[1 : len(text)-2]) // 0 where it is no number
	if kind == '-' {
		line = string(text)
	}
	switch kind {
	case '$':
		if n >= 0 {
			_, err = p.r.Discard(int(n) + 2)
		}
	case '*':
		for i := int64(0); i < n && err == nil; i++ {
			_, _, _, err = p.skip()
		}
	}
	return kind, n, line, err
}

// crowd is a world on a server, and where its streams and groups stand. Entry i of a stream has the id i-1, so that the client always
// knows the ids.
type crowd struct {
	world
	p     *pipe
	rand  *rand.Rand
	last  []int64 // entries of each stream
	given []int64 // of each group of each stream: the entries delivered
	acked int64   // of ack: how many
}

func crowdKey(s int64) string { return "scale:" + strconv.FormatInt(s, 10) }

func crowdGroup(g int64) string { return "g" + strconv.FormatInt(g, 10) }

func crowdID(i int64) string { return strconv.FormatInt(i, 10) + "-1" }

// newCrowd fills a server.
func newCrowd(w world, p *pipe) (*crowd, error) {
	c := &crowd{world: w, p: p, rand: rand.New(rand.NewPCG(3, 4)), last: make([]int64, w.streams), given: make([]int64, w.streams*w.groups)}
	full := func() error {
		if len(p.want) < fillBatch {
			return nil
		}
		return p.flush()
	}
	for s := range w.streams {
		for range w.entries {
			c.add(s)
			if err := full(); err != nil {
				return nil, err
			}
		}
		for g := range w.groups {
			p.ask('+', -1, "XGROUP", "CREATE", crowdKey(s), crowdGroup(g), "0")
			for left := w.pending; left > 0; left -= fillBatch {
				n := min(left, fillBatch)
				p.ask('*', 1, "XREADGROUP", "GROUP", crowdGroup(g), "c", "COUNT", strconv.FormatInt(n, 10), "STREAMS", crowdKey(s), ">")
				if len(p.want) > fillBatch/16 || n == fillBatch {
					if err := p.flush(); err != nil {
						return nil, err
					}
				}
			}
			c.given[s*w.groups+g] = w.pending
		}
	}
	return c, p.flush()
}

// add appends an entry with a number of 8 digits.
func (c *crowd) add(s int64) {
	c.last[s]++
	c.p.ask('$', -1, "XADD", crowdKey(s), crowdID(c.last[s]), "f", strconv.Itoa(1e7+c.rand.IntN(9e7)))
}

// operation is what is measured: do adds one to the batch.
type operation struct {
	name string
	do   func(c *crowd)
}

// pick returns a stream, a group of it, and a pending entry of that with at least scaleRead after it.
func (c *crowd) pick() (key, group string, stream, at, entry int64) {
	stream, g := c.rand.Int64N(c.streams), c.rand.Int64N(c.groups)
	return crowdKey(stream), crowdGroup(g), stream, stream*c.groups + g, 1 + c.rand.Int64N(c.pending-scaleRead+1)
}

func operations() []operation {
	read := strconv.Itoa(scaleRead)
	return []operation{
		{"XADD", func(c *crowd) { c.add(c.rand.Int64N(c.streams)) }},
		{"XRANGE COUNT 10, anywhere", func(c *crowd) {
			s := c.rand.Int64N(c.streams)
			c.p.ask('*', scaleRead, "XRANGE", crowdKey(s), crowdID(1+c.rand.Int64N(c.last[s]-scaleRead)), "+", "COUNT", read)
		}},
		{"XADD, XREADGROUP, XACK of one entry", func(c *crowd) {
			key, group, s, at, _ := c.pick()
			c.add(s)
			c.given[at]++
			c.p.ask('*', 1, "XREADGROUP", "GROUP", group, "d", "COUNT", "1", "STREAMS", key, ">")
			c.p.ask(':', 1, "XACK", key, group, crowdID(c.given[at]))
		}},
		{"XAUTOCLAIM COUNT 10, anywhere", func(c *crowd) {
			key, group, _, _, entry := c.pick()
			c.p.ask('*', 3, "XAUTOCLAIM", key, group, "d", "0", crowdID(entry), "COUNT", read, "JUSTID")
		}},
		{"XAUTOCLAIM COUNT 10, none idle enough", func(c *crowd) {
			key, group, _, _, entry := c.pick()
			c.p.ask('*', 3, "XAUTOCLAIM", key, group, "d", "3600000", crowdID(entry), "COUNT", read, "JUSTID")
		}},
		{"XPENDING", func(c *crowd) {
			key, group, _, _, _ := c.pick()
			c.p.ask('*', 4, "XPENDING", key, group)
		}},
		{"XPENDING of 10, anywhere", func(c *crowd) {
			key, group, _, _, entry := c.pick()
			c.p.ask('*', scaleRead, "XPENDING", key, group, crowdID(entry), "+", read)
		}},
		{"XPENDING of 10, none idle enough", func(c *crowd) {
			key, group, _, _, _ := c.pick()
			c.p.ask('*', 0, "XPENDING", key, group, "IDLE", "3600000", "-", "+", read)
		}},
		{"XINFO STREAM", func(c *crowd) {
			key, _, _, _, _ := c.pick()
			c.p.ask('*', -1, "XINFO", "STREAM", key)
		}},
		{"SCAN COUNT 10, anywhere", func(c *crowd) {
			c.p.ask('*', 2, "SCAN", strconv.FormatUint(c.rand.Uint64(), 10), "COUNT", read)
		}},
		{ackName, (*crowd).ack},
	}
}

const ackName = "XACK of a pending entry, anywhere"

// ack acknowledges the pending entries of the first group in an order that jumps. It comes last: the other operations count on them.
func (c *crowd) ack() {
	const stride = 7919 // a prime that divides no number of pending entries here, so that it comes by each of them once
	c.acked++
	c.p.ask(':', 1, "XACK", crowdKey(0), crowdGroup(0), crowdID(1+c.acked*stride%c.pending))
}

// ackable tells whether there are enough pending entries for a measurement of ack.
func (c *crowd) ackable() bool { return c.pending >= 100_000 }
