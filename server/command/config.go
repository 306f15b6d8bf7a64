package command

import (
	"bytes"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/settings"
)

func configRows() []Spec {
	all := []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	return []Spec{
		container("config", "2.0.0", "A container for server configuration commands."),
		{Name: "config|get", Arity: -3, Flags: adminFlags, Since: "2.0.0", Args: "parameter [parameter ...]",
			Summary:    "Returns the effective values of configuration parameters.",
			Complexity: "O(N) when N is the number of configuration parameters provided", Local: configGet},
		{Name: "config|resetstat", Arity: 2, Flags: adminFlags, Since: "2.0.0", Tips: all,
			Summary: "Resets the server's statistics.", Local: configResetStat},
		{Name: "config|rewrite", Arity: 2, Flags: adminFlags, Since: "2.8.0", Tips: all,
			Summary: "Persists the effective configuration to file.", Local: configRewrite},
		{Name: "config|set", Arity: -4, Flags: adminFlags, Since: "2.0.0", Tips: all,
			Args: "parameter value [parameter value ...]", Summary: "Sets configuration parameters in-flight.",
			Complexity: "O(N) when N is the number of configuration parameters provided", Local: configSet},
		helpRow("config", "server", "5.0.0", 0),
	}
}

func configGet(c *Ctx) {
	seen := make(map[string]bool)
	at := c.W.Begin()
	for _, pattern := range c.Args[2:] {
		c.Node.Settings.Match(string(pattern), func(name, value string) {
			if seen[name] {
				return
			}
			seen[name] = true
			if !bytes.ContainsAny(pattern, "*?[") {
				name = string(pattern) // a plain name comes back as it was spelled
			}
			c.W.BulkString(name)
			c.W.BulkString(value)
		})
	}
	c.W.EndMap(at, len(seen))
}

func configSet(c *Ctx) {
	words := c.Args[2:]
	if len(words)%2 != 0 {
		c.W.Error(resp.ErrSyntax)
		return
	}
	pairs := make([]settings.Pair, 0, len(words)/2)
	for ; len(words) > 0; words = words[2:] {
		pairs = append(pairs, settings.Pair{Name: string(words[0]), Value: string(words[1])})
	}
	changed, undo, err := c.Node.Settings.Set(pairs)
	if err != nil {
		c.W.Error(err)
		return
	}
	logged := false
	for i, name := range changed {
		if err := c.Node.Host.SettingChanged(name); err != nil {
			undo()
			for _, earlier := range changed[:i] {
				_ = c.Node.Host.SettingChanged(earlier) // back to what was in force before
			}
			c.W.Error(settings.SetError(name, err.Error()))
			return
		}
		logged = logged || settings.MachineParam(name)
	}
	if logged {
		c.Node.Host.Propose(&machine.Op{Kind: machine.SetParams, N: c.Node.Settings.MachineParams()}, nil)
	}
	c.W.OK()
}

func configResetStat(c *Ctx) {
	c.Node.Stats.Reset()
	c.W.OK()
}

func configRewrite(c *Ctx) {
	if err := c.Node.Settings.Rewrite(); err != nil {
		c.W.Error(err)
		return
	}
	c.W.OK()
}
