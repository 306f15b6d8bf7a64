package groups

import (
	"testing"

	"github.com/streamd/streamd/stream"
)

// lagCase builds a stream 1-0..5-0 and groups on it, as the clients' commands would.
type lagCase struct {
	t   *testing.T
	s   *stream.Stream
	set *Set
	g   *Group
}

func newLagCase(t *testing.T) *lagCase {
	l := &lagCase{t: t, s: stream.New(), set: New()}
	for n := range uint64(5) {
		if err := l.s.Append(stream.ID{MS: n + 1}, [][]byte{[]byte("f"), []byte("v")}, stream.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// create is XGROUP CREATE.
func (l *lagCase) create(ms uint64, entriesRead int64) {
	l.g = l.set.Create([]byte("g"), stream.ID{MS: ms}, min(entriesRead, l.s.EntriesAdded()))
}

// read is XREADGROUP COUNT 1 with id >.
func (l *lagCase) read(ms uint64) {
	id := stream.ID{MS: ms}
	if !l.s.Has(id) || !l.g.LastID().Less(id) {
		l.t.Fatalf("%v cannot be delivered", id)
	}
	l.g.Advance(l.s, id)
}

func (l *lagCase) delete(ms uint64)  { l.s.Delete(stream.ID{MS: ms}) }
func (l *lagCase) trim(maxLen int64) { l.s.Trim(stream.Trim{MaxLen: maxLen}) }

// null stands for the null Redis answers.
const null = -1

func (l *lagCase) want(row string, entriesRead, lag int64) {
	l.t.Helper()
	got, known := l.g.Lag(l.s)
	if !known {
		got = null
	}
	if l.g.EntriesRead() != entriesRead || got != lag {
		l.t.Errorf("%s: entries-read %d, lag %d; want %d, %d", row, l.g.EntriesRead(), got, entriesRead, lag)
	}
}

func TestLagFromTheBeginning(t *testing.T) {
	l := newLagCase(t)
	l.create(0, -1)
	l.want("nothing read", null, 5)
	l.read(1)
	l.want("one entry read", 1, 4)
	l.delete(3)
	l.want("an entry ahead deleted", 1, null)
	l.read(2)
	l.want("read before the deleted entry", null, null)
	l.read(4)
	l.read(5)
	l.want("the last entry heals it", 5, 0)
	l.trim(1)
	l.want("trimmed", 5, 0)
	l.trim(0)
	l.want("trimmed to nothing", 5, 0)
}

func TestLagFromTheEnd(t *testing.T) {
	l := newLagCase(t)
	l.create(5, -1)
	l.want("created at $", null, 0)
}

func TestLagFromTheMiddle(t *testing.T) {
	l := newLagCase(t)
	l.create(3, -1)
	l.want("created in the middle", null, null)
	l.read(4)
	l.want("read in the middle", null, null)
	l.read(5)
	l.want("the last entry heals it", 5, 0)
}

func TestLagFromTheFirstEntry(t *testing.T) {
	l := newLagCase(t)
	l.create(1, -1)
	l.want("created at the first entry", null, 4)
	l.read(2)
	l.want("one entry read", null, null)
	l.delete(3)
	l.trim(1)
	l.want("behind the first entry", null, 1)
}

func TestLagBeyondTheEnd(t *testing.T) {
	l := newLagCase(t)
	l.create(99, -1)
	l.want("created beyond the end", null, null)
	l.trim(0)
	l.want("trimmed to nothing", null, 0)
}

func TestLagWithEntriesRead(t *testing.T) {
	l := newLagCase(t)
	l.create(0, 0)
	l.trim(2)
	l.want("trimmed past the group", 0, 2)
	l.read(4)
	l.want("the first entry read", 4, 1)
}

func TestLagWithTooManyEntriesRead(t *testing.T) {
	l := newLagCase(t)
	l.create(4, 50)
	l.want("more than were added", 5, 0)
}

func TestLagOfAnEmptyStream(t *testing.T) {
	l := &lagCase{t: t, s: stream.New(), set: New()}
	l.create(0, -1)
	l.want("new key", null, 0)
}
