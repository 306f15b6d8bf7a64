package stream

import (
	"math"
	"slices"
	"strconv"
)

// ID names an entry: two unsigned 64-bit numbers, ordered by MS, then Seq. MS is a Unix time in milliseconds by
// convention only.
type ID struct{ MS, Seq uint64 }

// MinID and MaxID bound every id.
var (
	MinID = ID{}
	MaxID = ID{math.MaxUint64, math.MaxUint64}
)

// Compare returns -1, 0 or +1.
func (a ID) Compare(b ID) int {
	switch {
	case a.MS < b.MS || a.MS == b.MS && a.Seq < b.Seq:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Less tells whether a comes before b.
func (a ID) Less(b ID) bool { return a.MS < b.MS || a.MS == b.MS && a.Seq < b.Seq }

// IsZero tells whether a is 0-0.
func (a ID) IsZero() bool { return a == ID{} }

// Next returns the successor; false when a is MaxID.
func (a ID) Next() (ID, bool) {
	if a.Seq < math.MaxUint64 {
		return ID{a.MS, a.Seq + 1}, true
	}
	if a.MS < math.MaxUint64 {
		return ID{a.MS + 1, 0}, true
	}
	return a, false
}

// Prev returns the predecessor; false when a is 0-0.
func (a ID) Prev() (ID, bool) {
	if a.Seq > 0 {
		return ID{a.MS, a.Seq - 1}, true
	}
	if a.MS > 0 {
		return ID{a.MS - 1, math.MaxUint64}, true
	}
	return a, false
}

// Append appends the canonical form "ms-seq".
func (a ID) Append(b []byte) []byte {
	b = strconv.AppendUint(b, a.MS, 10)
	b = append(b, '-')
	return strconv.AppendUint(b, a.Seq, 10)
}

// AppendRESP appends the canonical form as a RESP bulk string.
func (a ID) AppendRESP(b []byte) []byte {
	text := digits(a.MS) + 1 + digits(a.Seq)
	b = slices.Grow(b, bulkSize(text)+wordSlack)
	buf := b[len(b):cap(b)]
	p := putHead(buf, '$', text)
	p += putDecimal(buf[p:], a.MS)
	buf[p] = '-'
	p++
	p += putDecimal(buf[p:], a.Seq)
	buf[p], buf[p+1] = '\r', '\n'
	return b[:len(b)+p+2]
}

// IDText writes ids of which neighbours mostly have the same MS: it keeps that part.
type IDText struct {
	ms   uint64
	size int // of text in use; 0: nothing is kept yet
	text [24]byte
}

// AppendRESP is ID.AppendRESP.
func (t *IDText) AppendRESP(b []byte, a ID) []byte {
	if a.MS != t.ms || t.size == 0 {
		var text [maxIntText + wordSlack]byte
		t.ms, t.size = a.MS, putDecimal(text[:], a.MS)
		copy(t.text[:], text[:t.size])
		t.text[t.size] = '-'
		t.size++
	}
	size := t.size + digits(a.Seq)
	b = slices.Grow(b, bulkSize(size)+len(t.text))
	buf := b[len(b):cap(b)]
	p := putHead(buf, '$', size)
	*(*[len(t.text)]byte)(buf[p:]) = t.text
	p += t.size
	p += putDecimal(buf[p:], a.Seq)
	buf[p], buf[p+1] = '\r', '\n'
	return b[:len(b)+p+2]
}

func (a ID) String() string { return string(a.Append(nil)) }
