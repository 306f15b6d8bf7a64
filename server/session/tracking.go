package session

import (
	"container/list"
	"slices"
	"strings"
)

// invalidateChannel is where clients of RESP2 hear of invalidations redirected to them.
const invalidateChannel = "__redis__:invalidate"

// maxTrackedKeys is Redis's tracking-table-max-keys.
const maxTrackedKeys = 1_000_000

// TrackState is the CLIENT TRACKING state of one session.
type TrackState struct {
	on, bcast, optIn, optOut, noLoop bool
	caching                          bool // CLIENT CACHING was given for the next command or transaction
	broken                           bool // the redirection's target is gone
	redirect                         int64
	prefixes                         []string // BCAST, in bytewise order; "" is every key
}

// On tells whether keys that this session reads are to be remembered or, with BCAST, changes are announced to it.
func (t *TrackState) On() bool { return t.on }

// Redirect is the client that gets the invalidations: 0 the session itself, -1 tracking is off.
func (t *TrackState) Redirect() int64 {
	if !t.on {
		return -1
	}
	return t.redirect
}

// Prefixes returns the prefixes of BCAST mode in bytewise order.
func (t *TrackState) Prefixes() []string { return t.prefixes }

// Options returns the options that are on.
func (t *TrackState) Options() TrackOptions {
	return TrackOptions{Redirect: t.redirect, Bcast: t.bcast, OptIn: t.optIn, OptOut: t.optOut, NoLoop: t.noLoop}
}

// Caching tells whether CLIENT CACHING was given; Broken whether the redirection's target is gone.
func (t *TrackState) Caching() bool { return t.caching }
func (t *TrackState) Broken() bool  { return t.broken }

// SetCaching is CLIENT CACHING: the next command, or transaction, is (OPTIN) or is not (OPTOUT) tracked.
func (t *TrackState) SetCaching() { t.caching = true }

// TrackOptions are the options of CLIENT TRACKING ON.
type TrackOptions struct {
	Redirect                     int64 // a client's id; 0 none
	Bcast, OptIn, OptOut, NoLoop bool
	Prefixes                     []string // must not overlap each other nor the session's
}

// Tracking is the server's side of client-side caching. By default it remembers which client read which key and tells it
// once when the key changes; in BCAST mode it tells of every change of a key with one of the client's prefixes. As in Redis
// the number of the database does not matter.
type Tracking struct {
	clients *Clients
	pushes  *pushes
	maxKeys int // above it the longest remembered keys are invalidated

	keys  map[string]*list.Element // key → its *tracked
	order list.List                // of *tracked, the longest remembered first
	items int64                    // client ids in all of them

	prefixes map[string]*prefix
	changed  []changedKey // keys that changed since the last broadcast, first change first; only while there are prefixes
	seen     map[string]int
}

// tracked is a key with the clients that may cache it. Ids of clients that went away stay until the key changes.
type tracked struct {
	key string
	ids []int64 // ascending
}

// prefix is one prefix of BCAST mode with its sessions, in the order they asked.
type prefix struct {
	text     string
	sessions []*Session
}

// changedKey is a key to broadcast and who changed it: nil if it was not a client, or more than one.
type changedKey struct {
	key string
	by  *Session
}

func newTracking(clients *Clients, p *pushes) *Tracking {
	return &Tracking{clients: clients, pushes: p, maxKeys: maxTrackedKeys, keys: make(map[string]*list.Element),
		prefixes: make(map[string]*prefix), seen: make(map[string]int)}
}

// Enable turns tracking on, or adds to it.
func (t *Tracking) Enable(s *Session, o TrackOptions) {
	prefixes := s.Track.prefixes
	s.Track = TrackState{on: true, bcast: o.Bcast, optIn: o.OptIn, optOut: o.OptOut, noLoop: o.NoLoop,
		redirect: o.Redirect, caching: s.Track.caching, prefixes: prefixes}
	if !o.Bcast {
		return
	}
	if len(o.Prefixes) == 0 {
		o.Prefixes = []string{""}
	}
	for _, text := range o.Prefixes {
		at, found := slices.BinarySearch(s.Track.prefixes, text)
		if found {
			continue
		}
		s.Track.prefixes = slices.Insert(s.Track.prefixes, at, text)
		p := t.prefixes[text]
		if p == nil {
			p = &prefix{text: text}
			t.prefixes[text] = p
		}
		p.sessions = append(p.sessions, s)
	}
}

// Disable turns tracking off. What was remembered for s is forgotten as the keys change.
func (t *Tracking) Disable(s *Session) {
	for _, text := range s.Track.prefixes {
		p := t.prefixes[text]
		p.sessions = slices.DeleteFunc(p.sessions, func(other *Session) bool { return other == s })
		if len(p.sessions) == 0 {
			delete(t.prefixes, text)
		}
	}
	s.Track = TrackState{}
}

// Wants tells whether the keys of a readonly command of s are to be remembered.
func (t *Tracking) Wants(s *Session) bool {
	k := &s.Track
	return k.on && !k.bcast && !(k.optIn && !k.caching) && !(k.optOut && k.caching)
}

// Remember notes the keys that s read by a readonly command, if its mode wants that.
func (t *Tracking) Remember(s *Session, keys [][]byte) {
	if !t.Wants(s) {
		return
	}
	for _, key := range keys {
		e := t.keys[string(key)]
		if e == nil {
			k := &tracked{key: string(key)}
			e = t.order.PushBack(k)
			t.keys[k.key] = e
		}
		k := e.Value.(*tracked)
		if at, found := slices.BinarySearch(k.ids, s.ID); !found {
			k.ids = slices.Insert(k.ids, at, s.ID)
			t.items++
		}
	}
	for len(t.keys) > t.maxKeys {
		t.invalidate(t.order.Front(), nil)
	}
}

// AfterCommand ends what CLIENT CACHING asked for: it holds for one command that is not CLIENT, or one transaction.
func (t *Tracking) AfterCommand(s *Session) {
	if s.Track.caching && !s.Multi && !strings.HasPrefix(s.LastCommand, "client|") {
		s.Track.caching = false
	}
}

// Changed tells the clients that may cache key. by is the session whose command changed it, nil for expiry.
func (t *Tracking) Changed(key []byte, by *Session) {
	if len(t.prefixes) > 0 {
		if at, ok := t.seen[string(key)]; !ok {
			t.seen[string(key)] = len(t.changed)
			t.changed = append(t.changed, changedKey{string(key), by})
		} else if t.changed[at].by != by {
			t.changed[at].by = nil
		}
	}
	if len(t.keys) == 0 {
		return
	}
	if e := t.keys[string(key)]; e != nil {
		t.invalidate(e, by)
	}
}

// invalidate tells the clients of one key and forgets it.
func (t *Tracking) invalidate(e *list.Element, by *Session) {
	k := t.order.Remove(e).(*tracked)
	delete(t.keys, k.key)
	t.items -= int64(len(k.ids))
	for _, id := range k.ids {
		s := t.clients.Get(id)
		if s == nil || !s.Track.on || s.Track.bcast || s.Track.noLoop && s == by {
			continue
		}
		t.tell(s, []string{k.key})
	}
}

// Flushed tells every tracking client that all keys may have changed.
func (t *Tracking) Flushed() {
	for _, s := range t.clients.list {
		if s.Track.on {
			t.tell(s, nil)
		}
	}
	clear(t.keys)
	t.order.Init()
	t.items = 0
}

// tell queues one invalidation for s, or for the client it redirects to; keys nil stands for all. A client of RESP2 can hear
// of it only through a redirection, in the guise of a message, while it has subscriptions.
func (t *Tracking) tell(s *Session, keys []string) {
	to := s
	if s.Track.redirect != 0 {
		if to = t.clients.Get(s.Track.redirect); to == nil {
			t.redirectBroken(s)
			return
		}
	}
	w, from := &t.pushes.w, t.pushes.begin()
	switch {
	case to.W.RESP3:
		w.Push(2)
		w.BulkString("invalidate")
	case to != s && to.Subs.Count() > 0:
		w.Push(3)
		w.BulkString("message")
		w.BulkString(invalidateChannel)
	default:
		return
	}
	switch {
	case keys != nil:
		w.Array(len(keys))
		for _, key := range keys {
			w.BulkString(key)
		}
	case to.W.RESP3:
		w.Raw([]byte("_\r\n"))
	default:
		w.Null()
	}
	t.pushes.send(to, from)
}

// redirectBroken tells s, once, that the client its invalidations go to is gone.
func (t *Tracking) redirectBroken(s *Session) {
	if s.Track.broken {
		return
	}
	s.Track.broken = true
	if !s.W.RESP3 {
		return
	}
	from := t.pushes.begin()
	t.pushes.w.Push(2)
	t.pushes.w.BulkString("tracking-redir-broken")
	t.pushes.w.Int(s.Track.redirect)
	t.pushes.send(s, from)
}

// Flush delivers what commands caused: messages, invalidations, monitor lines. Call it when no reply is half written: after a
// command or transaction and the clients it woke, and after timed work such as expiry.
func (t *Tracking) Flush() {
	if len(t.changed) > 0 {
		t.broadcast()
	}
	t.pushes.deliver()
}

// broadcast tells the clients of BCAST mode what changed since the last time: one frame per prefix and client, each key once.
func (t *Tracking) broadcast() {
	for _, text := range t.sortedPrefixes() {
		p := t.prefixes[text]
		for _, s := range p.sessions {
			var keys []string
			for _, c := range t.changed {
				if strings.HasPrefix(c.key, text) && !(s.Track.noLoop && c.by == s) {
					keys = append(keys, c.key)
				}
			}
			if keys != nil {
				t.tell(s, keys)
			}
		}
	}
	clear(t.changed)
	t.changed = t.changed[:0]
	clear(t.seen)
}

func (t *Tracking) sortedPrefixes() []string {
	list := make([]string, 0, len(t.prefixes))
	for text := range t.prefixes {
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

// Keys, Items and Prefixes are the sizes that INFO stats shows.
func (t *Tracking) Keys() int     { return len(t.keys) }
func (t *Tracking) Items() int64  { return t.items }
func (t *Tracking) Prefixes() int { return len(t.prefixes) }

// Overlap tells whether one of two prefixes begins with the other.
func Overlap(a, b string) bool {
	n := min(len(a), len(b))
	return a[:n] == b[:n]
}
