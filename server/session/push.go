package session

import "github.com/streamd/streamd/resp"

// pushes are frames on their way to sessions, in the order they came about. They wait until the command under way is done,
// so that none lands inside a reply: neither inside that of the session which caused it nor of one that is being woken.
type pushes struct {
	w    resp.Writer // holds the frames; always RESP2, so a push begins with '*'
	list []push
}

// push is one frame for one session; many may share the bytes.
type push struct {
	to        *Session
	from, end int
}

// begin returns the place where the next frame starts; it is then written to w.
func (p *pushes) begin() int { return len(p.w.Buf) }

// send queues the frame that w holds from from on.
func (p *pushes) send(s *Session, from int) {
	p.list = append(p.list, push{s, from, len(p.w.Buf)})
}

// maxKeptPushes bounds the room kept for the next round.
const maxKeptPushes = 1 << 20

// deliver hands the frames to their sessions.
func (p *pushes) deliver() {
	if len(p.list) == 0 {
		return
	}
	for i := 0; i < len(p.list); i++ {
		at := &p.list[i]
		if at.to.Closed {
			continue
		}
		start := len(at.to.W.Buf)
		at.to.W.Raw(p.w.Buf[at.from:at.end])
		if at.to.W.RESP3 && at.to.W.Buf[start] == '*' {
			at.to.W.Buf[start] = '>'
		}
		at.to.Conn.Flush()
	}
	clear(p.list)
	p.list = p.list[:0]
	if cap(p.w.Buf) > maxKeptPushes {
		p.w.Buf = nil
	}
	p.w.Buf = p.w.Buf[:0]
}
