package settings

import (
	"fmt"
	"strings"
)

// document is docs/config.md, made from the table.
func document() string {
	var b strings.Builder
	b.WriteString(`# Configuration

This page is made from the table in server/settings; run ` + "`go test ./server/settings -update`" + ` after changing it.

Every directive can be given in a file (` + "`streamd FILE.conf`" + `, one ` + "`name value`" + ` a line, ` + "`#`" + ` begins a comment), in an
environment variable (` + "`STREAMD_STREAM_NODE_MAX_BYTES=8kb`" + `) and as a flag (` + "`--stream-node-max-bytes 8kb`" + `). Flags win over the
environment, the environment wins over the file. An unknown or bad directive refuses to start and says where it stands.
` + "`CONFIG SET`" + ` changes a running server, ` + "`CONFIG REWRITE`" + ` brings the file up to date. Sizes take the units ` + "`k` `kb` `m` `mb` `g` `gb`" + `
(` + "`k`" + ` is 1000, ` + "`kb`" + ` is 1024).
`)
	for _, section := range table() {
		fmt.Fprintf(&b, "\n## %s\n\n", section.title)
		if section.rows[0].Accepted() {
			b.WriteString("Read and, where it says so, changed by tools and test suites; nothing here acts on them.\n\n| directive | default | values | change |\n|---|---|---|---|\n")
		} else {
			b.WriteString("| directive | default | values | change | meaning |\n|---|---|---|---|---|\n")
		}
		for i := range section.rows {
			writeRow(&b, &section.rows[i])
		}
	}
	return b.String()
}

func writeRow(b *strings.Builder, r *Row) {
	name := "`" + r.Name + "`"
	if r.Alias != "" {
		name += ", `" + r.Alias + "`"
	}
	shown := `""`
	if r.Default != "" {
		shown = r.Default
	}
	change := [...]string{Always: "CONFIG SET", AtStart: "at start", Protected: "at start"}[r.When]
	fmt.Fprintf(b, "| %s | `%s` | %s | %s |", name, shown, r.describe(), change)
	if !r.Accepted() {
		fmt.Fprintf(b, " %s |", r.Doc)
	}
	b.WriteByte('\n')
}

// describe says which values a row takes.
func (r *Row) describe() string {
	bounds := func(unit string) string {
		if r.Max == maxLong {
			return fmt.Sprintf("%s ≥ %d", unit, r.Min)
		}
		return fmt.Sprintf("%s %d … %d", unit, r.Min, r.Max)
	}
	switch r.Kind {
	case Bool:
		return "yes, no"
	case Int:
		return bounds("integer")
	case Memory:
		return bounds("bytes")
	case Octal:
		return fmt.Sprintf("octal 0 … %o", r.Max)
	case Choice:
		if len(r.Values) == 1 && r.Values[0] == "" {
			return "empty"
		}
		return strings.Join(r.Values, ", ")
	case List:
		return "words"
	case Events:
		return "letters"
	case Output:
		return "class hard soft seconds, …"
	case Save:
		return "seconds changes, …"
	}
	return "text"
}
