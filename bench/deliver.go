package bench

import (
	"bytes"
	"fmt"
	"strconv"
)

// template is a set of entries that differ in their numbers: entry number n looks like templates n % templateCount, with n in its first
// value. So every entry is known by its number, and cheap to make and to check.
type template struct {
	requests [templateCount][]byte // XADD
	entries  [templateCount][]byte // what follows the id in replies
	putAt    int                   // where the number stands in a request
	getAt    int                   // where it stands in entries
}

const templateCount = 64

func newTemplate(s Spec, key string) (*template, error) {
	if s.Shape.Bytes < seqDigits {
		return nil, fmt.Errorf("values of %d bytes are too short: entries carry numbers of %d digits, by which they are checked", s.Shape.Bytes, seqDigits)
	}
	t := &template{}
	m := newMaker(s.Shape)
	for i := range templateCount {
		fields := m.append(nil)
		t.requests[i] = appendAdd(nil, s, key, "*", fields)
		t.entries[i] = append(appendArray(nil, 2*s.Shape.Fields), fields...)
		t.putAt = len(t.requests[i]) - len(fields) + seqAt(fields)
		t.getAt = len(t.entries[i]) - len(fields) + seqAt(fields)
	}
	return t, nil
}

// appendAdd appends the XADD of entry n.
func (t *template) appendAdd(dst []byte, n int64) []byte {
	at := len(dst) + t.putAt
	dst = append(dst, t.requests[n%templateCount]...)
	putSeq(dst[at:], n)
	return dst
}

// number returns the number of an entry, if it is as it was appended; else -1.
func (t *template) number(entry []byte) int64 {
	n := getSeq(entry[t.getAt:])
	if n < 0 {
		return -1
	}
	want, end := t.entries[n%templateCount], t.getAt+seqDigits
	if !bytes.Equal(entry[:t.getAt], want[:t.getAt]) || !bytes.Equal(entry[end:], want[end:]) {
		return -1
	}
	return n
}

// tally is what a group got of the numbered entries.
type tally struct {
	group string
	seen  []uint64 // bits by number
	count int64
}

// take notes that entry n was delivered. Issued numbers are less than issued.
func (t *tally) take(n, issued int64, id entryID) error {
	if n >= issued {
		return fmt.Errorf("group %s: entry number %d, with id %v, was never appended", t.group, n, id)
	}
	word, bit := int(n/64), uint64(1)<<(n%64)
	for len(t.seen) <= word {
		t.seen = append(t.seen, 0)
	}
	if t.seen[word]&bit != 0 {
		return fmt.Errorf("group %s: entry number %d, with id %v, was delivered twice", t.group, n, id)
	}
	t.seen[word] |= bit
	t.count++
	return nil
}

// missing says which of the issued entries were not delivered; "": none.
func (t *tally) missing(issued int64) string {
	if t.count == issued {
		return ""
	}
	first := int64(0)
	for int(first/64) < len(t.seen) && t.seen[first/64]&(1<<(first%64)) != 0 {
		first++
	}
	return fmt.Sprintf("group %s: %d of %d entries were not delivered, the first of them is number %d", t.group, issued-t.count, issued, first)
}

// reading is one consumer's conversation: XREADGROUP on one stream, and XACK of what it gave. It checks all it hears.
type reading struct {
	template *template
	tally    *tally
	issued   *int64 // numbers given out so far
	head     []byte // of a reply, up to the number of entries
	ackHead  []byte // of XACK, after the number of words
	ids      []byte // delivered and not yet acknowledged, as bulk strings
	got      int    // how many ids
	left     int    // entries of the reply that are to come; -1: its head is
	last     entryID
}

func newReading(t *template, key string, tally *tally, issued *int64) *reading {
	head := appendBulk(appendArray(appendArray(nil, 1), 2), key)
	return &reading{
		template: t, tally: tally, issued: issued, head: append(head, '*'),
		ackHead: appendBulk(appendBulk(appendBulk(nil, "XACK"), key), tally.group), left: -1,
	}
}

// hear checks a reply of XREADGROUP. It returns how much of b is done with, and whether the reply has ended. Entry, unless nil, is told
// each number.
func (r *reading) hear(b []byte, entry func(n int64)) (used int, done bool, err error) {
	if r.left < 0 {
		if used, err = r.hearHead(b); used == 0 {
			return 0, false, err
		}
	}
	for ; r.left > 0; r.left-- {
		n, err := r.hearEntry(b[used:], entry)
		if n == 0 {
			return used, false, err
		}
		used += n
	}
	r.left = -1
	return used, true, nil
}

func (r *reading) hearHead(b []byte) (used int, err error) {
	const null = "*-1\r\n"
	if string(b[:min(len(b), len(null))]) == null {
		r.left = 0
		return len(null), nil
	}
	n := min(len(b), len(r.head))
	if !bytes.Equal(b[:n], r.head[:n]) && (len(b) >= 3 || !bytes.HasPrefix([]byte(null), b)) {
		return 0, unexpected(b, "entries of "+string(r.head))
	}
	end := bytes.IndexByte(b[n:], '\n')
	if n < len(r.head) || end < 0 {
		return 0, nil
	}
	count, err := strconv.Atoi(string(bytes.TrimSuffix(b[n:n+end], []byte("\r"))))
	if err != nil || count < 1 {
		return 0, unexpected(b[n:], "a number of entries")
	}
	r.left = count
	return n + end + 1, nil
}

// hearEntry checks one entry; it takes none of b while the entry is not there in whole.
func (r *reading) hearEntry(b []byte, entry func(n int64)) (used int, err error) {
	const pair = "*2\r\n"
	switch {
	case len(b) < len(pair):
		return 0, nil
	case string(b[:len(pair)]) != pair:
		return 0, unexpected(b, "an entry")
	}
	id, n := readID(b[len(pair):])
	if n < 0 {
		return 0, unexpected(b[len(pair):], "an id")
	}
	end := len(pair) + n + len(r.template.entries[0])
	if n == 0 || len(b) < end {
		return 0, nil
	}
	number := r.template.number(b[len(pair)+n : end])
	if number < 0 {
		return 0, fmt.Errorf("group %s: entry %v is not as it was appended: %s", r.tally.group, id, excerpt(b[len(pair)+n:end]))
	}
	if !r.last.less(id) {
		return 0, fmt.Errorf("group %s: a consumer got entry %v after %v", r.tally.group, id, r.last)
	}
	r.last = id
	if err := r.tally.take(number, *r.issued, id); err != nil {
		return 0, err
	}
	r.ids = append(r.ids, b[len(pair):len(pair)+n]...)
	r.got++
	if entry != nil {
		entry(number)
	}
	return end, nil
}

// appendAck appends the XACK of what was delivered, and to want its reply. It returns for how many entries.
func (r *reading) appendAck(dst, want []byte) (_, _ []byte, n int) {
	if n = r.got; n == 0 {
		return dst, want, 0
	}
	dst = append(append(appendArray(dst, 3+n), r.ackHead...), r.ids...)
	want = append(strconv.AppendInt(append(want, ':'), int64(n), 10), '\r', '\n')
	r.ids, r.got = r.ids[:0], 0
	return dst, want, n
}

// settled makes sure that nothing is pending in a group.
func (a *admin) settled(key, group string) error {
	v, err := a.do("XPENDING", key, group)
	if err != nil {
		return err
	}
	if len(v.Elems) == 0 || string(v.Elems[0].Text) != "0" {
		return fmt.Errorf("group %s: all was acknowledged, but XPENDING says %s", group, v)
	}
	return nil
}
