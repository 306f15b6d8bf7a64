package command

import "github.com/streamd/streamd/resp"

func slowlogRows() []Spec {
	flags := Admin | Loading | Stale
	return []Spec{
		container("slowlog", "2.2.12", "A container for slow log commands."),
		{Name: "slowlog|get", Arity: -2, Flags: flags, Since: "2.2.12",
			Tips: []string{"request_policy:all_nodes", "nondeterministic_output"}, Args: "[count]",
			Summary: "Returns the slow log's entries.", Complexity: "O(N) where N is the number of entries returned", Local: slowlogGet},
		{Name: "slowlog|len", Arity: 2, Flags: flags, Since: "2.2.12",
			Tips:    []string{"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"},
			Summary: "Returns the number of entries in the slow log.", Local: func(c *Ctx) { c.W.Int(int64(c.Node.Slowlog.Len())) }},
		{Name: "slowlog|reset", Arity: 2, Flags: flags, Since: "2.2.12",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Summary: "Clears all entries from the slow log.", Complexity: "O(N) where N is the number of entries in the slowlog",
			Local: func(c *Ctx) {
				c.Node.Slowlog.Reset()
				c.W.OK()
			}},
		helpRow("slowlog", "server", "6.2.0", 0),
	}
}

func slowlogGet(c *Ctx) {
	count := int64(10)
	if len(c.Args) > 3 {
		c.W.Error(badSubcommand(c.Args))
		return
	}
	if len(c.Args) == 3 {
		var ok bool
		if count, ok = resp.ParseInt(c.Args[2]); !ok || count < -1 {
			c.W.Error(resp.Error("ERR count should be greater than or equal to -1"))
			return
		}
	}
	entries := c.Node.Slowlog.Get(count)
	c.W.Array(len(entries))
	for i := range entries {
		e := &entries[i]
		c.W.Array(7)
		c.W.Int(e.ID)
		c.W.Int(e.UnixSec)
		c.W.Int(e.Micros)
		c.W.Array(len(e.Args))
		for _, arg := range e.Args {
			c.W.Bulk(arg)
		}
		c.W.BulkString(e.Addr)
		c.W.BulkString(e.Name)
		c.W.Int(int64(e.Argc))
	}
}
