package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/stream"
)

// Errors of XREADGROUP, XACK and their relatives.
const (
	errReadGroupUnbalanced resp.Error = "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
	errReadGroupMissing    resp.Error = "ERR Missing GROUP option for XREADGROUP"
	errReadGroupDollar     resp.Error = "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
	errReadGroupPlus       resp.Error = "ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would just return an empty result set."
	errMinIdleInteger      resp.Error = "ERR min-idle-time is not an integer or out of range"
	errMinIdleNegative     resp.Error = "ERR min-idle-time must be a positive integer"
	errNumIDs              resp.Error = "ERR Number of IDs must be a positive integer"
	errNumIDsMatch         resp.Error = "ERR The `numids` parameter must match the number of arguments"
	errIDsRequired         resp.Error = "ERR IDS option is required"
	errNackMode            resp.Error = "ERR mode must be SILENT, FAIL, or FATAL"
	errNackNumIDs          resp.Error = "ERR numids must be a positive integer"
	errNackNumIDsMatch     resp.Error = "ERR number of IDs doesn't match numids"
	errNackRetryCount      resp.Error = "ERR Invalid RETRYCOUNT value, must be >= 0"
	errNackNoIDs           resp.Error = "ERR syntax error, expected IDS keyword"
)

func parseXReadGroup(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind = machine.XReadGroup
	op.N[3] = -1
	read := readOptions{blockMS: notBlocking}
	grouped := false
	var ids [][]byte
	for c := from(args, 1); ids == nil; {
		if !c.more() {
			return notBlocking, resp.ErrSyntax
		}
		ok, err := read.option(&c)
		switch {
		case ok:
		case c.keyword("STREAMS", 1):
			ids, err = read.streams(&c, op, errReadGroupUnbalanced)
		case c.keyword("GROUP", 2):
			op.Group, op.Consumer = c.next(), c.next()
			grouped = true
		case c.keyword("NOACK", 0):
			op.Flags |= machine.FlagNoAck
		case c.keyword("CLAIM", 1):
			op.N[3], err = claimMinIdle(c.next())
		default:
			err = resp.ErrSyntax
		}
		if err != nil {
			return notBlocking, err
		}
	}
	if !grouped {
		return notBlocking, errReadGroupMissing
	}
	if err := read.checkCaps(); err != nil {
		return notBlocking, err
	}
	for i, text := range ids {
		id, err := deliverID(text)
		if err != nil {
			op.Err, op.ErrAt = err, i
			break
		}
		op.IDs = append(op.IDs, id)
	}
	return read.blockMS, nil
}

func claimMinIdle(b []byte) (int64, error) {
	n, ok := resp.ParseInt(b)
	switch {
	case !ok:
		return 0, errMinIdleInteger
	case n < 0:
		return 0, errMinIdleNegative
	}
	return n, nil
}

// deliverID reads an id of XREADGROUP; '>' is the largest id.
func deliverID(b []byte) (stream.ID, error) {
	if len(b) == 1 {
		switch b[0] {
		case '>':
			return stream.MaxID, nil
		case '$':
			return stream.ID{}, errReadGroupDollar
		case '+':
			return stream.ID{}, errReadGroupPlus
		}
	}
	id, ok := stream.ParseID(b, 0)
	if !ok {
		return id, resp.ErrInvalidID
	}
	return id, nil
}

func parseXAck(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group = machine.XAck, args[1], args[2]
	op.IDs, op.Err = appendIDs(op.IDs, args[3:])
	return notBlocking, nil
}

func parseXDel(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XDel, args[1]
	op.IDs, op.Err = appendIDs(op.IDs, args[2:])
	return notBlocking, nil
}

func parseXDelEx(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XDelEx, args[1]
	op.Err = parseIDsBlock(from(args, 2), op)
	return notBlocking, nil
}

func parseXAckDel(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group = machine.XAckDel, args[1], args[2]
	op.Err = parseIDsBlock(from(args, 3), op)
	return notBlocking, nil
}

// parseIDsBlock reads [KEEPREF|DELREF|ACKED] and IDS numids id …, in any order. An error of the options leaves op without
// IDs; an error of an id leaves as many as numids said, because a missing key is answered with that many elements.
func parseIDsBlock(c cursor, op *machine.Op) error {
	var ids [][]byte
	refSeen := false
	for c.more() {
		if !refSeen {
			flag, ok := refOption(&c)
			if ok {
				op.Flags |= flag
				refSeen = true
				continue
			}
		}
		if ids != nil || !c.keyword("IDS", 1) {
			return resp.ErrSyntax
		}
		n, err := c.positive(errNumIDs)
		if err != nil {
			return err
		}
		if n > int64(c.left()) {
			return errNumIDsMatch
		}
		ids = c.args[c.at : c.at+int(n)]
		c.at += int(n)
	}
	if ids == nil {
		return errIDsRequired
	}
	var bad error
	for _, text := range ids {
		id, ok := stream.ParseID(text, 0)
		if !ok {
			bad = resp.ErrInvalidID
		}
		op.IDs = append(op.IDs, id)
	}
	return bad
}

func parseXNack(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group = machine.XNack, args[1], args[2]
	op.Err = parseNack(args, op)
	return notBlocking, nil
}

// parseNack reads what follows the group: all of it is looked at only when the group exists.
func parseNack(args [][]byte, op *machine.Op) error {
	switch mode := args[3]; {
	case resp.Is(mode, "SILENT"):
		op.N[0] = machine.NackSilent
	case resp.Is(mode, "FAIL"):
		op.N[0] = machine.NackFail
	case resp.Is(mode, "FATAL"):
		op.N[0] = machine.NackFatal
	default:
		return errNackMode
	}
	op.N[1] = -1
	var ids [][]byte
	for c := from(args, 4); c.more(); {
		switch {
		case ids == nil && c.keyword("IDS", 1):
			n, err := c.positive(errNackNumIDs)
			if err != nil {
				return err
			}
			if n > int64(c.left()) {
				return errNackNumIDsMatch
			}
			ids = c.args[c.at : c.at+int(n)]
			c.at += int(n)
		case c.keyword("RETRYCOUNT", 1):
			n, err := c.integer()
			if err != nil {
				return err
			}
			if n < 0 {
				return errNackRetryCount
			}
			op.N[1] = n
		case c.keyword("FORCE", 0):
			op.Flags |= machine.FlagForce
		default:
			return unrecognized("XNACK", c.next())
		}
	}
	if ids == nil {
		return errNackNoIDs
	}
	var err error
	op.IDs, err = appendIDs(op.IDs, ids)
	return err
}

// unrecognized is the reply of XCLAIM and XNACK to a word they do not know.
func unrecognized(command string, word []byte) resp.Error {
	return (resp.Error("ERR Unrecognized " + command + " option '" + string(word) + "'")).Safe()
}
