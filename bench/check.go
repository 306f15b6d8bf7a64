package bench

import (
	"bytes"
	"fmt"
)

// entryID is the id of an entry.
type entryID struct{ ms, seq uint64 }

func (a entryID) less(b entryID) bool { return a.ms < b.ms || a.ms == b.ms && a.seq < b.seq }

func (a entryID) String() string { return fmt.Sprintf("%d-%d", a.ms, a.seq) }

// readID reads a bulk string that is an id. It returns its length on the wire; 0: more has to arrive; -1: it is no id.
func readID(b []byte) (id entryID, n int) {
	if len(b) < 4 {
		return id, short(b, "$")
	}
	// Two digits of length are what ids of our time have; the others are as good, but need not be fast.
	size, at := int(b[1]-'0'), 2
	if b[2] != '\r' {
		size, at = size*10+int(b[2]-'0'), 3
	}
	if b[0] != '$' || size < 3 || size > 41 {
		return id, -1
	}
	end := at + 2 + size
	if len(b) < end+2 {
		return id, 0
	}
	if b[at] != '\r' || b[at+1] != '\n' || b[end] != '\r' || b[end+1] != '\n' {
		return id, -1
	}
	ok := false
	if id, ok = parseID(b[at+2 : end]); !ok {
		return id, -1
	}
	return id, end + 2
}

// short says of something that has not arrived in whole whether it begins as it has to: 0, else -1.
func short(b []byte, want string) int {
	if len(b) == 0 || b[0] == want[0] {
		return 0
	}
	return -1
}

func parseID(b []byte) (id entryID, ok bool) {
	i := 0
	for ; i < len(b) && b[i] != '-'; i++ {
		d := b[i] - '0'
		if d > 9 {
			return id, false
		}
		id.ms = id.ms*10 + uint64(d)
	}
	if i == 0 || i+1 >= len(b) {
		return id, false
	}
	for _, c := range b[i+1:] {
		d := c - '0'
		if d > 9 {
			return id, false
		}
		id.seq = id.seq*10 + uint64(d)
	}
	return id, true
}

// errorReply returns the error that b begins with, or nil.
func errorReply(b []byte) error {
	if len(b) == 0 || b[0] != '-' {
		return nil
	}
	line, _, _ := bytes.Cut(b[1:], []byte("\r\n"))
	return fmt.Errorf("the server refused: %s", line)
}

// unexpected is the error of a reply that is not what it has to be.
func unexpected(b []byte, want string) error {
	if err := errorReply(b); err != nil {
		return err
	}
	return fmt.Errorf("wrong reply: got %s, want %s", excerpt(b), want)
}

// excerpt quotes the beginning of b.
func excerpt(b []byte) string {
	const most = 80
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

// agree compares what has arrived with the bytes it has to be, of which at have been compared before. It returns up to where they agree.
func agree(got, want []byte, at int) (int, error) {
	n := min(len(got), len(want)-at)
	if bytes.Equal(got[:n], want[at:at+n]) {
		return at + n, nil
	}
	i := 0
	for got[i] == want[at+i] {
		i++
	}
	if at+i == 0 || want[at+i-1] == '\n' {
		if err := errorReply(got[i:]); err != nil {
			return at, err
		}
	}
	const before = 40 // bytes shown from ahead of the difference
	from := max(at+i-before, 0)
	shown := append(bytes.Clone(want[from:at+i]), got[i:]...)
	return at, fmt.Errorf("wrong reply: got …%s, want …%s", excerpt(shown), excerpt(want[from:]))
}
