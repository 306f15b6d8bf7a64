package session

import (
	"cmp"
	"slices"
)

// Clients are the connected sessions. Ids grow and are never reused.
type Clients struct {
	byID   map[int64]*Session
	list   []*Session // in the order of ids
	lastID int64
}

func newClients() *Clients { return &Clients{byID: make(map[int64]*Session)} }

// Add gives s the next id and registers it.
func (c *Clients) Add(s *Session) {
	c.lastID++
	s.ID = c.lastID
	c.byID[s.ID] = s
	c.list = append(c.list, s)
}

// Remove forgets s; forgetting it twice does nothing.
func (c *Clients) Remove(s *Session) {
	if c.byID[s.ID] != s {
		return
	}
	delete(c.byID, s.ID)
	at, _ := slices.BinarySearchFunc(c.list, s.ID, func(s *Session, id int64) int { return cmp.Compare(s.ID, id) })
	c.list = slices.Delete(c.list, at, at+1)
}

// Get returns the session with this id, nil if it is not connected.
func (c *Clients) Get(id int64) *Session { return c.byID[id] }

// Count returns how many sessions are connected.
func (c *Clients) Count() int { return len(c.list) }

// All returns the sessions in the order of their ids. The list is the caller's: sessions may come and go meanwhile.
func (c *Clients) All() []*Session { return slices.Clone(c.list) }

// Census counts the sessions that INFO clients tells about.
type Census struct {
	Blocked, Tracking, PubSub, Watching int
	MaxInput, MaxOutput                 int // the largest buffers, bytes
}

// Census looks at every session.
func (c *Clients) Census() (sum Census) {
	for _, s := range c.list {
		if s.Blocked || s.Paused {
			sum.Blocked++
		}
		if s.Track.on {
			sum.Tracking++
		}
		if s.Subs.Count() > 0 {
			sum.PubSub++
		}
		if len(s.Watching) > 0 {
			sum.Watching++
		}
		query, _, output := s.Conn.Buffers()
		sum.MaxInput = max(sum.MaxInput, query)
		sum.MaxOutput = max(sum.MaxOutput, output+len(s.W.Buf))
	}
	return sum
}

// Filter picks sessions for CLIENT KILL and CLIENT LIST. Zero fields accept every session; the others must all hold.
type Filter struct {
	ID          int64
	Type        string
	User        string
	Addr, LAddr string
	MinAgeSecs  int64 // connected at least so long (MAXAGE)
	Except      *Session
}

// Match tells whether s passes.
func (f *Filter) Match(s *Session, nowMS int64) bool {
	return (f.ID == 0 || s.ID == f.ID) &&
		(f.Type == "" || s.Type() == f.Type) &&
		(f.User == "" || s.User == f.User) &&
		(f.Addr == "" || s.Conn.RemoteAddr() == f.Addr) &&
		(f.LAddr == "" || s.Conn.LocalAddr() == f.LAddr) &&
		(f.MinAgeSecs == 0 || (nowMS-s.CreatedMS)/1000 >= f.MinAgeSecs) &&
		(f.Except == nil || s != f.Except)
}
