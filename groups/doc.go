// Package groups keeps the consumer groups of one stream: who read how far, which consumers there are, and which entries
// are delivered but not yet acknowledged (the pending entries; all of a group's are its PEL).
//
//	Set ── groups by name ──▶ Group ── names ──▶ Consumer (small number, pending count, times)
//	                            │
//	                            ├─ tail     the open segment: new deliveries are appended here
//	                            ├─ sealed   btree of full segments by their first id ──▶ segment
//	                            ├─ age      btree of the sealed segments by their oldest delivery time
//	                            └─ zone     the NACKed entries (no owner) in the order they were given back
//
//	segment: up to 256 slots of 16 bytes, sorted by id, without gaps and without pointers
//	         ┌ ms u32 ┬ seq u32 ┬ since u32 ┬ owner 20 bit, count 12 bit ┐   deltas to the segment's bases
//	         what does not fit into a slot (huge counts, far times) goes to the segment's wide table
//
// A group with up to 256 pending entries is one segment and no tree at all. Each segment carries a summary (how many
// entries, the oldest delivery time, a superset of the owners), so that walks by idle time or by consumer pass over whole
// segments.
//
// The package takes no locks and reads no clock: whoever holds the shard's lock calls it, and every time is an argument.
// Its outcomes are a function of the calls made, never of the layout: Encode writes the same bytes for the same content.
//
// Freeze and Clone share everything and copy on the first change. What is changed is recognised by epochs: a Set has a
// current epoch, and a group or segment belongs to the set alone if it was made in that epoch. Therefore a *Group or
// *Consumer obtained from a Set is valid only until the next Freeze or Clone of that Set; get it again by name afterwards.
// A frozen image may be read by another goroutine while the live set goes on.
package groups
