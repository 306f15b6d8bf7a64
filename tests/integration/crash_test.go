package integration

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/stream"
)

// killsPerPolicy makes 50 kills in all.
const killsPerPolicy = 25

// TestKillUnderLoad kills the server with SIGKILL while clients of all kinds are at it, and compares what they know with
// what the next server says. The death of the process must lose nothing that was answered, whatever the policy.
func TestKillUnderLoad(t *testing.T) {
	for _, policy := range []string{"always", "everysec"} {
		t.Run(policy, func(t *testing.T) { killUnderLoad(t, policy, killsPerPolicy) })
	}
}

func killUnderLoad(t *testing.T, policy string, kills int) {
	p := startStreamd(t, plainBinary, "--appendfsync", policy, "--stream-idmp-duration", "3600")
	c := p.client()
	for _, s := range plainStreams {
		c.want("+OK", "XGROUP", "CREATE", s, "g", "0", "MKSTREAM")
	}
	l := newLoad(p)
	v := &verdict{
		lastDelivered: map[string]stream.ID{}, lastGenerated: map[string]stream.ID{}, counts: map[string]int64{},
	}
	rnd := rand.New(rand.NewPCG(7, uint64(len(policy))))
	for kill := range kills {
		wait := l.run()
		time.Sleep(time.Duration(50+rnd.IntN(400)) * time.Millisecond) // the load runs; the kill falls anywhere
		p.restart()
		wait()
		c := p.client()
		if bad := v.judge(c, l.all); len(bad) > 0 {
			t.Fatalf("after kill %d:\n%s\nlog of the server:\n%s", kill+1, strings.Join(bad, "\n"), p.log)
		}
		if kill%10 == 9 {
			sameAfterRestart(t, p)
		}
	}
	h := l.all
	t.Logf("%d kills, %d answers, %d XADD, %d deliveries, %d claims, %d transactions, %d idempotent keys, %d rewrites",
		kills, h.answers, len(h.adds), len(h.delivered), len(h.claimed), len(h.pairs), len(h.once), h.rewrites)
	if floor := 100 * kills; h.answers < floor || len(h.delivered) < floor/10 || len(h.claimed) == 0 || h.rewrites < kills/5 || len(h.windows) == 0 {
		t.Errorf("the run proves nothing: too little happened")
	}
}

// sameAfterRestart compares digests over an orderly restart, and over a rewrite and a kill.
func sameAfterRestart(t *testing.T, p *process) {
	t.Helper()
	before := p.client().do("DEBUG", "DIGEST").String()
	if code := p.stop(); code != 0 {
		t.Fatalf("exit code %d after SIGTERM:\n%s", code, p.log)
	}
	p.start()
	c := p.client()
	if after := c.do("DEBUG", "DIGEST").String(); after != before {
		t.Fatalf("digest %s before and %s after an orderly restart", before, after)
	}
	rewrite(t, c)
	p.restart()
	if after := p.client().do("DEBUG", "DIGEST").String(); after != before {
		t.Fatalf("digest %s before and %s after a rewrite and a kill", before, after)
	}
}

// rewrite has the log rewritten and waits for the end of it.
func rewrite(t *testing.T, c *client) {
	t.Helper()
	count := infoField(c, "persistence", "aof_rewrites")
	for c.do("BGREWRITEAOF").Err() != nil { // one is under way
	}
	deadline := time.Now().Add(replyTimeout)
	for infoField(c, "persistence", "aof_rewrite_in_progress") != "0" || infoField(c, "persistence", "aof_rewrites") == count {
		if time.Now().After(deadline) {
			t.Fatalf("no end of the rewrite: %s", c.do("INFO", "persistence").Text)
		}
		time.Sleep(2 * time.Millisecond)
	}
	if status := infoField(c, "persistence", "aof_last_bgrewrite_status"); status != "ok" {
		t.Fatalf("rewrite: %s", status)
	}
}

// infoField returns one line of INFO.
func infoField(c *client, section, name string) string {
	c.t.Helper()
	for line := range strings.Lines(string(c.do("INFO", section).Text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value
		}
	}
	c.t.Fatalf("INFO %s has no %s", section, name)
	return ""
}
