package command

import (
	"math"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

const (
	errExpireNX   resp.Error = "ERR NX and XX, GT or LT options at the same time are not compatible"
	errExpireGTLT resp.Error = "ERR GT and LT options at the same time are not compatible"
)

// expiryRows are the commands on deadlines of keys.
func expiryRows() []Spec {
	setter := func(name, since, arg, summary string, unitMS int64, flags machine.Flags) Spec {
		return Spec{Name: name, Arity: -3, Flags: Write | Fast, Since: since, Keys: keyAt(1, KeyRW|KeyUpdate),
			Args: "key " + arg + " [NX | XX | GT | LT]", Summary: summary, Parse: expireParser(name, unitMS, flags)}
	}
	getter := func(name, since, summary string, flags machine.Flags) Spec {
		return Spec{Name: name, Arity: 2, Flags: ReadOnly | Fast, Since: since, Keys: keyAt(1, KeyRO|KeyAccess),
			Args: "key", Summary: summary, Parse: ttlParser(flags)}
	}
	rows := []Spec{
		setter("expire", "1.0.0", "seconds", "Sets the expiration time of a key in seconds.", 1000, machine.FlagRelative),
		setter("pexpire", "2.6.0", "milliseconds", "Sets the expiration time of a key in milliseconds.", 1, machine.FlagRelative),
		setter("expireat", "1.2.0", "unix-time-seconds", "Sets the expiration time of a key to a Unix timestamp.", 1000, 0),
		setter("pexpireat", "2.6.0", "unix-time-milliseconds", "Sets the expiration time of a key to a Unix milliseconds timestamp.", 1, 0),
		getter("ttl", "1.0.0", "Returns the expiration time in seconds of a key.", 0),
		getter("pttl", "2.6.0", "Returns the expiration time in milliseconds of a key.", machine.FlagMS),
		getter("expiretime", "7.0.0", "Returns the expiration time of a key as a Unix timestamp.", machine.FlagAbsolute),
		getter("pexpiretime", "7.0.0", "Returns the expiration time of a key as a Unix milliseconds timestamp.", machine.FlagAbsolute|machine.FlagMS),
		{Name: "persist", Arity: 2, Flags: Write | Fast, Since: "2.2.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Args: "key", Summary: "Removes the expiration time of a key.", Parse: parseKey(machine.Persist)},
	}
	for i := range rows {
		if name := rows[i].Name; name == "ttl" || name == "pttl" {
			rows[i].Tips = []string{"nondeterministic_output"}
		}
	}
	return rows
}

// expireParser reads EXPIRE and its relatives. A time in the past is fine: it deletes the key.
func expireParser(name string, unitMS int64, flags machine.Flags) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Key, op.Flags = machine.ExpireAt, args[1], flags
		for _, word := range args[3:] {
			switch {
			case resp.Is(word, "NX"):
				op.Flags |= machine.FlagNX
			case resp.Is(word, "XX"):
				op.Flags |= machine.FlagXX
			case resp.Is(word, "GT"):
				op.Flags |= machine.FlagGT
			case resp.Is(word, "LT"):
				op.Flags |= machine.FlagLT
			default:
				return notBlocking, resp.Error("ERR Unsupported option " + string(word)).Safe()
			}
		}
		if op.Flags&machine.FlagNX != 0 && op.Flags&(machine.FlagXX|machine.FlagGT|machine.FlagLT) != 0 {
			return notBlocking, errExpireNX
		}
		if op.Flags&machine.FlagGT != 0 && op.Flags&machine.FlagLT != 0 {
			return notBlocking, errExpireGTLT
		}
		n, ok := resp.ParseInt(args[2])
		if !ok {
			return notBlocking, resp.ErrNotInteger
		}
		if n > math.MaxInt64/unitMS || n < math.MinInt64/unitMS {
			return notBlocking, invalidExpire(name)
		}
		op.N[0] = n * unitMS
		return notBlocking, nil
	}
}

// ttlParser reads TTL and its relatives.
func ttlParser(flags machine.Flags) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Key, op.Flags = machine.TTL, args[1], flags
		return notBlocking, nil
	}
}
