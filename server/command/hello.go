package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

// redisVersion is the release whose behaviour HELLO and INFO announce: clients choose features by it.
const redisVersion = "8.10.0"

// Errors of HELLO, AUTH and names.
const (
	errProtover   resp.Error = "ERR Protocol version is not an integer or out of range"
	errHelloAuth  resp.Error = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	errNoPassword resp.Error = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	errClientName resp.Error = "ERR Client names cannot contain spaces, newlines or special characters."
)

// hello checks everything before it changes anything, so that on an error protocol and name stay what they were.
func hello(c *Ctx) {
	protocol := int64(0)
	if len(c.Args) > 1 {
		n, ok := resp.ParseInt(c.Args[1])
		if !ok {
			c.W.Error(errProtover)
			return
		}
		if n != 2 && n != 3 {
			c.W.Error(resp.ErrNoProto)
			return
		}
		protocol = n
	}
	var user, pass, name []byte
	hasAuth, hasName := false, false
	for o := from(c.Args, min(2, len(c.Args))); o.more(); {
		switch {
		case o.keyword("AUTH", 2):
			hasAuth, user, pass = true, o.next(), o.next()
		case o.keyword("SETNAME", 1):
			if hasName, name = true, o.next(); !plainText(name) {
				c.W.Error(errClientName)
				return
			}
		default:
			c.W.Error(resp.Error("ERR Syntax error in HELLO option '" + string(o.next()) + "'"))
			return
		}
	}
	if hasAuth && !login(c, user, pass) {
		return
	}
	if !c.S.Authenticated {
		c.W.Error(errHelloAuth)
		return
	}
	if hasName {
		c.S.Name = string(name)
	}
	if protocol != 0 {
		c.W.RESP3 = protocol == 3
	}
	writeHello(c)
}

func writeHello(c *Ctx) {
	protocol := int64(2)
	if c.W.RESP3 {
		protocol = 3
	}
	mode := "standalone"
	if c.Node.Settings.ClusterCompat() {
		mode = "cluster"
	}
	w := c.W
	w.Map(7)
	w.BulkString("server")
	w.BulkString("redis")
	w.BulkString("version")
	w.BulkString(redisVersion)
	w.BulkString("proto")
	w.Int(protocol)
	w.BulkString("id")
	w.Int(c.S.ID)
	w.BulkString("mode")
	w.BulkString(mode)
	w.BulkString("role")
	w.BulkString("master")
	w.BulkString("modules")
	w.Array(0)
}

// login makes user the identity of the connection, or answers WRONGPASS and changes nothing.
func login(c *Ctx, user, pass []byte) bool {
	if !c.Node.Authenticate(user, pass) {
		c.Node.Stats.AuthDenied++
		c.W.Error(resp.ErrWrongPass)
		return false
	}
	c.S.User, c.S.Authenticated = string(user), true
	return true
}

func auth(c *Ctx) {
	switch {
	case len(c.Args) > 3:
		c.W.Error(resp.ErrSyntax)
	case len(c.Args) == 2 && !c.Node.NeedsPassword():
		c.W.Error(errNoPassword)
	case len(c.Args) == 2:
		if login(c, []byte(session.DefaultUser), c.Args[1]) {
			c.W.OK()
		}
	default:
		if login(c, c.Args[1], c.Args[2]) {
			c.W.OK()
		}
	}
}
