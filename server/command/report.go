package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

// defaultInfoCount is how many entries XINFO STREAM FULL shows without COUNT.
const defaultInfoCount = 10

// Argument counts of XPENDING: the summary, and the list with all options.
const (
	pendingSummaryArgs = 3
	pendingMinArgs     = 6
	pendingMaxArgs     = 9
	pendingIdleArgs    = 8 // with IDLE at least
)

func parseXPending(args [][]byte, op *machine.Op) (int64, error) {
	op.Key, op.Group = args[1], args[2]
	if len(args) == pendingSummaryArgs {
		op.Kind = machine.XPendingSum
		return notBlocking, nil
	}
	op.Kind = machine.XPendingRange
	if len(args) < pendingMinArgs || len(args) > pendingMaxArgs {
		return notBlocking, resp.ErrSyntax
	}
	c := from(args, 3)
	if c.keyword("IDLE", 1) {
		minIdle, err := c.integer()
		if err != nil {
			return notBlocking, err
		}
		if len(args) < pendingIdleArgs {
			return notBlocking, resp.ErrSyntax
		}
		op.N[1] = max(minIdle, 0)
	}
	// As in Redis, what follows the consumer is ignored.
	count, ok := resp.ParseInt(args[c.at+2])
	if !ok {
		return notBlocking, resp.ErrNotInteger
	}
	op.N[0] = max(count, 0)
	start, err := rangeStart(args[c.at])
	if err != nil {
		return notBlocking, err
	}
	end, err := rangeEnd(args[c.at+1])
	if err != nil {
		return notBlocking, err
	}
	op.IDs = append(op.IDs, start, end)
	if c.left() > 3 {
		op.Consumer = args[c.at+3]
		op.Flags |= machine.FlagConsumer
	}
	return notBlocking, nil
}

func parseXInfoStream(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XInfoStream, args[2]
	if len(args) > 3 {
		op.Err = parseInfoFull(args, op)
	}
	return notBlocking, nil
}

// parseInfoFull reads FULL [COUNT n]: looked at only when the stream exists.
func parseInfoFull(args [][]byte, op *machine.Op) error {
	c := from(args, 3)
	op.N[0] = defaultInfoCount
	if !c.keyword("FULL", 0) || c.left() > 2 {
		return badSubcommand(args)
	}
	op.Flags |= machine.FlagFull
	if !c.more() {
		return nil
	}
	if !c.keyword("COUNT", 1) {
		return badSubcommand(args)
	}
	n, err := c.integer()
	if err != nil {
		return err
	}
	if n >= 0 {
		op.N[0] = n
	}
	return nil
}

func parseXInfoGroups(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XInfoGroups, args[2]
	return notBlocking, nil
}

func parseXInfoConsumers(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group = machine.XInfoConsumers, args[2], args[3]
	return notBlocking, nil
}
