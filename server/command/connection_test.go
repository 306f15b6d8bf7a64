package command

import (
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/settings"
)

// rig is a node with a few connections and no sockets.
type rig struct {
	t     *testing.T
	table *Table
	node  *session.Node
	by    map[string]*session.Session

	nowMS     int64
	unblocked string // what Unblock was asked for
	canWait   bool   // Unblock finds a parked command
	resumed   int
}

func newRig(t *testing.T, flags ...settings.Pair) *rig {
	t.Helper()
	st, _, err := settings.Load("", nil, flags)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, table: NewTable(), by: make(map[string]*session.Session), nowMS: 1_700_000_000_000}
	r.node = session.NewNode(machine.New(16), st)
	r.node.Host = rigHost{rig: r}
	return r
}

// rigHost is the server of a rig.
type rigHost struct {
	session.Host
	rig *rig
}

func (h rigHost) NowMS() int64            { return h.rig.nowMS }
func (h rigHost) Drop(s *session.Session) { h.rig.node.Drop(s) }
func (h rigHost) Resume()                 { h.rig.resumed++ }

func (h rigHost) Unblock(s *session.Session, err error) bool {
	h.rig.unblocked = strconv.FormatInt(s.ID, 10)
	if err != nil {
		h.rig.unblocked += " " + err.Error()
	}
	return h.rig.canWait
}

// rigConn is a connection of a rig.
type rigConn struct {
	addr   string
	closed string
}

func (c *rigConn) Flush()                      {}
func (c *rigConn) Close(reason string, _ bool) { c.closed = reason }
func (c *rigConn) Resume()                     {}
func (c *rigConn) RemoteAddr() string          { return c.addr }
func (c *rigConn) LocalAddr() string           { return "127.0.0.1:6379" }
func (c *rigConn) FD() int                     { return 7 }
func (c *rigConn) Buffers() (int, int, int)    { return 0, 0, 0 }

// client returns the connection called name, made when first named: "a" speaks RESP2, "A" RESP3.
func (r *rig) client(name string) *session.Session {
	s := r.by[name]
	if s == nil {
		s = &session.Session{Conn: &rigConn{addr: "10.0.0." + strconv.Itoa(len(r.by)+1) + ":5000"}}
		r.node.Join(s)
		s.W.RESP3 = name == strings.ToUpper(name)
		r.by[name] = s
	}
	return s
}

// do runs a command of the client called name and returns everything it has to read, line ends shown as "·".
func (r *rig) do(name, line string) string {
	r.t.Helper()
	s := r.client(name)
	args := words(line)
	spec, err := r.table.Find(args)
	switch {
	case err != nil:
		s.W.Error(err)
	case spec.Local == nil:
		r.t.Fatalf("%s is not local", line)
	default:
		s.LastCommand = spec.Name
		spec.Local(&Ctx{Node: r.node, S: s, W: &s.W, Spec: spec, Args: args})
		r.node.Tracking.AfterCommand(s)
	}
	return r.read(name)
}

// read takes what the client has to read.
func (r *rig) read(name string) string {
	r.node.Tracking.Flush()
	s := r.client(name)
	text := strings.TrimSuffix(strings.ReplaceAll(string(s.W.Buf), "\r\n", "·"), "·")
	s.W.Buf = s.W.Buf[:0]
	return text
}

// talk runs a dialogue: who, what, and the expected reply. Without a command it only reads.
func (r *rig) talk(steps ...[3]string) {
	r.t.Helper()
	for _, step := range steps {
		var got string
		if step[1] == "" {
			got = r.read(step[0])
		} else {
			got = r.do(step[0], step[1])
		}
		if got != step[2] {
			r.t.Errorf("%s> %s\n got %s\nwant %s", step[0], step[1], got, step[2])
		}
	}
}

func (r *rig) set(name, value string) {
	r.t.Helper()
	if _, _, err := r.node.Settings.Set([]settings.Pair{{Name: name, Value: value}}); err != nil {
		r.t.Fatal(err)
	}
}

func TestPingEchoQuitSelect(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"a", "PING", "+PONG"},
		{"a", "ping hi", "$2·hi"},
		{"a", "ping a b", "-ERR wrong number of arguments for 'ping' command"},
		{"a", "ECHO hi", "$2·hi"},
		{"a", "ECHO", "-ERR wrong number of arguments for 'echo' command"},
		{"a", "SELECT 15", "+OK"},
		{"a", "SELECT 16", "-ERR DB index is out of range"},
		{"a", "SELECT -1", "-ERR DB index is out of range"},
		{"a", "SELECT 2147483648", "-ERR value is out of range, value must between -2147483648 and 2147483647"},
		{"a", "SELECT x", "-ERR value is not an integer or out of range"},
		{"a", "SUBSCRIBE c", "*3·$9·subscribe·$1·c·:1"},
		{"a", "PING", "*2·$4·pong·$0·"},
		{"a", "PING hi", "*2·$4·pong·$2·hi"},
		{"A", "SUBSCRIBE c", ">3·$9·subscribe·$1·c·:1"},
		{"A", "PING", "+PONG"},
		{"A", "QUIT now", "+OK"},
	}...)
	if r.client("a").DB != 15 || !r.client("A").CloseAfter {
		t.Error("SELECT or QUIT had no effect")
	}
}

func TestHello(t *testing.T) {
	r := newRig(t)
	hello2 := "*14·$6·server·$5·redis·$7·version·$6·8.10.0·$5·proto·:2·$2·id·:1·$4·mode·$10·standalone·$4·role·$6·master·$7·modules·*0"
	hello3 := "%7·" + strings.Replace(strings.TrimPrefix(hello2, "*14·"), "proto·:2", "proto·:3", 1)
	r.talk([][3]string{
		{"a", "HELLO", hello2},
		{"a", "HELLO 3", hello3},
		{"a", "HELLO", hello3},
		{"a", "HELLO 4 NONSENSE", "-NOPROTO unsupported protocol version"},
		{"a", "HELLO 1", "-NOPROTO unsupported protocol version"},
		{"a", "HELLO three AUTH", "-ERR Protocol version is not an integer or out of range"},
		{"a", "HELLO 2 AUTH x", "-ERR Syntax error in HELLO option 'AUTH'"},
		{"a", "HELLO 2 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'"},
		{"a", "HELLO 2 foo", "-ERR Syntax error in HELLO option 'foo'"},
		{"a", "HELLO 2 SETNAME é", "-ERR Client names cannot contain spaces, newlines or special characters."},
		{"a", "HELLO 2 AUTH bob pw SETNAME me", "-WRONGPASS invalid username-password pair or user is disabled."},
		{"a", "CLIENT GETNAME", "_"},
		{"a", "HELLO 2 AUTH default any SETNAME me", hello2},
		{"a", "CLIENT GETNAME", "$2·me"},
		{"a", `HELLO 2 SETNAME ""`, hello2},
		{"a", "CLIENT GETNAME", "$-1"},
	}...)
	r.set("requirepass", "secret")
	r.talk([][3]string{
		{"b", "HELLO 3 SETNAME me", "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"},
		{"b", "HELLO 3 AUTH default wrong", "-WRONGPASS invalid username-password pair or user is disabled."},
		{"b", "HELLO 3 AUTH default secret SETNAME me", strings.Replace(hello3, "id·:1", "id·:2", 1)},
		{"b", "CLIENT GETNAME", "$2·me"},
	}...)
}

func TestClusterCompat(t *testing.T) {
	r := newRig(t, settings.Pair{Name: "cluster-compat", Value: "yes"})
	r.talk([][3]string{
		{"a", "SELECT 1", "-ERR SELECT is not allowed in cluster mode"},
		{"a", "SELECT 0", "+OK"},
	}...)
	if got := r.do("a", "HELLO"); !strings.Contains(got, "$4·mode·$7·cluster") {
		t.Errorf("mode: %s", got)
	}
}

func TestAuth(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"a", "AUTH pw", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"},
		{"a", "AUTH default pw", "+OK"},
		{"a", "AUTH bob pw", "-WRONGPASS invalid username-password pair or user is disabled."},
		{"a", "AUTH a b c", "-ERR syntax error"},
	}...)
	r.set("requirepass", "secret")
	r.talk([][3]string{
		{"b", "AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."},
		{"b", "AUTH secret", "+OK"},
		{"b", "AUTH default wrong", "-WRONGPASS invalid username-password pair or user is disabled."},
		{"c", "AUTH default secret", "+OK"},
	}...)
	if !r.client("b").Authenticated || r.node.Stats.AuthDenied != 3 {
		t.Error("a failed AUTH must keep the identity and be counted")
	}
	r.talk([3]string{"b", "RESET", "+RESET"})
	if r.client("b").Authenticated {
		t.Error("after RESET the password is needed again")
	}
}

func TestReset(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"A", "CLIENT SETNAME me", "+OK"},
		{"A", "SELECT 3", "+OK"},
		{"A", "SUBSCRIBE c", ">3·$9·subscribe·$1·c·:1"},
		{"A", "CLIENT TRACKING ON", "+OK"},
		{"A", "MONITOR", "+OK"},
		{"A", "RESET", "+RESET"},
		{"A", "CLIENT GETNAME", "$-1"},
		{"A", "CLIENT GETREDIR", ":-1"},
		{"b", "PUBLISH c m", ":0"},
	}...)
}

func TestMonitor(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"a", "MONITOR", "+OK"},
		{"a", "MONITOR", ""},
	}...)
	r.client("b").Deny = true
	r.talk([3]string{"b", "MONITOR", "-ERR MONITOR isn't allowed for DENY BLOCKING client"})
	r.node.FeedMonitors(r.client("b"), words("HELLO 3 AUTH default secret"), false, 1_500_000)
	r.talk([3]string{"a", "", `+1.500000 [0 10.0.0.2:5000] "HELLO" "3" "AUTH" "(redacted)" "(redacted)"`})
}

func TestPubSub(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"a", "SUBSCRIBE x y x", "*3·$9·subscribe·$1·x·:1·*3·$9·subscribe·$1·y·:2·*3·$9·subscribe·$1·x·:2"},
		{"a", "PSUBSCRIBE x* [xy]", "*3·$10·psubscribe·$2·x*·:3·*3·$10·psubscribe·$4·[xy]·:4"},
		{"a", "SSUBSCRIBE x", "*3·$10·ssubscribe·$1·x·:1"},
		{"B", "PSUBSCRIBE *", ">3·$10·psubscribe·$1·*·:1"},
		{"B", "SUBSCRIBE x", ">3·$9·subscribe·$1·x·:2"},
		{"c", "PUBLISH x hi", ":5"},
		{"a", "", "*3·$7·message·$1·x·$2·hi·*4·$8·pmessage·$2·x*·$1·x·$2·hi·*4·$8·pmessage·$4·[xy]·$1·x·$2·hi"},
		{"B", "", ">3·$7·message·$1·x·$2·hi·>4·$8·pmessage·$1·*·$1·x·$2·hi"},
		{"B", "PUBLISH x me", ":5·>3·$7·message·$1·x·$2·me·>4·$8·pmessage·$1·*·$1·x·$2·me"},
		{"c", "SPUBLISH x hi", ":1"},
		{"c", "SPUBLISH y hi", ":0"},
		{"c", "PUBSUB CHANNELS", "*2·$1·x·$1·y"},
		{"c", "PUBSUB CHANNELS x*", "*1·$1·x"},
		{"c", "PUBSUB CHANNELS a b", "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."},
		{"c", "PUBSUB NUMSUB x y z", "*6·$1·x·:2·$1·y·:1·$1·z·:0"},
		{"C", "PUBSUB NUMSUB x", "*2·$1·x·:2"},
		{"c", "PUBSUB NUMSUB", "*0"},
		{"c", "PUBSUB NUMPAT", ":3"},
		{"c", "PUBSUB SHARDCHANNELS", "*1·$1·x"},
		{"c", "PUBSUB SHARDNUMSUB x z", "*4·$1·x·:1·$1·z·:0"},
		{"c", "PUBSUB FOO", "-ERR unknown subcommand 'FOO'. Try PUBSUB HELP."},
		{"B", "PUNSUBSCRIBE", ">3·$12·punsubscribe·$1·*·:1"},
		{"B", "PUNSUBSCRIBE", ">3·$12·punsubscribe·_·:1"},
		{"B", "UNSUBSCRIBE no x", ">3·$11·unsubscribe·$2·no·:1·>3·$11·unsubscribe·$1·x·:0"},
		{"B", "SUNSUBSCRIBE", ">3·$12·sunsubscribe·_·:0"},
	}...)
	r.read("a")
	r.talk([][3]string{
		{"a", "UNSUBSCRIBE", "*3·$11·unsubscribe·$1·x·:3·*3·$11·unsubscribe·$1·y·:2"},
		{"a", "SUNSUBSCRIBE", "*3·$12·sunsubscribe·$1·x·:0"},
		{"c", "UNSUBSCRIBE", "*3·$11·unsubscribe·$-1·:0"},
		{"c", "PUBLISH x", "-ERR wrong number of arguments for 'publish' command"},
	}...)
}

func TestConfirmationsComeDespiteReplyOff(t *testing.T) {
	r := newRig(t)
	r.client("a").ReplyOff = true
	r.talk([][3]string{
		{"a", "SUBSCRIBE x y", "*3·$9·subscribe·$1·x·:1·*3·$9·subscribe·$1·y·:2"},
		{"b", "PUBLISH x m", ":1"},
		{"a", "", "*3·$7·message·$1·x·$1·m"},
	}...)
}

// The rows are what clients and ACL rules see, so they must be Redis's (spec §20).
func TestConnectionRows(t *testing.T) {
	table := NewTable()
	pubsub, listen := CatPubSub|CatSlow, PubSub|NoScript|Loading|Stale
	login, open := NoScript|Loading|Stale|Fast|NoAuth|AllowBusy, NoScript|Loading|Stale
	admin := CatAdmin | CatSlow | CatDangerous
	type want struct {
		flags Flags
		cats  Categories
		keys  string
		names string
	}
	for _, w := range []want{
		{login, CatFast | CatConnection, "", "hello(-1) auth(-2) quit(-1) reset(1)"},
		{Fast, CatFast | CatConnection, "", "ping(-1)"},
		{Loading | Stale | Fast, CatFast | CatConnection, "", "echo(2) select(2)"},
		{open, CatSlow | CatConnection, "", "client|caching(3) client|getname(2) client|getredir(2) client|id(2) client|info(2) client|no-touch(3) client|reply(3) client|setinfo(4) client|setname(3) client|tracking(-3) client|trackinginfo(2)"},
		{Admin | open, admin | CatConnection, "", "client|kill(-3) client|list(-2) client|no-evict(3) client|pause(-3) client|unblock(-3) client|unpause(2)"},
		{Loading | Stale, CatSlow | CatConnection, "", "client|help(2)"},
		{Loading | Stale, CatSlow, "", "pubsub|help(2)"},
		{Admin | open, admin, "", "monitor(1)"},
		{0, CatSlow, "", "client(-2) pubsub(-2)"},
		{listen, pubsub, "", "subscribe(-2) unsubscribe(-1) psubscribe(-2) punsubscribe(-1)"},
		{listen, pubsub, "1..-1", "ssubscribe(-2) sunsubscribe(-1)"},
		{PubSub | Loading | Stale | Fast, CatPubSub | CatFast, "", "publish(3)"},
		{PubSub | Loading | Stale | Fast, CatPubSub | CatFast, "1..0", "spublish(3)"},
		{PubSub | Loading | Stale, pubsub, "", "pubsub|channels(-2) pubsub|numpat(2) pubsub|numsub(-2) pubsub|shardchannels(-2) pubsub|shardnumsub(-2)"},
	} {
		for _, entry := range strings.Fields(w.names) {
			name, arity, _ := strings.Cut(strings.TrimSuffix(entry, ")"), "(")
			s := table.Lookup([]byte(name))
			if s == nil {
				t.Errorf("%s is missing", name)
				continue
			}
			keys := ""
			for _, k := range s.Keys {
				keys = strconv.Itoa(k.Index) + ".." + strconv.Itoa(k.Last)
				if k.Flags != KeyNotKey || k.Step != 1 {
					t.Errorf("%s: key spec %+v", name, k)
				}
			}
			if s.Flags != w.flags || s.Cats != w.cats || keys != w.keys || strconv.Itoa(s.Arity) != arity {
				t.Errorf("%s: flags %b, categories %b, keys %q, arity %d", name, s.Flags, s.Cats, keys, s.Arity)
			}
		}
	}
}
