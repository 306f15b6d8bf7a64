package machine

import (
	"fmt"
	"math/rand"

	"github.com/streamd/streamd/stream"
)

// modelRun sends random commands to a machine and to the model.
type modelRun struct {
	*rand.Rand
	d       *dialogue
	m       *model
	command string
}

// expect carries command out and compares the reply with the model's.
func (r *modelRun) expect(command, want string) {
	r.d.t.Helper()
	r.command = command
	if got := r.d.do(command); got != want {
		r.d.t.Errorf("%s\n got %s\nwant %s", command, got, want)
	}
}

// id is one that is likely to exist.
func (r *modelRun) id() stream.ID {
	top := int64(r.m.last.MS)
	return stream.ID{MS: uint64(max(top-r.Int63n(40)+1, 0))}
}

func (r *modelRun) ids() ([]stream.ID, string) {
	var ids []stream.ID
	text := ""
	for range 1 + r.Intn(4) {
		id := r.id()
		ids = append(ids, id)
		text += " " + id.String()
	}
	return ids, text
}

func (r *modelRun) pick(words ...string) string { return words[r.Intn(len(words))] }

func (r *modelRun) step() {
	if r.Intn(3) == 0 {
		r.streamStep()
		return
	}
	name := r.pick("g", "h")
	if g := r.m.groups[name]; g != nil && r.Intn(20) != 0 {
		r.groupStep(name, g)
	} else {
		r.createStep(name, g)
	}
}

func (r *modelRun) streamStep() {
	m := r.m
	switch r.Intn(8) {
	default:
		id := m.last
		id.MS += 1 + uint64(r.Intn(2))
		r.expect(fmt.Sprintf("XADD s %s f %s", id, id), m.xadd(id))
	case 0:
		ids, text := r.ids()
		n := 0
		for _, id := range ids {
			if m.xdel(id) {
				n++
			}
		}
		r.expect("XDEL s"+text, fmt.Sprintf(":%d", n))
	case 1:
		mode := r.pick("KEEPREF", "DELREF", "ACKED")
		ids, text := r.ids()
		var out []string
		for _, id := range ids {
			out = append(out, m.xdelex(id, mode))
		}
		r.expect(fmt.Sprintf("XDELEX s %s IDS %d%s", mode, len(ids), text), array(out))
	case 2:
		r.trimStep()
	case 3:
		last, added := m.last, m.added+r.Int63n(2)
		last.MS += uint64(r.Intn(2))
		m.last, m.added = last, added
		r.expect(fmt.Sprintf("XSETID s %s ENTRIESADDED %d", last, added), "+OK")
	}
}

func (r *modelRun) trimStep() {
	m, n := r.m, 0
	mode, limit := r.pick("KEEPREF", "DELREF"), 20+r.Intn(20)
	option := fmt.Sprintf("MAXLEN %d", limit)
	surplus := func() bool { return len(m.entries) > limit }
	if r.Intn(2) == 0 {
		id := r.id()
		option = "MINID " + id.String()
		surplus = func() bool { return len(m.entries) > 0 && m.first().Less(id) }
	}
	for surplus() {
		if mode == "DELREF" {
			m.drop(m.first())
		}
		m.remove(m.first())
		n++
	}
	r.expect("XTRIM s "+option+" "+mode, fmt.Sprintf(":%d", n))
}

func (m *model) xadd(id stream.ID) string {
	m.entries = append(m.entries, id)
	m.last = id
	m.added++
	return quoted(id)
}

func (m *model) xdelex(id stream.ID, mode string) string {
	if mode == "ACKED" && m.referenced(id) {
		return ":2"
	}
	if mode == "DELREF" {
		m.drop(id)
	}
	if m.xdel(id) {
		return ":1"
	}
	return ":-1"
}

func (m *model) xackdel(g *modelGroup, id stream.ID, mode string) string {
	if g.pel[id] == nil {
		return ":-1"
	}
	delete(g.pel, id)
	if mode == "ACKED" && m.referenced(id) {
		return ":2"
	}
	if mode == "DELREF" {
		m.drop(id)
	}
	m.xdel(id)
	return ":1"
}

// createStep makes, moves or destroys a group.
func (r *modelRun) createStep(name string, g *modelGroup) {
	id := r.id()
	switch {
	case g == nil:
		r.m.groups[name] = &modelGroup{last: id, read: -1, consumers: map[string]*modelConsumer{}, pel: map[stream.ID]*modelPending{}}
		r.expect(fmt.Sprintf("XGROUP CREATE s %s %s", name, id), "+OK")
	case r.Intn(4) == 0:
		delete(r.m.groups, name)
		r.expect("XGROUP DESTROY s "+name, ":1")
	default:
		g.last, g.read = id, -1
		r.expect(fmt.Sprintf("XGROUP SETID s %s %s", name, id), "+OK")
	}
}

func (r *modelRun) groupStep(name string, g *modelGroup) {
	m, consumer := r.m, r.pick("a", "b", "c")
	switch r.Intn(12) {
	case 0, 1, 2:
		r.deliverStep(name, g, consumer)
	case 3:
		after, count := r.id(), r.Int63n(4)
		out := m.history(g, consumer, after, count)
		r.expect(fmt.Sprintf("XREADGROUP GROUP %s %s COUNT %d STREAMS s %s", name, consumer, count, after), `*1[*2["s", `+array(out)+"]]")
	case 4, 5:
		ids, text := r.ids()
		n := 0
		for _, id := range ids {
			if g.pel[id] != nil {
				delete(g.pel, id)
				n++
			}
		}
		r.expect("XACK s "+name+text, fmt.Sprintf(":%d", n))
	case 6, 7:
		r.claimStep(name, g, consumer)
	case 8:
		minIdle, start, count, just := r.Int63n(60), r.id(), 1+r.Intn(3), r.pick("", " JUSTID")
		want := m.xautoclaim(g, consumer, minIdle, start, count, just != "")
		r.expect(fmt.Sprintf("XAUTOCLAIM s %s %s %d %s COUNT %d%s", name, consumer, minIdle, start, count, just), want)
	case 9:
		mode, retries, force := r.pick("SILENT", "FAIL"), r.Int63n(6)-4, r.pick("", " FORCE")
		ids, text := r.ids()
		command := fmt.Sprintf("XNACK s %s %s IDS %d%s%s", name, mode, len(ids), text, force)
		if retries >= 0 {
			command += fmt.Sprintf(" RETRYCOUNT %d", retries)
		}
		r.expect(command, m.xnack(g, mode, retries, ids, force != ""))
	case 10:
		mode := r.pick("KEEPREF", "DELREF", "ACKED")
		ids, text := r.ids()
		var out []string
		for _, id := range ids {
			out = append(out, m.xackdel(g, id, mode))
		}
		r.expect(fmt.Sprintf("XACKDEL s %s %s IDS %d%s", name, mode, len(ids), text), array(out))
	case 11:
		r.consumerStep(name, g, consumer)
	}
}

func (r *modelRun) deliverStep(name string, g *modelGroup, consumer string) {
	count, minIdle, option := r.Int63n(5), int64(-1), ""
	switch r.Intn(3) {
	case 0:
		option = " NOACK"
	case 1:
		minIdle = r.Int63n(60)
		option = fmt.Sprintf(" CLAIM %d", minIdle)
	}
	out := r.m.deliver(g, consumer, count, minIdle, option == " NOACK")
	want := "*-1"
	if len(out) > 0 {
		want = `*1[*2["s", ` + array(out) + "]]"
	}
	r.expect(fmt.Sprintf("XREADGROUP GROUP %s %s COUNT %d%s STREAMS s >", name, consumer, count, option), want)
}

func (r *modelRun) claimStep(name string, g *modelGroup, consumer string) {
	minIdle, retries := r.Int63n(40), r.Int63n(6)-4
	force, just := r.pick("", " FORCE"), r.pick("", " JUSTID")
	ids, text := r.ids()
	command := fmt.Sprintf("XCLAIM s %s %s %d%s%s%s", name, consumer, minIdle, text, force, just)
	if retries >= 0 {
		command += fmt.Sprintf(" RETRYCOUNT %d", retries)
	}
	r.expect(command, r.m.xclaim(g, consumer, minIdle, retries, ids, force != "", just != ""))
}

func (r *modelRun) consumerStep(name string, g *modelGroup, consumer string) {
	if r.Intn(3) == 0 {
		owned := g.owned(consumer)
		for _, p := range owned {
			delete(g.pel, p.id)
		}
		delete(g.consumers, consumer)
		r.expect("XGROUP DELCONSUMER s "+name+" "+consumer, fmt.Sprintf(":%d", len(owned)))
		return
	}
	var parts []string
	for _, p := range g.owned("*") {
		idle := int64(-1)
		if p.owner != "" {
			idle = r.m.nowMS - p.since
		}
		if p.owner == "" || idle >= 30 {
			parts = append(parts, fmt.Sprintf("*4[%q, %q, :%d, :%d]", p.id, p.owner, idle, p.count))
		}
	}
	r.expect("XPENDING s "+name+" IDLE 30 - + 1000", array(parts))
}
