package machine

// wellFormed tells whether op has what its kind needs to be applied without looking again: the number of arguments and ids,
// and numbers that are used as they are. DecodeOp and Apply both ask: damage that passes the log's checksums, or a log of a
// later version, ends here, and nothing gets into a log that could not be read back.
func (op *Op) wellFormed() bool {
	args, ids := len(op.Args), len(op.IDs)
	has := func(f Flags) bool { return op.Flags&f != 0 }
	one := func(fs Flags) bool { f := op.Flags & fs; return f&(f-1) == 0 }
	switch op.Kind {
	case XAdd:
		return args >= 2 && args%2 == 0 && ids <= 2 && (ids >= 1 || has(FlagAutoID)) && op.trimFits(1)
	case XTrim:
		return has(FlagMaxLen|FlagMinID) && op.trimFits(0)
	case XDel, XDelEx, XAck, XAckDel:
		return ids >= 1
	case XSetID:
		return ids >= 1 && (ids >= 2 || !has(FlagHasLimit))
	case XNack:
		return ids >= 1 && op.N[0] >= NackSilent && op.N[0] <= NackFatal
	case XReadGroup:
		return args >= 1 && ids == args
	case XClaim:
		// Without any id it still creates the consumer.
		return (ids >= 1 || !has(FlagLastID)) && one(FlagIdle|FlagTime)
	case XAutoClaim:
		return ids == 1 && op.N[1] >= 1
	case XGroupCreate, XGroupSetID:
		return (ids == 1 || has(FlagDollar)) && op.N[0] >= -1
	case XGroupDestroy, XGroupAddCons, XGroupDelCons:
		return true
	case XCfgSet:
		return op.N[0] >= 0 && op.N[1] >= 0
	case XIdmpRecord:
		return ids == 1
	case Set:
		compare := FlagIfEq | FlagIfNe | FlagIfDeq | FlagIfDne
		return args >= 1 && (args >= 2 || !has(compare)) && one(compare) && !has(FlagRelative)
	case GetEx, ExpireAt:
		return !has(FlagRelative)
	case MSet:
		return args >= 2 && args%2 == 0
	case Append, IncrByFloat, SetRange:
		return args == 1
	case Del:
		return args >= 1
	case GetDel, IncrBy, Rename, Copy, Move, Persist, FlushDB, FlushAll, SwapDB, Expire, SetParams:
		return true
	}
	return false
}

// trimFits checks the trim options of XADD and XTRIM, where MINID is IDs[at].
func (op *Op) trimFits(at int) bool {
	f := op.Flags & (FlagMaxLen | FlagMinID)
	if f == FlagMaxLen|FlagMinID || op.Flags&(FlagDelRef|FlagAcked) == FlagDelRef|FlagAcked {
		return false
	}
	return op.N[0] >= 0 && op.N[1] >= 0 && (f&FlagMinID == 0 || len(op.IDs) > at)
}
