package command

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

// aclRows are the questions that ACL answers about the only user, default.
func aclRows() []Spec {
	flags := NoScript | Loading | Stale
	return []Spec{
		container("acl", "6.0.0", "A container for Access List Control commands."),
		{Name: "acl|cat", Arity: -2, Flags: flags, Since: "6.0.0", Args: "[category]",
			Summary: "Lists the ACL categories, or the commands inside a category.", Local: aclCat},
		{Name: "acl|dryrun", Arity: -4, Flags: adminFlags, Since: "7.0.0", Args: "username command [arg [arg ...]]",
			Summary: "Simulates the execution of a command by a user, without executing the command.", Local: aclDryRun},
		{Name: "acl|genpass", Arity: -2, Flags: flags, Since: "6.0.0", Args: "[bits]",
			Summary: "Generates a pseudorandom, secure password that can be used to identify ACL users.", Local: aclGenPass},
		{Name: "acl|getuser", Arity: 3, Flags: adminFlags, Since: "6.0.0", Args: "username", Summary: "Lists the ACL rules of a user.",
			Local: aclGetUser},
		{Name: "acl|list", Arity: 2, Flags: adminFlags, Since: "6.0.0", Summary: "Dumps the effective rules in ACL file format.",
			Local: aclList},
		{Name: "acl|users", Arity: 2, Flags: adminFlags, Since: "6.0.0", Summary: "Lists all ACL users.", Local: func(c *Ctx) {
			c.W.Array(1)
			c.W.BulkString(session.DefaultUser)
		}},
		{Name: "acl|whoami", Arity: 2, Flags: flags, Since: "6.0.0", Summary: "Returns the authenticated username of the current connection.",
			Local: func(c *Ctx) { c.W.BulkString(c.S.User) }},
		helpRow("acl", "server", "6.0.0", 0),
	}
}

func aclCat(c *Ctx) {
	if len(c.Args) > 3 {
		c.W.Error(badSubcommand(c.Args))
		return
	}
	if len(c.Args) == 2 {
		names := CategoryNames()
		c.W.Array(len(names))
		for _, name := range names {
			c.W.BulkString(name)
		}
		return
	}
	category, ok := Category(string(c.Args[2]))
	if !ok {
		c.W.Error(resp.Error("ERR Unknown category '" + string(cut(c.Args[2], shownBytes)) + "'"))
		return
	}
	specs := c.Spec.Table.InCategory(category)
	c.W.Array(len(specs))
	for _, s := range specs {
		c.W.BulkString(s.Name)
	}
}

func aclDryRun(c *Ctx) {
	if string(c.Args[2]) != session.DefaultUser {
		c.W.Error(resp.Error("ERR User '" + string(cut(c.Args[2], shownBytes)) + "' not found"))
		return
	}
	spec, err := c.Spec.Table.Find(c.Args[3:])
	switch {
	case spec == nil:
		c.W.Error(resp.Error("ERR Command '" + string(cut(c.Args[3], shownBytes)) + "' not found"))
	case err != nil:
		c.W.Error(err)
	default:
		c.W.OK()
	}
}

// aclGenPass writes ceil(bits/4) hexadecimal digits.
func aclGenPass(c *Ctx) {
	bits := int64(256)
	if len(c.Args) > 3 {
		c.W.Error(badSubcommand(c.Args))
		return
	}
	if len(c.Args) == 3 {
		var ok bool
		if bits, ok = resp.ParseInt(c.Args[2]); !ok {
			c.W.Error(resp.ErrNotInteger)
			return
		}
		if bits < 1 || bits > 4096 {
			c.W.Error(resp.Error("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"))
			return
		}
	}
	random := make([]byte, 512)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	c.W.BulkString(hex.EncodeToString(random)[:(bits+3)/4])
}

// passwordHash is the default user's password as ACL shows it, "" when any password will do.
func passwordHash(c *Ctx) string {
	if !c.Node.NeedsPassword() {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(c.Node.Settings.RequirePass())))
}

func aclList(c *Ctx) {
	login := "nopass sanitize-payload"
	if hash := passwordHash(c); hash != "" {
		login = "sanitize-payload #" + hash
	}
	c.W.Array(1)
	c.W.BulkString("user " + session.DefaultUser + " on " + login + " ~* &* +@all")
}

func aclGetUser(c *Ctx) {
	if string(c.Args[2]) != session.DefaultUser {
		c.W.Null()
		return
	}
	hash := passwordHash(c)
	flags := []string{"on", "sanitize-payload"}
	if hash == "" {
		flags = []string{"on", "nopass", "sanitize-payload"}
	}
	c.W.Map(6)
	c.W.BulkString("flags")
	c.W.Set(len(flags))
	for _, f := range flags {
		c.W.BulkString(f)
	}
	c.W.BulkString("passwords")
	if hash == "" {
		c.W.Array(0)
	} else {
		c.W.Array(1)
		c.W.BulkString(hash)
	}
	for _, pair := range [][2]string{{"commands", "+@all"}, {"keys", "~*"}, {"channels", "&*"}} {
		c.W.BulkString(pair[0])
		c.W.BulkString(pair[1])
	}
	c.W.BulkString("selectors")
	c.W.Array(0)
}
