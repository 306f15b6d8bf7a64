package bench

import (
	"fmt"
	"strconv"

	"github.com/streamd/streamd/resp"
)

const groupName = "g"

// cycle takes entries through a queue as job libraries do: n XADDs in one pipeline, one XREADGROUP COUNT n, one XACK of the n ids, each
// awaited before the next. All connections share a stream and a group in which each is a consumer.
//
// A connection reads only after it has appended n entries, so each read finds n, though mostly those of others.
type cycle struct {
	job
	template *template
	tally    tally
	issued   int64
	read     []byte
}

func newCycle(j *job) (work, error) {
	t, err := newTemplate(j.spec, key(0))
	if err != nil {
		return nil, err
	}
	if least := int64(2 * j.spec.Conns * j.spec.Turn); j.spec.MaxLen > 0 && j.spec.MaxLen < least {
		return nil, fmt.Errorf("maxlen: less than %d could trim entries that are on their way", least)
	}
	return &cycle{job: *j, template: t, tally: tally{group: groupName}}, nil
}

func (c *cycle) prepare() error {
	_, err := c.admin.do("XGROUP", "CREATE", key(0), groupName, "$", "MKSTREAM")
	return err
}

func (c *cycle) scripts() []script {
	scripts := make([]script, c.spec.Conns)
	for i := range scripts {
		scripts[i] = &cycleConn{
			load:    c,
			reading: newReading(c.template, key(0), &c.tally, &c.issued),
			request: resp.AppendRequest(nil, "XREADGROUP", "GROUP", groupName, "c"+strconv.Itoa(i), "COUNT", strconv.Itoa(c.spec.Turn), "STREAMS", key(0), ">"),
		}
	}
	return scripts
}

func (c *cycle) unfinished() string { return c.tally.missing(c.issued) }

func (c *cycle) verify(*Result) error {
	total, err := c.admin.entriesAdded(key(0))
	if err != nil {
		return err
	}
	if total != c.issued {
		return fmt.Errorf("%d XADDs were answered, but entries-added is %d", c.issued, total)
	}
	if missing := c.tally.missing(c.issued); missing != "" {
		return fmt.Errorf("%s", missing)
	}
	return c.admin.settled(key(0), groupName)
}

// cycleConn is one worker.
type cycleConn struct {
	link
	*reading
	load    *cycle
	step    step
	request []byte // XREADGROUP
	buf     []byte
	want    []byte // reply of XACK
	seen    int    // bytes of it that were seen, or replies of XADD
	added   entryID
	begun   int64
}

type step int

const (
	stepAdd step = iota
	stepRead
	stepAck
)

func (c *cycleConn) next(now int64) []byte {
	l := c.load
	c.seen = 0
	switch c.step {
	case stepRead:
		return c.request
	case stepAck:
		c.buf, c.want, _ = c.appendAck(c.buf[:0], c.want[:0])
		return c.buf
	}
	if l.meter.stopping {
		return nil
	}
	c.begun = now
	c.buf = c.buf[:0]
	for range l.spec.Turn {
		c.buf = l.template.appendAdd(c.buf, l.issued)
		l.issued++
	}
	return c.buf
}

func (c *cycleConn) hear(now int64, b []byte) (used int, answered bool, err error) {
	l := c.load
	switch c.step {
	case stepAdd:
		if used, err = c.hearAdds(b); err != nil || c.seen < l.spec.Turn {
			return used, false, err
		}
		c.step = stepRead
	case stepRead:
		used, answered, err = c.reading.hear(b, nil)
		if err != nil || !answered {
			return used, false, err
		}
		if c.got != l.spec.Turn {
			return 0, false, fmt.Errorf("XREADGROUP COUNT %d gave %d entries, though more were there", l.spec.Turn, c.got)
		}
		c.step = stepAck
	case stepAck:
		at := c.seen
		if c.seen, err = agree(b, c.want, at); err != nil || c.seen < len(c.want) {
			return c.seen - at, false, err
		}
		used = c.seen - at
		c.step = stepAdd
		l.meter.ops += int64(l.spec.Turn)
		l.meter.record(now - c.begun)
	}
	return used, true, nil
}

// hearAdds checks the replies of XADDs.
func (c *cycleConn) hearAdds(b []byte) (used int, err error) {
	for c.seen < c.load.spec.Turn {
		id, n := readID(b[used:])
		if n < 0 {
			return 0, unexpected(b[used:], "an id")
		}
		if n == 0 {
			break
		}
		if !c.added.less(id) {
			return 0, fmt.Errorf("XADD answered %v after %v: ids have to grow", id, c.added)
		}
		c.added = id
		c.seen++
		used += n
	}
	return used, nil
}
