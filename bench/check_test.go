package bench

import (
	"strings"
	"testing"
)

func TestReadID(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		id   entryID
	}{
		{"$3\r\n1-2\r\n", 9, entryID{1, 2}},
		{"$15\r\n1700000000000-7\r\n:1\r\n", 22, entryID{1700000000000, 7}},
		{"$41\r\n18446744073709551615-18446744073709551615\r\n", 48, entryID{1<<64 - 1, 1<<64 - 1}},
		{"", 0, entryID{}},
		{"$", 0, entryID{}},
		{"$1", 0, entryID{}},
		{"$15\r\n1700000000000-7\r", 0, entryID{}},
		{"-ERR no\r\n", -1, entryID{}},
		{"-", -1, entryID{}},
		{":1\r\n", -1, entryID{}},
		{"$3\r\n1+2\r\n", -1, entryID{}},
		{"$3\r\n-12\r\n", -1, entryID{}},
		{"$3\r\n12-\r\n", -1, entryID{}},
		{"$3\r\n1-2xx", -1, entryID{}},
		{"$-1\r\n+OK\r\n", -1, entryID{}},
		{"$99\r\n1-1\r\n", -1, entryID{}},
	} {
		id, n := readID([]byte(tt.text))
		if n != tt.n || n > 0 && id != tt.id {
			t.Errorf("%q: got %v, %d, want %v, %d", tt.text, id, n, tt.id, tt.n)
		}
	}
}

func TestAgree(t *testing.T) {
	want := []byte(":1\r\n$3\r\nabc\r\n")
	for _, tt := range []struct {
		got  string
		at   int
		upTo int
		err  string
	}{
		{":1\r\n", 0, 4, ""},
		{"$3\r\nabc\r\n+more", 4, 13, ""},
		{"", 5, 5, ""},
		{"abd", 8, 8, `got …":1\r\n$3\r\nabd", want …":1\r\n$3\r\nabc\r\n"`},
		{"-ERR no\r\n", 0, 0, "the server refused: ERR no"},
		{"-ERR no\r\n", 4, 4, "the server refused: ERR no"},
		{":1\r\n-ERR no\r\n", 0, 0, "the server refused: ERR no"},
		{"-bc", 8, 8, "the server refused"},
	} {
		upTo, err := agree([]byte(tt.got), want, tt.at)
		if upTo != tt.upTo || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q at %d: got %d, %v, want %d, %q", tt.got, tt.at, upTo, err, tt.upTo, tt.err)
		}
	}
}

func TestTemplateKnowsItsEntries(t *testing.T) {
	for _, shape := range []Shape{{1, 12, false}, {1, 100, false}, {5, 20, true}} {
		tp, err := newTemplate(Spec{Shape: shape}, "k")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int64{0, 1, 63, 64, 1 << 33} {
			request := tp.appendAdd(nil, n)
			head := appendArray(nil, 2*shape.Fields)
			entry := append(head, request[len(request)-len(tp.entries[0])+len(head):]...)
			if got := tp.number(entry); got != n {
				t.Errorf("%+v: entry %d was taken for %d", shape, n, got)
			}
			for i := range entry {
				entry[i] ^= 1
				if got := tp.number(entry); got == n {
					t.Errorf("%+v: entry %d was not seen to be changed at byte %d", shape, n, i)
				}
				entry[i] ^= 1
			}
		}
	}
}

func TestTally(t *testing.T) {
	g := &tally{group: "g"}
	for _, n := range []int64{0, 1, 2, 70} {
		if err := g.take(n, 100, entryID{1, 1}); err != nil {
			t.Error(err)
		}
	}
	if got, want := g.missing(100), "group g: 96 of 100 entries were not delivered, the first of them is number 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := g.take(70, 100, entryID{1, 2}); err == nil || !strings.Contains(err.Error(), "number 70, with id 1-2, was delivered twice") {
		t.Error(err)
	}
	if err := g.take(100, 100, entryID{1, 3}); err == nil || !strings.Contains(err.Error(), "never appended") {
		t.Error(err)
	}
}

// TestReadingInPieces has a reply arrive byte by byte: what was taken is never shown again.
func TestReadingInPieces(t *testing.T) {
	tp, err := newTemplate(Spec{Shape: Shape{1, 12, false}}, "k")
	if err != nil {
		t.Fatal(err)
	}
	reply := []byte("*1\r\n*2\r\n$1\r\nk\r\n*3\r\n")
	for n := range int64(3) {
		reply = append(append(reply, "*2\r\n$3\r\n1-"...), byte('1'+n))
		entry := append([]byte("\r\n"), tp.entries[n]...)
		putSeq(entry[2+tp.getAt:], n)
		reply = append(reply, entry...)
	}
	issued := int64(3)
	r := newReading(tp, "k", &tally{group: "g"}, &issued)
	var numbers []int64
	taken := 0
	for end := 1; end <= len(reply); end++ {
		used, done, err := r.hear(reply[taken:end], func(n int64) { numbers = append(numbers, n) })
		if err != nil {
			t.Fatal(err)
		}
		taken += used
		if done != (end == len(reply)) {
			t.Fatalf("done is %v after %d of %d bytes", done, end, len(reply))
		}
	}
	if taken != len(reply) || len(numbers) != 3 || numbers[2] != 2 {
		t.Errorf("took %d of %d bytes, entries %v", taken, len(reply), numbers)
	}
	ack, want, n := r.appendAck(nil, nil)
	if string(ack) != "*6\r\n$4\r\nXACK\r\n$1\r\nk\r\n$1\r\ng\r\n$3\r\n1-1\r\n$3\r\n1-2\r\n$3\r\n1-3\r\n" || string(want) != ":3\r\n" || n != 3 {
		t.Errorf("acknowledges %q, expects %q, %d", ack, want, n)
	}
}
