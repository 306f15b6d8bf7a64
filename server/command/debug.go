package command

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

// debugRows is DEBUG. It is no container: its subcommands have no rows of their own, and their errors read differently.
func debugRows() []Spec {
	return []Spec{{Name: "debug", Arity: -2, Flags: adminFlags, Since: "1.0.0", Args: "subcommand [arg [arg ...]]",
		Summary: "A container for debugging commands.", Complexity: "Depends on subcommand.", Local: debugCommand}}
}

// debugSub is a subcommand of DEBUG; arity as in Spec.
type debugSub struct {
	name  string
	arity int
	run   func(c *Ctx)
	help  []string
}

func debugSubs() []debugSub {
	return []debugSub{
		{"DIGEST", 2, debugDigest, []string{"DIGEST", "    Output a hex signature representing the current DB content."}},
		{"DIGEST-VALUE", -2, debugDigestValue, []string{"DIGEST-VALUE <key> [<key> ...]", "    Output a hex signature of the values of all the specified keys."}},
		{"ERROR", 3, debugError, []string{"ERROR <string>", "    Return a Redis protocol error with <string> as message."}},
		{"LOADAOF", 2, func(c *Ctx) { debugReload(c, false) }, []string{"LOADAOF", "    Flush the log on disk and reload the state from it."}},
		{"OBJECT", 3, debugObject, []string{"OBJECT <key>", "    Show low level info about `key` and associated value."}},
		{"RELOAD", -2, debugReloadOptions, []string{"RELOAD [option ...]", "    Save a snapshot on disk and reload it back to memory. Valid <option> values:", "    * MERGE, NOFLUSH: accepted, the state is replaced all the same.", "    * NOSAVE: reload what is on disk already."}},
		{"SET-ACTIVE-EXPIRE", 3, debugActiveExpire, []string{"SET-ACTIVE-EXPIRE <0|1>", "    Setting it to 0 disables expiring keys in background when they are not", "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the", "    default."}},
		{"SLEEP", 3, debugSleep, []string{"SLEEP <seconds>", "    Stop the server for <seconds>. Decimals allowed."}},
	}
}

func debugCommand(c *Ctx) {
	subs := debugSubs()
	if resp.Is(c.Args[1], "HELP") && len(c.Args) == 2 {
		debugHelp(c, subs)
		return
	}
	for _, sub := range subs {
		if n := len(c.Args); resp.Is(c.Args[1], sub.name) && (n == sub.arity || sub.arity < 0 && n >= -sub.arity) {
			sub.run(c)
			return
		}
	}
	c.W.Error(badSubcommand(c.Args))
}

func debugHelp(c *Ctx, subs []debugSub) {
	at, n := c.W.Begin(), 3
	c.W.Simple("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, sub := range subs {
		for _, line := range sub.help {
			n++
			c.W.Simple(line)
		}
	}
	c.W.Simple("HELP")
	c.W.Simple("    Print this help.")
	c.W.End(at, n)
}

func debugDigest(c *Ctx) {
	var sum [20]byte
	for db := range c.Node.Machine.Databases() {
		if c.Node.Machine.Len(db) > 0 {
			sum = c.Node.Machine.Digest()
			break
		}
	}
	c.W.Simple(hex.EncodeToString(sum[:]))
}

func debugDigestValue(c *Ctx) {
	c.W.Array(len(c.Args) - 2)
	for _, key := range c.Args[2:] {
		sum := c.Node.Machine.DigestOf(c.S.DB, key)
		c.W.Simple(hex.EncodeToString(sum[:]))
	}
}

func debugError(c *Ctx) { c.W.Error(resp.Error(c.Args[2])) }

// debugSleep holds everything up, as it does in Redis: that is what it is for.
func debugSleep(c *Ctx) {
	seconds, err := strconv.ParseFloat(string(c.Args[2]), 64)
	if err == nil && seconds > 0 {
		time.Sleep(time.Duration(seconds * float64(time.Second)))
	}
	c.W.OK()
}

func debugActiveExpire(c *Ctx) {
	c.Node.Host.SetActiveExpire(string(c.Args[2]) != "0")
	c.W.OK()
}

func debugReloadOptions(c *Ctx) {
	save := true
	for _, option := range c.Args[2:] {
		switch {
		case resp.Is(option, "NOSAVE"):
			save = false
		case resp.Is(option, "MERGE"), resp.Is(option, "NOFLUSH"):
		default:
			c.W.Error(resp.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."))
			return
		}
	}
	debugReload(c, save)
}

func debugReload(c *Ctx, save bool) {
	if c.Node.Host.Reload(save) != nil { // the host has logged why
		c.W.Error(resp.Error("ERR Error trying to load the RDB dump, check server logs."))
		return
	}
	c.W.OK()
}

func debugObject(c *Ctx) {
	ask := func(op machine.Op) string {
		var w resp.Writer
		op.DB, op.Key = c.S.DB, c.Args[2]
		c.Node.Machine.Query(&op, &w, c.Node.Host.NowMS())
		text := strings.TrimSuffix(string(w.Buf), "\r\n")
		return text[strings.LastIndexByte(text, '\n')+1:] // the body of a bulk string, or a line
	}
	if !c.Node.Machine.Has(c.S.DB, c.Args[2]) {
		c.W.Error(resp.ErrNoSuchKey)
		return
	}
	encoding := ask(machine.Op{Kind: machine.ObjectInfo, N: [4]int64{objectEncoding}})
	size := strings.TrimPrefix(ask(machine.Op{Kind: machine.MemoryUsage}), ":")
	lru := c.Node.Host.NowMS() / 1000 % (1 << 24)
	c.W.Simple(fmt.Sprintf("Value at:0x0 refcount:1 encoding:%s serializedlength:%s lru:%d lru_seconds_idle:0", encoding, size, lru))
}
