package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/stream"
)

// Errors of XGROUP, XSETID, XCFGSET and XIDMPRECORD.
const (
	errEntriesRead      resp.Error = "ERR value for ENTRIESREAD must be positive or -1"
	errEntriesAdded     resp.Error = "ERR entries_added must be positive"
	errMaxDeleted       resp.Error = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
	errDurationTwice    resp.Error = "ERR IDMP-DURATION specified multiple times"
	errMaxSizeTwice     resp.Error = "ERR IDMP-MAXSIZE specified multiple times"
	errDurationRange    resp.Error = "ERR IDMP-DURATION must be between 1 and 86400 seconds"
	errMaxSizeRange     resp.Error = "ERR IDMP-MAXSIZE must be between 1 and 10000 entries"
	errNoParameter      resp.Error = "ERR At least one parameter must be specified"
	errRecordNoProducer resp.Error = "ERR producer ID must be non-empty"
	errRecordNoIid      resp.Error = "ERR idempotent ID must be non-empty"
)

// Bounds of XCFGSET.
const (
	maxIdmpDuration = 86400
	maxIdmpSize     = 10000
)

// The arguments XGROUP CREATE and SETID take with each option once; Redis refuses more, but only after the key (SETID: and the
// group) was found.
const (
	maxGroupCreateArgs = 8
	maxGroupSetIDArgs  = 7
)

func parseXGroupCreate(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group = machine.XGroupCreate, args[2], args[3]
	op.N[0] = -1
	for c := from(args, 5); c.more(); {
		if c.keyword("MKSTREAM", 0) {
			op.Flags |= machine.FlagMkStream
			continue
		}
		if err := entriesRead(&c, op); err != nil {
			return notBlocking, err
		}
	}
	if len(args) > maxGroupCreateArgs {
		op.Err = badSubcommand(args)
		return notBlocking, nil
	}
	var id stream.ID
	if id, op.Err = groupID(args[4], op); op.Err == nil {
		op.IDs = append(op.IDs, id)
	}
	return notBlocking, nil
}

// entriesRead consumes ENTRIESREAD n, the only option here.
func entriesRead(c *cursor, op *machine.Op) error {
	if !c.keyword("ENTRIESREAD", 1) {
		return badSubcommand(c.args)
	}
	n, err := c.integer()
	if err == nil && n < -1 {
		err = errEntriesRead
	}
	op.N[0] = n
	return err
}

// groupID reads the id a group starts from; '$' is the stream's last.
func groupID(b []byte, op *machine.Op) (stream.ID, error) {
	if len(b) == 1 && b[0] == '$' {
		op.Flags |= machine.FlagDollar
		return stream.ID{}, nil
	}
	id, ok := stream.ParseID(b, 0)
	if !ok {
		return id, resp.ErrInvalidID
	}
	return id, nil
}

func parseXGroupSetID(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group = machine.XGroupSetID, args[2], args[3]
	op.N[0] = -1
	for c := from(args, 5); c.more(); {
		if err := entriesRead(&c, op); err != nil {
			return notBlocking, err
		}
	}
	if len(args) > maxGroupSetIDArgs {
		op.Err = badSubcommand(args)
		return notBlocking, nil
	}
	var id stream.ID
	switch text := args[4]; {
	case len(text) == 1 && text[0] == '-':
		id = stream.MinID
	case len(text) == 1 && text[0] == '+':
		id = stream.MaxID
	default:
		id, op.Err = groupID(text, op)
	}
	if op.Err == nil {
		op.IDs = append(op.IDs, id)
	}
	return notBlocking, nil
}

func parseXGroupDestroy(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group = machine.XGroupDestroy, args[2], args[3]
	return notBlocking, nil
}

func parseXGroupCreateConsumer(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group, op.Consumer = machine.XGroupAddCons, args[2], args[3], args[4]
	return notBlocking, nil
}

func parseXGroupDelConsumer(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group, op.Consumer = machine.XGroupDelCons, args[2], args[3], args[4]
	return notBlocking, nil
}

func parseXSetID(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XSetID, args[1]
	last, ok := stream.ParseID(args[2], 0)
	if !ok {
		return notBlocking, resp.ErrInvalidID
	}
	op.N[0] = -1
	var maxDeleted stream.ID
	for c := from(args, 3); c.more(); {
		var err error
		switch {
		case c.keyword("ENTRIESADDED", 1):
			if op.N[0], err = c.integer(); err == nil && op.N[0] < 0 {
				err = errEntriesAdded
			}
		case c.keyword("MAXDELETEDID", 1):
			if maxDeleted, err = c.id(); err == nil && last.Less(maxDeleted) {
				err = errMaxDeleted
			}
			op.Flags |= machine.FlagHasLimit
		default:
			err = resp.ErrSyntax
		}
		if err != nil {
			return notBlocking, err
		}
	}
	op.IDs = append(op.IDs, last)
	if op.Flags&machine.FlagHasLimit != 0 {
		op.IDs = append(op.IDs, maxDeleted)
	}
	return notBlocking, nil
}

func parseXCfgSet(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XCfgSet, args[1]
	op.Err = parseCfg(from(args, 2), op)
	return notBlocking, nil
}

// parseCfg reads the parameters of XCFGSET: looked at only when the stream exists.
func parseCfg(c cursor, op *machine.Op) error {
	if !c.more() {
		return errNoParameter
	}
	for c.more() {
		var err error
		switch {
		case c.keyword("IDMP-DURATION", 1):
			err = c.parameter(&op.N[0], maxIdmpDuration, errDurationTwice, errDurationRange)
		case c.keyword("IDMP-MAXSIZE", 1):
			err = c.parameter(&op.N[1], maxIdmpSize, errMaxSizeTwice, errMaxSizeRange)
		default:
			err = resp.ErrSyntax
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parameter consumes an integer from 1 to limit; n is 0 while it was not given.
func (c *cursor) parameter(n *int64, limit int64, twice, outside resp.Error) error {
	if *n != 0 {
		return twice
	}
	v, err := c.integer()
	if err == nil && (v < 1 || v > limit) {
		err = outside
	}
	*n = v
	return err
}

func parseXIdmpRecord(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group, op.Consumer = machine.XIdmpRecord, args[1], args[2], args[3]
	id, ok := stream.ParseID(args[4], 0)
	switch {
	case !ok:
		return notBlocking, resp.ErrInvalidID
	case len(op.Group) == 0:
		return notBlocking, errRecordNoProducer
	case len(op.Consumer) == 0:
		return notBlocking, errRecordNoIid
	}
	op.IDs = append(op.IDs, id)
	return notBlocking, nil
}
