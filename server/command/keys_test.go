package command

import (
	"bytes"
	"testing"
)

func TestKeysOf(t *testing.T) {
	table := NewTable()
	for _, test := range []struct{ line, want string }{
		{"XADD s * a b", "s"},
		{"XGROUP CREATE s g $", "s"},
		{"XGROUP HELP", ""},
		{"XREAD STREAMS a b 0 0", "a b"},
		{"XREAD COUNT 1 BLOCK 0 MAXCOUNT 3 MAXSIZE 4 streams a 0", "a"},
		{"XREADGROUP GROUP STREAMS STREAMS COUNT 1 NOACK CLAIM 5 STREAMS a b > >", "a b"},
		{"XREADGROUP GROUP g c STREAMS STREAMS STREAMS 0 0", "STREAMS STREAMS"},
		{"XREADGROUP COUNT STREAMS GROUP g c STREAMS a >", "a"},
		{"MSET a 1 b 2", "a b"},
		{"DEL a b c", "a b c"},
		{"RENAME a b", "a b"},
		{"COPY a b DB 1", "a b"},
		{"OBJECT ENCODING a", "a"},
		{"MEMORY USAGE a", "a"},
		{"WATCH a b", "a b"},
		{"EXEC", ""},
		{"SET a b", "a"},
	} {
		args := words(test.line)
		spec, err := table.Find(args)
		if err != nil {
			t.Fatal(test.line, err)
		}
		keys, err := spec.KeysOf(args, nil)
		if got := string(bytes.Join(keys, []byte(" "))); got != test.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", test.line, got, err, test.want)
		}
	}
}

func TestKeysOfHidden(t *testing.T) {
	table := NewTable()
	for _, line := range []string{
		"XREAD FOO STREAMS a 0",
		"XREAD STREAMS a b 0",
		"XREAD COUNT STREAMS a 0",
		"XREAD COUNT 1 STREAMS",
		"XREADGROUP GROUP g c COUNT 1 STREAMS",
		"XREADGROUP GROUP g STREAMS a > >",
		"MSET a 1 b",
	} {
		args := words(line)
		spec, err := table.Find(args)
		if err != nil {
			t.Fatal(line, err)
		}
		if keys, err := spec.KeysOf(args, nil); err != errKeysHidden {
			t.Errorf("%s: got %q, %v", line, keys, err)
		}
	}
}

func TestGetKeys(t *testing.T) {
	table := NewTable()
	for _, test := range []struct{ line, want string }{
		{"COMMAND GETKEYS XREADGROUP GROUP g c STREAMS a b > >", "*2·$1·a·$1·b"},
		{"COMMAND GETKEYS XGROUP CREATE s g $", "*1·$1·s"},
		{"COMMAND GETKEYS nosuch a", "-ERR Invalid command specified"},
		{"COMMAND GETKEYS xgroup nosuch", "-ERR Invalid command specified"},
		{"COMMAND GETKEYS xadd s", "-ERR Invalid number of arguments specified for command"},
		{"COMMAND GETKEYS dbsize", "-ERR The command has no key arguments"},
		{"COMMAND GETKEYS xread STREAMS a b 0", "-ERR Invalid arguments specified for command"},
		{"COMMAND GETKEYSANDFLAGS xadd s * a b", "*1·*2·$1·s·*2·+RW·+update"},
		{"COMMAND GETKEYSANDFLAGS xlen s", "*1·*2·$1·s·*1·+RO"},
		{"COMMAND GETKEYSANDFLAGS xread STREAMS s 0", "*1·*2·$1·s·*2·+RO·+access"},
		{"COMMAND GETKEYSANDFLAGS rename a b", "*2·*2·$1·a·*3·+RW·+access·+delete·*2·$1·b·*2·+OW·+update"},
		{"COMMAND GETKEYSANDFLAGS set a GET EX 10", "*1·*2·$1·a·*2·+OW·+update"},
		{"COMMAND GETKEYSANDFLAGS set a v EX 10 GET", "*1·*2·$1·a·*3·+RW·+access·+update"},
	} {
		if got := run(t, table, false, test.line); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.line, got, test.want)
		}
	}
	if got, want := run(t, table, true, "COMMAND GETKEYSANDFLAGS xadd s * a b"), "*1·*2·$1·s·~2·+RW·+update"; got != want {
		t.Errorf("RESP3: got %s, want %s", got, want)
	}
}
