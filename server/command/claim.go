package command

import (
	"math"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/stream"
)

// Errors of XCLAIM and XAUTOCLAIM.
const (
	errClaimMinIdle     resp.Error = "ERR Invalid min-idle-time argument for XCLAIM"
	errClaimIdle        resp.Error = "ERR Invalid IDLE option argument for XCLAIM"
	errClaimTime        resp.Error = "ERR Invalid TIME option argument for XCLAIM"
	errClaimRetryCount  resp.Error = "ERR Invalid RETRYCOUNT option argument for XCLAIM"
	errAutoClaimMinIdle resp.Error = "ERR Invalid min-idle-time argument for XAUTOCLAIM"
	errAutoClaimCount   resp.Error = "ERR COUNT must be > 0"
)

const (
	// maxAutoClaimCount is Redis's: more would overflow its allocation of the reply.
	maxAutoClaimCount = math.MaxInt64 / 16
	// defaultAutoClaimCount is how many entries XAUTOCLAIM claims without COUNT.
	defaultAutoClaimCount = 100
)

func parseXClaim(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group, op.Consumer = machine.XClaim, args[1], args[2], args[3]
	op.Err = parseClaim(args, op)
	return notBlocking, nil
}

// parseClaim reads what follows the consumer: all of it is looked at only when the group exists.
func parseClaim(args [][]byte, op *machine.Op) error {
	minIdle, ok := resp.ParseInt(args[4])
	if !ok {
		return errClaimMinIdle
	}
	op.N[0], op.N[1] = max(minIdle, 0), -1
	c := from(args, 5)
	for c.more() {
		id, ok := stream.ParseID(c.args[c.at], 0)
		if !ok {
			break
		}
		op.IDs = append(op.IDs, id)
		c.at++
	}
	var lastID stream.ID
	for c.more() {
		if err := claimOption(&c, op, &lastID); err != nil {
			return err
		}
	}
	if op.Flags&machine.FlagLastID != 0 {
		op.IDs = append(op.IDs, lastID)
	}
	return nil
}

// claimOption consumes one option of XCLAIM. The later of IDLE and TIME wins.
func claimOption(c *cursor, op *machine.Op, lastID *stream.ID) (err error) {
	switch {
	case c.keyword("FORCE", 0):
		op.Flags |= machine.FlagForce
	case c.keyword("JUSTID", 0):
		op.Flags |= machine.FlagJustID
	case c.keyword("IDLE", 1):
		idle, ok := resp.ParseInt(c.next())
		if !ok {
			return errClaimIdle
		}
		op.N[2] = max(idle, 0)
		op.Flags = op.Flags&^machine.FlagTime | machine.FlagIdle
	case c.keyword("TIME", 1):
		at, ok := resp.ParseInt(c.next())
		if !ok {
			return errClaimTime
		}
		op.N[2] = at
		op.Flags = op.Flags&^machine.FlagIdle | machine.FlagTime
	case c.keyword("RETRYCOUNT", 1):
		n, ok := resp.ParseInt(c.next())
		if !ok {
			return errClaimRetryCount
		}
		op.N[1] = max(n, -1)
	case c.keyword("LASTID", 1):
		*lastID, err = c.id()
		op.Flags |= machine.FlagLastID
		return err
	default:
		return unrecognized("XCLAIM", c.next())
	}
	return nil
}

func parseXAutoClaim(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group, op.Consumer = machine.XAutoClaim, args[1], args[2], args[3]
	minIdle, ok := resp.ParseInt(args[4])
	if !ok {
		return notBlocking, errAutoClaimMinIdle
	}
	start, err := rangeStart(args[5])
	if err != nil {
		return notBlocking, err
	}
	op.IDs = append(op.IDs, start)
	op.N[0], op.N[1] = max(minIdle, 0), defaultAutoClaimCount
	for c := from(args, 6); c.more(); {
		switch {
		case c.keyword("COUNT", 1):
			n, ok := resp.ParseInt(c.next())
			if !ok || n < 1 || n > maxAutoClaimCount {
				return notBlocking, errAutoClaimCount
			}
			op.N[1] = n
		case c.keyword("JUSTID", 0):
			op.Flags |= machine.FlagJustID
		default:
			return notBlocking, resp.ErrSyntax
		}
	}
	return notBlocking, nil
}
