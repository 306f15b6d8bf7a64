package resp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Value is a reply, or a part of one.
type Value struct {
	// Kind is the first byte on the wire: + - : $ * of RESP2, _ , # ( = ! % ~ > of RESP3.
	Kind byte
	// Null tells $-1 and *-1, which are values of Kind '$' and '*'. The null of RESP3 has its own Kind, '_'.
	Null bool
	// Text is the line or string, of a number its digits, of a verbatim string without "txt:".
	Text []byte
	// Format is "txt" or "mkd" in a verbatim string.
	Format string
	// Elems are the elements of an aggregate; in a map keys and values alternate.
	Elems []Value
}

// Int returns the value of an integer, or of a string that reads as one.
func (v Value) Int() (int64, bool) { return ParseInt(v.Text) }

// Err returns the error reply that v is, or nil.
func (v Value) Err() error {
	if v.Kind == '-' || v.Kind == '!' {
		return Error(v.Text)
	}
	return nil
}

// IsNull tells whether v is one of the three nulls.
func (v Value) IsNull() bool { return v.Null || v.Kind == '_' }

// Limits of a Reader. A reply is trusted more than a request, but a length that was only announced reserves nothing.
const (
	maxReplyBulk  = 1 << 32
	maxReplyDepth = 64
	readChunk     = 64 << 10
)

// ErrReply wraps whatever is not a reply.
var ErrReply = errors.New("malformed reply")

// Reader reads replies of both protocols, for tests, tools and peers.
type Reader struct{ r *bufio.Reader }

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReader(r)} }

// Buffered returns the bytes received but not yet read.
func (r *Reader) Buffered() int { return r.r.Buffered() }

// Read reads one value; a push is a value of Kind '>'. Attributes ('|') are dropped.
func (r *Reader) Read() (Value, error) { return r.read(0) }

func (r *Reader) read(depth int) (Value, error) {
	line, err := r.line()
	if err != nil {
		return Value{}, err
	}
	v := Value{Kind: line[0], Text: line[1:]}
	switch v.Kind {
	case '+', '-', ':', ',', '#', '(':
		return v, nil
	case '_':
		v.Text = nil
		return v, nil
	case '$', '=', '!':
		return r.blob(v)
	case '*', '%', '~', '>', '|':
		if depth >= maxReplyDepth {
			return v, fmt.Errorf("%w: nested too deep", ErrReply)
		}
		if v, err = r.aggregate(v, depth); err != nil || v.Kind != '|' {
			return v, err
		}
		return r.read(depth)
	}
	return v, fmt.Errorf("%w: unexpected byte %q", ErrReply, v.Kind)
}

// line reads a line that is not empty, without its end.
func (r *Reader) line() ([]byte, error) {
	line, err := r.r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	n := len(line)
	if n < 3 || line[n-2] != '\r' {
		return nil, fmt.Errorf("%w: line %q", ErrReply, line)
	}
	return line[:n-2], nil
}

func (r *Reader) blob(v Value) (Value, error) {
	n, ok := ParseInt(v.Text)
	switch {
	case !ok || n < -1 || n > maxReplyBulk || n < 0 && v.Kind != '$':
		return v, fmt.Errorf("%w: length %q", ErrReply, v.Text)
	case n < 0:
		return Value{Kind: '$', Null: true}, nil
	}
	v.Text = make([]byte, 0, min(n+2, readChunk))
	for want := int(n) + 2; len(v.Text) < want; {
		from := len(v.Text)
		v.Text = append(v.Text, make([]byte, min(want-from, max(readChunk, from)))...)
		if _, err := io.ReadFull(r.r, v.Text[from:]); err != nil {
			return v, err
		}
	}
	if v.Text[n] != '\r' || v.Text[n+1] != '\n' {
		return v, fmt.Errorf("%w: no end after %d bytes", ErrReply, n)
	}
	v.Text = v.Text[:n:n]
	if v.Kind == '=' {
		if n < 4 || v.Text[3] != ':' {
			return v, fmt.Errorf("%w: verbatim string %q", ErrReply, v.Text)
		}
		v.Format, v.Text = string(v.Text[:3]), v.Text[4:]
	}
	return v, nil
}

func (r *Reader) aggregate(v Value, depth int) (Value, error) {
	n, ok := ParseInt(v.Text)
	switch {
	case !ok || n < -1 || n > 1<<31 || n < 0 && v.Kind != '*':
		return v, fmt.Errorf("%w: length %q", ErrReply, v.Text)
	case n < 0:
		return Value{Kind: '*', Null: true}, nil
	}
	v.Text = nil
	if v.Kind == '%' || v.Kind == '|' {
		n *= 2
	}
	for range n {
		elem, err := r.read(depth + 1)
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return v, err
		}
		v.Elems = append(v.Elems, elem)
	}
	return v, nil
}

// AppendRequest appends a command in the form that clients send.
func AppendRequest(dst []byte, words ...string) []byte {
	dst = append(strconv.AppendInt(append(dst, '*'), int64(len(words)), 10), '\r', '\n')
	for _, w := range words {
		dst = append(strconv.AppendInt(append(dst, '$'), int64(len(w)), 10), '\r', '\n')
		dst = append(append(dst, w...), '\r', '\n')
	}
	return dst
}
