package command

import (
	"math"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

// Errors of the string commands.
const (
	errDecrement resp.Error = "ERR decrement would overflow"
	errOffset    resp.Error = "ERR offset is out of range"
)

// multiShard tells cluster proxies to split a command by its keys.
const multiShard = "request_policy:multi_shard"

// stringRows are the commands on strings.
func stringRows() []Spec {
	rows := []Spec{
		{Name: "set", Arity: -3, Flags: Write | DenyOOM, Since: "1.0.0",
			Keys:    noted(keyAt(1, KeyRW|KeyAccess|KeyUpdate|KeyVariable), "RW and ACCESS due to the optional `GET` argument"),
			Args:    "key value [NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
			Summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
			Parse:   parseSet},
		{Name: "setnx", Arity: 3, Flags: Write | DenyOOM | Fast, Since: "1.0.0", Keys: keyAt(1, KeyOW|KeyInsert),
			Args: "key value", Summary: "Set the string value of a key only when the key doesn't exist.",
			Parse: parseSetNX},
		{Name: "setex", Arity: 4, Flags: Write | DenyOOM, Since: "2.0.0", Keys: keyAt(1, KeyOW|KeyUpdate),
			Args:    "key seconds value",
			Summary: "Sets the string value and expiration time of a key. Creates the key if it doesn't exist.",
			Parse:   setExParser("setex", 1000)},
		{Name: "psetex", Arity: 4, Flags: Write | DenyOOM, Since: "2.6.0", Keys: keyAt(1, KeyOW|KeyUpdate),
			Args:    "key milliseconds value",
			Summary: "Sets both string value and expiration time in milliseconds of a key. The key is created if it doesn't exist.",
			Parse:   setExParser("psetex", 1)},
		{Name: "get", Arity: 2, Flags: ReadOnly | Fast, Since: "1.0.0", Keys: keyAt(1, KeyRO|KeyAccess),
			Args: "key", Summary: "Returns the string value of a key.", Parse: parseKey(machine.Get)},
		{Name: "getdel", Arity: 2, Flags: Write | Fast, Since: "6.2.0", Keys: keyAt(1, KeyRW|KeyAccess|KeyDelete),
			Args: "key", Summary: "Returns the string value of a key after deleting the key.", Parse: parseKey(machine.GetDel)},
		{Name: "getex", Arity: -2, Flags: Write | Fast, Since: "6.2.0",
			Keys:    noted(keyAt(1, KeyRW|KeyAccess|KeyUpdate), "RW and UPDATE because it changes the TTL"),
			Args:    "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
			Summary: "Returns the string value of a key after setting its expiration time.", Parse: parseGetEx},
		{Name: "getset", Arity: 3, Flags: Write | DenyOOM | Fast, Since: "1.0.0", Keys: keyAt(1, KeyRW|KeyAccess|KeyUpdate),
			Args: "key value", Summary: "Returns the previous string value of a key after setting it to a new value.",
			Parse: parseGetSet},
		{Name: "mget", Arity: -2, Flags: ReadOnly | Fast, Since: "1.0.0", Keys: keysFrom(1, 1, KeyRO|KeyAccess),
			Tips: []string{multiShard}, Args: "key [key ...]",
			Summary:    "Atomically returns the string values of one or more keys.",
			Complexity: "O(N) where N is the number of keys to retrieve.", Parse: parseKeys(machine.MGet)},
		{Name: "mset", Arity: -3, Flags: Write | DenyOOM, Since: "1.0.1", Keys: keysFrom(1, 2, KeyOW|KeyUpdate),
			Tips: []string{multiShard, "response_policy:all_succeeded"}, Args: "key value [key value ...]",
			Summary:    "Atomically creates or modifies the string values of one or more keys.",
			Complexity: "O(N) where N is the number of keys to set.", Parse: msetParser("mset", 0)},
		{Name: "msetnx", Arity: -3, Flags: Write | DenyOOM, Since: "1.0.1", Keys: keysFrom(1, 2, KeyOW|KeyInsert),
			Args:       "key value [key value ...]",
			Summary:    "Atomically modifies the string values of one or more keys only when all keys don't exist.",
			Complexity: "O(N) where N is the number of keys to set.", Parse: msetParser("msetnx", machine.FlagNX)},
		{Name: "append", Arity: 3, Flags: Write | DenyOOM | Fast, Since: "2.0.0", Keys: keyAt(1, KeyRW|KeyInsert),
			Args: "key value", Summary: "Appends a string to the value of a key. Creates the key if it doesn't exist.",
			Complexity: "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by Redis will double the free space available on every reallocation.",
			Parse:      parseAppend},
		{Name: "strlen", Arity: 2, Flags: ReadOnly | Fast, Since: "2.2.0", Keys: keyAt(1, KeyRO),
			Args: "key", Summary: "Returns the length of a string value.", Parse: parseKey(machine.StrLen)},
	}
	rows = append(rows, numberRows()...)
	rows = append(rows, substringRows()...)
	for i := range rows {
		s := &rows[i]
		s.Group, s.Cats = "string", s.Cats|CatString
		if s.Complexity == "" {
			s.Complexity = "O(1)"
		}
	}
	return rows
}

// numberRows are the commands on strings that hold a number.
func numberRows() []Spec {
	counter := func(name string, arity int, args, summary string, parse func([][]byte, *machine.Op) (int64, error)) Spec {
		return Spec{Name: name, Arity: arity, Flags: Write | DenyOOM | Fast, Since: "1.0.0",
			Keys: keyAt(1, KeyRW|KeyAccess|KeyUpdate), Args: args, Summary: summary, Parse: parse}
	}
	rows := []Spec{
		counter("incr", 2, "key", "Increments the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.", incrParser(1)),
		counter("incrby", 3, "key increment", "Increments the integer value of a key by a number. Uses 0 as initial value if the key doesn't exist.", parseIncrBy),
		counter("decr", 2, "key", "Decrements the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.", incrParser(-1)),
		counter("decrby", 3, "key decrement", "Decrements a number from the integer value of a key. Uses 0 as initial value if the key doesn't exist.", parseDecrBy),
		counter("incrbyfloat", 3, "key increment", "Increment the floating point value of a key by a number. Uses 0 as initial value if the key doesn't exist.", parseIncrByFloat),
	}
	rows[len(rows)-1].Since = "2.6.0"
	return rows
}

// substringRows are the commands on parts of strings.
func substringRows() []Spec {
	return []Spec{
		{Name: "getrange", Arity: 4, Flags: ReadOnly, Since: "2.4.0", Keys: keyAt(1, KeyRO|KeyAccess),
			Args: "key start end", Summary: "Returns a substring of the string stored at a key.",
			Complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
			Parse:      parseGetRange},
		{Name: "substr", Arity: 4, Flags: ReadOnly, Since: "1.0.0", Keys: keyAt(1, KeyRO|KeyAccess),
			Args: "key start end", Summary: "Returns a substring from a string value.",
			Complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
			Parse:      parseGetRange},
		{Name: "setrange", Arity: 4, Flags: Write | DenyOOM, Since: "2.2.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Args:       "key offset value",
			Summary:    "Overwrites a part of a string value with another by an offset. Creates the key if it doesn't exist.",
			Complexity: "O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.",
			Parse:      parseSetRange},
	}
}

// parser is the type of Spec.Parse.
type parser = func(args [][]byte, op *machine.Op) (blockMS int64, err error)

// parseKey reads a single key.
func parseKey(kind machine.Kind) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Key = kind, args[1]
		return notBlocking, nil
	}
}

// parseKeys reads a list of keys.
func parseKeys(kind machine.Kind) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind = kind
		op.Args = append(op.Args, args[1:]...)
		return notBlocking, nil
	}
}

// expiryUnit reads the name of an expiry option: how many milliseconds its unit has, and whether it counts from now.
func expiryUnit(c *cursor) (ms int64, relative, ok bool) {
	switch {
	case c.keyword("EX", 1):
		return 1000, true, true
	case c.keyword("PX", 1):
		return 1, true, true
	case c.keyword("EXAT", 1):
		return 1000, false, true
	case c.keyword("PXAT", 1):
		return 1, false, true
	}
	return 0, false, false
}

// expiry is the deadline that SET, SETEX and GETEX ask for; none while text is nil.
type expiry struct {
	text     []byte
	unitMS   int64
	relative bool
}

// option consumes an expiry option, which may be repeated but not joined by another.
func (e *expiry) option(c *cursor) (bool, error) {
	unitMS, relative, ok := expiryUnit(c)
	if !ok {
		return false, nil
	}
	if e.text != nil && (e.unitMS != unitMS || e.relative != relative) {
		return true, resp.ErrSyntax
	}
	*e = expiry{c.next(), unitMS, relative}
	return true, nil
}

// resolve puts the deadline, which must be after the epoch, into op.
func (e *expiry) resolve(op *machine.Op, name string) error {
	n, ok := resp.ParseInt(e.text)
	if !ok {
		return resp.ErrNotInteger
	}
	if n <= 0 || n > math.MaxInt64/e.unitMS {
		return invalidExpire(name)
	}
	op.N[0] = n * e.unitMS
	if e.relative {
		op.Flags |= machine.FlagRelative
	}
	return nil
}

// setConditions exclude each other.
const setConditions = machine.FlagNX | machine.FlagXX | machine.FlagIfEq | machine.FlagIfNe | machine.FlagIfDeq | machine.FlagIfDne

func parseSet(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.Set, args[1]
	op.Args = append(op.Args, args[2])
	var expires expiry
	for c := from(args, 3); c.more(); {
		if c.keyword("GET", 0) {
			op.Flags |= machine.FlagGet
			continue
		}
		if flag, compare := setCondition(&c); flag != 0 {
			if op.Flags&setConditions&^flag != 0 || compare && op.Flags&flag != 0 {
				return notBlocking, resp.ErrSyntax
			}
			op.Flags |= flag
			if compare {
				op.Args = append(op.Args, c.next())
			}
			continue
		}
		if expires.text == nil && c.keyword("KEEPTTL", 0) {
			op.Flags |= machine.FlagKeepTTL
			continue
		}
		ok, err := expires.option(&c)
		if err != nil || !ok || op.Flags&machine.FlagKeepTTL != 0 {
			return notBlocking, resp.ErrSyntax
		}
	}
	if expires.text != nil {
		return notBlocking, expires.resolve(op, "set")
	}
	return notBlocking, nil
}

// setCondition consumes a condition of SET, 0 if there is none; compare: a value to compare with follows.
func setCondition(c *cursor) (flag machine.Flags, compare bool) {
	switch {
	case c.keyword("NX", 0):
		return machine.FlagNX, false
	case c.keyword("XX", 0):
		return machine.FlagXX, false
	case c.keyword("IFEQ", 1):
		return machine.FlagIfEq, true
	case c.keyword("IFNE", 1):
		return machine.FlagIfNe, true
	case c.keyword("IFDEQ", 1):
		return machine.FlagIfDeq, true
	case c.keyword("IFDNE", 1):
		return machine.FlagIfDne, true
	}
	return 0, false
}

func parseSetNX(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Flags = machine.Set, args[1], machine.FlagNX|machine.FlagReplyInt
	op.Args = append(op.Args, args[2])
	return notBlocking, nil
}

// setExParser reads SETEX and PSETEX.
func setExParser(name string, unitMS int64) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Key = machine.Set, args[1]
		op.Args = append(op.Args, args[3])
		expires := expiry{args[2], unitMS, true}
		return notBlocking, expires.resolve(op, name)
	}
}

func parseGetSet(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key, op.Flags = machine.Set, args[1], machine.FlagGet
	op.Args = append(op.Args, args[2])
	return notBlocking, nil
}

func parseGetEx(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.GetEx, args[1]
	var expires expiry
	for c := from(args, 2); c.more(); {
		if expires.text == nil && c.keyword("PERSIST", 0) {
			op.Flags |= machine.FlagPersist
			continue
		}
		ok, err := expires.option(&c)
		if err != nil || !ok || op.Flags&machine.FlagPersist != 0 {
			return notBlocking, resp.ErrSyntax
		}
	}
	if expires.text == nil {
		return notBlocking, nil
	}
	op.Flags |= machine.FlagExpire
	op.Err = expires.resolve(op, "getex")
	return notBlocking, nil
}

// msetParser reads MSET and MSETNX.
func msetParser(name string, flags machine.Flags) parser {
	odd := WrongArity(name)
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Flags = machine.MSet, flags
		if len(args)%2 == 0 {
			return notBlocking, odd
		}
		op.Args = append(op.Args, args[1:]...)
		return notBlocking, nil
	}
}

func parseAppend(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.Append, args[1]
	op.Args = append(op.Args, args[2])
	return notBlocking, nil
}

// incrParser reads INCR and DECR.
func incrParser(by int64) parser {
	return func(args [][]byte, op *machine.Op) (int64, error) {
		op.Kind, op.Key, op.N[0] = machine.IncrBy, args[1], by
		return notBlocking, nil
	}
}

func parseIncrBy(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.IncrBy, args[1]
	by, ok := resp.ParseInt(args[2])
	if !ok {
		return notBlocking, resp.ErrNotInteger
	}
	op.N[0] = by
	return notBlocking, nil
}

func parseDecrBy(args [][]byte, op *machine.Op) (int64, error) {
	if _, err := parseIncrBy(args, op); err != nil {
		return notBlocking, err
	}
	if op.N[0] == math.MinInt64 {
		return notBlocking, errDecrement
	}
	op.N[0] = -op.N[0]
	return notBlocking, nil
}

// parseIncrByFloat leaves the increment as text: whether it is a number is asked after the type of the key.
func parseIncrByFloat(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.IncrByFloat, args[1]
	op.Args = append(op.Args, args[2])
	return notBlocking, nil
}

func parseGetRange(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.GetRange, args[1]
	start, ok := resp.ParseInt(args[2])
	end, ok2 := resp.ParseInt(args[3])
	if !ok || !ok2 {
		return notBlocking, resp.ErrNotInteger
	}
	op.N[0], op.N[1] = start, end
	return notBlocking, nil
}

func parseSetRange(args [][]byte, op *machine.Op) (int64, error) {
	op.Kind, op.Key = machine.SetRange, args[1]
	offset, ok := resp.ParseInt(args[2])
	switch {
	case !ok:
		return notBlocking, resp.ErrNotInteger
	case offset < 0:
		return notBlocking, errOffset
	}
	op.N[0] = offset
	op.Args = append(op.Args, args[3])
	return notBlocking, nil
}
