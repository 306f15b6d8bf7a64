// Package aof is the append-only log: an ordered sequence of checksummed, chained frames in segment files, and the snapshots
// that replace its beginning. It knows nothing of what a frame or a snapshot means. docs/format/log.md and
// docs/format/snapshot.md describe the files.
//
//	           Append                     Sync            BeginSnapshot … Commit
//	             │                          │                       │
//	00…001.log ──┼── 00…814.log ── 00…902.log ── spare-3.tmp    00…0901-0.snap
//	 (covered by the snapshot:   │      └ written to     └ zero-filled, header synced, becomes the next segment
//	  dropped or recycled)       └ full
//
// Who does what: the goroutine that holds the shard's lock appends. One background goroutine of Local syncs what Append does
// not sync itself. Preparing a spare segment takes a goroutine of its own, for a moment. A snapshot is written by the
// goroutine that began it. Log.mu guards the log's fields and is never held during a sync; Log.syncMu, taken first, is.
//
// What a crash may leave: a frame of the log is either known to be synced (a later frame, a mark or a snapshot says so), or
// it may be missing, whole or in part, with any subset of the unsynced frames after it still there. Recovery keeps the longest
// intact prefix. If anything readable says that the next frame was synced, it is damage, and Open refuses.
//
// A failed write or sync ends the log for good (ErrFailed): the kernel may have dropped the data and will report success the
// next time. Neither a snapshot's file nor the preparation of a segment that no frame is in yet counts as such.
package aof
