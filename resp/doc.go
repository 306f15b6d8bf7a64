// Package resp is the wire: it reads requests within limits, writes replies in RESP2 and RESP3, and holds the error texts
// that clients see. It also owns what only tools and tests need, a reader of replies and a notation that shows them as text.
//
//	bytes ─▶ Parser ─▶ args (alias the read buffer)        Writer ─▶ bytes
//	bytes ─▶ Reader ─▶ Value ◀─▶ notation                  (tests, tools, peers)
//
// Nothing here is locked: a Parser, a Writer and a Reader belong to the connection that owns them.
package resp
