package command

import (
	"fmt"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

// Errors of CLIENT TRACKING and CLIENT CACHING.
const (
	errTwoRedirects   resp.Error = "ERR A client can only redirect to a single other client"
	errNoRedirect     resp.Error = "ERR The client ID you want redirect to does not exist"
	errPrefixBcast    resp.Error = "ERR PREFIX option requires BCAST mode to be enabled"
	errSwitchBcast    resp.Error = "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
	errOptBcast       resp.Error = "ERR OPTIN and OPTOUT are not compatible with BCAST"
	errOptBoth        resp.Error = "ERR You can't specify both OPTIN mode and OPTOUT mode"
	errSwitchOpt      resp.Error = "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
	errCachingMode    resp.Error = "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
	errCachingOptIn   resp.Error = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
	errCachingOptOut  resp.Error = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
	errPrefixExisting            = "ERR Prefix '%s' overlaps with an existing prefix '%s'. Prefixes for a single client must not overlap."
	errPrefixProvided            = "ERR Prefix '%s' overlaps with another provided prefix '%s'. Prefixes for a single client must not overlap."
)

func clientTracking(c *Ctx) {
	options, err := parseTracking(c)
	switch {
	case err != nil:
		c.W.Error(err)
		return
	case resp.Is(c.Args[2], "ON"):
		if err := checkTracking(c.S, &options); err != nil {
			c.W.Error(err)
			return
		}
		c.Node.Tracking.Enable(c.S, options)
	case resp.Is(c.Args[2], "OFF"):
		c.Node.Tracking.Disable(c.S)
	default:
		c.W.Error(resp.ErrSyntax)
		return
	}
	c.W.OK()
}

// parseTracking reads the options, which are checked even when they go with OFF.
func parseTracking(c *Ctx) (t session.TrackOptions, err error) {
	for o := from(c.Args, 3); o.more(); {
		switch {
		case o.keyword("REDIRECT", 1):
			if t.Redirect != 0 {
				return t, errTwoRedirects
			}
			if t.Redirect, err = o.integer(); err != nil {
				return t, err
			}
			if c.Node.Clients.Get(t.Redirect) == nil {
				return t, errNoRedirect
			}
		case o.keyword("BCAST", 0):
			t.Bcast = true
		case o.keyword("OPTIN", 0):
			t.OptIn = true
		case o.keyword("OPTOUT", 0):
			t.OptOut = true
		case o.keyword("NOLOOP", 0):
			t.NoLoop = true
		case o.keyword("PREFIX", 1):
			t.Prefixes = append(t.Prefixes, string(o.next()))
		default:
			return t, resp.ErrSyntax
		}
	}
	return t, nil
}

// checkTracking finds options that contradict each other or the mode s is in.
func checkTracking(s *session.Session, t *session.TrackOptions) error {
	now := s.Track.Options()
	switch {
	case !t.Bcast && len(t.Prefixes) > 0:
		return errPrefixBcast
	case s.Track.On() && now.Bcast != t.Bcast:
		return errSwitchBcast
	case t.Bcast && (t.OptIn || t.OptOut):
		return errOptBcast
	case t.OptIn && t.OptOut:
		return errOptBoth
	case t.OptIn && now.OptOut || t.OptOut && now.OptIn:
		return errSwitchOpt
	}
	for i, prefix := range t.Prefixes {
		for _, other := range s.Track.Prefixes() {
			if session.Overlap(prefix, other) {
				return resp.Error(fmt.Sprintf(errPrefixExisting, prefix, other))
			}
		}
		for _, other := range t.Prefixes[i+1:] {
			if session.Overlap(prefix, other) {
				return resp.Error(fmt.Sprintf(errPrefixProvided, prefix, other))
			}
		}
	}
	return nil
}

func clientTrackingInfo(c *Ctx) {
	t := &c.S.Track
	options := t.Options()
	flags := make([]string, 0, 8)
	for _, f := range [...]struct {
		set  bool
		name string
	}{
		{!t.On(), "off"}, {t.On(), "on"}, {options.Bcast, "bcast"},
		{options.OptIn, "optin"}, {options.OptIn && t.Caching(), "caching-yes"},
		{options.OptOut, "optout"}, {options.OptOut && t.Caching(), "caching-no"},
		{options.NoLoop, "noloop"}, {t.Broken(), "broken_redirect"},
	} {
		if f.set {
			flags = append(flags, f.name)
		}
	}
	w := c.W
	w.Map(3)
	w.BulkString("flags")
	w.Set(len(flags))
	for _, name := range flags {
		w.BulkString(name)
	}
	w.BulkString("redirect")
	w.Int(t.Redirect())
	w.BulkString("prefixes")
	writeNames(w, t.Prefixes())
}

// clientCaching includes the next command in tracking (OPTIN) or exempts it (OPTOUT).
func clientCaching(c *Ctx) {
	options := c.S.Track.Options()
	var err error
	switch {
	case !c.S.Track.On():
		err = errCachingMode
	case resp.Is(c.Args[2], "YES"):
		if !options.OptIn {
			err = errCachingOptIn
		}
	case resp.Is(c.Args[2], "NO"):
		if !options.OptOut {
			err = errCachingOptOut
		}
	default:
		err = resp.ErrSyntax
	}
	if err != nil {
		c.W.Error(err)
		return
	}
	c.S.Track.SetCaching()
	c.W.OK()
}
