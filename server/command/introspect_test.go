package command

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// flat removes the lengths of bulk strings, so that golden replies can be read.
func flat(reply string) string {
	parts := strings.Split(reply, "·")
	var out []string
	for _, p := range parts {
		if !strings.HasPrefix(p, "$") {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}

func TestCommandInfo(t *testing.T) {
	table := NewTable()
	const (
		byIndex = "begin_search *4 type index spec *2 index :"
		oneKey  = " find_keys *4 type range spec *6 lastkey :0 keystep :1 limit :0"
		half    = " find_keys *4 type range spec *6 lastkey :-1 keystep :1 limit :2"
	)
	for _, test := range []struct{ name, want string }{
		{"xadd", "*10 xadd :-5 *3 +write +denyoom +fast :1 :1 :1 *3 +@write +@stream +@fast *1 nondeterministic_output " +
			"*1 *8 notes UPDATE instead of INSERT because of the optional trimming feature flags *2 +RW +update " + byIndex + "1" + oneKey + " *0"},
		{"xread", "*10 xread :-4 *3 +readonly +blocking +movablekeys :0 :0 :0 *4 +@read +@stream +@slow +@blocking *0 " +
			"*1 *6 flags *3 +RO +access +incomplete begin_search *4 type keyword spec *4 keyword STREAMS startfrom :1" + half + " *0"},
		{"xreadgroup", "*10 xreadgroup :-7 *3 +write +blocking +movablekeys :0 :0 :0 *4 +@write +@stream +@slow +@blocking *0 " +
			"*1 *6 flags *3 +RO +access +incomplete begin_search *4 type keyword spec *4 keyword STREAMS startfrom :4" + half + " *0"},
		{"xgroup|create", "*10 xgroup|create :-5 *2 +write +denyoom :2 :2 :1 *3 +@write +@stream +@slow *0 " +
			"*1 *6 flags *2 +RW +insert " + byIndex + "2" + oneKey + " *0"},
		{"rename", "*10 rename :3 *1 +write :1 :2 :1 *3 +@keyspace +@write +@slow *0 " +
			"*2 *6 flags *3 +RW +access +delete " + byIndex + "1" + oneKey + " *6 flags *2 +OW +update " + byIndex + "2" + oneKey + " *0"},
		{"mset", "*10 mset :-3 *2 +write +denyoom :1 :-1 :2 *3 +@write +@string +@slow *2 request_policy:multi_shard response_policy:all_succeeded " +
			"*1 *6 flags *2 +OW +update " + byIndex + "1 find_keys *4 type range spec *6 lastkey :-1 keystep :2 limit :0 *0"},
	} {
		if got, want := flat(run(t, table, false, "COMMAND INFO "+test.name)), "*1 "+test.want; got != want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, want)
		}
	}
	got := flat(run(t, table, true, "COMMAND INFO xlen nosuch"))
	want := "*2 *10 xlen :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@stream +@fast ~0 " +
		"~1 %3 flags ~1 +RO begin_search %2 type index spec %1 index :1 find_keys %2 type range spec %3 lastkey :0 keystep :1 limit :0 ~0 _"
	if got != want {
		t.Errorf("RESP3:\n got %s\nwant %s", got, want)
	}
	if got := run(t, table, false, "COMMAND INFO nosuch"); got != "*1·$-1" {
		t.Errorf("unknown command: %s", got)
	}
	container := flat(run(t, table, false, "COMMAND INFO xgroup"))
	if !strings.HasPrefix(container, "*1 *10 xgroup :-2 *0 :0 :0 :0 *1 +@slow *0 *0 *6 *10 xgroup|create ") {
		t.Errorf("container: %s", container)
	}
}

// The stream rows of the specification: name, arity, flags, categories, flags of the key.
func TestStreamRows(t *testing.T) {
	table := NewTable()
	for _, row := range []string{
		"xack -4 write,fast write,stream,fast RW,update 5.0.0",
		"xackdel -6 write,fast write,stream,fast RW,update,delete 8.2.0",
		"xadd -5 write,denyoom,fast write,stream,fast RW,update 5.0.0",
		"xautoclaim -6 write,fast write,stream,fast RW,delete 6.2.0",
		"xcfgset -2 write,fast write,stream,fast RW,update 8.6.0",
		"xclaim -6 write,fast write,stream,fast RW,update 5.0.0",
		"xdel -3 write,fast write,stream,fast RW,delete 5.0.0",
		"xdelex -5 write,fast write,stream,fast RW,delete 8.2.0",
		"xgroup -2  slow  5.0.0",
		"xgroup|create -5 write,denyoom write,stream,slow RW,insert 5.0.0",
		"xgroup|createconsumer 5 write,denyoom write,stream,slow RW,insert 6.2.0",
		"xgroup|delconsumer 5 write write,stream,slow RW,delete 5.0.0",
		"xgroup|destroy 4 write write,stream,slow RW,delete 5.0.0",
		"xgroup|setid -5 write write,stream,slow RW,update 5.0.0",
		"xgroup|help 2 loading,stale stream,slow  5.0.0",
		"xidmprecord 5 write,denyoom,fast write,stream,fast RW,update 8.8.0",
		"xinfo -2  slow  5.0.0",
		"xinfo|consumers 4 readonly read,stream,slow RO,access 5.0.0",
		"xinfo|groups 3 readonly read,stream,slow RO,access 5.0.0",
		"xinfo|stream -3 readonly read,stream,slow RO,access 5.0.0",
		"xinfo|help 2 loading,stale stream,slow  5.0.0",
		"xlen 2 readonly,fast read,stream,fast RO 5.0.0",
		"xnack -7 write,fast write,stream,fast RW,update 8.8.0",
		"xpending -3 readonly read,stream,slow RO,access 5.0.0",
		"xrange -4 readonly read,stream,slow RO,access 5.0.0",
		"xread -4 readonly,blocking,movablekeys read,stream,slow,blocking RO,access,incomplete 5.0.0",
		"xreadgroup -7 write,blocking,movablekeys write,stream,slow,blocking RO,access,incomplete 5.0.0",
		"xrevrange -4 readonly read,stream,slow RO,access 5.0.0",
		"xsetid -3 write,denyoom,fast write,stream,fast RW,update 5.0.0",
		"xtrim -4 write write,stream,slow RW,delete 5.0.0",
		"multi 1 noscript,loading,stale,fast,allow_busy fast,transaction  1.2.0",
		"exec 1 noscript,loading,stale,skip_slowlog slow,transaction  1.2.0",
		"wait 3 blocking slow,blocking,connection  3.0.0",
		"del -2 write keyspace,write,slow RM,delete 1.0.0",
		"copy -3 write,denyoom keyspace,write,slow RO,access 6.2.0",
		"keys 2 readonly keyspace,read,slow,dangerous  1.0.0",
		"swapdb 3 write,fast keyspace,write,fast,dangerous  4.0.0",
		"memory|usage -3 readonly read,slow RO 4.0.0",
		"object|freq 3 readonly keyspace,read,slow RO 4.0.0",
		"command|count 2 loading,stale slow,connection  2.8.13",
	} {
		want := strings.Split(row, " ")
		s := table.Lookup([]byte(want[0]))
		if s == nil {
			t.Errorf("%s is missing", want[0])
			continue
		}
		keys := ""
		if len(s.Keys) > 0 {
			keys = strings.Join(namesOf(keyFlagNames(), s.Keys[0].Flags), ",")
		}
		got := strings.Join([]string{s.Name, strconv.Itoa(s.Arity), strings.Join(namesOf(flagNames(), s.Flags), ","),
			strings.Join(namesOf(categoryNames(), s.Cats), ","), keys, s.Since}, " ")
		if got != row {
			t.Errorf("got  %s\nwant %s", got, row)
		}
	}
}

func TestCommandList(t *testing.T) {
	table := NewTable()
	for _, test := range []struct{ line, want string }{
		{"COMMAND LIST FILTERBY PATTERN xinfo*", "*5 xinfo xinfo|consumers xinfo|groups xinfo|stream xinfo|help"},
		{"COMMAND LIST FILTERBY ACLCAT transaction", "*5 multi exec discard watch unwatch"},
		{"COMMAND LIST FILTERBY ACLCAT nosuch", "*0"},
		{"COMMAND LIST FILTERBY MODULE nosuch", "*0"},
		{"COMMAND LIST FILTERBY FOO x", "-ERR syntax error"},
		{"COMMAND LIST FILTERBY PATTERN", "-ERR syntax error"},
		{"COMMAND LIST FOO", "-ERR syntax error"},
	} {
		if got := flat(run(t, table, false, test.line)); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.line, got, test.want)
		}
	}
	if got, want := run(t, table, false, "COMMAND LIST"), fmt.Sprintf("*%d·", len(table.Specs())); !strings.HasPrefix(got, want) {
		t.Errorf("COMMAND LIST: %.20s, want all %s with subcommands", got, want)
	}
	count := run(t, table, false, "COMMAND COUNT")[1:]
	for _, line := range []string{"COMMAND", "COMMAND INFO", "COMMAND DOCS"} {
		resp3 := line == "COMMAND DOCS"
		if got := run(t, table, resp3, line); !strings.HasPrefix(got[1:], count+"·") {
			t.Errorf("%s: %.20s, want %s elements", line, got, count)
		}
	}
}

func TestCommandDocs(t *testing.T) {
	table := NewTable()
	for _, test := range []struct{ name, want string }{
		{"nosuch", "%0"},
		{"xlen", "%1 xlen %5 summary Return the number of messages in a stream. since 5.0.0 group stream complexity O(1) " +
			"arguments *1 %4 name key type key display_text key key_spec_index :0"},
		{"xinfo|stream", "%1 xinfo|stream %5 summary Returns information about a stream. since 5.0.0 group stream complexity O(1) " +
			"arguments *2 %4 name key type key display_text key key_spec_index :0 " +
			"%4 name full-block type block flags *1 +optional arguments *2 %3 name full type pure-token token FULL " +
			"%5 name count type integer display_text count token COUNT flags *1 +optional"},
		{"mset", "%1 mset %5 summary Atomically creates or modifies the string values of one or more keys. since 1.0.1 group string " +
			"complexity O(N) where N is the number of keys to set. arguments *1 %4 name key-block type block flags *1 +multiple " +
			"arguments *2 %4 name key type key display_text key key_spec_index :0 %3 name value type string display_text value"},
		{"flushdb", "%1 flushdb %5 summary Removes all keys from the current database. since 1.0.0 group server " +
			"complexity O(N) where N is the number of keys in the selected database arguments *1 %4 name async-or-sync type oneof " +
			"flags *1 +optional arguments *2 %3 name async type pure-token token ASYNC %3 name sync type pure-token token SYNC"},
	} {
		if got := flat(run(t, table, true, "COMMAND DOCS "+test.name)); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestGrammar(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"GROUP group consumer [NOACK]", "group(block,GROUP)[group consumer] noack(pure-token,NOACK)?"},
		{"STREAMS key [key ...] id [id ...]", "streams(block,STREAMS)[key+ id+]"},
		{"<* | id> field value [field value ...]", "auto-id-or-id(oneof)[auto-id(pure-token,*) id] field-block(block)[field value]+"},
		{"[MAXLEN [= | ~] threshold]", "maxlen-block(block)[maxlen(pure-token,MAXLEN) equal-or-approximately(oneof)[equal(pure-token,=) approximately(pure-token,~)]? threshold]?"},
		{"[FILTERBY <MODULE module-name | PATTERN pattern>]", "module-name-or-pattern(oneof,FILTERBY)[module-name(string,MODULE) pattern(pattern,PATTERN)]?"},
		{"command [arg [arg ...]]", "command arg+?"},
		{"key [arg ...]", "key arg+?"},
	} {
		args, ok := parseGrammar(test.text)
		if got := showArguments(args); got != test.want || !ok {
			t.Errorf("%s:\n got %s, %v\nwant %s", test.text, got, ok, test.want)
		}
	}
	for _, text := range []string{"a ]", "[a | b", "> x", "| a"} {
		if _, ok := parseGrammar(text); ok && text != "[a | b" {
			t.Errorf("%q is understood", text)
		}
	}
}

func showArguments(args []argument) string {
	var out []string
	for _, a := range args {
		s := a.name
		if len(a.args) > 0 || a.token != "" {
			s += "(" + a.kind
			if a.token != "" {
				s += "," + a.token
			}
			s += ")"
		}
		if len(a.args) > 0 {
			s += "[" + showArguments(a.args) + "]"
		}
		if a.multiple {
			s += "+"
		}
		if a.optional {
			s += "?"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

var update = flag.Bool("update", false, "rewrite docs/commands.md")

func TestDocsPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "commands.md")
	want := NewTable().Markdown()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("docs/commands.md is stale: run go test ./server/command -run DocsPage -update")
	}
}
