package bench

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/streamd/streamd/resp"
)

const (
	blockMS    = 200    // BLOCK of consumers; also how late they notice the end
	leastAhead = 10_000 // entries that producers may be ahead of the slowest group, at least
)

// flow is producers and groups of consumers on one stream, at once: of the load groups in a closed loop, of e2e at a rate.
//
// A consumer sends the XACK of what it got and its next XREADGROUP … BLOCK together. Producers of a closed loop wait while the slowest
// group is far behind, so that throughput is what can be sustained.
type flow struct {
	job
	template  *template
	tallies   []*tally // by group
	issued    int64
	answered  int64 // XADDs
	ahead     int64 // what producers may be ahead; 0: they are paced
	producers []*producer
	due       func(n int64) int64 // when entry n was to be sent; nil: not timed by entry
}

func newGroups(j *job) (work, error) {
	f, err := newFlow(j)
	if err != nil {
		return nil, err
	}
	s := j.spec
	f.ahead = max(leastAhead, int64(4*s.Consumers*s.Count))
	for range s.Conns {
		f.producers = append(f.producers, &producer{load: f})
	}
	return f, nil
}

func newE2E(j *job) (work, error) {
	j.spec.Groups = 1
	if j.spec.Rate < 1 {
		return nil, errors.New("rate: less than 1 a second could not be told from a server that hangs")
	}
	f, err := newFlow(j)
	if err != nil {
		return nil, err
	}
	f.producers = []*producer{{load: f, rate: j.spec.Rate}}
	f.due = f.producers[0].due
	return f, nil
}

func newFlow(j *job) (*flow, error) {
	t, err := newTemplate(j.spec, key(0))
	f := &flow{job: *j, template: t}
	for g := range j.spec.Groups {
		f.tallies = append(f.tallies, &tally{group: groupName + strconv.Itoa(g)})
	}
	return f, err
}

func (f *flow) prepare() error {
	for _, t := range f.tallies {
		if _, err := f.admin.do("XGROUP", "CREATE", key(0), t.group, "$", "MKSTREAM"); err != nil {
			return err
		}
	}
	return nil
}

func (f *flow) scripts() []script {
	var scripts []script
	for _, t := range f.tallies {
		for i := range f.spec.Consumers {
			scripts = append(scripts, &consumer{
				load:    f,
				reading: newReading(f.template, key(0), t, &f.issued),
				request: resp.AppendRequest(nil, "XREADGROUP", "GROUP", t.group, "c"+strconv.Itoa(i), "COUNT", strconv.Itoa(f.spec.Count),
					"BLOCK", strconv.Itoa(blockMS), "STREAMS", key(0), ">"),
			})
		}
	}
	for _, p := range f.producers {
		scripts = append(scripts, p)
	}
	return scripts
}

// behind is how many entries the slowest group has got.
func (f *flow) behind() int64 {
	least := f.tallies[0].count
	for _, t := range f.tallies[1:] {
		least = min(least, t.count)
	}
	return least
}

func (f *flow) unfinished() string {
	var missing []string
	for _, t := range f.tallies {
		if m := t.missing(f.issued); m != "" {
			missing = append(missing, m)
		}
	}
	return strings.Join(missing, "; ")
}

func (f *flow) verify(*Result) error {
	if missing := f.unfinished(); missing != "" {
		return errors.New(missing)
	}
	total, err := f.admin.entriesAdded(key(0))
	if err != nil {
		return err
	}
	if total != f.issued {
		return fmt.Errorf("%d XADDs were answered, but entries-added is %d", f.issued, total)
	}
	for _, t := range f.tallies {
		if err := f.admin.settled(key(0), t.group); err != nil {
			return err
		}
	}
	return nil
}

// producer appends numbered entries: pipelines in a closed loop, or single entries when they are due.
type producer struct {
	link
	load   *flow
	buf    []byte
	left   int // replies to come
	last   entryID
	parked bool // the slowest group is too far behind

	rate  float64 // entries a second; 0: a closed loop
	start int64   // when entry 0 is due
}

func (p *producer) attach(e *engine, c *conn) {
	p.link.attach(e, c)
	c.open = p.rate > 0
}

// due is when entry n is to be sent.
func (p *producer) due(n int64) int64 { return p.start + int64(float64(n)*1e9/p.rate) }

func (p *producer) next(now int64) []byte {
	f := p.load
	if f.meter.stopping {
		return nil
	}
	p.buf = p.buf[:0]
	if p.rate > 0 {
		return p.overdue(now)
	}
	if p.parked = f.issued-f.behind() > f.ahead; p.parked {
		return nil
	}
	for range f.spec.Pipeline {
		p.add()
	}
	return p.buf
}

// overdue returns what is due by now, and has the engine come back when more is.
func (p *producer) overdue(now int64) []byte {
	f := p.load
	if p.start == 0 {
		p.start = now
	}
	for p.due(f.issued) <= now {
		p.add()
	}
	p.engine.alarm(p.conn, p.due(f.issued))
	return p.buf
}

func (p *producer) add() {
	p.buf = p.load.template.appendAdd(p.buf, p.load.issued)
	p.load.issued++
	p.left++
}

func (p *producer) hear(_ int64, b []byte) (used int, answered bool, err error) {
	for p.left > 0 {
		id, n := readID(b[used:])
		if n < 0 {
			return 0, false, unexpected(b[used:], "an id")
		}
		if n == 0 {
			return used, false, nil
		}
		if !p.last.less(id) {
			return 0, false, fmt.Errorf("XADD answered %v after %v: ids have to grow", id, p.last)
		}
		p.last = id
		p.load.answered++
		p.left--
		used += n
	}
	return used, true, nil
}

// consumer reads as one of a group.
type consumer struct {
	link
	*reading
	load    *flow
	request []byte // XREADGROUP
	buf     []byte
	want    []byte // reply of XACK
	seen    int    // bytes of it that were seen
	acking  int    // entries it is for
	asked   bool   // XREADGROUP was sent
	sent    int64
}

// next sends the XACK of what was delivered, and reads on until all is.
func (c *consumer) next(now int64) []byte {
	f := c.load
	c.sent, c.seen, c.want = now, 0, c.want[:0]
	c.buf, c.want, c.acking = c.appendAck(c.buf[:0], c.want)
	if c.asked = !f.meter.stopping || f.answered < f.issued || c.tally.count < f.issued; c.asked {
		c.buf = append(c.buf, c.request...)
	}
	return c.buf
}

func (c *consumer) hear(now int64, b []byte) (used int, answered bool, err error) {
	f := c.load
	if c.seen < len(c.want) {
		at := c.seen
		if c.seen, err = agree(b, c.want, at); err != nil {
			return 0, false, fmt.Errorf("XACK: %w", err)
		}
		if used = c.seen - at; c.seen < len(c.want) {
			return used, false, nil
		}
		f.meter.ops += int64(c.acking)
		if f.due == nil {
			f.meter.record(now - c.sent)
		}
	}
	if !c.asked {
		return used, true, nil
	}
	before := c.got
	n, answered, err := c.reading.hear(b[used:], func(n int64) {
		if f.due != nil {
			f.meter.record(now - f.due(n))
		}
	})
	if err == nil && c.got > before {
		c.wake()
	}
	return used + n, answered, err
}

// wake lets producers go on that waited for this group.
func (c *consumer) wake() {
	f := c.load
	if f.ahead == 0 || f.issued-f.behind() > f.ahead {
		return
	}
	for _, p := range f.producers {
		if p.parked {
			p.parked = false
			c.engine.kick(p.conn)
		}
	}
}
