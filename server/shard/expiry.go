package shard

import (
	"github.com/streamd/streamd/server/command"
	"github.com/streamd/streamd/server/machine"
)

// expireBefore removes the keys of a command whose deadline passed, by ops of their own, so that the command itself needs no
// clock to know what exists.
func (sh *Shard) expireBefore(db int, spec *command.Spec, args [][]byte) {
	if sh.machine.Volatile(db) == 0 {
		return
	}
	if len(spec.Keys) == 0 {
		if spec.Flags&(command.ReadOnly|command.Write) != 0 && spec.Parse != nil {
			sh.expireDue(expireBudget)
		}
		return
	}
	keys, err := spec.KeysOf(args, sh.keys[:0])
	sh.keys = keys[:0]
	if err != nil {
		return
	}
	for _, key := range keys {
		sh.expireKey(db, key)
	}
}

// expireTarget removes an expired key in the way of a copy or move to another database.
func (sh *Shard) expireTarget(op *machine.Op) {
	key, db := op.Key, op.N[0]
	switch op.Kind {
	case machine.Move:
	case machine.Copy:
		key = op.Group
	default:
		return
	}
	if op.Err == nil && db >= 0 && db < int64(sh.machine.Databases()) {
		sh.expireKey(int(db), key)
	}
}

// expireBudget bounds the keys removed in one go, so that a million deadlines at one instant do not stall anybody.
const expireBudget = 1000

func (sh *Shard) expireKey(db int, key []byte) {
	deadline, ok := sh.machine.Deadline(db, key)
	if !ok || deadline > sh.nowMS || sh.writable() != nil {
		return
	}
	op := &sh.ownOp
	op.Reset()
	op.Kind, op.DB, op.Key = machine.Expire, db, key
	sh.apply(op, nil)
	sh.node.Stats.Expired(1)
}

// expireDue removes up to max keys whose deadline passed, oldest first.
func (sh *Shard) expireDue(max int) (removed int) {
	type due struct {
		db  int
		key []byte
	}
	var list []due
	sh.machine.DueKeys(sh.nowMS, max, func(db int, key []byte) {
		list = append(list, due{db, append([]byte(nil), key...)})
	})
	for _, d := range list {
		sh.expireKey(d.db, d.key)
	}
	return len(list)
}
