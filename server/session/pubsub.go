package session

import (
	"bytes"
	"container/list"
	"slices"

	"github.com/streamd/streamd/resp"
)

// Subscriptions are the channels, patterns and shard channels one session listens to. The zero value is none.
type Subscriptions struct {
	sets [3]map[string]*list.Element // by Kind: name → the session's place in the list of its subscribers
}

// Count returns how many subscriptions there are of all kinds.
func (s *Subscriptions) Count() int { return len(s.sets[0]) + len(s.sets[1]) + len(s.sets[2]) }

// Channels, Patterns and ShardChannels count one kind each.
func (s *Subscriptions) Channels() int      { return len(s.sets[Channel]) }
func (s *Subscriptions) Patterns() int      { return len(s.sets[Pattern]) }
func (s *Subscriptions) ShardChannels() int { return len(s.sets[ShardChannel]) }

// Shown is the count in the confirmations of a kind: shard channels are counted apart.
func (s *Subscriptions) Shown(k Kind) int {
	if k == ShardChannel {
		return s.ShardChannels()
	}
	return s.Channels() + s.Patterns()
}

// Names returns the subscriptions of one kind in bytewise order.
func (s *Subscriptions) Names(k Kind) []string {
	names := make([]string, 0, len(s.sets[k]))
	for name := range s.sets[k] {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Kind of a subscription.
type Kind uint8

// Kinds of subscriptions.
const (
	Channel Kind = iota
	Pattern
	ShardChannel
)

// PubSub knows the subscribers of every channel, pattern and shard channel, in the order they subscribed.
type PubSub struct {
	sets     [3]map[string]*topic // by Kind
	patterns list.List            // of *topic, in the order they were first subscribed: that of delivery
	pushes   *pushes
}

// topic is a name with its subscribers.
type topic struct {
	name        string
	pattern     []byte        // name, for matching
	subscribers list.List     // of *Session
	place       *list.Element // in PubSub.patterns
}

func newPubSub(p *pushes) *PubSub {
	ps := &PubSub{pushes: p}
	for k := range ps.sets {
		ps.sets[k] = make(map[string]*topic)
	}
	return ps
}

// Subscribe makes s listen to name; false if it did already.
func (p *PubSub) Subscribe(s *Session, k Kind, name []byte) bool {
	if _, ok := s.Subs.sets[k][string(name)]; ok {
		return false
	}
	t := p.sets[k][string(name)]
	if t == nil {
		t = &topic{name: string(name), pattern: bytes.Clone(name)}
		p.sets[k][t.name] = t
		if k == Pattern {
			t.place = p.patterns.PushBack(t)
		}
	}
	if s.Subs.sets[k] == nil {
		s.Subs.sets[k] = make(map[string]*list.Element)
	}
	s.Subs.sets[k][t.name] = t.subscribers.PushBack(s)
	return true
}

// Unsubscribe ends a subscription; false if there was none.
func (p *PubSub) Unsubscribe(s *Session, k Kind, name []byte) bool {
	place, ok := s.Subs.sets[k][string(name)]
	if !ok {
		return false
	}
	t := p.sets[k][string(name)]
	t.subscribers.Remove(place)
	delete(s.Subs.sets[k], t.name)
	if t.subscribers.Len() == 0 {
		delete(p.sets[k], t.name)
		if k == Pattern {
			p.patterns.Remove(t.place)
		}
	}
	return true
}

// Drop ends all subscriptions of s without a word.
func (p *PubSub) Drop(s *Session) {
	for k := range s.Subs.sets {
		for _, name := range s.Subs.Names(Kind(k)) {
			p.Unsubscribe(s, Kind(k), []byte(name))
		}
	}
}

// Publish queues payload for the subscribers of channel, then for those of the patterns it matches, and returns the number
// of frames.
func (p *PubSub) Publish(channel, payload []byte) int {
	n := p.publish(p.sets[Channel][string(channel)], "message", channel, payload)
	for e := p.patterns.Front(); e != nil; e = e.Next() {
		t := e.Value.(*topic)
		if !resp.Match(t.pattern, channel) {
			continue
		}
		w, from := &p.pushes.w, p.pushes.begin()
		w.Push(4)
		w.BulkString("pmessage")
		w.BulkString(t.name)
		w.Bulk(channel)
		w.Bulk(payload)
		n += p.send(t, from)
	}
	return n
}

// PublishShard is Publish for a shard channel.
func (p *PubSub) PublishShard(channel, payload []byte) int {
	return p.publish(p.sets[ShardChannel][string(channel)], "smessage", channel, payload)
}

func (p *PubSub) publish(t *topic, kind string, channel, payload []byte) int {
	if t == nil {
		return 0
	}
	w, from := &p.pushes.w, p.pushes.begin()
	w.Push(3)
	w.BulkString(kind)
	w.Bulk(channel)
	w.Bulk(payload)
	return p.send(t, from)
}

// send queues the frame begun at from for all subscribers of t.
func (p *PubSub) send(t *topic, from int) int {
	for e := t.subscribers.Front(); e != nil; e = e.Next() {
		p.pushes.send(e.Value.(*Session), from)
	}
	return t.subscribers.Len()
}

// Confirm queues a confirmation as a push, for a session whose replies are off.
func (p *PubSub) Confirm(s *Session, frame []byte) {
	from := p.pushes.begin()
	p.pushes.w.Raw(frame)
	p.pushes.send(s, from)
}

// Len counts the names of a kind that have subscribers.
func (p *PubSub) Len(k Kind) int { return len(p.sets[k]) }

// Subscribers counts the sessions that listen to name.
func (p *PubSub) Subscribers(k Kind, name []byte) int {
	if t := p.sets[k][string(name)]; t != nil {
		return t.subscribers.Len()
	}
	return 0
}

// Names returns the names of a kind that match pattern (nil: all), in bytewise order.
func (p *PubSub) Names(k Kind, pattern []byte) []string {
	names := []string{}
	for name := range p.sets[k] {
		if pattern == nil || resp.Match(pattern, []byte(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
