package bench

import "strconv"

// backlog is a stream that is there before the run. Its ids are chosen here, so that the bytes of every reply that reads it are known.
type backlog struct {
	key     string
	ids     []string
	entries []byte // as they stand in replies, one after the other
	at      []int  // where entry i begins; one more: their end
}

const (
	backlogMS    = 1_700_000_000_000 // of the first id
	backlogPerMS = 4                 // entries of a millisecond
	backlogBatch = 256 << 10         // bytes of requests sent at once
)

// newBacklog appends n entries to the stream key on the server.
func newBacklog(a *admin, s Spec, key string, n int) (*backlog, error) {
	l := &backlog{key: key, at: []int{0}}
	m := newMaker(s.Shape)
	var fields, requests, want []byte
	for i := range n {
		id := strconv.Itoa(backlogMS+i/backlogPerMS) + "-" + strconv.Itoa(i%backlogPerMS)
		fields = m.append(fields[:0])
		l.ids = append(l.ids, id)
		l.entries = appendBulk(appendArray(l.entries, 2), id)
		l.entries = append(appendArray(l.entries, 2*s.Shape.Fields), fields...)
		l.at = append(l.at, len(l.entries))
		requests = appendAdd(requests, s, key, id, fields)
		want = appendBulk(want, id)
		if i == n-1 || len(requests) >= backlogBatch {
			if err := a.exchange(requests, want); err != nil {
				return nil, err
			}
			requests, want = requests[:0], want[:0]
		}
	}
	return l, nil
}

// page returns entries from … from+n-1 as they stand in replies.
func (l *backlog) page(from, n int) []byte { return l.entries[l.at[from]:l.at[from+n]] }

// before returns an id that is less than that of entry i and not less than the one before it.
func (l *backlog) before(i int) string {
	if i == 0 {
		return "0-0"
	}
	return l.ids[i-1]
}

// roundUp returns the least multiple of unit that is at least n.
func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }
