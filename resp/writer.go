package resp

import (
	"errors"
	"math"
	"strconv"
)

// Writer appends replies to Buf in the protocol of its connection. The zero value writes RESP2. All methods are safe on a
// nil *Writer and then do nothing: replay applies ops without replies.
//
// Owner: whoever owns the connection (or holds the shard's lock while a command runs).
type Writer struct {
	Buf []byte
	// RESP3 selects the protocol; HELLO switches it.
	RESP3 bool
	// Failed counts the error replies written, so that a caller can tell whether a command failed.
	Failed int
	// LastError is the most recent error reply written.
	LastError Error
	// Piece is the size at which a reply should go on later, see Full; 0: every reply is written whole.
	Piece int
	// Gaps are the places in Buf where parts of replies are missing, in order.
	Gaps []Gap

	from int // where the reply under way begins
}

func (w *Writer) header(kind byte, n int64) {
	w.Buf = append(w.Buf, kind)
	w.Buf = strconv.AppendInt(w.Buf, n, 10)
	w.Buf = append(w.Buf, '\r', '\n')
}

// Array begins an array of n elements.
func (w *Writer) Array(n int) {
	if w != nil {
		w.header('*', int64(n))
	}
}

// Map begins a map of n pairs; in RESP2 a flat array of 2n elements.
func (w *Writer) Map(n int) {
	if w == nil {
		return
	}
	if w.RESP3 {
		w.header('%', int64(n))
	} else {
		w.header('*', 2*int64(n))
	}
}

// Set begins a set of n elements; in RESP2 an array.
func (w *Writer) Set(n int) {
	if w == nil {
		return
	}
	if w.RESP3 {
		w.header('~', int64(n))
	} else {
		w.header('*', int64(n))
	}
}

// Push begins an out-of-band frame of n elements; in RESP2 an array.
func (w *Writer) Push(n int) {
	if w == nil {
		return
	}
	if w.RESP3 {
		w.header('>', int64(n))
	} else {
		w.header('*', int64(n))
	}
}

// Mark is a place in Buf where the header of an aggregate of yet unknown length goes.
type Mark int

// Begin leaves room for the header of an array whose length End will tell.
func (w *Writer) Begin() Mark {
	if w == nil {
		return 0
	}
	w.Buf = append(w.Buf, "*0\r\n"...)
	return Mark(len(w.Buf) - 4)
}

// End writes the header begun at m as an array of n elements; what was written since moves if the header grew.
func (w *Writer) End(m Mark, n int) { w.end(m, '*', int64(n)) }

// EndMap is End for a map of n pairs (in RESP2 a flat array of 2n).
func (w *Writer) EndMap(m Mark, n int) {
	if w != nil && w.RESP3 {
		w.end(m, '%', int64(n))
	} else {
		w.end(m, '*', 2*int64(n))
	}
}

func (w *Writer) end(m Mark, kind byte, n int64) {
	if w == nil {
		return
	}
	var scratch [24]byte
	head := append(strconv.AppendInt(append(scratch[:0], kind), n, 10), '\r', '\n')
	if grow := len(head) - 4; grow > 0 {
		w.Buf = append(w.Buf, scratch[:grow]...)
		copy(w.Buf[int(m)+len(head):], w.Buf[int(m)+4:len(w.Buf)-grow])
		w.moveGaps(int(m), grow)
	}
	copy(w.Buf[m:], head)
}

// Rewind drops everything written since Buf was n bytes long.
func (w *Writer) Rewind(n int) {
	if w != nil {
		w.Buf = w.Buf[:n]
		w.dropGaps(n)
	}
}

// Len returns the bytes written so far.
func (w *Writer) Len() int {
	if w == nil {
		return 0
	}
	return len(w.Buf)
}

// Bulk writes a bulk string.
func (w *Writer) Bulk(b []byte) {
	if w == nil {
		return
	}
	w.header('$', int64(len(b)))
	w.Buf = append(append(w.Buf, b...), '\r', '\n')
}

// BulkString is Bulk for a string.
func (w *Writer) BulkString(s string) {
	if w == nil {
		return
	}
	w.header('$', int64(len(s)))
	w.Buf = append(append(w.Buf, s...), '\r', '\n')
}

// BulkInt writes n in decimal as a bulk string.
func (w *Writer) BulkInt(n int64) {
	if w == nil {
		return
	}
	var scratch [20]byte
	w.Bulk(strconv.AppendInt(scratch[:0], n, 10))
}

// Simple writes a simple string; s must have no CR or LF.
func (w *Writer) Simple(s string) {
	if w != nil {
		w.Buf = append(append(append(w.Buf, '+'), s...), '\r', '\n')
	}
}

// OK writes +OK.
func (w *Writer) OK() {
	if w != nil {
		w.Buf = append(w.Buf, "+OK\r\n"...)
	}
}

// Int writes an integer.
func (w *Writer) Int(n int64) {
	if w != nil {
		w.header(':', n)
	}
}

// Bool writes :1 or :0.
func (w *Writer) Bool(b bool) {
	if b {
		w.Int(1)
	} else {
		w.Int(0)
	}
}

// Null writes the null bulk ($-1), in RESP3 the null (_).
func (w *Writer) Null() {
	if w == nil {
		return
	}
	if w.RESP3 {
		w.Buf = append(w.Buf, "_\r\n"...)
	} else {
		w.Buf = append(w.Buf, "$-1\r\n"...)
	}
}

// NullArray writes the null array (*-1), in RESP3 the null (_).
func (w *Writer) NullArray() {
	if w == nil {
		return
	}
	if w.RESP3 {
		w.Buf = append(w.Buf, "_\r\n"...)
	} else {
		w.Buf = append(w.Buf, "*-1\r\n"...)
	}
}

// Double writes f as a RESP3 double, in RESP2 as a bulk string.
func (w *Writer) Double(f float64) {
	if w == nil {
		return
	}
	var scratch [32]byte
	var text []byte
	switch {
	case math.IsInf(f, 1):
		text = append(scratch[:0], "inf"...)
	case math.IsInf(f, -1):
		text = append(scratch[:0], "-inf"...)
	case math.IsNaN(f):
		text = append(scratch[:0], "nan"...)
	default:
		text = strconv.AppendFloat(scratch[:0], f, 'g', 17, 64)
		if short := strconv.AppendFloat(nil, f, 'g', -1, 64); len(short) < len(text) {
			text = short
		}
	}
	if w.RESP3 {
		w.Buf = append(append(append(w.Buf, ','), text...), '\r', '\n')
		return
	}
	w.Bulk(text)
}

// Verbatim writes a verbatim text string (txt:), in RESP2 a bulk string.
func (w *Writer) Verbatim(s string) {
	if w == nil {
		return
	}
	if !w.RESP3 {
		w.BulkString(s)
		return
	}
	w.header('=', int64(len(s))+4)
	w.Buf = append(append(append(w.Buf, "txt:"...), s...), '\r', '\n')
}

// Error writes an error reply. Errors that are not an Error are internal and answered as such.
func (w *Writer) Error(err error) {
	if w == nil {
		return
	}
	var e Error
	if !errors.As(err, &e) {
		e = "ERR internal error"
	}
	e = e.Safe()
	w.Failed++
	w.LastError = e
	w.Buf = append(append(append(w.Buf, '-'), e...), '\r', '\n')
}

// Raw appends bytes that are wire-ready already.
func (w *Writer) Raw(b []byte) {
	if w != nil {
		w.Buf = append(w.Buf, b...)
	}
}
