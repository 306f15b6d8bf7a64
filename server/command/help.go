package command

import "strings"

// helpRow is the HELP subcommand of a container; cats are the container's own categories.
func helpRow(container, group, since string, cats Categories) Spec {
	return Spec{Name: container + "|help", Arity: 2, Flags: Loading | Stale, Cats: cats, Group: group, Since: since,
		Summary: "Returns helpful text about the different subcommands.", Complexity: "O(1)", Local: help}
}

// help lists the subcommands of the container that c.Spec belongs to.
func help(c *Ctx) {
	container := c.Spec.Parent
	c.W.Array(1 + 2*len(container.Subs))
	c.W.Simple(strings.ToUpper(container.Name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, s := range container.Subs {
		if s == c.Spec {
			continue
		}
		c.W.Simple(s.Usage())
		c.W.Simple("    " + s.Summary)
	}
	c.W.Simple("HELP")
	c.W.Simple("    Print this help.")
}

// ShortName is the name in upper case without the container.
func (s *Spec) ShortName() string {
	if _, sub, ok := strings.Cut(s.Name, "|"); ok {
		return strings.ToUpper(sub)
	}
	return strings.ToUpper(s.Name)
}

// Usage is the short name followed by the grammar of the arguments.
func (s *Spec) Usage() string {
	if s.Args == "" {
		return s.ShortName()
	}
	return s.ShortName() + " " + s.Args
}
