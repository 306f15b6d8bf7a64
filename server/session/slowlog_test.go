package session

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSlowlogKeepsTheNewest(t *testing.T) {
	n := newTestNode()
	s := n.testJoin()
	s.Name = "me"
	set(t, n, "slowlog-max-len", "3")
	for i := range 5 {
		n.Slowlog.Add(n, s, bytesOf("GET", fmt.Sprint(i)), time.Duration(i)*time.Millisecond, 1_700_000_000_999)
	}
	list := n.Slowlog.Get(-1)
	if n.Slowlog.Len() != 3 || len(list) != 3 || list[0].ID != 4 || list[2].ID != 2 || len(n.Slowlog.Get(2)) != 2 || len(n.Slowlog.Get(10)) != 3 || len(n.Slowlog.Get(0)) != 0 {
		t.Errorf("%+v", list)
	}
	e := list[0]
	if e.UnixSec != 1_700_000_000 || e.Micros != 4000 || e.Addr != "127.0.0.1:40000" || e.Name != "me" || e.Argc != 2 || string(e.Args[1]) != "4" {
		t.Errorf("%+v", e)
	}
	n.Slowlog.Reset()
	n.Slowlog.Add(n, s, bytesOf("PING"), 0, 0)
	if list := n.Slowlog.Get(-1); len(list) != 1 || list[0].ID != 5 {
		t.Errorf("after RESET: %+v", list)
	}
	set(t, n, "slowlog-max-len", "0")
	n.Slowlog.Add(n, s, bytesOf("PING"), 0, 0)
	if n.Slowlog.Len() != 0 {
		t.Error("slowlog-max-len 0 keeps nothing")
	}
}

func TestSlowlogCutsArguments(t *testing.T) {
	n := newTestNode()
	s := n.testJoin()
	args := bytesOf("XADD", strings.Repeat("x", 130), strings.Repeat("y", 128))
	for range 40 {
		args = append(args, []byte("a"))
	}
	n.Slowlog.Add(n, s, args, 0, 0)
	e := n.Slowlog.Get(1)[0]
	want(t, "long", string(e.Args[1]), strings.Repeat("x", 128)+"... (2 more bytes)")
	want(t, "just short enough", string(e.Args[2]), strings.Repeat("y", 128))
	want(t, "last", string(e.Args[31]), "... (12 more arguments)")
	if len(e.Args) != 32 || e.Argc != 43 {
		t.Errorf("%d of %d arguments", len(e.Args), e.Argc)
	}
}

func TestRedact(t *testing.T) {
	tests := [][2]string{
		{"auth pw", "auth (redacted)"},
		{"AUTH user pw", "AUTH (redacted) (redacted)"},
		{"HELLO 3 AUTH user pw SETNAME n", "HELLO 3 AUTH (redacted) (redacted) SETNAME n"},
		{"HELLO 3 SETNAME auth", "HELLO 3 SETNAME auth"},
		{"CONFIG SET maxmemory 1 requirepass pw", "CONFIG SET maxmemory 1 requirepass (redacted)"},
		{"CONFIG GET requirepass", "CONFIG GET requirepass"},
		{"ACL SETUSER bob >pw", "ACL SETUSER (redacted) (redacted)"},
		{"SET auth pw", "SET auth pw"},
		{"PING", "PING"},
	}
	for _, tt := range tests {
		args := bytesOf(strings.Fields(tt[0])...)
		var words []string
		for _, arg := range Redact(args, nil) {
			words = append(words, string(arg))
		}
		want(t, tt[0], strings.Join(words, " "), tt[1])
		if string(args[len(args)-1]) != tt[0][strings.LastIndexByte(tt[0], ' ')+1:] {
			t.Errorf("%s: the caller's arguments changed", tt[0])
		}
	}
}

func TestMonitorLines(t *testing.T) {
	n := newTestNode()
	m, other, s := n.testJoin(), n.testJoin(), n.testJoin()
	if !n.Monitors.Add(m) || n.Monitors.Add(m) || !n.Monitors.Add(other) {
		t.Error("Add must tell who is new")
	}
	s.DB = 9
	n.FeedMonitors(s, bytesOf("set", "k\n\"", "\x00é"), false, 1_700_000_000_042_007)
	line := "+1700000000.042007 [9 127.0.0.1:40002] \"set\" \"k\\n\\\"\" \"\\x00\\xc3\\xa9\"\r\n"
	want(t, "line", got(n, m), line)
	want(t, "line of the other", got(n, other), line)
	n.FeedMonitors(s, bytesOf("config", "get", "*"), true, 0)
	want(t, "an administrative command", got(n, m), "")
	s.Unix = true
	n.FeedMonitors(s, bytesOf("AUTH", "secret"), false, 1_000_000)
	want(t, "secret", got(n, m), "+1.000000 [9 unix:127.0.0.1:6379] \"AUTH\" \"(redacted)\"\r\n")
	n.Monitors.Drop(m)
	n.Monitors.Drop(m)
	n.FeedMonitors(s, bytesOf("PING"), false, 1_000_000)
	want(t, "no monitor any more", got(n, m), "")
	if m.Monitor || len(n.Monitors.All()) != 1 {
		t.Error("m is still a monitor")
	}
}

func TestLatency(t *testing.T) {
	l := newLatency()
	l.Add("command", 10_000, 5)
	l.Add("command", 10_500, 9)
	l.Add("command", 10_900, 7)
	for i := range int64(200) {
		l.Add("fork", (20+i)*1000, i%50)
	}
	if h := l.History("command"); len(h) != 1 || h[0] != (LatencySample{10, 9}) {
		t.Errorf("one second, one sample: %v", h)
	}
	if h := l.History("fork"); len(h) != latencySamples || h[0] != (LatencySample{60, 40}) || h[159] != (LatencySample{219, 49}) {
		t.Errorf("%d samples, %v … %v", len(h), h[0], h[len(h)-1])
	}
	want(t, "latest", fmt.Sprint(l.Latest()), "[{command {10 9} 9 1} {fork {219 49} 49 160}]")
	if l.History("none") != nil || l.Reset("none") || !l.Reset("command") || l.ResetAll() != 1 || len(l.Latest()) != 0 {
		t.Error("reset")
	}
}
