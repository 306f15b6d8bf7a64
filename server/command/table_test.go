package command

import (
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

// words splits a command line at blanks; "" stands for an empty argument.
func words(line string) [][]byte {
	var args [][]byte
	for _, word := range strings.Fields(line) {
		if word == `""` {
			word = ""
		}
		args = append(args, []byte(word))
	}
	return args
}

// run answers a Local command and returns the reply with its line ends shown as "·".
func run(t *testing.T, table *Table, resp3 bool, line string) string {
	t.Helper()
	args := words(line)
	spec, err := table.Find(args)
	s := &session.Session{W: resp.Writer{RESP3: resp3}}
	if err != nil {
		s.W.Error(err)
	} else {
		spec.Local(&Ctx{S: s, W: &s.W, Spec: spec, Args: args})
	}
	return strings.TrimSuffix(strings.ReplaceAll(string(s.W.Buf), "\r\n", "·"), "·")
}

func TestRows(t *testing.T) {
	table := NewTable()
	for i, s := range table.Specs() {
		ways := 0
		for _, set := range []bool{s.Local != nil, s.Parse != nil, s.Step != 0} {
			if set {
				ways++
			}
		}
		switch {
		case s.ID != i || s.Table != table:
			t.Errorf("%s: ID %d at %d", s.Name, s.ID, i)
		case s.Container && (len(s.Subs) == 0 || s.Parse != nil || s.Step != 0), !s.Container && ways != 1:
			t.Errorf("%s: has %d ways to be carried out", s.Name, ways)
		case s.Summary == "" || s.Complexity == "" || s.Group == "" || s.Since == "" || s.Arity == 0:
			t.Errorf("%s: undocumented: %+v", s.Name, s)
		case s.Cats&(CatFast|CatSlow) == 0 || s.Cats&CatFast != 0 && s.Cats&CatSlow != 0:
			t.Errorf("%s: neither fast nor slow", s.Name)
		case s.Flags&Write != 0 && s.Flags&ReadOnly != 0:
			t.Errorf("%s: both write and readonly", s.Name)
		}
		if _, ok := parseGrammar(s.Args); !ok {
			t.Errorf("%s: grammar %q is not understood", s.Name, s.Args)
		}
	}
}

func TestFind(t *testing.T) {
	table := NewTable()
	long := strings.Repeat("x", 200)
	for _, test := range []struct{ line, want string }{
		{"xadd s * a b", "xadd"},
		{"XaDd s * a b", "xadd"},
		{"XGROUP CREATE s g $", "xgroup|create"},
		{"xinfo help", "xinfo|help"},
		{"command", "command"},
		{"COMMAND COUNT", "command|count"},
		{"foo bar baz", "ERR unknown command 'foo', with args beginning with: 'bar' 'baz' "},
		{`"" `, "ERR unknown command '', with args beginning with: "},
		{"xgroup|create s g $", "ERR unknown command 'xgroup|create', with args beginning with: 's' 'g' '$' "},
		{"foo " + long + " b", "ERR unknown command 'foo', with args beginning with: '" + long[:128] + "' "},
		{"foo " + long[:100] + " " + long, "ERR unknown command 'foo', with args beginning with: '" + long[:100] + "' '" + long[:25] + "' "},
		{long, "ERR unknown command '" + long[:128] + "', with args beginning with: "},
		{"XADD s", "ERR wrong number of arguments for 'xadd' command"},
		{"XGROUP", "ERR wrong number of arguments for 'xgroup' command"},
		{"XGROUP FOO", "ERR unknown subcommand 'FOO'. Try XGROUP HELP."},
		{"xinfo " + long, "ERR unknown subcommand '" + long[:128] + "'. Try XINFO HELP."},
		{"XGROUP CREATE s g", "ERR wrong number of arguments for 'xgroup|create' command"},
		{"XGROUP HELP x", "ERR wrong number of arguments for 'xgroup|help' command"},
		{"XREAD STREAMS s", "ERR wrong number of arguments for 'xread' command"},
	} {
		spec, err := table.Find(words(test.line))
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = spec.Name
		}
		if got != test.want {
			t.Errorf("%.40s: got %q, want %q", test.line, got, test.want)
		}
	}
}

func TestUnknownCommandHasNoLineBreaks(t *testing.T) {
	err := UnknownCommand([][]byte{[]byte("a\r\nb"), []byte("c\nd")})
	if want := "ERR unknown command 'a  b', with args beginning with: 'c d' "; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	table := NewTable()
	args := words("XGROUP CREATE s g $")
	if n := testing.AllocsPerRun(100, func() {
		if s, err := table.Find(args); s == nil || err != nil {
			t.Fatal(s, err)
		}
	}); n != 0 {
		t.Errorf("Find allocates %v times", n)
	}
}

func TestHelp(t *testing.T) {
	got := run(t, NewTable(), false, "xinfo help")
	want := "*9·+XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:" +
		"·+CONSUMERS key group·+    Returns a list of the consumers in a consumer group." +
		"·+GROUPS key·+    Returns a list of the consumer groups of a stream." +
		"·+STREAM key [FULL [COUNT count]]·+    Returns information about a stream." +
		"·+HELP·+    Print this help."
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
