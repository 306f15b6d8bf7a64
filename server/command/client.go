package command

import (
	"math"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

// Errors of CLIENT.
const (
	errNoSuchClient  resp.Error = "ERR No such client"
	errClientID      resp.Error = "ERR Invalid client ID"
	errClientIDRange resp.Error = "ERR client-id should be greater than 0"
	errMaxAgeInteger resp.Error = "ERR maxage is not an integer or out of range"
	errMaxAgeRange   resp.Error = "ERR maxage should be greater than 0"
	errUnblockReason resp.Error = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
	errPauseMode     resp.Error = "ERR CLIENT PAUSE mode must be WRITE or ALL"
)

func clientRows() []Spec {
	open := NoScript | Loading | Stale
	admin := Admin | open
	settled := []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	fleeting := []string{"nondeterministic_output"}
	types := "<NORMAL | MASTER | REPLICA | PUBSUB>"
	rows := []Spec{
		{Name: "client", Arity: -2, Since: "2.4.0", Container: true, Summary: "A container for client connection commands.", Complexity: "Depends on subcommand."},
		{Name: "client|caching", Arity: 3, Flags: open, Since: "6.0.0", Args: "<YES | NO>",
			Summary: "Instructs the server whether to track the keys in the next request.", Local: clientCaching},
		{Name: "client|getname", Arity: 2, Flags: open, Since: "2.6.9", Summary: "Returns the name of the connection.", Local: clientGetName},
		{Name: "client|getredir", Arity: 2, Flags: open, Since: "6.0.0",
			Summary: "Returns the client ID to which the connection's tracking notifications are redirected.",
			Local:   func(c *Ctx) { c.W.Int(c.S.Track.Redirect()) }},
		helpRow("client", "connection", "5.0.0", CatConnection),
		{Name: "client|id", Arity: 2, Flags: open, Since: "5.0.0", Summary: "Returns the unique client ID of the connection.",
			Local: func(c *Ctx) { c.W.Int(c.S.ID) }},
		{Name: "client|info", Arity: 2, Flags: open, Since: "6.2.0", Tips: fleeting, Summary: "Returns information about the connection.", Local: clientInfo},
		{Name: "client|kill", Arity: -3, Flags: admin, Since: "2.4.0",
			Args:    "<ip:port | [ID client-id] [TYPE " + types + "] [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME <YES | NO>] [MAXAGE maxage]>",
			Summary: "Terminates open connections.", Complexity: "O(N) where N is the number of client connections", Local: clientKill},
		{Name: "client|list", Arity: -2, Flags: admin, Since: "2.4.0", Tips: fleeting, Args: "[TYPE " + types + "] [ID client-id [client-id ...]]",
			Summary: "Lists open connections.", Complexity: "O(N) where N is the number of client connections", Local: clientList},
		{Name: "client|no-evict", Arity: 3, Flags: admin, Since: "7.0.0", Args: "<ON | OFF>", Summary: "Sets the client eviction mode of the connection.",
			Local: func(c *Ctx) { onOff(c, &c.S.NoEvict) }},
		{Name: "client|no-touch", Arity: 3, Flags: open, Since: "7.2.0", Args: "<ON | OFF>",
			Summary: "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
			Local:   func(c *Ctx) { onOff(c, &c.S.NoTouch) }},
		{Name: "client|pause", Arity: -3, Flags: admin, Since: "3.0.0", Args: "timeout [WRITE | ALL]", Summary: "Suspends commands processing.", Local: clientPause},
		{Name: "client|reply", Arity: 3, Flags: open, Since: "3.2.0", Args: "<ON | OFF | SKIP>", Summary: "Instructs the server whether to reply to commands.", Local: clientReply},
		{Name: "client|setinfo", Arity: 4, Flags: open, Since: "7.2.0", Tips: settled, Args: "<LIB-NAME libname | LIB-VER libver>",
			Summary: "Sets information specific to the client or connection.", Local: clientSetInfo},
		{Name: "client|setname", Arity: 3, Flags: open, Since: "2.6.9", Tips: settled, Args: "connection-name", Summary: "Sets the connection name.", Local: clientSetName},
		{Name: "client|tracking", Arity: -3, Flags: open, Since: "6.0.0",
			Args:    "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
			Summary: "Controls server-assisted client-side caching for the connection.", Complexity: "O(1). Some options may introduce additional complexity.", Local: clientTracking},
		{Name: "client|trackinginfo", Arity: 2, Flags: open, Since: "6.2.0",
			Summary: "Returns information about server-assisted client-side caching for the connection.", Local: clientTrackingInfo},
		{Name: "client|unblock", Arity: -3, Flags: admin, Since: "5.0.0", Args: "client-id [TIMEOUT | ERROR]",
			Summary: "Unblocks a client blocked by a blocking command from a different connection.", Complexity: "O(log N) where N is the number of client connections", Local: clientUnblock},
		{Name: "client|unpause", Arity: 2, Flags: admin, Since: "6.2.0", Summary: "Resumes processing commands from paused clients.",
			Complexity: "O(N) Where N is the number of paused clients", Local: clientUnpause},
	}
	for i := range rows {
		rows[i].Group = "connection"
		if !rows[i].Container {
			rows[i].Cats = CatConnection
		}
		if rows[i].Complexity == "" {
			rows[i].Complexity = "O(1)"
		}
	}
	return rows
}

func clientGetName(c *Ctx) {
	if c.S.Name == "" {
		c.W.Null()
		return
	}
	c.W.BulkString(c.S.Name)
}

func clientSetName(c *Ctx) {
	if !plainText(c.Args[2]) {
		c.W.Error(errClientName)
		return
	}
	c.S.Name = string(c.Args[2])
	c.W.OK()
}

func clientSetInfo(c *Ctx) {
	attribute, value := c.Args[2], c.Args[3]
	var field *string
	switch {
	case resp.Is(attribute, "LIB-NAME"):
		field = &c.S.LibName
	case resp.Is(attribute, "LIB-VER"):
		field = &c.S.LibVer
	default:
		c.W.Error(resp.Error("ERR Unrecognized option '" + string(attribute) + "'"))
		return
	}
	if !plainText(value) {
		c.W.Error(resp.Error("ERR " + string(attribute) + " cannot contain spaces, newlines or special characters."))
		return
	}
	*field = string(value)
	c.W.OK()
}

func clientInfo(c *Ctx) {
	line := c.S.AppendLine(nil, c.Node.Host.NowMS())
	c.W.Verbatim(string(append(line, '\n')))
}

func clientList(c *Ctx) {
	var filter session.Filter
	nowMS := c.Node.Host.NowMS()
	var text []byte
	switch {
	case len(c.Args) == 2:
	case len(c.Args) == 4 && resp.Is(c.Args[2], "TYPE"):
		var ok bool
		if filter.Type, ok = clientType(c.Args[3]); !ok {
			c.W.Error(unknownClientType(c.Args[3]))
			return
		}
	case len(c.Args) > 3 && resp.Is(c.Args[2], "ID"):
		for _, arg := range c.Args[3:] {
			id, ok := resp.ParseInt(arg)
			if !ok {
				c.W.Error(errClientID)
				return
			}
			if s := c.Node.Clients.Get(id); s != nil {
				text = append(s.AppendLine(text, nowMS), '\n')
			}
		}
		c.W.Verbatim(string(text))
		return
	default:
		c.W.Error(resp.ErrSyntax)
		return
	}
	for _, s := range c.Node.Clients.All() {
		if filter.Match(s, nowMS) {
			text = append(s.AppendLine(text, nowMS), '\n')
		}
	}
	c.W.Verbatim(string(text))
}

// clientType reads a type of clients.
func clientType(word []byte) (string, bool) {
	switch {
	case resp.Is(word, "NORMAL"):
		return session.TypeNormal, true
	case resp.Is(word, "PUBSUB"):
		return session.TypePubSub, true
	case resp.Is(word, "MASTER"):
		return session.TypeMaster, true
	case resp.Is(word, "REPLICA"), resp.Is(word, "SLAVE"):
		return session.TypeReplica, true
	}
	return "", false
}

func unknownClientType(word []byte) resp.Error {
	return resp.Error("ERR Unknown client type '" + string(word) + "'")
}

// clientKill closes the connections that match. The caller's own is closed only after the reply.
func clientKill(c *Ctx) {
	var filter session.Filter
	old := len(c.Args) == 3
	if old {
		filter.Addr = string(c.Args[2])
	} else if err := parseKillFilter(c, &filter); err != nil {
		c.W.Error(err)
		return
	}
	nowMS := c.Node.Host.NowMS()
	killed := 0
	for _, s := range c.Node.Clients.All() {
		if !filter.Match(s, nowMS) {
			continue
		}
		killed++
		if s == c.S {
			s.CloseAfter = true
		} else {
			c.Node.Kill(s, "closed by CLIENT KILL")
		}
	}
	switch {
	case !old:
		c.W.Int(int64(killed))
	case killed == 0:
		c.W.Error(errNoSuchClient)
	default:
		c.W.OK()
	}
}

// parseKillFilter reads the filters of the new form of CLIENT KILL, which come in pairs; the last of a kind counts.
func parseKillFilter(c *Ctx, f *session.Filter) error {
	f.Except = c.S
	for o := from(c.Args, 2); o.more(); {
		switch {
		case o.keyword("ID", 1):
			id, ok := resp.ParseInt(o.next())
			if !ok || id < 1 {
				return errClientIDRange
			}
			f.ID = id
		case o.keyword("TYPE", 1):
			word := o.next()
			kind, ok := clientType(word)
			if !ok {
				return unknownClientType(word)
			}
			f.Type = kind
		case o.keyword("USER", 1):
			if f.User = string(o.next()); f.User != session.DefaultUser {
				return resp.Error("ERR No such user '" + f.User + "'")
			}
		case o.keyword("ADDR", 1):
			f.Addr = string(o.next())
		case o.keyword("LADDR", 1):
			f.LAddr = string(o.next())
		case o.keyword("SKIPME", 1):
			switch word := o.next(); {
			case resp.Is(word, "YES"):
				f.Except = c.S
			case resp.Is(word, "NO"):
				f.Except = nil
			default:
				return resp.ErrSyntax
			}
		case o.keyword("MAXAGE", 1):
			age, ok := resp.ParseInt(o.next())
			if !ok {
				return errMaxAgeInteger
			}
			if age <= 0 {
				return errMaxAgeRange
			}
			f.MinAgeSecs = age
		default:
			return resp.ErrSyntax
		}
	}
	return nil
}

func clientUnblock(c *Ctx) {
	var reason error
	switch {
	case len(c.Args) > 4:
		c.W.Error(badSubcommand(c.Args))
		return
	case len(c.Args) < 4 || resp.Is(c.Args[3], "TIMEOUT"):
	case resp.Is(c.Args[3], "ERROR"):
		reason = resp.ErrUnblocked
	default:
		c.W.Error(errUnblockReason)
		return
	}
	id, ok := resp.ParseInt(c.Args[2])
	if !ok {
		c.W.Error(resp.ErrNotInteger)
		return
	}
	s := c.Node.Clients.Get(id)
	c.W.Bool(s != nil && c.Node.Host.Unblock(s, reason))
}

// clientPause begins a pause or extends the one under way, which it never makes shorter or milder.
func clientPause(c *Ctx) {
	all := true
	switch {
	case len(c.Args) > 4:
		c.W.Error(badSubcommand(c.Args))
		return
	case len(c.Args) < 4 || resp.Is(c.Args[3], "ALL"):
	case resp.Is(c.Args[3], "WRITE"):
		all = false
	default:
		c.W.Error(errPauseMode)
		return
	}
	nowMS := c.Node.Host.NowMS()
	ms, ok := resp.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.W.Error(resp.ErrTimeoutInteger)
		return
	case ms < 0:
		c.W.Error(resp.ErrTimeoutNegative)
		return
	case ms > math.MaxInt64-nowMS:
		c.W.Error(resp.ErrTimeoutRange)
		return
	}
	p := &c.Node.Pause
	if p.UntilMS <= nowMS {
		*p = session.Pause{}
	}
	if ms > 0 {
		p.UntilMS = max(p.UntilMS, nowMS+ms)
		p.All = p.All || all
	}
	c.W.OK()
}

func clientUnpause(c *Ctx) {
	c.Node.Pause = session.Pause{}
	c.Node.Host.Resume()
	c.W.OK()
}

// clientReply sets what becomes of replies; the shard drops them. SKIP means nothing while replies are off.
func clientReply(c *Ctx) {
	switch word := c.Args[2]; {
	case resp.Is(word, "ON"):
		c.S.ReplyOff, c.S.SkipNext, c.S.Skipping = false, false, false
		c.W.OK()
	case resp.Is(word, "OFF"):
		c.S.ReplyOff = true
	case resp.Is(word, "SKIP"):
		c.S.SkipNext = !c.S.ReplyOff
	default:
		c.W.Error(resp.ErrSyntax)
	}
}

// onOff sets flag from the word ON or OFF.
func onOff(c *Ctx, flag *bool) {
	switch word := c.Args[2]; {
	case resp.Is(word, "ON"):
		*flag = true
	case resp.Is(word, "OFF"):
		*flag = false
	default:
		c.W.Error(resp.ErrSyntax)
		return
	}
	c.W.OK()
}
