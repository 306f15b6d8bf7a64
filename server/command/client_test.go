package command

import (
	"strings"
	"testing"

	"github.com/streamd/streamd/server/session"
)

func TestClientNamesAndIDs(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"a", "CLIENT ID", ":1"},
		{"b", "client id", ":2"},
		{"a", "CLIENT GETNAME", "$-1"},
		{"A", "CLIENT GETNAME", "_"},
		{"a", "CLIENT SETNAME worker-1", "+OK"},
		{"a", "CLIENT GETNAME", "$8·worker-1"},
		{"a", "CLIENT SETNAME a\x01b", "-ERR Client names cannot contain spaces, newlines or special characters."},
		{"a", `CLIENT SETNAME ""`, "+OK"},
		{"a", "CLIENT GETNAME", "$-1"},
		{"a", "CLIENT SETINFO LIB-NAME go-redis", "+OK"},
		{"a", "CLIENT SETINFO lib-ver 9.1", "+OK"},
		{"a", "CLIENT SETINFO FOO x", "-ERR Unrecognized option 'FOO'"},
		{"a", "CLIENT SETINFO lib-Name é", "-ERR lib-Name cannot contain spaces, newlines or special characters."},
		{"a", "CLIENT SETINFO lib-name", "-ERR wrong number of arguments for 'client|setinfo' command"},
		{"a", "CLIENT NO-EVICT on", "+OK"},
		{"a", "CLIENT NO-TOUCH ON", "+OK"},
		{"a", "CLIENT NO-TOUCH maybe", "-ERR syntax error"},
		{"a", "CLIENT GETREDIR", ":-1"},
		{"a", "CLIENT MAINT_NOTIFICATIONS ON", "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP."},
		{"a", "CLIENT", "-ERR wrong number of arguments for 'client' command"},
	}...)
	s := r.client("a")
	if s.LibName != "go-redis" || s.LibVer != "9.1" || !s.NoEvict || !s.NoTouch {
		t.Errorf("%+v", s)
	}
	r.talk([][3]string{{"a", "CLIENT NO-EVICT off", "+OK"}, {"a", "CLIENT NO-TOUCH OFF", "+OK"}}...)
	if s.NoEvict || s.NoTouch {
		t.Error("OFF had no effect")
	}
}

func TestClientInfoAndList(t *testing.T) {
	r := newRig(t)
	r.client("a")
	r.client("B")
	r.do("B", "SUBSCRIBE c")
	info := r.do("a", "CLIENT INFO")
	if !strings.HasPrefix(info, "$") || !strings.Contains(info, "·id=1 addr=10.0.0.1:5000 laddr=127.0.0.1:6379 fd=7 name= ") || !strings.Contains(info, " cmd=client|info ") || !strings.HasSuffix(info, "\n") {
		t.Errorf("RESP2: %q", info)
	}
	if info := r.do("B", "CLIENT INFO"); !strings.HasPrefix(info, "=") || !strings.Contains(info, "·txt:id=2 ") {
		t.Errorf("RESP3: %q", info)
	}
	ids := func(line string) string {
		var ids []string
		for _, line := range strings.Split(r.do("a", line), "\n") {
			if _, rest, ok := strings.Cut(line, "id="); ok {
				ids = append(ids, rest[:1])
			}
		}
		return strings.Join(ids, " ")
	}
	for line, want := range map[string]string{
		"CLIENT LIST":              "1 2",
		"CLIENT LIST TYPE normal":  "1",
		"CLIENT LIST type PubSub":  "2",
		"CLIENT LIST TYPE master":  "",
		"CLIENT LIST ID 2 9 1":     "2 1",
		"CLIENT LIST ID 9":         "",
		"CLIENT LIST TYPE replica": "",
	} {
		if got := ids(line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	r.talk([][3]string{
		{"a", "CLIENT LIST TYPE slave", "$0·"},
		{"a", "CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'"},
		{"a", "CLIENT LIST ID x", "-ERR Invalid client ID"},
		{"a", "CLIENT LIST ID", "-ERR syntax error"},
		{"a", "CLIENT LIST TYPE normal ID 1", "-ERR syntax error"},
		{"a", "CLIENT LIST x", "-ERR syntax error"},
	}...)
}

func TestClientKill(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		r.client(name)
	}
	r.talk([][3]string{
		{"a", "CLIENT KILL 10.0.0.2:5000", "+OK"},
		{"a", "CLIENT KILL 10.0.0.2:5000", "-ERR No such client"},
		{"a", "CLIENT KILL ID 0", "-ERR client-id should be greater than 0"},
		{"a", "CLIENT KILL ID x", "-ERR client-id should be greater than 0"},
		{"a", "CLIENT KILL TYPE foo", "-ERR Unknown client type 'foo'"},
		{"a", "CLIENT KILL USER bob", "-ERR No such user 'bob'"},
		{"a", "CLIENT KILL SKIPME maybe", "-ERR syntax error"},
		{"a", "CLIENT KILL MAXAGE x", "-ERR maxage is not an integer or out of range"},
		{"a", "CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0"},
		{"a", "CLIENT KILL ID 3 TYPE", "-ERR syntax error"},
		{"a", "CLIENT KILL FOO bar", "-ERR syntax error"},
		{"a", "CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command"},
		{"a", "CLIENT KILL TYPE master", ":0"},
		{"a", "CLIENT KILL ID 1", ":0"},
		{"a", "CLIENT KILL ID 3 ADDR 10.0.0.9:5000", ":0"},
		{"a", "CLIENT KILL MAXAGE 10", ":0"},
		{"a", "CLIENT KILL ID 3 TYPE normal USER default LADDR 127.0.0.1:6379", ":1"},
	}...)
	closed := func(name string) bool { return r.by[name].Closed && r.by[name].Conn.(*rigConn).closed != "" }
	if !closed("b") || !closed("c") || closed("d") || r.node.Clients.Count() != 2 {
		t.Error("the wrong clients were closed")
	}
	r.nowMS += 10_000
	r.talk([3]string{"a", "CLIENT KILL MAXAGE 10 SKIPME no", ":2"})
	if !closed("d") || closed("a") || !r.by["a"].CloseAfter {
		t.Error("one's own connection must end after the reply")
	}
}

func TestClientUnblock(t *testing.T) {
	r := newRig(t)
	r.client("b")
	r.talk([][3]string{
		{"a", "CLIENT UNBLOCK 1", ":0"},
		{"a", "CLIENT UNBLOCK 99", ":0"},
		{"a", "CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"},
		{"a", "CLIENT UNBLOCK x FOO", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"},
		{"a", "CLIENT UNBLOCK 1 ERROR x", "-ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP."},
	}...)
	r.canWait = true
	for line, want := range map[string]string{
		"CLIENT UNBLOCK 1":         "1",
		"CLIENT UNBLOCK 1 timeout": "1",
		"CLIENT UNBLOCK 1 ERROR":   "1 UNBLOCKED client unblocked via CLIENT UNBLOCK",
	} {
		if got := r.do("a", line); got != ":1" || r.unblocked != want {
			t.Errorf("%s: %s, asked for %q", line, got, r.unblocked)
		}
	}
}

func TestClientPause(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"a", "CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"},
		{"a", "CLIENT PAUSE -1", "-ERR timeout is negative"},
		{"a", "CLIENT PAUSE 9223372036854775807", "-ERR timeout is out of range"},
		{"a", "CLIENT PAUSE x FOO", "-ERR CLIENT PAUSE mode must be WRITE or ALL"},
		{"a", "CLIENT PAUSE 1 ALL x", "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP."},
	}...)
	steps := []struct {
		line  string
		after int64 // ms since the step before
		want  session.Pause
	}{
		{"CLIENT PAUSE 0", 0, session.Pause{}},
		{"CLIENT PAUSE 100 WRITE", 0, session.Pause{UntilMS: r.nowMS + 100}},
		{"CLIENT PAUSE 50 WRITE", 0, session.Pause{UntilMS: r.nowMS + 100}},
		{"CLIENT PAUSE 60", 0, session.Pause{UntilMS: r.nowMS + 100, All: true}},
		{"CLIENT PAUSE 200 WRITE", 0, session.Pause{UntilMS: r.nowMS + 200, All: true}},
		{"CLIENT PAUSE 10 WRITE", 200, session.Pause{UntilMS: r.nowMS + 210}},
		{"CLIENT UNPAUSE", 0, session.Pause{}},
	}
	for _, step := range steps {
		r.nowMS += step.after
		if got := r.do("a", step.line); got != "+OK" || r.node.Pause != step.want {
			t.Errorf("%s: %s, %+v, want %+v", step.line, got, r.node.Pause, step.want)
		}
	}
	if r.resumed != 1 {
		t.Error("UNPAUSE must resume what was parked")
	}
}

func TestClientReply(t *testing.T) {
	r := newRig(t)
	state := func(line, reply string, off, skip bool) {
		t.Helper()
		s := r.client("a")
		if got := r.do("a", line); got != reply || s.ReplyOff != off || s.SkipNext != skip {
			t.Errorf("%s: %q, off %v, skip %v", line, got, s.ReplyOff, s.SkipNext)
		}
	}
	state("CLIENT REPLY skip", "", false, true)
	state("CLIENT REPLY OFF", "", true, true)
	state("CLIENT REPLY SKIP", "", true, false)
	state("CLIENT REPLY ON", "+OK", false, false)
	state("CLIENT REPLY FOO", "-ERR syntax error", false, false)
}

func TestClientHelp(t *testing.T) {
	r := newRig(t)
	got := r.do("a", "CLIENT HELP")
	for _, part := range []string{
		"·+CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:·", "·+ID·+    Returns the unique client ID of the connection.·",
		"·+REPLY <ON | OFF | SKIP>·", "·+HELP·+    Print this help.",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in %s", part, got)
		}
	}
	r.talk([3]string{"a", "CLIENT HELP x", "-ERR wrong number of arguments for 'client|help' command"})
}
