package session

import "strconv"

// sessionBytes is about what a session without buffers takes.
const sessionBytes = 1024

// AppendLine appends the description of s that CLIENT LIST and CLIENT INFO show, without the newline: fields as of 8.8.
func (s *Session) AppendLine(b []byte, nowMS int64) []byte {
	query, queryFree, output := s.Conn.Buffers()
	output += len(s.W.Buf)
	room := cap(s.W.Buf)
	total := sessionBytes + query + queryFree + room + s.QueueBytes
	multi := -1
	if s.Multi {
		multi = len(s.Queue)
	}
	events := "r"
	if output > 0 {
		events = "rw"
	}
	last := s.LastCommand
	if last == "" {
		last = "NULL"
	}
	protocol := int64(2)
	if s.W.RESP3 {
		protocol = 3
	}
	b = number(b, "id=", s.ID)
	b = text(b, " addr=", s.Conn.RemoteAddr())
	b = text(b, " laddr=", s.Conn.LocalAddr())
	b = number(b, " fd=", int64(s.Conn.FD()))
	b = text(b, " name=", s.Name)
	b = number(b, " age=", max(nowMS-s.CreatedMS, 0)/1000)
	b = number(b, " idle=", max(nowMS-s.LastMS, 0)/1000)
	b = s.appendFlags(append(b, " flags="...))
	b = number(b, " db=", int64(s.DB))
	b = number(b, " sub=", int64(s.Subs.Channels()))
	b = number(b, " psub=", int64(s.Subs.Patterns()))
	b = number(b, " ssub=", int64(s.Subs.ShardChannels()))
	b = number(b, " multi=", int64(multi))
	b = number(b, " watch=", int64(len(s.Watching)))
	b = number(b, " qbuf=", int64(query))
	b = number(b, " qbuf-free=", int64(queryFree))
	b = number(b, " argv-mem=", 0)
	b = number(b, " multi-mem=", int64(s.QueueBytes))
	b = number(b, " rbs=", int64(room))
	b = number(b, " rbp=", int64(room))
	b = number(b, " obl=", int64(output))
	b = append(b, " oll=0 omem=0"...)
	b = number(b, " tot-mem=", int64(total))
	b = text(b, " events=", events)
	b = text(b, " cmd=", last)
	b = text(b, " user=", s.User)
	b = number(b, " redir=", s.Track.Redirect())
	b = number(b, " resp=", protocol)
	b = text(b, " lib-name=", s.LibName)
	b = text(b, " lib-ver=", s.LibVer)
	b = number(b, " io-thread=", 0)
	b = number(b, " tot-net-in=", s.NetIn)
	b = number(b, " tot-net-out=", s.NetOut)
	b = number(b, " tot-cmds=", s.Commands)
	return append(b, " read-events=0 parse-batch-cmd-sum=0 parse-batch-cnt=0"...)
}

// appendFlags appends the letters of what s is and does, N if nothing is special.
func (s *Session) appendFlags(b []byte) []byte {
	before := len(b)
	for _, f := range [...]struct {
		set    bool
		letter byte
	}{
		{s.Monitor, 'O'},
		{s.Subs.Count() > 0, 'P'},
		{s.Multi, 'x'},
		{s.Blocked || s.Paused, 'b'},
		{s.Track.on, 't'},
		{s.Track.broken, 'R'},
		{s.Track.bcast, 'B'},
		{s.WatchDirty, 'd'},
		{s.CloseAfter, 'c'},
		{s.Unix, 'U'},
		{s.ReadOnly, 'r'},
		{s.NoEvict, 'e'},
		{s.NoTouch, 'T'},
	} {
		if f.set {
			b = append(b, f.letter)
		}
	}
	if len(b) == before {
		b = append(b, 'N')
	}
	return b
}

func number(b []byte, label string, n int64) []byte {
	return strconv.AppendInt(append(b, label...), n, 10)
}

func text(b []byte, label, s string) []byte { return append(append(b, label...), s...) }
