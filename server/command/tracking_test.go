package command

import (
	"strings"
	"testing"
)

func TestTrackingErrors(t *testing.T) {
	r := newRig(t)
	r.client("b")
	const (
		switchBcast = "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
		switchOpt   = "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
		overlaps    = "Prefixes for a single client must not overlap."
	)
	r.talk([][3]string{
		{"a", "CLIENT TRACKING", "-ERR wrong number of arguments for 'client|tracking' command"},
		{"a", "CLIENT TRACKING maybe", "-ERR syntax error"},
		{"a", "CLIENT TRACKING ON FOO", "-ERR syntax error"},
		{"a", "CLIENT TRACKING ON PREFIX", "-ERR syntax error"},
		{"a", "CLIENT TRACKING maybe REDIRECT 99", "-ERR The client ID you want redirect to does not exist"},
		{"a", "CLIENT TRACKING ON REDIRECT x", "-ERR value is not an integer or out of range"},
		{"a", "CLIENT TRACKING ON REDIRECT 1 REDIRECT 1", "-ERR A client can only redirect to a single other client"},
		{"a", "CLIENT TRACKING ON PREFIX p", "-ERR PREFIX option requires BCAST mode to be enabled"},
		{"a", "CLIENT TRACKING ON BCAST OPTIN", "-ERR OPTIN and OPTOUT are not compatible with BCAST"},
		{"a", "CLIENT TRACKING ON OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode"},
		{"a", "CLIENT TRACKING ON BCAST PREFIX st PREFIX s", "-ERR Prefix 'st' overlaps with another provided prefix 's'. " + overlaps},
		{"a", "CLIENT TRACKING ON BCAST PREFIX s", "+OK"},
		{"a", "CLIENT TRACKING ON BCAST PREFIX t PREFIX st", "-ERR Prefix 'st' overlaps with an existing prefix 's'. " + overlaps},
		{"a", "CLIENT TRACKING ON BCAST PREFIX t", "+OK"},
		{"a", "CLIENT TRACKING ON", switchBcast},
		{"a", "CLIENT TRACKING OFF", "+OK"},
		{"a", "CLIENT TRACKING ON OPTIN", "+OK"},
		{"a", "CLIENT TRACKING ON OPTOUT", switchOpt},
		{"a", "CLIENT TRACKING ON BCAST", switchBcast},
		{"a", "CLIENT TRACKING OFF", "+OK"},
		{"a", "CLIENT TRACKING ON OPTOUT", "+OK"},
		{"a", "CLIENT TRACKING ON OPTIN", switchOpt},
	}...)
}

func TestTrackingInfoAndCaching(t *testing.T) {
	r := newRig(t)
	const mode = "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
	r.client("b")
	r.talk([][3]string{
		{"a", "CLIENT TRACKINGINFO", "*6·$5·flags·*1·$3·off·$8·redirect·:-1·$8·prefixes·*0"},
		{"B", "CLIENT TRACKINGINFO", "%3·$5·flags·~1·$3·off·$8·redirect·:-1·$8·prefixes·*0"},
		{"a", "CLIENT CACHING maybe", mode},
		{"a", "CLIENT TRACKING ON", "+OK"},
		{"a", "CLIENT GETREDIR", ":0"},
		{"a", "CLIENT CACHING YES", "-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."},
		{"a", "CLIENT CACHING NO", "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."},
		{"a", "CLIENT CACHING maybe", "-ERR syntax error"},
		{"a", "CLIENT TRACKING ON OPTIN NOLOOP REDIRECT 1", "+OK"},
		{"a", "CLIENT GETREDIR", ":1"},
		{"a", "CLIENT CACHING YES", "+OK"},
		{"a", "CLIENT TRACKINGINFO", "*6·$5·flags·*4·$2·on·$5·optin·$11·caching-yes·$6·noloop·$8·redirect·:1·$8·prefixes·*0"},
		{"a", "PING", "+PONG"},
		{"a", "CLIENT TRACKINGINFO", "*6·$5·flags·*3·$2·on·$5·optin·$6·noloop·$8·redirect·:1·$8·prefixes·*0"},
		{"a", "CLIENT TRACKING OFF", "+OK"},
		{"a", "CLIENT TRACKING ON OPTOUT", "+OK"},
		{"a", "CLIENT CACHING NO", "+OK"},
		{"a", "CLIENT TRACKINGINFO", "*6·$5·flags·*3·$2·on·$6·optout·$10·caching-no·$8·redirect·:0·$8·prefixes·*0"},
		{"a", "CLIENT TRACKING OFF", "+OK"},
		{"a", "CLIENT TRACKING ON BCAST PREFIX z PREFIX a", "+OK"},
		{"a", "CLIENT TRACKINGINFO", "*6·$5·flags·*2·$2·on·$5·bcast·$8·redirect·:0·$8·prefixes·*2·$1·a·$1·z"},
	}...)
}

// A library of RESP2 listens on a second connection.
func TestTrackingThroughASecondConnection(t *testing.T) {
	r := newRig(t)
	r.talk([][3]string{
		{"listener", "CLIENT ID", ":1"},
		{"listener", "SUBSCRIBE __redis__:invalidate", "*3·$9·subscribe·$20·__redis__:invalidate·:1"},
		{"a", "CLIENT TRACKING ON REDIRECT 1", "+OK"},
	}...)
	r.node.Tracking.Remember(r.client("a"), words("k"))
	r.node.Tracking.Changed([]byte("k"), r.client("a"))
	r.talk([][3]string{
		{"listener", "", "*3·$7·message·$20·__redis__:invalidate·*1·$1·k"},
		{"b", "CLIENT KILL ID 1", ":1"},
	}...)
	r.node.Tracking.Remember(r.client("a"), words("k"))
	r.node.Tracking.Changed([]byte("k"), nil)
	if got := r.do("a", "CLIENT TRACKINGINFO"); !strings.Contains(got, "$15·broken_redirect·$8·redirect·:1") {
		t.Errorf("got %s", got)
	}
}
