package session

import (
	"strings"
	"testing"
)

func TestIDsGrowAndAreNeverReused(t *testing.T) {
	n := newTestNode()
	a, b, c := n.testJoin(), n.testJoin(), n.testJoin()
	n.Drop(b)
	n.Drop(b)
	n.Drop(c)
	d := n.testJoin()
	if a.ID != 1 || b.ID != 2 || c.ID != 3 || d.ID != 4 {
		t.Errorf("ids %d %d %d %d", a.ID, b.ID, c.ID, d.ID)
	}
	all := n.Clients.All()
	if n.Clients.Count() != 2 || len(all) != 2 || all[0] != a || all[1] != d || n.Clients.Get(2) != nil || n.Clients.Get(4) != d {
		t.Errorf("connected: %v", all)
	}
}

func TestClientLine(t *testing.T) {
	n := newTestNode()
	s := n.testJoin()
	want(t, "a new client", string(s.AppendLine(nil, 1_700_000_002_500)),
		"id=1 addr=127.0.0.1:40000 laddr=127.0.0.1:6379 fd=12 name= age=2 idle=2 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 "+
			"qbuf=26 qbuf-free=100 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=1150 events=r cmd=NULL user=default redir=-1 resp=2 "+
			"lib-name= lib-ver= io-thread=0 tot-net-in=0 tot-net-out=0 tot-cmds=0 read-events=0 parse-batch-cmd-sum=0 parse-batch-cnt=0")
	n.Monitors.Add(s)
	n.PubSub.Subscribe(s, Channel, []byte("c"))
	n.PubSub.Subscribe(s, Pattern, []byte("p*"))
	n.PubSub.Subscribe(s, ShardChannel, []byte("s"))
	n.Tracking.Enable(s, TrackOptions{Bcast: true})
	n.Watches.Add(s, 0, []byte("k"))
	s.Multi, s.Blocked, s.WatchDirty, s.CloseAfter, s.Unix, s.ReadOnly, s.NoEvict, s.NoTouch = true, true, true, true, true, true, true, true
	s.W.RESP3, s.LastCommand = true, "client|list"
	line := string(s.AppendLine(nil, 0))
	for _, part := range []string{" flags=OPxbtBdcUreT ", " sub=1 psub=1 ssub=1 multi=0 watch=1 ", " cmd=client|list ", " redir=0 resp=3 ", " age=0 idle=0 "} {
		if !strings.Contains(line, part) {
			t.Errorf("%q is not in %s", part, line)
		}
	}
}

func TestFilter(t *testing.T) {
	n := newTestNode()
	a, b := n.testJoin(), n.testJoin()
	n.PubSub.Subscribe(b, ShardChannel, []byte("c"))
	now := n.Host.NowMS() + 5000
	tests := []struct {
		name string
		f    Filter
		a, b bool
	}{
		{"no filter", Filter{}, true, true},
		{"id", Filter{ID: 2}, false, true},
		{"type normal", Filter{Type: TypeNormal}, true, false},
		{"type pubsub", Filter{Type: TypePubSub}, false, true},
		{"type master", Filter{Type: TypeMaster}, false, false},
		{"address", Filter{Addr: "127.0.0.1:40000"}, true, false},
		{"local address", Filter{LAddr: "127.0.0.1:6379"}, true, true},
		{"user", Filter{User: "default"}, true, true},
		{"age reached", Filter{MinAgeSecs: 5}, true, true},
		{"age not reached", Filter{MinAgeSecs: 6}, false, false},
		{"all at once", Filter{ID: 1, Type: TypeNormal, Addr: "127.0.0.1:40000", Except: b}, true, false},
		{"not me", Filter{Except: a}, false, true},
	}
	for _, tt := range tests {
		if gotA, gotB := tt.f.Match(a, now), tt.f.Match(b, now); gotA != tt.a || gotB != tt.b {
			t.Errorf("%s: %v %v, want %v %v", tt.name, gotA, gotB, tt.a, tt.b)
		}
	}
}

func TestCensus(t *testing.T) {
	n := newTestNode()
	a, b := n.testJoin(), n.testJoin()
	a.Blocked, b.Paused = true, true
	n.Tracking.Enable(a, TrackOptions{})
	n.Watches.Add(b, 0, []byte("k"))
	n.PubSub.Subscribe(b, Pattern, []byte("k"))
	if got, want := n.Clients.Census(), (Census{Blocked: 2, Tracking: 1, PubSub: 1, Watching: 1, MaxInput: 26}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestResetAndDrop(t *testing.T) {
	n := newTestNode()
	s := n.testJoin()
	busy := func() {
		n.Monitors.Add(s)
		n.PubSub.Subscribe(s, Channel, []byte("c"))
		n.PubSub.Subscribe(s, Pattern, []byte("p*"))
		n.PubSub.Subscribe(s, ShardChannel, []byte("s"))
		n.Tracking.Enable(s, TrackOptions{Bcast: true, Prefixes: []string{"a", "b"}})
		n.Watches.Add(s, 3, []byte("k"))
		s.Multi, s.MultiDirty, s.Queue, s.QueueBytes = true, true, make([]Queued, 2), 10
	}
	forgotten := func(when string) {
		t.Helper()
		if len(n.Monitors.All()) != 0 || n.PubSub.Len(Channel)+n.PubSub.Len(Pattern)+n.PubSub.Len(ShardChannel) != 0 ||
			n.Tracking.Prefixes() != 0 || n.Watches.Keys() != 0 || s.Subs.Count() != 0 || s.Multi || s.Queue != nil {
			t.Errorf("%s: something is left", when)
		}
	}
	busy()
	s.DB, s.Name, s.LibName, s.ReplyOff, s.NoEvict, s.NoTouch, s.ReadOnly = 5, "n", "lib", true, true, true, true
	s.W.RESP3 = true
	n.Reset(s)
	forgotten("RESET")
	if s.DB != 0 || s.Name != "" || s.LibName != "lib" || s.ReplyOff || s.NoEvict || s.NoTouch || s.ReadOnly || s.W.RESP3 || !s.Authenticated || s.ID != 1 || s.Closed {
		t.Errorf("RESET: %+v", s)
	}
	set(t, n, "requirepass", "secret")
	n.Reset(s)
	if s.Authenticated {
		t.Error("RESET keeps the identity although there is a password")
	}
	busy()
	n.PubSub.Publish([]byte("c"), []byte("lost"))
	n.Kill(s, "why")
	forgotten("KILL")
	if !s.Closed || n.Clients.Count() != 0 || s.Conn.(*fakeConn).closed != "why" {
		t.Error("a killed session is still connected")
	}
	want(t, "what a killed session gets", got(n, s), "")
}

func TestAuthenticate(t *testing.T) {
	n := newTestNode()
	if s := n.testJoin(); !s.Authenticated || n.NeedsPassword() {
		t.Error("without a password a session must be authenticated")
	}
	check := func(user, pass string, ok bool) {
		t.Helper()
		if n.Authenticate([]byte(user), []byte(pass)) != ok {
			t.Errorf("%q %q: want %v", user, pass, ok)
		}
	}
	check("default", "anything", true)
	check("bob", "anything", false)
	set(t, n, "requirepass", "secret")
	if s := n.testJoin(); s.Authenticated {
		t.Error("with a password a new session must not be authenticated")
	}
	check("default", "secret", true)
	check("default", "Secret", false)
	check("default", "", false)
	check("default", "secretsecret", false)
	check("bob", "secret", false)
	check("", "secret", false)
}
