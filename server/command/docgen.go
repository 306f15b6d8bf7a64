package command

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Markdown renders the table as docs/commands.md.
func (t *Table) Markdown() []byte {
	groups := map[string][]*Spec{}
	var names []string
	for _, s := range t.specs {
		if s.Container && s.Local == nil || strings.HasSuffix(s.Name, "|help") {
			continue
		}
		if groups[s.Group] == nil {
			names = append(names, s.Group)
		}
		groups[s.Group] = append(groups[s.Group], s)
	}
	slices.Sort(names)
	var b bytes.Buffer
	b.WriteString("# Commands\n\n")
	b.WriteString("Generated from the command table (`go test ./server/command -run Docs -update`); do not edit.\n\n")
	b.WriteString("*Since* is the Redis release that has the command. `<container> HELP` lists the subcommands of a container.\n")
	for _, name := range names {
		fmt.Fprintf(&b, "\n## %s\n\n", title(name))
		b.WriteString("| command | since | flags | ACL categories | summary | complexity |\n|---|---|---|---|---|---|\n")
		specs := groups[name]
		slices.SortFunc(specs, func(x, y *Spec) int { return strings.Compare(x.Name, y.Name) })
		for _, s := range specs {
			cats := namesOf(categoryNames(), s.Cats)
			for i := range cats {
				cats[i] = "@" + cats[i]
			}
			usage := strings.TrimRight(strings.ToUpper(strings.ReplaceAll(s.Name, "|", " "))+" "+s.Args, " ")
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", cell(usage), s.Since,
				strings.Join(namesOf(flagNames(), s.Flags), " "), strings.Join(cats, " "), cell(s.Summary), cell(s.Complexity))
		}
	}
	return b.Bytes()
}

// cell escapes what would end a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// title names a group of commands as a heading.
func title(group string) string {
	switch group {
	case "pubsub":
		return "Publish and subscribe"
	case "generic":
		return "Keys"
	case "string", "stream":
		return strings.ToUpper(group[:1]) + group[1:] + "s"
	}
	return strings.ToUpper(group[:1]) + group[1:]
}
