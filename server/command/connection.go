package command

import "github.com/streamd/streamd/resp"

// Errors of SELECT.
const (
	errSelectMode resp.Error = "ERR SELECT is not allowed in cluster mode"
	errIntRange   resp.Error = "ERR value is out of range, value must between -2147483648 and 2147483647"
)

// connectionRows are the commands about connections, publish and subscribe, and MONITOR.
func connectionRows() []Spec {
	login := NoScript | Loading | Stale | Fast | NoAuth | AllowBusy
	everywhere := []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	rows := []Spec{
		{Name: "hello", Arity: -1, Flags: login, Since: "6.0.0",
			Args:    "[protover [AUTH username password] [SETNAME clientname]]",
			Summary: "Handshakes with the server.", Local: hello},
		{Name: "auth", Arity: -2, Flags: login, Since: "1.0.0", Args: "[username] password",
			Summary: "Authenticates the connection.", Complexity: "O(N) where N is the number of passwords defined for the user", Local: auth},
		{Name: "quit", Arity: -1, Flags: login, Since: "1.0.0", Summary: "Closes the connection.", Local: quit},
		{Name: "reset", Arity: 1, Flags: login, Since: "6.2.0", Summary: "Resets the connection.", Local: reset},
		{Name: "ping", Arity: -1, Flags: Fast, Since: "1.0.0", Args: "[message]", Tips: everywhere,
			Summary: "Returns the server's liveliness response.", Local: ping},
		{Name: "echo", Arity: 2, Flags: Loading | Stale | Fast, Since: "1.0.0", Args: "message",
			Summary: "Returns the given string.", Local: func(c *Ctx) { c.W.Bulk(c.Args[1]) }},
		{Name: "select", Arity: 2, Flags: Loading | Stale | Fast, Since: "1.0.0", Args: "index",
			Summary: "Changes the selected database.", Local: selectDB},
	}
	for i := range rows {
		rows[i].Group, rows[i].Cats = "connection", CatConnection
		if rows[i].Complexity == "" {
			rows[i].Complexity = "O(1)"
		}
	}
	rows = append(rows, clientRows()...)
	rows = append(rows, pubsubRows()...)
	return append(rows, monitorRow())
}

func quit(c *Ctx) {
	c.W.OK()
	c.S.CloseAfter = true
}

func reset(c *Ctx) {
	c.Node.Reset(c.S)
	c.W.Simple("RESET")
}

// ping answers in the shape of a message while the connection is in RESP2's subscriber mode.
func ping(c *Ctx) {
	switch {
	case len(c.Args) > 2:
		c.W.Error(WrongArity("ping"))
	case !c.W.RESP3 && c.S.Subs.Count() > 0:
		c.W.Array(2)
		c.W.BulkString("pong")
		if len(c.Args) == 2 {
			c.W.Bulk(c.Args[1])
		} else {
			c.W.BulkString("")
		}
	case len(c.Args) == 2:
		c.W.Bulk(c.Args[1])
	default:
		c.W.Simple("PONG")
	}
}

func selectDB(c *Ctx) {
	n, ok := resp.ParseInt(c.Args[1])
	switch {
	case !ok:
		c.W.Error(resp.ErrNotInteger)
	case n != int64(int32(n)):
		c.W.Error(errIntRange)
	case c.Node.Settings.ClusterCompat() && n != 0:
		c.W.Error(errSelectMode)
	case n < 0 || n >= int64(c.Node.Machine.Databases()):
		c.W.Error(resp.ErrDBIndex)
	default:
		c.S.DB = int(n)
		c.W.OK()
	}
}

// plainText tells whether a name for a client or its library has only visible ASCII, which keeps CLIENT LIST readable.
func plainText(b []byte) bool {
	for _, c := range b {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}
