package session

import (
	"strings"
	"testing"
)

func TestPublishReachesChannelsThenPatternsInOrder(t *testing.T) {
	n := newTestNode()
	a, b, c := n.testJoin(), n.testJoin(), n.testJoin()
	b.W.RESP3 = true
	n.PubSub.Subscribe(a, Pattern, []byte("n*"))
	n.PubSub.Subscribe(a, Pattern, []byte("*s"))
	n.PubSub.Subscribe(a, Channel, []byte("news"))
	n.PubSub.Subscribe(b, Channel, []byte("news"))
	if n.PubSub.Subscribe(b, Channel, []byte("news")) {
		t.Error("a second subscription is not new")
	}
	n.PubSub.Subscribe(c, ShardChannel, []byte("news"))
	if got := n.PubSub.Publish([]byte("news"), []byte("hi")); got != 4 {
		t.Errorf("receivers %d, want 4", got)
	}
	want(t, "RESP2", got(n, a), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"+
		"*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n*4\r\n$8\r\npmessage\r\n$2\r\n*s\r\n$4\r\nnews\r\n$2\r\nhi\r\n")
	want(t, "RESP3", got(n, b), ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n")
	want(t, "a shard channel of that name", got(n, c), "")
	if got := n.PubSub.PublishShard([]byte("news"), nil); got != 1 {
		t.Errorf("shard receivers %d, want 1", got)
	}
	want(t, "shard", got(n, c), "*3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$0\r\n\r\n")
	if n.PubSub.Publish([]byte("other"), nil) != 0 {
		t.Error("nobody listens to other")
	}
	if c.Conn.(*fakeConn).flushed != 1 {
		t.Error("a delivery must ask for the output to be sent")
	}
}

func TestMessagesWaitForTheReplyUnderWay(t *testing.T) {
	n := newTestNode()
	s := n.testJoin()
	s.W.RESP3 = true
	n.PubSub.Subscribe(s, Channel, []byte("c"))
	s.W.Array(2)
	n.PubSub.Publish([]byte("c"), []byte("m"))
	s.W.Int(1)
	s.W.Int(2)
	want(t, "order", got(n, s), "*2\r\n:1\r\n:2\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n")
}

func TestUnsubscribe(t *testing.T) {
	n := newTestNode()
	a, b := n.testJoin(), n.testJoin()
	for _, name := range []string{"z", "a", "m"} {
		n.PubSub.Subscribe(a, Pattern, []byte(name))
		n.PubSub.Subscribe(b, Pattern, []byte(name))
	}
	want(t, "names", strings.Join(a.Subs.Names(Pattern), " "), "a m z")
	if !n.PubSub.Unsubscribe(a, Pattern, []byte("z")) || n.PubSub.Unsubscribe(a, Pattern, []byte("z")) || n.PubSub.Unsubscribe(a, Channel, []byte("a")) {
		t.Error("unsubscribe must tell whether there was a subscription")
	}
	if n.PubSub.Len(Pattern) != 3 || n.PubSub.Subscribers(Pattern, []byte("z")) != 1 || n.PubSub.Subscribers(Pattern, []byte("y")) != 0 {
		t.Error("counts are off")
	}
	n.PubSub.Drop(b)
	if n.PubSub.Len(Pattern) != 2 || n.PubSub.Publish([]byte("z"), nil) != 0 || n.PubSub.Publish([]byte("m"), nil) != 1 {
		t.Error("a dropped session still counts")
	}
	want(t, "matching", strings.Join(n.PubSub.Names(Pattern, []byte("?")), " "), "a m")
	want(t, "all", strings.Join(n.PubSub.Names(Pattern, nil), " "), "a m")
	want(t, "none", strings.Join(n.PubSub.Names(Pattern, []byte("[^am]")), " "), "")
	if a.Subs.Shown(Channel) != 2 || a.Subs.Shown(ShardChannel) != 0 {
		t.Error("confirmations count channels and patterns together, shard channels apart")
	}
}

func TestNotify(t *testing.T) {
	n := newTestNode()
	s := n.testJoin()
	n.PubSub.Subscribe(s, Pattern, []byte("__key*__:*"))
	n.Notify(0, 't', "xadd", []byte("k"))
	want(t, "off", got(n, s), "")
	space := "*4\r\n$8\r\npmessage\r\n$10\r\n__key*__:*\r\n$16\r\n__keyspace@3__:k\r\n$4\r\nxadd\r\n"
	event := "*4\r\n$8\r\npmessage\r\n$10\r\n__key*__:*\r\n$19\r\n__keyevent@3__:xadd\r\n$1\r\nk\r\n"
	for _, tt := range []struct{ setting, want string }{
		{"KEA", space + event}, {"Kt", space}, {"Et", event}, {"K$", ""}, {"t", ""}, {"", ""},
	} {
		set(t, n, "notify-keyspace-events", tt.setting)
		n.Notify(3, 't', "xadd", []byte("k"))
		want(t, tt.setting, got(n, s), tt.want)
	}
}
