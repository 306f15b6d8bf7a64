package bench

import (
	"fmt"
	"strconv"

	"github.com/streamd/streamd/resp"
)

// scan reads a stream page by page, over and over. What each reply has to be is known to the byte.
type scan struct {
	job
	log      *backlog
	requests []byte
	at       []int // where the request of page i begins; one more: their end
	head     []byte
	pages    int
}

func newScan(j *job) (work, error) { return &scan{job: *j}, nil }

func (s *scan) prepare() error {
	entries := roundUp(int(s.spec.Entries), s.spec.Count*s.spec.Pipeline)
	var err error
	if s.log, err = newBacklog(s.admin, s.spec, key(0), entries); err != nil {
		return err
	}
	s.pages = entries / s.spec.Count
	count := strconv.Itoa(s.spec.Count)
	for page := range s.pages {
		from := page * s.spec.Count
		words := []string{"XRANGE", s.log.key, s.log.ids[from], "+", "COUNT", count}
		if s.spec.Load == "xread" {
			words = []string{"XREAD", "COUNT", count, "STREAMS", s.log.key, s.log.before(from)}
		}
		s.at = append(s.at, len(s.requests))
		s.requests = resp.AppendRequest(s.requests, words...)
	}
	s.at = append(s.at, len(s.requests))
	if s.spec.Load == "xread" {
		s.head = appendBulk(appendArray(appendArray(nil, 1), 2), s.log.key)
	}
	s.head = appendArray(s.head, s.spec.Count)
	return nil
}

func (s *scan) scripts() []script {
	scripts := make([]script, s.spec.Conns)
	for i := range scripts {
		scripts[i] = &scanConn{load: s, page: i * s.pages / s.spec.Conns / s.spec.Pipeline * s.spec.Pipeline}
	}
	return scripts
}

func (s *scan) unfinished() string { return "" }

func (s *scan) verify(*Result) error {
	n, err := s.admin.number("XLEN", s.log.key)
	if err == nil && int(n) != len(s.log.ids) {
		err = fmt.Errorf("XLEN is %d after %d XADDs", n, len(s.log.ids))
	}
	return err
}

// scanConn is one reader.
type scanConn struct {
	link
	load *scan
	page int  // the next reply's
	left int  // replies of the batch that are to come
	body bool // the head of the reply was seen
	seen int  // bytes of the head or the body that were seen
	sent int64
}

func (c *scanConn) next(now int64) []byte {
	s := c.load
	if s.meter.stopping {
		return nil
	}
	if c.page == s.pages {
		c.page = 0
	}
	c.sent, c.left = now, s.spec.Pipeline
	return s.requests[s.at[c.page]:s.at[c.page+c.left]]
}

func (c *scanConn) hear(now int64, b []byte) (used int, answered bool, err error) {
	s := c.load
	for used < len(b) && c.left > 0 {
		want := s.head
		if c.body {
			want = s.log.page(c.page*s.spec.Count, s.spec.Count)
		}
		before := c.seen
		if c.seen, err = agree(b[used:], want, c.seen); err != nil {
			return used, false, fmt.Errorf("page from %s on: %w", s.log.ids[c.page*s.spec.Count], err)
		}
		used += c.seen - before
		if c.seen < len(want) {
			break
		}
		c.seen = 0
		if c.body {
			c.left--
			c.page++
			s.meter.ops++
		}
		c.body = !c.body
	}
	if c.left > 0 {
		return used, false, nil
	}
	s.meter.record(now - c.sent)
	return used, true, nil
}
