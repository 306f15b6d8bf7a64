package aof

// Journal puts one shard's frames in order and makes them durable. Append is called by one goroutine at a time, in the order
// of application; the other methods may be called from any.
type Journal interface {
	// Append takes a frame whose first HeaderSize bytes are free and returns the index whose durability releases the round's
	// replies. After an error the frame may or may not survive a restart: nobody may be told that it was done, and no later
	// Append succeeds. ErrTooLarge alone means that nothing happened.
	Append(frame []byte) (index uint64, err error)
	// Durable is the watermark: the index up to which replies may leave. It never goes back.
	Durable() uint64
	// Ready says why a write should be refused before it is carried out, or returns nil.
	Ready() error
	// Flush returns once everything appended before is as safe as this journal can make it.
	Flush() error
	// Close flushes and ends the journal. It may be called twice.
	Close() error
}
