package bench

// script is what one connection says and hears. It keeps the time of its batches itself, as loads differ in what they time.
type script interface {
	// attach tells the script its connection, before anything else.
	attach(e *engine, c *conn)
	// next returns the next batch, which stays as it is until the next call; nothing: there is none now. In a closed loop it is called
	// when the batch before is answered.
	next(now int64) []byte
	// hear checks what has arrived, and returns how much of it needs not be shown again and whether all that was asked is answered.
	hear(now int64, b []byte) (used int, answered bool, err error)
}

// link is the part that all scripts share.
type link struct {
	engine *engine
	conn   *conn
}

func (l *link) attach(e *engine, c *conn) { l.engine, l.conn = e, c }
