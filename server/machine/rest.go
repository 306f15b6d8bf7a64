package machine

import (
	"math"

	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// A reply whose length is known before all of it is written need not be written at once: when the writer is full, what is
// missing is put off. It is written from images that share blocks and segments with the keyspace, so it tells the state as of
// the op, whatever happens meanwhile, and costs the memory of what changes meanwhile.

// entryRest is the rest of a list of entries.
type entryRest struct {
	c       stream.Cursor // over an image
	left    int64
	claimed bool // entries are written as XREADGROUP CLAIM does
}

// Append is resp.Rest's.
func (r *entryRest) Append(w *resp.Writer, limit int) (more bool) {
	for start := w.Len(); r.left > 0 && w.Len()-start < limit; r.left-- {
		if !r.c.Next() {
			panic("machine: a stream has fewer entries than it counts")
		}
		if r.claimed {
			appendClaimed(w, &r.c, 0, 0)
		} else {
			appendEntry(w, &r.c)
		}
	}
	return r.left > 0
}

// putOffEntries puts off what is behind the entry under c, up to most entries (negative: all), and returns how many they are.
func putOffEntries(w *resp.Writer, c *stream.Cursor, most int64) int64 {
	left := c.Left()
	if most >= 0 {
		left = min(left, most)
	}
	if left > 0 {
		c.Detach()
		w.PutOff(&entryRest{c: *c, left: left})
	}
	return left
}

// pendingRest is the rest of a list of pending entries.
type pendingRest struct {
	at   groups.PendingCursor // over an image
	left int64
	form pendingForm
}

// Append is resp.Rest's.
func (r *pendingRest) Append(w *resp.Writer, limit int) (more bool) {
	for start := w.Len(); r.left > 0 && w.Len()-start < limit; r.left-- {
		if !r.at.Next() {
			panic("machine: a group has fewer pending entries than it counts")
		}
		r.form.put(w, r.at.Pending())
	}
	return r.left > 0
}

// historyRest is the rest of a consumer's history, which XREADGROUP with an id reads.
type historyRest struct {
	at   groups.PendingCursor // over an image
	find finder               // likewise
	left int64
}

// Append is resp.Rest's.
func (r *historyRest) Append(w *resp.Writer, limit int) (more bool) {
	for start := w.Len(); r.left > 0 && w.Len()-start < limit; r.left-- {
		if !r.at.Next() {
			panic("machine: a consumer has fewer pending entries than were delivered again")
		}
		if id := r.at.Pending().ID; r.find.find(id) {
			appendEntry(w, &r.find.c)
		} else {
			appendGone(w, id)
		}
	}
	return r.left > 0
}

// pendingForm says what a list tells of each pending entry besides its id and delivery count.
type pendingForm struct {
	owner bool
	idle  bool // the time since the delivery, as of nowMS; else the time of the delivery
	nowMS int64
}

// put writes one pending entry.
func (f pendingForm) put(w *resp.Writer, p groups.Pending) {
	if f.owner {
		w.Array(4)
	} else {
		w.Array(3)
	}
	appendID(w, p.ID)
	if f.owner {
		w.Bulk(ownerName(p))
	}
	switch {
	case !f.idle:
		w.Int(p.SinceMS)
	case p.Owner == nil:
		w.Int(-1)
	default:
		w.Int(max(f.nowMS-p.SinceMS, 0))
	}
	w.Int(p.Count)
}

// manyPending is the length from which lists of pending entries are written from an image, so that they can be put off.
const manyPending = 4096

// steadyGroups returns the groups for writing lists of up to count pending entries (negative: all), and whether they are an
// image.
func (o *object) steadyGroups(w *resp.Writer, count int64) (set *groups.Set, image bool) {
	if w.Piece == 0 || !w.Full() && count >= 0 && count < manyPending {
		return o.groups, false
	}
	return o.groups.Freeze(), true
}

// sameConsumer returns the consumer of g that has the name of c; nil is nil.
func sameConsumer(g *groups.Group, c *groups.Consumer) *groups.Consumer {
	if c == nil {
		return nil
	}
	return g.Consumer(c.Name())
}

// pendingsFrom walks the pending entries of c, of the whole group if it is nil.
func pendingsFrom(g *groups.Group, c *groups.Consumer, from stream.ID) groups.PendingCursor {
	if c == nil {
		return g.Pendings(from)
	}
	return g.PendingsOf(c, from)
}

// appendPendings writes the first count pending entries (negative: all) of c, of the whole group if it is nil, as an array.
// If the group is one of an image, the rest of a large array is put off.
func appendPendings(w *resp.Writer, g *groups.Group, c *groups.Consumer, count int64, form pendingForm, image bool) {
	left := g.NumPending()
	if c != nil {
		left = c.Pending()
	}
	if count >= 0 {
		left = min(left, count)
	}
	w.Array(int(left))
	rest := pendingRest{pendingsFrom(g, c, stream.MinID), left, form}
	room := math.MaxInt
	if image {
		room = w.Room()
	}
	if rest.Append(w, room) {
		later := rest // only what is put off goes to the heap
		w.PutOff(&later)
	}
}

// bulk writes bytes of a string's value.
func (o *object) bulk(w *resp.Writer, b []byte) {
	if w.BulkLater(b) {
		o.shared = true
	}
}
