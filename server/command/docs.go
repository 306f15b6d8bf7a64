package command

import "github.com/streamd/streamd/resp"

// commandDocs is COMMAND DOCS.
func commandDocs(c *Ctx) {
	t := c.Spec.Table
	listed := t.top
	if len(c.Args) > 2 {
		listed = nil
		for _, name := range c.Args[2:] {
			if s := t.Lookup(name); s != nil {
				listed = append(listed, s)
			}
		}
	}
	c.W.Map(len(listed))
	for _, s := range listed {
		c.W.BulkString(s.Name)
		s.document(c.W)
	}
}

// document writes the description of a command.
func (s *Spec) document(w *resp.Writer) {
	pairs := [][2]string{{"summary", s.Summary}, {"since", s.Since}, {"group", s.Group}, {"complexity", s.Complexity}}
	args, _ := parseGrammar(s.Args)
	n := len(pairs)
	if len(args) > 0 {
		n++
	}
	if len(s.Subs) > 0 {
		n++
	}
	w.Map(n)
	for _, p := range pairs {
		w.BulkString(p[0])
		w.BulkString(p[1])
	}
	if len(args) > 0 {
		w.BulkString("arguments")
		keys := keyNumbers{specs: len(s.Keys)}
		keys.list(w, args)
	}
	if len(s.Subs) > 0 {
		w.BulkString("subcommands")
		w.Map(len(s.Subs))
		for _, sub := range s.Subs {
			w.BulkString(sub.Name)
			sub.document(w)
		}
	}
}

// keyNumbers gives the arguments that are keys their key specs, in order.
type keyNumbers struct {
	specs int // how many the command has
	used  int
}

func (k *keyNumbers) list(w *resp.Writer, args []argument) {
	w.Array(len(args))
	for i := range args {
		k.write(w, &args[i])
	}
}

// write describes one argument.
func (k *keyNumbers) write(w *resp.Writer, a *argument) {
	var flags []string
	for _, f := range []struct {
		on   bool
		name string
	}{{a.optional, "optional"}, {a.multiple, "multiple"}, {a.multipleToken, "multiple_token"}} {
		if f.on {
			flags = append(flags, f.name)
		}
	}
	leaf := a.kind != kindToken && len(a.args) == 0
	isKey := a.kind == "key" && k.specs > 0
	m, n := w.Begin(), 2
	w.BulkString("name")
	w.BulkString(a.name)
	w.BulkString("type")
	w.BulkString(a.kind)
	pair := func(on bool, name string, value func()) {
		if on {
			w.BulkString(name)
			value()
			n++
		}
	}
	pair(leaf, "display_text", func() { w.BulkString(a.name) })
	pair(isKey, "key_spec_index", func() {
		w.Int(int64(min(k.used, k.specs-1)))
		k.used++
	})
	pair(a.token != "", "token", func() { w.BulkString(a.token) })
	pair(len(flags) > 0, "flags", func() {
		w.Array(len(flags))
		for _, f := range flags {
			w.Simple(f)
		}
	})
	pair(len(a.args) > 0, "arguments", func() { k.list(w, a.args) })
	w.EndMap(m, n)
}
