package resp

import "math"

// Rest is a part of a reply that is not written yet. It holds all it needs, so that it can be written later, piece by piece
// and without any lock, as the client takes it.
type Rest interface {
	// Append writes what comes next, about limit bytes, and tells whether there is more.
	Append(w *Writer, limit int) (more bool)
}

// Gap is a place in a Writer's Buf where a Rest belongs, to be written in the protocol of the Writer.
type Gap struct {
	At    int
	Rest  Rest
	RESP3 bool
}

// Start begins a reply: what is in Buf already does not count for Full.
func (w *Writer) Start() { w.from = len(w.Buf) }

// Full tells whether the reply under way is so large that the rest of it should be put off.
func (w *Writer) Full() bool { return w != nil && w.Piece > 0 && len(w.Buf)-w.from >= w.Piece }

// Room is by how many bytes the reply under way may grow until it is full.
func (w *Writer) Room() int {
	if w == nil || w.Piece == 0 {
		return math.MaxInt
	}
	return max(w.Piece-(len(w.Buf)-w.from), 0)
}

// PutOff leaves a gap for rest; the reply goes on behind it.
func (w *Writer) PutOff(rest Rest) { w.Gaps = append(w.Gaps, Gap{len(w.Buf), rest, w.RESP3}) }

// moveGaps follows bytes that move: those behind m, by n.
func (w *Writer) moveGaps(m, n int) {
	for i := range w.Gaps {
		if w.Gaps[i].At > m {
			w.Gaps[i].At += n
		}
	}
}

// dropGaps drops the gaps of what was written since Buf was n bytes long. A gap at n itself ends a reply before.
func (w *Writer) dropGaps(n int) {
	for k := len(w.Gaps); k > 0 && w.Gaps[k-1].At > n; k-- {
		w.Gaps[k-1] = Gap{}
		w.Gaps = w.Gaps[:k-1]
	}
}

// smallBytes is what is not worth a gap.
const smallBytes = 4 << 10

// BulkLater is Bulk for bytes that nobody will change: they are put off where Bulk would make the reply too large. It tells
// whether they were.
func (w *Writer) BulkLater(b []byte) bool {
	if len(b) < smallBytes || len(b) < w.Room() {
		w.Bulk(b)
		return false
	}
	w.header('$', int64(len(b)))
	w.PutOff(&Bytes{b})
	w.Buf = append(w.Buf, '\r', '\n')
	return true
}

// Bytes is a Rest of bytes that nobody changes.
type Bytes struct{ B []byte }

// Append is Rest's.
func (r *Bytes) Append(w *Writer, limit int) (more bool) {
	n := min(limit, len(r.B))
	w.Raw(r.B[:n])
	r.B = r.B[n:]
	return len(r.B) > 0
}
