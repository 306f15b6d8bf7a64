// Package shard carries out commands: the gate every command passes, transactions, blocking, expiry, and the round that turns
// changes into one frame of the log.
//
//	loop ── Lock ─▶ Execute(session, args) … ── Commit ─▶ Unlock ── replies leave when Durable() reached the round's index
//	                 │ gate      unknown? arity? auth? OOM? paused? queued?
//	                 │ expire    keys whose deadline passed: an op of their own, logged
//	                 │ run       Local │ Query │ Apply ──▶ op appended to the open frame
//	                 ▼ wake      parked reads whose keys changed, first come first served
//
// One lock, Shard's, guards the machine, all sessions and every registry in session.Node. The loop that executes holds it; the
// snapshot goroutine takes it for short steps. Nothing under it waits for a disk, but for the journal's own write.
package shard
