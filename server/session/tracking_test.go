package session

import (
	"fmt"
	"testing"
)

// invalid is the frame that tells of changed keys.
func invalid(keys ...string) string {
	text := fmt.Sprintf(">2\r\n$10\r\ninvalidate\r\n*%d\r\n", len(keys))
	for _, key := range keys {
		text += fmt.Sprintf("$%d\r\n%s\r\n", len(key), key)
	}
	return text
}

func newTracker(n *Node, o TrackOptions) *Session {
	s := n.testJoin()
	s.W.RESP3 = true
	n.Tracking.Enable(s, o)
	return s
}

func TestTrackingTellsOnce(t *testing.T) {
	n := newTestNode()
	a, b := newTracker(n, TrackOptions{}), newTracker(n, TrackOptions{})
	n.Tracking.Remember(a, bytesOf("k", "k", "other"))
	n.Tracking.Remember(b, bytesOf("k"))
	if n.Tracking.Keys() != 2 || n.Tracking.Items() != 3 {
		t.Errorf("%d keys, %d items", n.Tracking.Keys(), n.Tracking.Items())
	}
	n.Tracking.Changed([]byte("unread"), b)
	n.Tracking.Changed([]byte("k"), b)
	n.Tracking.Changed([]byte("k"), b)
	want(t, "a", got(n, a), invalid("k"))
	want(t, "b, which changed it", got(n, b), invalid("k"))
	n.Tracking.Remember(a, bytesOf("k"))
	n.Tracking.Changed([]byte("k"), nil)
	want(t, "a read it again", got(n, a), invalid("k"))
	n.Tracking.Disable(a)
	n.Tracking.Changed([]byte("other"), nil)
	want(t, "tracking is off", got(n, a), "")
	if n.Tracking.Keys() != 0 || n.Tracking.Items() != 0 {
		t.Errorf("%d keys, %d items", n.Tracking.Keys(), n.Tracking.Items())
	}
}

func TestTrackingModes(t *testing.T) {
	n := newTestNode()
	read := func(s *Session, command string) {
		s.LastCommand = command
		n.Tracking.Remember(s, bytesOf("k"))
		n.Tracking.AfterCommand(s)
	}
	told := func(what string, s *Session, yes bool) {
		t.Helper()
		n.Tracking.Changed([]byte("k"), nil)
		if text := got(n, s); (text != "") != yes {
			t.Errorf("%s: got %q", what, text)
		}
	}
	in := newTracker(n, TrackOptions{OptIn: true})
	read(in, "get")
	told("OPTIN without CACHING", in, false)
	in.Track.SetCaching()
	in.LastCommand = "client|caching"
	n.Tracking.AfterCommand(in)
	read(in, "get")
	told("OPTIN with CACHING", in, true)
	read(in, "get")
	told("OPTIN, the command after", in, false)
	in.Track.SetCaching()
	in.Multi, in.LastCommand = true, "multi"
	n.Tracking.AfterCommand(in)
	in.Multi = false
	read(in, "exec")
	told("OPTIN, the transaction after CACHING", in, true)
	out := newTracker(n, TrackOptions{OptOut: true})
	read(out, "get")
	told("OPTOUT", out, true)
	out.Track.SetCaching()
	read(out, "get")
	told("OPTOUT with CACHING", out, false)
	read(out, "get")
	told("OPTOUT, the command after", out, true)
	off := n.testJoin()
	off.W.RESP3 = true
	read(off, "get")
	told("no tracking", off, false)
	loop := newTracker(n, TrackOptions{NoLoop: true})
	read(loop, "get")
	n.Tracking.Changed([]byte("k"), loop)
	want(t, "NOLOOP, own change", got(n, loop), "")
	read(loop, "get")
	told("NOLOOP, expiry", loop, true)
	old := n.testJoin()
	n.Tracking.Enable(old, TrackOptions{})
	read(old, "get")
	told("RESP2 without redirection", old, false)
}

func TestTrackingBroadcast(t *testing.T) {
	n := newTestNode()
	some := newTracker(n, TrackOptions{Bcast: true, Prefixes: []string{"user:", "order:"}})
	all := newTracker(n, TrackOptions{Bcast: true, NoLoop: true})
	n.Tracking.Remember(some, bytesOf("user:1"))
	if n.Tracking.Keys() != 0 || n.Tracking.Prefixes() != 3 {
		t.Errorf("%d keys, %d prefixes", n.Tracking.Keys(), n.Tracking.Prefixes())
	}
	for _, key := range []string{"user:2", "x", "user:1", "user:2", "order:1"} {
		n.Tracking.Changed([]byte(key), some)
	}
	n.Tracking.Changed([]byte("mine"), all)
	n.Tracking.Changed([]byte("ours"), all)
	n.Tracking.Changed([]byte("ours"), nil)
	n.Tracking.Flush()
	want(t, "by prefix, each key once", got(n, some), invalid("order:1")+invalid("user:2", "user:1"))
	want(t, "all but own changes", got(n, all), invalid("user:2", "x", "user:1", "order:1", "ours"))
	n.Tracking.Flush()
	want(t, "nothing new", got(n, some), "")
	n.Drop(some)
	n.Tracking.Changed([]byte("user:1"), nil)
	want(t, "the one left", got(n, all), invalid("user:1"))
	if n.Tracking.Prefixes() != 1 {
		t.Errorf("%d prefixes", n.Tracking.Prefixes())
	}
}

func TestTrackingRedirect(t *testing.T) {
	n := newTestNode()
	target := n.testJoin()
	s := n.testJoin()
	n.Tracking.Enable(s, TrackOptions{Redirect: target.ID})
	change := func() {
		n.Tracking.Remember(s, bytesOf("k"))
		n.Tracking.Changed([]byte("k"), nil)
	}
	change()
	want(t, "a RESP2 target without subscriptions", got(n, target), "")
	n.PubSub.Subscribe(target, Channel, []byte("__redis__:invalidate"))
	change()
	want(t, "a RESP2 target", got(n, target), "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n")
	n.Tracking.Flushed()
	want(t, "flush to a RESP2 target", got(n, target), "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n")
	target.W.RESP3 = true
	change()
	want(t, "a RESP3 target", got(n, target), invalid("k"))
	n.Drop(target)
	s.W.RESP3 = true
	change()
	change()
	want(t, "the target is gone", got(n, s), ">2\r\n$21\r\ntracking-redir-broken\r\n:1\r\n")
	if !s.Track.Broken() || s.Track.Redirect() != 1 {
		t.Error("the redirection is not marked as broken")
	}
	n.Tracking.Enable(s, TrackOptions{})
	change()
	want(t, "tracking again without redirection", got(n, s), invalid("k"))
}

func TestTrackingFlush(t *testing.T) {
	n := newTestNode()
	a, b := newTracker(n, TrackOptions{}), newTracker(n, TrackOptions{Bcast: true})
	n.Tracking.Remember(a, bytesOf("k"))
	n.Tracking.Flushed()
	want(t, "a", got(n, a), ">2\r\n$10\r\ninvalidate\r\n_\r\n")
	want(t, "b", got(n, b), ">2\r\n$10\r\ninvalidate\r\n_\r\n")
	n.Tracking.Changed([]byte("k"), nil)
	want(t, "a key from before", got(n, a), "")
}

func TestTrackingTableIsBounded(t *testing.T) {
	n := newTestNode()
	n.Tracking.maxKeys = 2
	s := newTracker(n, TrackOptions{})
	n.Tracking.Remember(s, bytesOf("a", "b", "c"))
	want(t, "the oldest is invalidated", got(n, s), invalid("a"))
	if n.Tracking.Keys() != 2 || n.Tracking.Items() != 2 {
		t.Errorf("%d keys, %d items", n.Tracking.Keys(), n.Tracking.Items())
	}
}

func TestRememberAllocatesNothingForKnownKeys(t *testing.T) {
	n := newTestNode()
	s := newTracker(n, TrackOptions{})
	keys := bytesOf("a", "b")
	n.Tracking.Remember(s, keys)
	if allocs := testing.AllocsPerRun(100, func() { n.Tracking.Remember(s, keys) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
