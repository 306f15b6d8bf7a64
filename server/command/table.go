package command

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/resp"
)

// maxName bounds what Lookup looks at: longer than any "container|subcommand".
const maxName = 64

// Table is the list of all commands. It never changes once built, so it needs no lock.
type Table struct {
	specs []*Spec          // by ID
	names map[string]*Spec // full lower-case names, subcommands as "xgroup|create"
	top   []*Spec          // without subcommands
	quick quickNames       // those of top that it can hold
}

// NewTable builds the table. It panics on a row that contradicts itself or another: such a table must never serve.
func NewTable() *Table {
	rows := rows()
	t := &Table{names: make(map[string]*Spec, len(rows))}
	for i := range rows {
		s := &rows[i]
		if t.names[s.Name] != nil || s.Name != strings.ToLower(s.Name) || len(s.Name) > maxName {
			panic(fmt.Sprintf("command table: bad or repeated name %q", s.Name))
		}
		s.ID, s.Table = i, t
		s.Cats |= impliedCategories(s.Flags)
		t.specs = append(t.specs, s)
		t.names[s.Name] = s
	}
	for _, s := range t.specs {
		container, _, isSub := strings.Cut(s.Name, "|")
		if !isSub {
			t.top = append(t.top, s)
			t.quick.add(s)
			continue
		}
		parent := t.names[container]
		if parent == nil || !parent.Container {
			panic(fmt.Sprintf("command table: %q has no container", s.Name))
		}
		s.Parent = parent
		parent.Subs = append(parent.Subs, s)
	}
	return t
}

// rows lists all commands, family by family.
func rows() []Spec {
	var all []Spec
	for _, family := range [][]Spec{
		streamRows(),
		stringRows(),
		adminRows(), // before keyspaceRows, which add MEMORY USAGE to its container
		keyspaceRows(),
		transactionRows(),
		introspectRows(),
		connectionRows(),
	} {
		all = append(all, family...)
	}
	return all
}

// impliedCategories are the ACL categories that follow from flags.
func impliedCategories(f Flags) Categories {
	var c Categories
	if f&Write != 0 {
		c |= CatWrite
	}
	if f&ReadOnly != 0 {
		c |= CatRead
	}
	if f&Admin != 0 {
		c |= CatAdmin | CatDangerous
	}
	if f&PubSub != 0 {
		c |= CatPubSub
	}
	if f&Blocking != 0 {
		c |= CatBlocking
	}
	if f&Fast != 0 {
		c |= CatFast
	} else {
		c |= CatSlow
	}
	return c
}

// Specs returns all rows in the order of their IDs, containers and subcommands included. The caller must not change it.
func (t *Table) Specs() []*Spec { return t.specs }

// Commands returns the rows that are not subcommands. The caller must not change it.
func (t *Table) Commands() []*Spec { return t.top }

// Lookup finds a command by its name in any case, or a subcommand written "container|subcommand"; nil if there is none.
func (t *Table) Lookup(name []byte) *Spec {
	if s := t.quick.find(name); s != nil {
		return s
	}
	var low [maxName]byte
	if len(name) > maxName {
		return nil
	}
	return t.names[string(low[:lower(low[:], name)])]
}

// Sub finds a subcommand of container; nil if there is none.
func (t *Table) Sub(container *Spec, name []byte) *Spec {
	var low [maxName]byte
	n := copy(low[:], container.Name)
	if n+1+len(name) > maxName {
		return nil
	}
	low[n] = '|'
	n++
	n += lower(low[n:], name)
	return t.names[string(low[:n])]
}

// Find returns the row that carries out args (the name first; at least one argument) after checking existence and arity;
// the error is the reply. With wrong arity the row is returned too: EXEC must know itself.
func (t *Table) Find(args [][]byte) (*Spec, error) {
	s := t.Lookup(args[0])
	if s == nil || s.Parent != nil {
		return nil, UnknownCommand(args)
	}
	if s.Container && len(args) > 1 {
		sub := t.Sub(s, args[1])
		if sub == nil {
			return nil, UnknownSubcommand(s, args[1])
		}
		s = sub
	}
	if !s.ArityOK(len(args)) {
		return s, WrongArity(s.Name)
	}
	return s, nil
}

// ArityOK tells whether a command of n arguments, its name counted, is complete.
func (s *Spec) ArityOK(n int) bool {
	if s.Arity < 0 {
		return n >= -s.Arity
	}
	return n == s.Arity
}

// lower writes name in lower case to dst, which has room for it, and returns its length.
func lower(dst, name []byte) int {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst[i] = c
	}
	return len(name)
}

// shownBytes bounds how much of a client's words an error repeats.
const shownBytes = 128

// UnknownCommand is the reply to a name that is not in the table: it shows the name and the first arguments.
func UnknownCommand(args [][]byte) resp.Error {
	text := make([]byte, 0, 320)
	text = append(text, "ERR unknown command '"...)
	text = append(text, cut(args[0], shownBytes)...)
	text = append(text, "', with args beginning with: "...)
	from := len(text)
	for _, arg := range args[1:] {
		used := len(text) - from
		if used >= shownBytes {
			break
		}
		text = append(text, '\'')
		text = append(text, cut(arg, shownBytes-used)...)
		text = append(text, "' "...)
	}
	return resp.Error(text).Safe()
}

// UnknownSubcommand is the reply to a word that container does not know.
func UnknownSubcommand(container *Spec, word []byte) resp.Error {
	return resp.Error(fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.",
		cut(word, shownBytes), strings.ToUpper(container.Name))).Safe()
}

// WrongArity is the reply to too few or too many arguments; name is the row's.
func WrongArity(name string) resp.Error {
	return resp.Error("ERR wrong number of arguments for '" + name + "' command")
}

// badSubcommand is the reply to bad options of a subcommand; args is the whole command.
func badSubcommand(args [][]byte) resp.Error {
	return resp.Error(fmt.Sprintf("ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP.",
		cut(args[1], shownBytes), strings.ToUpper(string(args[0])))).Safe()
}

func cut(b []byte, n int) []byte { return b[:min(n, len(b))] }
