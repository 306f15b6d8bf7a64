package command

import (
	"math"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

// ResolveRelative turns the relative expiry of op into an absolute one, by the time the sequencer stamped it with. name is
// the command's, for the error.
func ResolveRelative(op *machine.Op, name string) error {
	if op.Flags&machine.FlagRelative == 0 || !relativeKind(op.Kind) {
		return nil
	}
	if op.N[0] > 0 && op.N[0] > math.MaxInt64-op.AtMS {
		if op.Kind != machine.GetEx {
			return invalidExpire(name)
		}
		op.Err = invalidExpire(name) // GETEX looks at the key first
		op.Flags &^= machine.FlagRelative
		return nil
	}
	op.N[0] += op.AtMS
	op.Flags &^= machine.FlagRelative
	return nil
}

// relativeKind tells whether FlagRelative means an expiry in ops of this kind: others use its bit for something else.
func relativeKind(k machine.Kind) bool {
	return k == machine.Set || k == machine.GetEx || k == machine.ExpireAt
}

func invalidExpire(name string) resp.Error {
	return resp.Error("ERR invalid expire time in '" + name + "' command")
}
