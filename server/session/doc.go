// Package session owns what a server knows besides its keyspace: who is connected, who listens to what, who watches and
// caches which keys, and what is counted.
//
//	Session ── one connection: protocol, transaction, subscriptions, tracking
//	Node ───── Clients    who is connected, in the order they came
//	       ├── PubSub     channel, pattern, shard channel → sessions; keyspace notifications
//	       ├── Watches    key → sessions whose EXEC it spoils
//	       ├── Tracking   key → clients that cache it, prefix → clients that want to hear of it
//	       ├── Monitors   who sees every command
//	       └── Slowlog · Latency · Stats
//
// One lock, the shard's, guards all of it; nothing here locks, waits or starts a goroutine.
//
// A push (message, invalidation, monitor line) never lands inside a reply: it is queued while commands run and delivered by
// Tracking.Flush, which the shard calls when the reply of the command under way is whole.
package session
