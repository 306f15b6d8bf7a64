package command

import (
	"bytes"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/stream"
)

// Errors of XADD and XTRIM.
const (
	errTrimTwice     resp.Error = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
	errMaxLen        resp.Error = "ERR The MAXLEN argument must be >= 0."
	errLimit         resp.Error = "ERR The LIMIT argument must be >= 0."
	errLimitNoTrim   resp.Error = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
	errLimitExact    resp.Error = "ERR syntax error, LIMIT cannot be used without the special ~ option"
	errNoStrategy    resp.Error = "ERR syntax error, XTRIM must be called with a trimming strategy"
	errIdmpTwice     resp.Error = "ERR syntax error, IDMP/IDMPAUTO specified multiple times"
	errIdmpNoPid     resp.Error = "ERR syntax error, IDMP requires a non-empty producer ID"
	errIdmpAutoNoPid resp.Error = "ERR syntax error, IDMPAUTO requires a non-empty producer ID"
	errIdmpNoIid     resp.Error = "ERR syntax error, IDMP requires a non-empty idempotent ID"
	errIdmpExplicit  resp.Error = "ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs"
	errXAddArity     resp.Error = "ERR wrong number of arguments for 'xadd' command"
)

// trimFlags tell that a trimming strategy was given.
const trimFlags = machine.FlagMaxLen | machine.FlagMinID

// trimOptions gathers what XADD and XTRIM have in common.
type trimOptions struct {
	flags   machine.Flags
	minID   stream.ID
	maxLen  int64
	limit   int64
	refSeen bool // KEEPREF, DELREF or ACKED was given
}

// option consumes the next argument if it is an option of trimming.
func (t *trimOptions) option(c *cursor) (bool, error) {
	switch {
	case c.keyword("MAXLEN", 1):
		if err := t.strategy(c, machine.FlagMaxLen); err != nil {
			return true, err
		}
		n, err := c.integer()
		if err == nil && n < 0 {
			err = errMaxLen
		}
		t.maxLen = n
		return true, err
	case c.keyword("MINID", 1):
		if err := t.strategy(c, machine.FlagMinID); err != nil {
			return true, err
		}
		var err error
		t.minID, err = c.id()
		return true, err
	case c.keyword("LIMIT", 1):
		n, err := c.integer()
		if err == nil && n < 0 {
			err = errLimit
		}
		t.limit = n
		t.flags |= machine.FlagHasLimit
		return true, err
	}
	if t.refSeen {
		return false, nil
	}
	flag, ok := refOption(c)
	t.flags |= flag
	t.refSeen = ok
	return ok, nil
}

// strategy notes the strategy and consumes its operator, if there is one.
func (t *trimOptions) strategy(c *cursor, flag machine.Flags) error {
	if t.flags&trimFlags != 0 {
		return errTrimTwice
	}
	t.flags |= flag
	if c.keyword("~", 1) {
		t.flags |= machine.FlagApprox
	} else {
		c.keyword("=", 1)
	}
	return nil
}

// refOption consumes KEEPREF, DELREF or ACKED.
func refOption(c *cursor) (machine.Flags, bool) {
	switch {
	case c.keyword("KEEPREF", 0):
		return 0, true
	case c.keyword("DELREF", 0):
		return machine.FlagDelRef, true
	case c.keyword("ACKED", 0):
		return machine.FlagAcked, true
	}
	return 0, false
}

// checkLimit finds a LIMIT that nothing can use. LIMIT 0 without a strategy fails the second check, as in Redis.
func (t *trimOptions) checkLimit(needStrategy bool) error {
	switch {
	case t.limit != 0 && t.flags&trimFlags == 0:
		return errLimitNoTrim
	case needStrategy && t.flags&trimFlags == 0:
		return errNoStrategy
	case t.flags&machine.FlagHasLimit != 0 && t.flags&machine.FlagApprox == 0:
		return errLimitExact
	}
	return nil
}

func parseXAdd(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XAdd, args[1]
	var trim trimOptions
	c := from(args, 2)
	for c.more() {
		ok, err := xaddOption(&c, &trim, op)
		if err != nil {
			return notBlocking, err
		}
		if !ok {
			break
		}
	}
	haveID := c.more()
	var id stream.ID
	if haveID {
		var err error
		if id, err = xaddID(c.next(), op); err != nil {
			return notBlocking, err
		}
		if op.Flags&(machine.FlagIdmp|machine.FlagIdmpAuto) != 0 && op.Flags&machine.FlagAutoID == 0 {
			return notBlocking, errIdmpExplicit
		}
	}
	if err := trim.checkLimit(false); err != nil {
		return notBlocking, err
	}
	if !haveID || c.left() == 0 || c.left()%2 != 0 {
		return notBlocking, errXAddArity
	}
	if id.IsZero() && op.Flags&(machine.FlagAutoID|machine.FlagAutoSeq) == 0 {
		return notBlocking, resp.ErrIDZero
	}
	op.Flags |= trim.flags
	op.N[0], op.N[1] = trim.maxLen, trim.limit
	op.IDs = append(op.IDs, id)
	if trim.flags&machine.FlagMinID != 0 {
		op.IDs = append(op.IDs, trim.minID)
	}
	op.Args = append(op.Args, args[c.at:]...)
	return notBlocking, nil
}

// xaddOption consumes the next argument if it is an option: a lone star, or anything unknown, is the id.
func xaddOption(c *cursor, trim *trimOptions, op *machine.Op) (bool, error) {
	switch first := c.args[c.at]; {
	case len(first) == 0 || first[0] < 'A': // digits and '*', by far the most common: an id
		return false, nil
	case c.keyword("NOMKSTREAM", 0):
		op.Flags |= machine.FlagNoMkStream
		return true, nil
	case c.keyword("IDMP", 2):
		if op.Flags&(machine.FlagIdmp|machine.FlagIdmpAuto) != 0 {
			return true, errIdmpTwice
		}
		op.Flags |= machine.FlagIdmp
		op.Group, op.Consumer = c.next(), c.next()
		if len(op.Group) == 0 {
			return true, errIdmpNoPid
		}
		if len(op.Consumer) == 0 {
			return true, errIdmpNoIid
		}
		return true, nil
	case c.keyword("IDMPAUTO", 1):
		if op.Flags&(machine.FlagIdmp|machine.FlagIdmpAuto) != 0 {
			return true, errIdmpTwice
		}
		op.Flags |= machine.FlagIdmpAuto
		op.Group = c.next()
		if len(op.Group) == 0 {
			return true, errIdmpAutoNoPid
		}
		return true, nil
	}
	return trim.option(c)
}

// xaddID reads "*", "ms-*", "ms-seq" or "ms"; the flags of op tell what is left to be generated.
func xaddID(b []byte, op *machine.Op) (stream.ID, error) {
	if len(b) == 1 && b[0] == '*' {
		op.Flags |= machine.FlagAutoID
		return stream.ID{}, nil
	}
	if len(b) > 2 && len(b) <= stream.MaxIDText && b[len(b)-1] == '*' {
		msText, seqText, _ := bytes.Cut(b, []byte{'-'})
		ms, ok := stream.ParseNumber(msText)
		if !ok || len(seqText) != 1 {
			return stream.ID{}, resp.ErrInvalidID
		}
		op.Flags |= machine.FlagAutoSeq
		return stream.ID{MS: ms}, nil
	}
	id, ok := stream.ParseID(b, 0)
	if !ok {
		return id, resp.ErrInvalidID
	}
	return id, nil
}

func parseXTrim(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.XTrim, args[1]
	var trim trimOptions
	for c := from(args, 2); c.more(); {
		ok, err := trim.option(&c)
		if err != nil {
			return notBlocking, err
		}
		if !ok {
			return notBlocking, resp.ErrSyntax
		}
	}
	if err := trim.checkLimit(true); err != nil {
		return notBlocking, err
	}
	op.Flags |= trim.flags
	op.N[0], op.N[1] = trim.maxLen, trim.limit
	op.IDs = append(op.IDs, trim.minID)
	return notBlocking, nil
}
