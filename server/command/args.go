package command

import (
	"math"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// cursor walks the arguments of one command from left to right.
type cursor struct {
	args [][]byte
	at   int
}

// from starts at the argument with index at.
func from(args [][]byte, at int) cursor { return cursor{args: args, at: at} }

// more tells whether an argument is left.
func (c *cursor) more() bool { return c.at < len(c.args) }

// left counts the arguments not consumed yet.
func (c *cursor) left() int { return len(c.args) - c.at }

// next consumes an argument; the caller knows there is one.
func (c *cursor) next() []byte {
	c.at++
	return c.args[c.at-1]
}

// keyword consumes the next argument if it is word (in any case) and at least values more follow it: a keyword that lacks
// its values is not an option.
func (c *cursor) keyword(word string, values int) bool {
	if c.left() <= values || !resp.Is(c.args[c.at], word) {
		return false
	}
	c.at++
	return true
}

// integer consumes an argument as a strict integer.
func (c *cursor) integer() (int64, error) {
	n, ok := resp.ParseInt(c.next())
	if !ok {
		return 0, resp.ErrNotInteger
	}
	return n, nil
}

// id consumes an id; a missing seq is 0.
func (c *cursor) id() (stream.ID, error) {
	id, ok := stream.ParseID(c.next(), 0)
	if !ok {
		return id, resp.ErrInvalidID
	}
	return id, nil
}

// appendIDs reads every argument as an id.
func appendIDs(ids []stream.ID, args [][]byte) ([]stream.ID, error) {
	for _, arg := range args {
		id, ok := stream.ParseID(arg, 0)
		if !ok {
			return ids, resp.ErrInvalidID
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// rangeStart reads the lower bound of an interval: an id, '-', '+', or an id after '(' for its successor.
func rangeStart(b []byte) (stream.ID, error) {
	id, exclusive, ok := rangeBound(b, 0)
	if !ok {
		return id, resp.ErrInvalidID
	}
	if exclusive {
		if id, ok = id.Next(); !ok {
			return id, resp.ErrIntervalStart
		}
	}
	return id, nil
}

// rangeEnd reads the upper bound of an interval: an id, '-', '+', or an id after '(' for its predecessor.
func rangeEnd(b []byte) (stream.ID, error) {
	id, exclusive, ok := rangeBound(b, math.MaxUint64)
	if !ok {
		return id, resp.ErrInvalidID
	}
	if exclusive {
		if id, ok = id.Prev(); !ok {
			return id, resp.ErrIntervalEnd
		}
	}
	return id, nil
}

func rangeBound(b []byte, seq uint64) (id stream.ID, exclusive, ok bool) {
	if len(b) == 1 {
		switch b[0] {
		case '-':
			return stream.MinID, false, true
		case '+':
			return stream.MaxID, false, true
		}
	}
	if len(b) > 1 && b[0] == '(' {
		b, exclusive = b[1:], true
	}
	id, ok = stream.ParseID(b, seq)
	return id, exclusive, ok
}

// notBlocking is what a Parse function returns for a command that never waits.
const notBlocking = -1

// maxBlockMS leaves room for any clock: a longer timeout has no deadline that an int64 can hold.
const maxBlockMS = math.MaxInt64 - 1<<45

// ParseTimeout reads the timeout of a blocking command in milliseconds.
func ParseTimeout(b []byte) (int64, error) {
	ms, ok := resp.ParseInt(b)
	switch {
	case !ok:
		return 0, resp.ErrTimeoutInteger
	case ms < 0:
		return 0, resp.ErrTimeoutNegative
	case ms > maxBlockMS:
		return 0, resp.ErrTimeoutRange
	}
	return ms, nil
}
