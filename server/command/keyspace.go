package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

// keyspaceRows are the commands on keys of any type.
func keyspaceRows() []Spec {
	perKey := "O(N) where N is the number of keys."
	sum := []string{multiShard, "response_policy:agg_sum"}
	rows := []Spec{
		{Name: "del", Arity: -2, Flags: Write, Since: "1.0.0", Keys: keysFrom(1, 1, KeyRM|KeyDelete), Tips: sum,
			Args: "key [key ...]", Summary: "Deletes one or more keys.",
			Complexity: "O(N) where N is the number of keys that will be removed.", Parse: parseKeys(machine.Del)},
		{Name: "unlink", Arity: -2, Flags: Write | Fast, Since: "4.0.0", Keys: keysFrom(1, 1, KeyRM|KeyDelete), Tips: sum,
			Args: "key [key ...]", Summary: "Asynchronously deletes one or more keys.",
			Complexity: "O(1) for each key removed regardless of its size.", Parse: parseKeys(machine.Del)},
		{Name: "exists", Arity: -2, Flags: ReadOnly | Fast, Since: "1.0.0", Keys: keysFrom(1, 1, KeyRO), Tips: sum,
			Args: "key [key ...]", Summary: "Determines whether one or more keys exist.", Complexity: perKey,
			Parse: parseKeys(machine.Exists)},
		{Name: "touch", Arity: -2, Flags: ReadOnly | Fast, Since: "3.2.1", Keys: keysFrom(1, 1, KeyRO), Tips: sum,
			Args:       "key [key ...]",
			Summary:    "Returns the number of existing keys out of those specified after updating the time they were last accessed.",
			Complexity: perKey, Parse: parseKeys(machine.Touch)},
		{Name: "type", Arity: 2, Flags: ReadOnly | Fast, Since: "1.0.0", Keys: keyAt(1, KeyRO),
			Args: "key", Summary: "Determines the type of value stored at a key.", Parse: parseKey(machine.Type)},
		{Name: "keys", Arity: 2, Flags: ReadOnly, Cats: CatDangerous, Since: "1.0.0",
			Tips: []string{"request_policy:all_shards", "nondeterministic_output_order"},
			Args: "pattern", Summary: "Returns all key names that match a pattern.",
			Complexity: "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.",
			Parse:      parseKeysPattern},
		{Name: "scan", Arity: -2, Flags: ReadOnly, Since: "2.8.0",
			Tips: []string{"nondeterministic_output", "request_policy:special", "response_policy:special"},
			Args: "cursor [MATCH pattern] [COUNT count] [TYPE type]", Summary: "Iterates over the key names in the database.",
			Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
			Parse:      parseScan},
		{Name: "randomkey", Arity: 1, Flags: ReadOnly, Since: "1.0.0",
			Tips:    []string{"request_policy:all_shards", "response_policy:special", "nondeterministic_output"},
			Summary: "Returns a random key name from the database.", Parse: parseNothing(machine.RandomKey)},
		{Name: "dbsize", Arity: 1, Flags: ReadOnly | Fast, Group: "server", Since: "1.0.0",
			Tips:    []string{"request_policy:all_shards", "response_policy:agg_sum"},
			Summary: "Returns the number of keys in the database.", Parse: parseNothing(machine.DBSize)},
		{Name: "rename", Arity: 3, Flags: Write, Since: "1.0.0",
			Keys: append(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyOW|KeyUpdate)...),
			Args: "key newkey", Summary: "Renames a key and overwrites the destination.", Parse: renameParser(0)},
		{Name: "renamenx", Arity: 3, Flags: Write | Fast, Since: "1.0.0",
			Keys: append(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyOW|KeyInsert)...),
			Args: "key newkey", Summary: "Renames a key only when the target key name doesn't exist.",
			Parse: renameParser(machine.FlagNX)},
		{Name: "copy", Arity: -3, Flags: Write | DenyOOM, Since: "6.2.0",
			Keys: append(keyAt(1, KeyRO|KeyAccess), keyAt(2, KeyOW|KeyUpdate)...),
			Args: "source destination [DB destination-db] [REPLACE]", Summary: "Copies the value of a key to a new key.",
			Complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
			Parse:      parseCopy},
		{Name: "move", Arity: 3, Flags: Write | Fast, Since: "1.0.0", Keys: keyAt(1, KeyRW|KeyAccess|KeyUpdate),
			Args: "key db", Summary: "Moves a key to another database.", Parse: parseMove},
	}
	rows = append(rows, expiryRows()...)
	rows = append(rows, flushRows()...)
	rows = append(rows, objectRows()...)
	for i := range rows {
		s := &rows[i]
		if s.Group == "" {
			s.Group = "generic"
		}
		if s.Complexity == "" {
			s.Complexity = "O(1)"
		}
		if !s.Container && s.Name != "memory|usage" {
			s.Cats |= CatKeyspace
		}
	}
	return rows
}

// flushRows are the commands on whole databases.
func flushRows() []Spec {
	all := []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	return []Spec{
		{Name: "flushdb", Arity: -1, Flags: Write, Cats: CatDangerous, Group: "server", Since: "1.0.0", Tips: all,
			Args: "[ASYNC | SYNC]", Summary: "Removes all keys from the current database.",
			Complexity: "O(N) where N is the number of keys in the selected database", Parse: flushParser(machine.FlushDB)},
		{Name: "flushall", Arity: -1, Flags: Write, Cats: CatDangerous, Group: "server", Since: "1.0.0", Tips: all,
			Args: "[ASYNC | SYNC]", Summary: "Removes all keys from all databases.",
			Complexity: "O(N) where N is the total number of keys in all databases", Parse: flushParser(machine.FlushAll)},
		{Name: "swapdb", Arity: 3, Flags: Write | Fast, Cats: CatDangerous, Group: "server", Since: "4.0.0",
			Args: "index1 index2", Summary: "Swaps two databases.",
			Complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
			Parse:      parseSwapDB},
	}
}

// objectRows are OBJECT, and MEMORY USAGE.
func objectRows() []Spec {
	object := func(sub, since, summary string, what int64) Spec {
		s := Spec{Name: "object|" + sub, Arity: 3, Flags: ReadOnly, Since: since, Keys: keyAt(2, KeyRO),
			Tips: []string{"nondeterministic_output"}, Args: "key", Summary: summary, Parse: objectParser(what)}
		if what == objectFreq {
			s.Tips = nil
		}
		return s
	}
	rows := []Spec{
		{Name: "object", Arity: -2, Since: "2.2.3", Container: true,
			Summary: "A container for object introspection commands.", Complexity: "Depends on subcommand."},
		object("encoding", "2.2.3", "Returns the internal encoding of a Redis object.", objectEncoding),
		object("freq", "4.0.0", "Returns the logarithmic access frequency counter of a Redis object.", objectFreq),
		object("idletime", "2.2.3", "Returns the time since the last access to a Redis object.", objectIdleTime),
		object("refcount", "2.2.3", "Returns the reference count of a value of a key.", objectRefCount),
		helpRow("object", "generic", "6.2.0", CatKeyspace),
		{Name: "memory|usage", Arity: -3, Flags: ReadOnly, Group: "server", Since: "4.0.0", Keys: keyAt(2, KeyRO),
			Args: "key [SAMPLES count]", Summary: "Estimates the memory usage of a key.",
			Complexity: "O(N) where N is the number of samples.", Parse: parseMemoryUsage},
	}
	rows[2].Tips = []string{"nondeterministic_output"}
	return rows
}

// What OBJECT asks for, as machine.ObjectInfo numbers it.
const (
	objectEncoding = iota
	objectRefCount
	objectIdleTime
	objectFreq
)

func objectParser(what int64) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Key, op.N[0] = machine.ObjectInfo, args[2], what
		return notBlocking, nil
	}
}

func parseMemoryUsage(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.MemoryUsage, args[2]
	for c := from(args, 3); c.more(); {
		if !c.keyword("SAMPLES", 1) {
			return notBlocking, resp.ErrSyntax
		}
		n, err := c.integer()
		if err == nil && n < 0 {
			err = resp.ErrSyntax
		}
		if err != nil {
			return notBlocking, err
		}
	}
	return notBlocking, nil
}

// parseNothing reads a query without arguments.
func parseNothing(kind machine.Kind) parser {
	return func(_ [][]byte, op *machine.Op) (int64, error) {
		op.Kind = kind
		return notBlocking, nil
	}
}

func parseKeysPattern(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind = machine.Keys
	op.Args = append(op.Args, args[1])
	return notBlocking, nil
}

const (
	errInvalidCursor resp.Error = "ERR invalid cursor"
	errFirstDB       resp.Error = "ERR invalid first DB index"
	errSecondDB      resp.Error = "ERR invalid second DB index"
)

// defaultScanCount is how many keys SCAN looks at without COUNT.
const defaultScanCount = 10

func parseScan(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind = machine.Scan
	at, ok := resp.ParseUint(args[1])
	if !ok {
		return notBlocking, errInvalidCursor
	}
	op.N[0], op.N[1] = int64(at), defaultScanCount
	var pattern, kind []byte
	for c := from(args, 2); c.more(); {
		var err error
		switch {
		case c.keyword("COUNT", 1):
			if op.N[1], err = c.integer(); err == nil && op.N[1] < 1 {
				err = resp.ErrSyntax
			}
		case c.keyword("MATCH", 1):
			pattern = c.next()
		case c.keyword("TYPE", 1):
			kind, err = typeName(c.next())
		default:
			err = resp.ErrSyntax
		}
		if err != nil {
			return notBlocking, err
		}
	}
	op.Args = append(op.Args, pattern, kind)
	return notBlocking, nil
}

// typeName returns the name of a type in lower case.
func typeName(b []byte) ([]byte, error) {
	low := make([]byte, len(b))
	lower(low, b)
	switch string(low) {
	case "string", "list", "set", "zset", "hash", "stream":
		return low, nil
	}
	return nil, resp.Error("ERR unknown type name '" + string(b) + "'").Safe()
}

// renameParser reads RENAME and RENAMENX.
func renameParser(flags machine.Flags) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Key, op.Group, op.Flags = machine.Rename, args[1], args[2], flags
		return notBlocking, nil
	}
}

func parseCopy(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Group, op.N[0] = machine.Copy, args[1], args[2], -1
	for c := from(args, 3); c.more(); {
		switch {
		case c.keyword("REPLACE", 0):
			op.Flags |= machine.FlagReplace
		case c.keyword("DB", 1):
			var err error
			if op.N[0], err = database(c.next()); err != nil {
				return notBlocking, err
			}
		default:
			return notBlocking, resp.ErrSyntax
		}
	}
	return notBlocking, nil
}

func parseMove(args [][]byte, op *machine.Op) (_ int64, err error) {
	op.Kind, op.Key = machine.Move, args[1]
	op.N[0], err = database(args[2])
	return notBlocking, err
}

// database reads a database's number, which has 32 bits; whether there are that many is the machine's to say.
func database(b []byte) (int64, error) {
	n, ok := resp.ParseInt(b)
	switch {
	case !ok:
		return 0, resp.ErrNotInteger
	case n != int64(int32(n)):
		return 0, errIntRange
	case n < 0:
		return 0, resp.ErrDBIndex
	}
	return n, nil
}

func parseSwapDB(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind = machine.SwapDB
	first, ok := resp.ParseInt(args[1])
	if !ok || first != int64(int32(first)) {
		return notBlocking, errFirstDB
	}
	second, ok := resp.ParseInt(args[2])
	switch {
	case !ok || second != int64(int32(second)):
		return notBlocking, errSecondDB
	case first < 0 || second < 0:
		return notBlocking, resp.ErrDBIndex
	}
	op.N[0], op.N[1] = first, second
	return notBlocking, nil
}

// flushParser reads FLUSHDB and FLUSHALL; both modes do the same here.
func flushParser(kind machine.Kind) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind = kind
		if len(args) > 2 || len(args) == 2 && !resp.Is(args[1], "ASYNC") && !resp.Is(args[1], "SYNC") {
			return notBlocking, resp.ErrSyntax
		}
		return notBlocking, nil
	}
}
