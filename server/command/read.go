package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/stream"
)

// Errors of XREAD.
const (
	errXReadGroup      resp.Error = "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
	errXReadNoAck      resp.Error = "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
	errXReadClaim      resp.Error = "ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead."
	errXReadUnbalanced resp.Error = "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."
	errXReadNew        resp.Error = "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
	errMaxCount        resp.Error = "ERR MAXCOUNT must be a positive integer"
	errMaxSize         resp.Error = "ERR MAXSIZE must be a positive integer"
	errMaxCountLess    resp.Error = "ERR MAXCOUNT must be greater than or equal to COUNT"
)

func parseXLen(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XLen, args[1]
	return notBlocking, nil
}

func parseXRange(args [][]byte, op *machine.Op) (int64, error) {
	return parseRange(args, op, args[2], args[3])
}

func parseXRevRange(args [][]byte, op *machine.Op) (int64, error) {
	op.Flags |= machine.FlagReverse
	return parseRange(args, op, args[3], args[2])
}

// parseRange reads the bounds, the lower one first in both directions, and COUNT. A count below 1 is kept as 0: what it is
// answered with depends on the key.
func parseRange(args [][]byte, op *machine.Op, low, high []byte) (int64, error) {
	op.Kind, op.Key = machine.XRange, args[1]
	start, err := rangeStart(low)
	if err != nil {
		return notBlocking, err
	}
	end, err := rangeEnd(high)
	if err != nil {
		return notBlocking, err
	}
	op.IDs = append(op.IDs, start, end)
	op.N[0] = -1
	for c := from(args, 4); c.more(); {
		if !c.keyword("COUNT", 1) {
			return notBlocking, resp.ErrSyntax
		}
		n, err := c.integer()
		if err != nil {
			return notBlocking, err
		}
		op.N[0] = max(n, 0)
	}
	return notBlocking, nil
}

// readOptions are what XREAD and XREADGROUP have in common; those only the latter has are read by both, to be refused.
type readOptions struct {
	blockMS  int64 // -1: BLOCK not given
	count    int64 // 0: no limit
	maxCount int64 // 0: not given
	maxSize  int64 // 0: not given
}

// option consumes the next argument if it is an option both commands have.
func (r *readOptions) option(c *cursor) (ok bool, err error) {
	switch {
	case c.keyword("COUNT", 1):
		r.count, err = c.integer()
		r.count = max(r.count, 0)
	case c.keyword("BLOCK", 1):
		r.blockMS, err = ParseTimeout(c.next())
	case c.keyword("MAXCOUNT", 1):
		r.maxCount, err = c.positive(errMaxCount)
	case c.keyword("MAXSIZE", 1):
		r.maxSize, err = c.positive(errMaxSize)
	default:
		return false, nil
	}
	return true, err
}

// positive consumes an integer above zero; else the error is fail.
func (c *cursor) positive(fail resp.Error) (int64, error) {
	n, ok := resp.ParseInt(c.next())
	if !ok || n < 1 {
		return 0, fail
	}
	return n, nil
}

// streams consumes everything after the word STREAMS: as many keys as ids.
func (r *readOptions) streams(c *cursor, op *machine.Op, unbalanced resp.Error) (ids [][]byte, err error) {
	rest := c.args[c.at:]
	if len(rest)%2 != 0 {
		return nil, unbalanced
	}
	keys := len(rest) / 2
	op.Args = append(op.Args, rest[:keys]...)
	op.N[0], op.N[1], op.N[2] = r.count, r.maxCount, r.maxSize
	c.at = len(c.args)
	return rest[keys:], nil
}

// checkCaps finds caps that contradict each other.
func (r *readOptions) checkCaps() error {
	if r.maxCount > 0 && r.maxCount < r.count {
		return errMaxCountLess
	}
	return nil
}

func parseXRead(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind = machine.XRead
	read := readOptions{blockMS: notBlocking}
	var ids [][]byte
	for c := from(args, 1); ids == nil; {
		if !c.more() {
			return notBlocking, resp.ErrSyntax
		}
		ok, err := read.option(&c)
		switch {
		case ok:
		case c.keyword("STREAMS", 1):
			ids, err = read.streams(&c, op, errXReadUnbalanced)
		case c.keyword("GROUP", 2):
			err = errXReadGroup
		case c.keyword("NOACK", 0):
			err = errXReadNoAck
		case c.keyword("CLAIM", 1):
			err = errXReadClaim
		default:
			err = resp.ErrSyntax
		}
		if err != nil {
			return notBlocking, err
		}
	}
	if err := read.checkCaps(); err != nil {
		return notBlocking, err
	}
	for i, text := range ids {
		id, mark, err := readID(text)
		if err != nil {
			op.Err, op.ErrAt = err, i
			break
		}
		op.IDs = append(op.IDs, id)
		op.Marks = append(op.Marks, mark)
	}
	return read.blockMS, nil
}

// readID reads an id of XREAD; the mark is '$' or '+' for those two, which depend on the stream, else 0.
func readID(b []byte) (id stream.ID, mark byte, err error) {
	if len(b) == 1 {
		switch b[0] {
		case '$', '+':
			return id, b[0], nil
		case '>':
			return id, 0, errXReadNew
		}
	}
	id, ok := stream.ParseID(b, 0)
	if !ok {
		return id, 0, resp.ErrInvalidID
	}
	return id, 0, nil
}
