package command

import (
	"bytes"
	"strings"

	"github.com/streamd/streamd/resp"
)

// introspectRows are COMMAND and its subcommands: the table, told to clients.
func introspectRows() []Spec {
	rows := []Spec{
		{Name: "command", Arity: -1, Since: "2.8.13", Container: true, Tips: []string{"nondeterministic_output_order"},
			Summary:    "Returns detailed information about all commands.",
			Complexity: "O(N) where N is the total number of Redis commands", Local: commandInfo},
		{Name: "command|count", Arity: 2, Since: "2.8.13", Summary: "Returns a count of commands.", Complexity: "O(1)",
			Local: commandCount},
		{Name: "command|docs", Arity: -2, Since: "7.0.0", Tips: []string{"nondeterministic_output_order"},
			Args: "[command-name [command-name ...]]", Summary: "Returns documentary information about one, multiple or all commands.",
			Complexity: "O(N) where N is the number of commands to look up", Local: commandDocs},
		{Name: "command|getkeys", Arity: -3, Since: "2.8.13", Args: "command [arg [arg ...]]",
			Summary:    "Extracts the key names from an arbitrary command.",
			Complexity: "O(N) where N is the number of arguments to the command", Local: commandGetKeys},
		{Name: "command|getkeysandflags", Arity: -3, Since: "7.0.0", Args: "command [arg [arg ...]]",
			Summary:    "Extracts the key names and access flags for an arbitrary command.",
			Complexity: "O(N) where N is the number of arguments to the command", Local: commandGetKeysAndFlags},
		{Name: "command|info", Arity: -2, Since: "2.8.13", Tips: []string{"nondeterministic_output_order"},
			Args: "[command-name [command-name ...]]", Summary: "Returns information about one, multiple or all commands.",
			Complexity: "O(N) where N is the number of commands to look up", Local: commandInfo},
		{Name: "command|list", Arity: -2, Since: "7.0.0", Tips: []string{"nondeterministic_output_order"},
			Args: "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", Summary: "Returns a list of command names.",
			Complexity: "O(N) where N is the total number of Redis commands", Local: commandList},
		helpRow("command", "server", "5.0.0", 0),
	}
	for i := range rows {
		rows[i].Flags, rows[i].Group = Loading|Stale, "server"
		rows[i].Cats |= CatConnection
	}
	return rows
}

// flagNames name the flags of commands in the order in which they are shown.
func flagNames() []named[Flags] {
	return []named[Flags]{
		{Write, "write"}, {ReadOnly, "readonly"}, {DenyOOM, "denyoom"}, {Admin, "admin"}, {PubSub, "pubsub"},
		{NoScript, "noscript"}, {Blocking, "blocking"}, {Loading, "loading"}, {Stale, "stale"},
		{SkipMonitor, "skip_monitor"}, {SkipSlowlog, "skip_slowlog"}, {Fast, "fast"}, {NoAuth, "no_auth"},
		{NoMandatoryKeys, "no_mandatory_keys"}, {NoAsyncLoading, "no_async_loading"}, {NoMulti, "no_multi"},
		{MovableKeys, "movablekeys"}, {AllowBusy, "allow_busy"},
	}
}

// keyFlagNames name the flags of keys in the order in which they are shown.
func keyFlagNames() []named[KeyFlags] {
	return []named[KeyFlags]{
		{KeyRO, "RO"}, {KeyRW, "RW"}, {KeyOW, "OW"}, {KeyRM, "RM"}, {KeyAccess, "access"}, {KeyUpdate, "update"},
		{KeyInsert, "insert"}, {KeyDelete, "delete"}, {KeyNotKey, "not_key"}, {KeyIncomplete, "incomplete"},
		{KeyVariable, "variable_flags"},
	}
}

// categoryNames name the ACL categories in the order in which they are shown. Those without a command here are known too:
// rules of ACL files name them.
func categoryNames() []named[Categories] {
	return []named[Categories]{
		{CatKeyspace, "keyspace"}, {CatRead, "read"}, {CatWrite, "write"}, {0, "set"}, {0, "sortedset"}, {0, "list"},
		{0, "hash"}, {CatString, "string"}, {0, "bitmap"}, {0, "hyperloglog"}, {0, "geo"}, {CatStream, "stream"},
		{CatPubSub, "pubsub"}, {CatAdmin, "admin"}, {CatFast, "fast"}, {CatSlow, "slow"}, {CatBlocking, "blocking"},
		{CatDangerous, "dangerous"}, {CatConnection, "connection"}, {CatTransaction, "transaction"},
		{CatScripting, "scripting"},
	}
}

// named is a bit and its name.
type named[T ~uint16 | ~uint32] struct {
	bit  T
	name string
}

// namesOf returns the names of the bits that set has.
func namesOf[T ~uint16 | ~uint32](all []named[T], set T) []string {
	var names []string
	for _, n := range all {
		if set&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// CategoryNames lists all ACL categories (ACL CAT).
func CategoryNames() []string {
	var names []string
	for _, n := range categoryNames() {
		names = append(names, n.name)
	}
	return names
}

// Category finds a category by its name in any case, without the '@'. A known one that no command here has is 0.
func Category(name string) (Categories, bool) {
	for _, n := range categoryNames() {
		if strings.EqualFold(n.name, name) {
			return n.bit, true
		}
	}
	return 0, false
}

// InCategory lists the commands and subcommands of a category (ACL CAT).
func (t *Table) InCategory(c Categories) []*Spec {
	var specs []*Spec
	for _, s := range t.specs {
		if s.Cats&c != 0 {
			specs = append(specs, s)
		}
	}
	return specs
}

func commandCount(c *Ctx) { c.W.Int(int64(len(c.Spec.Table.top))) }

// commandInfo is COMMAND and COMMAND INFO.
func commandInfo(c *Ctx) {
	t := c.Spec.Table
	if len(c.Args) <= 2 {
		c.W.Array(len(t.top))
		for _, s := range t.top {
			s.describe(c.W)
		}
		return
	}
	c.W.Array(len(c.Args) - 2)
	for _, name := range c.Args[2:] {
		if s := t.Lookup(name); s != nil {
			s.describe(c.W)
		} else {
			c.W.Null()
		}
	}
}

// describe writes one element of COMMAND INFO.
func (s *Spec) describe(w *resp.Writer) {
	w.Array(10)
	w.BulkString(s.Name)
	w.Int(int64(s.Arity))
	simpleSet(w, namesOf(flagNames(), s.Flags))
	first, last, step := s.legacyRange()
	w.Int(int64(first))
	w.Int(int64(last))
	w.Int(int64(step))
	cats := namesOf(categoryNames(), s.Cats)
	w.Set(len(cats))
	for _, name := range cats {
		w.Simple("@" + name)
	}
	w.Set(len(s.Tips))
	for _, tip := range s.Tips {
		w.BulkString(tip)
	}
	w.Set(len(s.Keys))
	for i := range s.Keys {
		s.Keys[i].describe(w)
	}
	if len(s.Subs) == 0 {
		w.Set(0)
		return
	}
	w.Array(len(s.Subs))
	for _, sub := range s.Subs {
		sub.describe(w)
	}
}

func simpleSet(w *resp.Writer, names []string) {
	w.Set(len(names))
	for _, name := range names {
		w.Simple(name)
	}
}

// legacyRange is the first key, the last and the step between them, as clients knew them before key specs: the neighbours
// that specs by index cover; zeros when keys have to be searched.
func (s *Spec) legacyRange() (first, last, step int) {
	for i := range s.Keys {
		ks := &s.Keys[i]
		if ks.Keyword != "" {
			return 0, 0, 0
		}
		if first == 0 {
			first, last, step = ks.Index, ks.Last, ks.Step
			if last >= 0 {
				last += ks.Index
			}
			continue
		}
		last = ks.Index + ks.Last
	}
	return first, last, step
}

// describe writes one key spec of COMMAND INFO.
func (ks *KeySpec) describe(w *resp.Writer) {
	if ks.Notes != "" {
		w.Map(4)
		w.BulkString("notes")
		w.BulkString(ks.Notes)
	} else {
		w.Map(3)
	}
	w.BulkString("flags")
	simpleSet(w, namesOf(keyFlagNames(), ks.Flags))
	w.BulkString("begin_search")
	w.Map(2)
	w.BulkString("type")
	if ks.Keyword != "" {
		w.BulkString("keyword")
		w.BulkString("spec")
		w.Map(2)
		w.BulkString("keyword")
		w.BulkString(ks.Keyword)
		w.BulkString("startfrom")
		w.Int(int64(ks.StartFrom))
	} else {
		w.BulkString("index")
		w.BulkString("spec")
		w.Map(1)
		w.BulkString("index")
		w.Int(int64(ks.Index))
	}
	w.BulkString("find_keys")
	w.Map(2)
	w.BulkString("type")
	w.BulkString("range")
	w.BulkString("spec")
	w.Map(3)
	w.BulkString("lastkey")
	w.Int(int64(ks.Last))
	w.BulkString("keystep")
	w.Int(int64(ks.Step))
	w.BulkString("limit")
	w.Int(int64(ks.Limit))
}

// commandList is COMMAND LIST [FILTERBY …].
func commandList(c *Ctx) {
	t := c.Spec.Table
	listed := t.specs
	if len(c.Args) > 2 {
		if len(c.Args) != 5 || !resp.Is(c.Args[2], "FILTERBY") {
			c.W.Error(resp.ErrSyntax)
			return
		}
		var match func(s *Spec) bool
		operand := c.Args[4]
		switch {
		case resp.Is(c.Args[3], "MODULE"):
			match = func(*Spec) bool { return false }
		case resp.Is(c.Args[3], "ACLCAT"):
			cat, _ := Category(string(operand))
			match = func(s *Spec) bool { return s.Cats&cat != 0 }
		case resp.Is(c.Args[3], "PATTERN"):
			pattern := bytes.ToLower(operand)
			match = func(s *Spec) bool { return resp.Match(pattern, []byte(s.Name)) }
		default:
			c.W.Error(resp.ErrSyntax)
			return
		}
		listed = nil
		for _, s := range t.specs {
			if match(s) {
				listed = append(listed, s)
			}
		}
	}
	c.W.Array(len(listed))
	for _, s := range listed {
		c.W.BulkString(s.Name)
	}
}

// Errors of COMMAND GETKEYS.
const (
	errInvalidCommand resp.Error = "ERR Invalid command specified"
	errInvalidArity   resp.Error = "ERR Invalid number of arguments specified for command"
)

// subject finds the keys of the command that COMMAND GETKEYS asks about.
func subject(c *Ctx) ([]KeyRef, error) {
	args := c.Args[2:]
	s, err := c.Spec.Table.Find(args)
	switch {
	case s == nil:
		return nil, errInvalidCommand
	case len(s.Keys) == 0:
		return nil, errNoKeys
	case err != nil:
		return nil, errInvalidArity
	}
	refs, err := s.KeyRefsOf(args, nil)
	if err == nil && len(refs) == 0 {
		err = errNoKeys
	}
	return refs, err
}

func commandGetKeys(c *Ctx) {
	refs, err := subject(c)
	if err != nil {
		c.W.Error(err)
		return
	}
	c.W.Array(len(refs))
	for _, ref := range refs {
		c.W.Bulk(ref.Key)
	}
}

func commandGetKeysAndFlags(c *Ctx) {
	refs, err := subject(c)
	if err != nil {
		c.W.Error(err)
		return
	}
	c.W.Array(len(refs))
	for _, ref := range refs {
		c.W.Array(2)
		c.W.Bulk(ref.Key)
		simpleSet(c.W, namesOf(keyFlagNames(), ref.Flags))
	}
}
