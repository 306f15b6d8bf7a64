package session

import (
	"testing"

	"github.com/streamd/streamd/server/machine"
)

func TestWatch(t *testing.T) {
	flush := func(n *Node, db int) {
		n.Machine.Apply(&machine.Op{Kind: machine.FlushDB, DB: db, AtMS: 2}, nil)
		n.Watches.Flushed(db)
	}
	tests := []struct {
		name  string
		act   func(n *Node, s *Session)
		dirty bool
	}{
		{"nothing happens", func(*Node, *Session) {}, false},
		{"the key changes", func(n *Node, _ *Session) { n.Watches.Touch(0, []byte("there")) }, true},
		{"the key is created", func(n *Node, _ *Session) { n.Watches.Touch(0, []byte("missing")) }, true},
		{"another key changes", func(n *Node, _ *Session) { n.Watches.Touch(0, []byte("other")) }, false},
		{"that key in another database", func(n *Node, _ *Session) { n.Watches.Touch(1, []byte("there")) }, false},
		{"its database is flushed", func(n *Node, _ *Session) { flush(n, 0) }, true},
		{"all databases are flushed", func(n *Node, _ *Session) { n.Watches.Flushed(-1) }, true},
		{"another database is flushed", func(n *Node, _ *Session) { flush(n, 1) }, false},
		{"unwatched before", func(n *Node, s *Session) {
			n.Watches.Clear(s)
			n.Watches.Touch(0, []byte("there"))
		}, false},
		{"unwatched after", func(n *Node, s *Session) {
			n.Watches.Touch(0, []byte("there"))
			n.Watches.Clear(s)
		}, false},
	}
	for _, tt := range tests {
		n := newTestNode()
		s := n.testJoin()
		store(n, 0, "there")
		n.Watches.Add(s, 0, []byte("there"))
		n.Watches.Add(s, 0, []byte("there"))
		n.Watches.Add(s, 0, []byte("missing"))
		if tt.act(n, s); s.WatchDirty != tt.dirty {
			t.Errorf("%s: dirty %v", tt.name, s.WatchDirty)
		}
		if n.Watches.Clear(s); n.Watches.Keys() != 0 || len(s.Watching) != 0 || s.WatchDirty {
			t.Errorf("%s: Clear left something", tt.name)
		}
	}
}

func TestWatchOfAMissingKey(t *testing.T) {
	n := newTestNode()
	s := n.testJoin()
	n.Watches.Add(s, 1, []byte("k"))
	n.Watches.Flushed(1)
	if s.WatchDirty {
		t.Error("a flush does not change a missing key")
	}
	store(n, 1, "k") // as if swapped in: no Touch
	n.Watches.Flushed(1)
	if !s.WatchDirty {
		t.Error("a swapped database brought the key")
	}
}
