// Package loop is the front end: an event loop over plain TCP and unix sockets.
//
//	         ┌────────────────────── one round ──────────────────────┐
//	epoll ─▶ read up to 16 sockets ─▶ lock · parse · execute · unlock ─▶ … ─▶ lock · commit one frame · take replies · unlock ─▶ write
//	         └──────────────── until no socket is ready ─────────────┘
//
// A round reads and executes all ready sockets, then writes the log once, then sends all replies. A reply leaves when the log
// is durable up to what it saw (shard.Durable); until then its bytes stay in conn.out under a mark.
//
// A long reply has gaps (resp.Gap). They are filled piece by piece when all before them was sent, some for each round, without
// the lock; meanwhile its connection executes nothing.
//
// Each connection belongs to one loop. Its input, output and epoll state are touched only by that loop's goroutine; its
// Session, and Session.W into which anybody may push, are guarded by the shard's lock. Other goroutines reach a loop through
// its mailbox (guarded by the shard's lock) and one eventfd write.
//
// Goroutines: one for each loop (Loop.run).
package loop
