// Package machine is the state machine: the keyspace with its streams and strings, and every change to it.
//
//	Op ──▶ Apply ──▶ reply, Result, events       the same for live traffic, replay and followers
//	Op ──▶ Query ──▶ reply                       changes nothing
//
// Apply is a function of (state, op): no clock, no randomness, no I/O, no map order. Time and the decision that a key has
// expired come with the op. An op that fails changes nothing.
//
// Op and Kind (op.go) are the contract with those who parse commands, the codec (codec.go) turns ops into bytes of the log and
// back, docs/format/ops.md describes them. Freeze (snapshot.go) takes an image of the whole state without a pause:
//
//	Freeze ─▶ Step, Take … under the lock, between rounds ─▶ Encoder on another goroutine ─▶ docs/format/state.md
//
// A long reply is put off where it is cut (rest.go): what is missing reads images like those of a snapshot.
//
// Nothing here locks: a Machine and its unfinished Image belong to whoever holds the shard's lock. What Take returned belongs
// to the taker and may be encoded elsewhere meanwhile.
package machine
