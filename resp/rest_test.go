package resp

import (
	"bytes"
	"testing"
)

// filled returns what w holds with its gaps filled, limit bytes at a time.
func filled(w *Writer, limit int) string {
	var out Writer
	at := 0
	for _, gap := range w.Gaps {
		out.Raw(w.Buf[at:gap.At])
		for more := true; more; {
			more = gap.Rest.Append(&out, limit)
		}
		at = gap.At
	}
	out.Raw(w.Buf[at:])
	return string(out.Buf)
}

func TestGaps(t *testing.T) {
	const first, second = "*1234567\r\n$1\r\nk\r\n$5\r\nfirst\r\n*123\r\n$6\r\nsecond\r\n", ":1\r\n:2\r\n:3\r\n"
	for limit := 1; limit < 9; limit++ {
		for _, rewind := range []bool{false, true} {
			var w Writer
			top := w.Begin()
			w.Bulk([]byte("k"))
			w.PutOff(&Bytes{[]byte("$5\r\nfirst\r\n")})
			inner := w.Begin()
			w.PutOff(&Bytes{[]byte("$6\r\nsecond\r\n")})
			w.End(inner, 123)
			w.End(top, 1234567)
			end := w.Len()
			w.Int(1)
			w.PutOff(&Bytes{[]byte(":2\r\n")})
			w.Int(3)
			want := first + second
			if rewind {
				w.Rewind(end)
				want = first
			}
			if got := filled(&w, limit); got != want {
				t.Errorf("limit %d: got %q, want %q", limit, got, want)
			}
			if w.Rewind(0); len(w.Gaps) != 0 {
				t.Errorf("rewound to the start: %d gaps", len(w.Gaps))
			}
		}
	}
}

func TestFull(t *testing.T) {
	w := Writer{Piece: 6}
	w.Raw([]byte("before"))
	w.Start()
	for i, want := range []bool{false, false, true} {
		if w.Full() != want {
			t.Errorf("after %d bytes: %v", 3*i, !want)
		}
		w.Raw([]byte("123"))
	}
	w.Rewind(6)
	short, long := bytes.Repeat([]byte{'s'}, smallBytes-1), bytes.Repeat([]byte{'l'}, smallBytes)
	if w.BulkLater(short) || !w.BulkLater(long) {
		t.Error("bytes are put off if they are many")
	}
	if want := "before$4095\r\n" + string(short) + "\r\n$4096\r\n" + string(long) + "\r\n"; filled(&w, 1000) != want {
		t.Error("bytes that were put off come otherwise")
	}
	w = Writer{}
	if w.BulkLater(long) {
		t.Error("a writer without Piece puts off")
	}
	w.Raw(make([]byte, 1<<20))
	if w.Full() || (*Writer)(nil).Full() {
		t.Error("a writer without Piece is full")
	}
}
