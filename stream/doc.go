// Package stream holds the entries of one stream: append, delete, trim, range reads, the counters XINFO shows, and the
// memory of idempotent producers. Groups live in package groups.
//
// Entries are packed into blocks. Sealed blocks sit in a B-tree keyed by the id of their first entry; the block still being
// written, the tail, is kept beside the tree, so that an append looks nothing up and a small stream has no tree at all:
//
//	Stream ─ tree ─▶ block block block …   sealed: only delete flags and the start offset still change
//	       ├ tail ─▶ block                 appended to
//	       ├ nodes ▶ Redis's nodes         what "~" trimming and radix-tree-keys are defined on
//	       └ idmp ─▶ producers             iids of XADD IDMP
//
// Nodes are Redis's, not ours: their boundaries follow from what was appended, byte for byte, and have nothing to do with
// the layout of blocks.
//
// # Who may touch a stream
//
// A Stream has no lock: whoever holds the shard's lock may use it. Freeze makes an image that another goroutine may read
// without the lock while the stream goes on; they share what neither changes any more. Who may change what is told by
// epochs: a stream changes a block, a buffer or a chunk of nodes in place only if it carries the stream's own epoch, else it
// copies it first. Freeze raises the epoch of both sides, so all they share carries a lower one.
//
// What comes out of a stream is a function of the calls made on it. The packed form is one as well: the same calls give the
// same bytes in Encode, whether or not the stream was frozen, cloned or restored on the way.
package stream
