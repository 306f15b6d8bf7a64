package bench

import (
	"fmt"
	"strconv"

	"github.com/streamd/streamd/resp"
)

// drain has the consumers of a group work off a backlog: each sends the XACK of the page it got and its next XREADGROUP COUNT together.
// When the backlog is worked off, the group is set back to the beginning and the next lap begins.
//
// The group hands out the backlog from its beginning to its end, so every reply is a page of known bytes, and each page comes once a lap.
type drain struct {
	job
	log      *backlog
	pages    int
	byID     map[string]int // page by its first id
	acks     [][]byte       // by page
	want     []byte         // reply of XACK
	head     []byte         // of XREADGROUP's reply
	reset    []byte         // makes sure that nothing is pending and sets the group back
	seen     []bool         // pages of this lap
	asked    int            // pages of this lap
	acked    int
	waiting  []*drainConn // for the next lap
	resetter *drainConn   // sets the group back; nil: nobody
}

func newDrain(j *job) (work, error) { return &drain{job: *j, byID: map[string]int{}}, nil }

func (d *drain) prepare() error {
	count := d.spec.Count
	entries := roundUp(int(d.spec.Entries), count)
	var err error
	if d.log, err = newBacklog(d.admin, d.spec, key(0), entries); err != nil {
		return err
	}
	d.pages = entries / count
	d.seen = make([]bool, d.pages)
	for page := range d.pages {
		ids := d.log.ids[page*count : (page+1)*count]
		d.byID[ids[0]] = page
		d.acks = append(d.acks, resp.AppendRequest(nil, append([]string{"XACK", key(0), groupName}, ids...)...))
	}
	d.want = append(strconv.AppendInt([]byte{':'}, int64(count), 10), '\r', '\n')
	d.head = appendArray(appendBulk(appendArray(appendArray(nil, 1), 2), key(0)), count)
	d.reset = resp.AppendRequest(resp.AppendRequest(nil, "XPENDING", key(0), groupName), "XGROUP", "SETID", key(0), groupName, "0")
	_, err = d.admin.do("XGROUP", "CREATE", key(0), groupName, "0")
	return err
}

func (d *drain) scripts() []script {
	scripts := make([]script, d.spec.Conns)
	for i := range scripts {
		scripts[i] = &drainConn{
			load: d, page: -1,
			request: resp.AppendRequest(nil, "XREADGROUP", "GROUP", groupName, "c"+strconv.Itoa(i), "COUNT", strconv.Itoa(d.spec.Count), "STREAMS", key(0), ">"),
		}
	}
	return scripts
}

func (d *drain) unfinished() string {
	return fmt.Sprintf("%d of %d pages of this lap were asked for, %d acknowledged", d.asked, d.pages, d.acked)
}

func (d *drain) verify(*Result) error {
	n, err := d.admin.number("XLEN", key(0))
	if err != nil {
		return err
	}
	if int(n) != len(d.log.ids) {
		return fmt.Errorf("XLEN is %d after %d XADDs", n, len(d.log.ids))
	}
	return d.admin.settled(key(0), groupName)
}

// drainConn is one consumer.
type drainConn struct {
	link
	load    *drain
	request []byte
	buf     []byte
	page    int  // delivered, to be acknowledged; -1: none
	acking  bool // the batch has an XACK
	asking  bool // the batch has an XREADGROUP
	part    part
	seen    int // bytes of the part that were seen
	sent    int64
}

// part of what a drainConn hears.
type part int

const (
	partAck part = iota
	partReset
	partHead
	partBody
)

func (c *drainConn) next(now int64) []byte {
	d := c.load
	c.buf, c.seen, c.sent = c.buf[:0], 0, now
	if d.resetter == c {
		c.part = partReset
		return d.reset
	}
	if c.acking = c.page >= 0; c.acking {
		c.buf = append(c.buf, d.acks[c.page]...)
	}
	if c.asking = d.asked < d.pages && !d.meter.stopping; c.asking {
		c.buf = append(c.buf, c.request...)
		d.asked++
	}
	c.part = partHead
	if c.acking {
		c.part = partAck
	}
	if !c.acking && !c.asking {
		d.waiting = append(d.waiting, c)
	}
	return c.buf
}

func (c *drainConn) hear(now int64, b []byte) (used int, answered bool, err error) {
	for used < len(b) {
		n, whole, err := c.hearPart(b[used:])
		if err != nil {
			return used, false, err
		}
		used += n
		if !whole {
			break
		}
		if c.finished() {
			c.load.meter.record(now - c.sent)
			return used, true, nil
		}
	}
	return used, false, nil
}

// hearPart compares the part that is to come. A body is known by its first id, so that much of it has to be there.
func (c *drainConn) hearPart(b []byte) (used int, whole bool, err error) {
	d := c.load
	var want []byte
	switch c.part {
	case partAck:
		want = d.want
	case partReset:
		want = []byte("*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n+OK\r\n")
	case partHead:
		want = d.head
	case partBody:
		if c.page < 0 {
			if err := c.identify(b); err != nil || c.page < 0 {
				return 0, false, err
			}
		}
		want = d.log.page(c.page*d.spec.Count, d.spec.Count)
	}
	at := c.seen
	c.seen, err = agree(b, want, at)
	switch {
	case err != nil && c.part == partReset:
		return 0, false, fmt.Errorf("XPENDING of a group that has acknowledged all: %w", err)
	case err != nil:
		return 0, false, err
	}
	used = c.seen - at
	if c.seen < len(want) {
		return used, false, nil
	}
	c.seen = 0
	return used, true, nil
}

// identify finds out which page it is that b begins with, and that it was not delivered in this lap.
func (c *drainConn) identify(b []byte) error {
	d := c.load
	const pair = "*2\r\n"
	if len(b) < len(pair) {
		return nil
	}
	id, n := readID(b[len(pair):])
	if n == 0 {
		return nil
	}
	page, ok := d.byID[id.String()]
	switch {
	case string(b[:len(pair)]) != pair || n < 0:
		return unexpected(b, "an entry")
	case !ok:
		return fmt.Errorf("group %s: a reply begins with %v, where no page of %d entries does: entries were lost or repeated", groupName, id, d.spec.Count)
	case d.seen[page]:
		return fmt.Errorf("group %s: the page from %v on was delivered twice", groupName, id)
	}
	d.seen[page] = true
	c.page = page
	return nil
}

// finished goes on to the next part, and tells whether there was none.
func (c *drainConn) finished() bool {
	d := c.load
	switch c.part {
	case partAck:
		c.page = -1
		d.acked++
		d.meter.ops += int64(d.spec.Count)
		c.part = partHead
		if c.asking {
			return false
		}
		if d.acked == d.pages && !d.meter.stopping {
			d.resetter = c
		}
	case partHead:
		c.part = partBody
		return false
	case partReset:
		d.resetter = nil
		d.asked, d.acked = 0, 0
		clear(d.seen)
		for _, other := range d.waiting {
			c.engine.kick(other.conn)
		}
		d.waiting = d.waiting[:0]
	}
	return true
}
