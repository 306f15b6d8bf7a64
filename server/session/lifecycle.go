package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
)

// DefaultUser is the only user there is.
const DefaultUser = "default"

// newRunID returns 40 random hexadecimal digits.
func newRunID() string {
	var b [20]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}

// Join registers the session of a new connection; Conn, Local and Unix are set.
func (n *Node) Join(s *Session) {
	s.User, s.Authenticated = DefaultUser, !n.NeedsPassword()
	s.CreatedMS = n.Host.NowMS()
	s.LastMS = s.CreatedMS
	n.Clients.Add(s)
}

// Drop forgets everything about a session whose connection ended. Dropping it again does nothing.
func (n *Node) Drop(s *Session) {
	if s.Closed {
		return
	}
	n.release(s)
	s.Closed = true
	n.Clients.Remove(s)
}

// Reset is RESET: s becomes as new, but for its id and the name of its library.
func (n *Node) Reset(s *Session) {
	n.release(s)
	s.DB = 0
	s.W.RESP3 = false
	s.User, s.Authenticated = DefaultUser, !n.NeedsPassword()
	s.Name = ""
	s.ReplyOff, s.SkipNext = false, false
	s.NoEvict, s.NoTouch, s.ReadOnly = false, false, false
}

// release takes s out of all registries but Clients and ends its transaction.
func (n *Node) release(s *Session) {
	n.Monitors.Drop(s)
	n.Tracking.Disable(s)
	n.PubSub.Drop(s)
	n.Watches.Clear(s)
	s.Multi, s.MultiDirty = false, false
	s.Queue, s.QueueBytes, s.QueueFlags = nil, 0, 0
}

// Kill ends another session's connection at once, as CLIENT KILL does. It is forgotten right here: what the rest of the round
// does must not reach it.
func (n *Node) Kill(s *Session, reason string) {
	s.Conn.Close(reason, true)
	n.Host.Drop(s)
}

// NeedsPassword tells whether the default user has a password.
func (n *Node) NeedsPassword() bool { return n.Settings.RequirePass() != "" }

// Authenticate tells whether user may log in with pass. It takes the same time for a wrong user, a wrong password and a
// right one: digests are compared, so not even the length shows. Without a password set, the default user takes any.
func (n *Node) Authenticate(user, pass []byte) bool {
	want := n.Settings.RequirePass()
	given, right := sha256.Sum256(pass), sha256.Sum256([]byte(want))
	samePass := subtle.ConstantTimeCompare(given[:], right[:])
	if want == "" {
		samePass = 1
	}
	sameUser := subtle.ConstantTimeCompare(user, []byte(DefaultUser))
	return samePass&sameUser == 1
}
