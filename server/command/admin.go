package command

import (
	"fmt"
	"strings"

	"github.com/streamd/streamd/resp"
)

// adminRows are the commands that look after the server.
func adminRows() []Spec {
	var rows []Spec
	for _, family := range [][]Spec{
		serverRows(), configRows(), slowlogRows(), latencyRows(), memoryRows(), aclRows(), debugRows(), scriptingRows(),
	} {
		rows = append(rows, family...)
	}
	for i := range rows {
		if rows[i].Group == "" {
			rows[i].Group = "server"
		}
		if rows[i].Complexity == "" {
			rows[i].Complexity = "O(1)"
		}
	}
	return append(rows, clusterRows()...)
}

// adminFlags are those of nearly every command that only administrators send.
const adminFlags = Admin | NoScript | Loading | Stale

// container is the row of a command that only has subcommands.
func container(name, since, summary string) Spec {
	return Spec{Name: name, Arity: -2, Since: since, Container: true, Summary: summary, Complexity: "Depends on subcommand."}
}

func serverRows() []Spec {
	return []Spec{
		{Name: "info", Arity: -1, Flags: Loading | Stale, Cats: CatDangerous, Since: "1.0.0",
			Tips: []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
			Args: "[section [section ...]]", Summary: "Returns information and statistics about the server.", Local: info},
		{Name: "time", Arity: 1, Flags: Loading | Stale | Fast, Since: "2.6.0", Tips: []string{"nondeterministic_output"},
			Summary: "Returns the server time.", Local: serverTime},
		{Name: "lastsave", Arity: 1, Flags: Loading | Stale | Fast, Cats: CatAdmin | CatDangerous, Since: "1.0.0",
			Tips: []string{"nondeterministic_output"}, Summary: "Returns the Unix timestamp of the last successful save to disk.",
			Local: lastSave},
		{Name: "save", Arity: 1, Flags: Admin | NoScript | NoAsyncLoading | NoMulti, Since: "1.0.0",
			Summary:    "Synchronously saves the database(s) to disk.",
			Complexity: "O(N) where N is the total number of keys in all databases", Local: save},
		{Name: "bgsave", Arity: -1, Flags: Admin | NoScript | NoAsyncLoading, Since: "1.0.0", Args: "[SCHEDULE]",
			Summary: "Asynchronously saves the database(s) to disk.", Local: backgroundSave},
		{Name: "bgrewriteaof", Arity: 1, Flags: Admin | NoScript | NoAsyncLoading, Since: "1.0.0",
			Summary: "Asynchronously rewrites the append-only file to disk.", Local: backgroundRewrite},
		{Name: "shutdown", Arity: -1, Flags: adminFlags | NoMulti | AllowBusy, Since: "1.0.0",
			Args:       "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
			Summary:    "Synchronously saves the database(s) to disk and shuts down the Redis server.",
			Complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
			Local:      shutdown},
		{Name: "role", Arity: 1, Flags: NoScript | Loading | Stale | Fast, Cats: CatAdmin | CatDangerous, Since: "2.8.12",
			Summary: "Returns the replication role.", Local: role},
		{Name: "replicaof", Arity: 3, Flags: Admin | NoScript | Stale | NoAsyncLoading, Since: "5.0.0", Args: "<host port | NO ONE>",
			Summary: "Configures a server as replica of another, or promotes it to a master.", Local: replicaOf},
		{Name: "slaveof", Arity: 3, Flags: Admin | NoScript | Stale | NoAsyncLoading, Since: "1.0.0", Args: "<host port | NO ONE>",
			Summary: "Sets a Redis server as a replica of another, or promotes it to being a master.", Local: replicaOf},
		{Name: "failover", Arity: -1, Flags: Admin | NoScript | Stale, Since: "6.2.0",
			Args:    "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]",
			Summary: "Starts a coordinated failover from a server to one of its replicas.", Local: failover},
		{Name: "lolwut", Arity: -1, Flags: ReadOnly | Fast, Since: "5.0.0", Args: "[VERSION version]",
			Summary: "Displays computer art and the server's version", Local: lolwut},
	}
}

// serverTime has the resolution of the clock that everything else is stamped with.
func serverTime(c *Ctx) {
	ms := c.Node.Host.NowMS()
	c.W.Array(2)
	c.W.BulkInt(ms / 1000)
	c.W.BulkInt(ms % 1000 * 1000)
}

func lastSave(c *Ctx) { c.W.Int(c.Node.Host.LogStatus().LastSaveUnix) }

const (
	errSaving    resp.Error = "ERR Background save already in progress"
	errRewriting resp.Error = "ERR Background append only file rewriting already in progress"

	errBusyRewriting resp.Error = "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
)

func save(c *Ctx) {
	switch {
	case c.Node.Host.LogStatus().SnapshotBusy, c.Node.Host.LogStatus().RewriteBusy: // a rewrite writes a snapshot as well
		c.W.Error(errSaving)
	case c.Node.Host.Save() != nil: // the host has logged why
		c.W.Error(resp.Error("ERR"))
	default:
		c.W.OK()
	}
}

func backgroundSave(c *Ctx) {
	log := c.Node.Host.LogStatus()
	switch {
	case len(c.Args) > 2 || len(c.Args) == 2 && !resp.Is(c.Args[1], "SCHEDULE"):
		c.W.Error(resp.ErrSyntax)
	case log.SnapshotBusy:
		c.W.Error(errSaving)
	case log.RewriteBusy && len(c.Args) == 1:
		c.W.Error(errBusyRewriting)
	case c.Node.Host.Background("bgsave") != nil:
		c.W.Error(resp.Error("ERR"))
	case log.RewriteBusy:
		c.W.Simple("Background saving scheduled")
	default:
		c.W.Simple("Background saving started")
	}
}

func backgroundRewrite(c *Ctx) {
	log := c.Node.Host.LogStatus()
	switch {
	case log.RewriteBusy:
		c.W.Error(errRewriting)
	case c.Node.Host.Background("rewrite") != nil:
		c.W.Error(resp.Error("ERR Can't execute an AOF background rewriting. Please check the server logs for more information."))
	case log.SnapshotBusy:
		c.W.Simple("Background append only file rewriting scheduled")
	default:
		c.W.Simple("Background append only file rewriting started")
	}
}

// shutdown answers nothing when it succeeds: the connection closes with the server.
func shutdown(c *Ctx) {
	var saving, notSaving, abort, other bool
	for _, word := range c.Args[1:] {
		switch {
		case resp.Is(word, "SAVE") && !notSaving:
			saving = true
		case resp.Is(word, "NOSAVE") && !saving:
			notSaving = true
		case resp.Is(word, "NOW"), resp.Is(word, "FORCE"):
			other = true
		case resp.Is(word, "ABORT"):
			abort = true
		default:
			c.W.Error(resp.ErrSyntax)
			return
		}
	}
	switch {
	case abort && (saving || notSaving || other):
		c.W.Error(resp.ErrSyntax)
		return
	case abort:
		c.W.Error(resp.Error("ERR No shutdown in progress."))
		return
	}
	if !notSaving && len(c.Node.Settings.SavePoints()) > 0 {
		saving = true
	}
	if c.Node.Host.Shutdown(saving) != nil { // the host has logged why
		c.W.Error(resp.Error("ERR Errors trying to SHUTDOWN. Check logs."))
	}
}

func role(c *Ctx) {
	c.W.Array(3)
	c.W.BulkString("master")
	c.W.Int(0)
	c.W.Array(0)
}

func replicaOf(c *Ctx) {
	switch {
	case c.Node.Settings.ClusterCompat():
		c.W.Error(resp.Error("ERR REPLICAOF not allowed in cluster mode."))
	case resp.Is(c.Args[1], "NO") && resp.Is(c.Args[2], "ONE"):
		c.W.OK()
	default:
		c.W.Error(resp.Error("ERR REPLICAOF a Redis server is not supported"))
	}
}

func failover(c *Ctx) {
	switch {
	case c.Node.Settings.ClusterCompat():
		c.W.Error(resp.Error("ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead."))
	case len(c.Args) == 2 && resp.Is(c.Args[1], "ABORT"):
		c.W.Error(resp.Error("ERR No failover in progress."))
	default:
		c.W.Error(resp.Error("ERR FAILOVER requires connected replicas."))
	}
}

// lolwut draws a stream and says which server this is; VERSION and what follows it choose nothing.
func lolwut(c *Ctx) {
	var b strings.Builder
	for row := range 5 {
		b.WriteString(strings.Repeat(" ", row))
		b.WriteString(strings.Repeat("~ ≈ ", 8-row))
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\nEverything flows. Redis ver. %s, streamd ver. %s\n", redisVersion, Version)
	c.W.Verbatim(b.String())
}

// scriptingRows answer for scripts, functions and modules: there are none.
func scriptingRows() []Spec {
	all := []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	masters := []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	rows := []Spec{
		container("function", "7.0.0", "A container for function commands."),
		{Name: "function|flush", Arity: -2, Flags: Write | NoScript, Cats: CatScripting, Since: "7.0.0", Tips: masters,
			Args: "[ASYNC | SYNC]", Summary: "Deletes all libraries and functions.",
			Local: flushNothing("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")},
		{Name: "function|list", Arity: -2, Flags: NoScript, Cats: CatScripting, Since: "7.0.0",
			Tips: []string{"nondeterministic_output_order"}, Args: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
			Summary: "Returns information about all libraries.", Local: functionList},
		{Name: "function|stats", Arity: 2, Flags: NoScript | AllowBusy, Cats: CatScripting, Since: "7.0.0",
			Tips:    []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
			Summary: "Returns information about a function during execution.", Local: functionStats},
		helpRow("function", "scripting", "7.0.0", CatScripting),
		container("script", "2.6.0", "A container for Lua scripts management commands."),
		{Name: "script|exists", Arity: -3, Flags: NoScript, Cats: CatScripting, Since: "2.6.0",
			Tips: []string{"request_policy:all_shards", "response_policy:agg_logical_and"}, Args: "sha1 [sha1 ...]",
			Summary:    "Determines whether server-side Lua scripts exist in the script cache.",
			Complexity: "O(N) with N being the number of scripts to check", Local: scriptExists},
		{Name: "script|flush", Arity: -2, Flags: NoScript, Cats: CatScripting, Since: "2.6.0", Tips: all,
			Args: "[ASYNC | SYNC]", Summary: "Removes all server-side Lua scripts from the script cache.",
			Local: flushNothing("ERR SCRIPT FLUSH only support SYNC|ASYNC option")},
		helpRow("script", "scripting", "5.0.0", CatScripting),
	}
	for i := range rows {
		rows[i].Group = "scripting"
	}
	return append(rows,
		container("module", "4.0.0", "A container for module commands."),
		Spec{Name: "module|list", Arity: 2, Flags: Admin | NoScript, Since: "4.0.0", Tips: []string{"nondeterministic_output_order"},
			Summary: "Returns all loaded modules.", Local: func(c *Ctx) { c.W.Array(0) }},
		helpRow("module", "server", "5.0.0", 0),
	)
}

func flushNothing(wrong resp.Error) func(c *Ctx) {
	return func(c *Ctx) {
		if len(c.Args) > 3 || len(c.Args) == 3 && !resp.Is(c.Args[2], "ASYNC") && !resp.Is(c.Args[2], "SYNC") {
			c.W.Error(wrong)
			return
		}
		c.W.OK()
	}
}

func functionList(c *Ctx) {
	withCode, pattern := false, false
	for words := from(c.Args, 2); words.more(); {
		switch {
		case !withCode && words.keyword("WITHCODE", 0):
			withCode = true
		case !pattern && words.keyword("LIBRARYNAME", 0):
			if pattern = words.more(); !pattern {
				c.W.Error(resp.Error("ERR library name argument was not given"))
				return
			}
			words.next()
		default:
			c.W.Error(resp.Error("ERR Unknown argument " + string(cut(words.next(), shownBytes))))
			return
		}
	}
	c.W.Array(0)
}

func functionStats(c *Ctx) {
	c.W.Map(2)
	c.W.BulkString("running_script")
	c.W.Null()
	c.W.BulkString("engines")
	c.W.Map(0)
}

func scriptExists(c *Ctx) {
	c.W.Array(len(c.Args) - 2)
	for range c.Args[2:] {
		c.W.Int(0)
	}
}
