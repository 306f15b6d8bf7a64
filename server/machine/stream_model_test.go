package machine

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/streamd/streamd/stream"
)

// model is one stream with its groups, kept in slices and maps in the most obvious way. Its methods change it and return the
// reply that the machine must give.
type model struct {
	nowMS         int64
	entries       []stream.ID // their only value is their id
	last, deleted stream.ID
	added         int64
	groups        map[string]*modelGroup
	nacks         int64
}

type modelGroup struct {
	last      stream.ID
	read      int64
	consumers map[string]*modelConsumer
	pel       map[stream.ID]*modelPending
}

type modelConsumer struct{ seen, active int64 }

type modelPending struct {
	id           stream.ID
	owner        string // "" NACKed
	since, count int64
	nacked       int64 // place in the zone
}

func (m *model) has(id stream.ID) bool {
	_, ok := slices.BinarySearchFunc(m.entries, id, stream.ID.Compare)
	return ok
}

func (m *model) first() stream.ID {
	if len(m.entries) == 0 {
		return stream.ID{}
	}
	return m.entries[0]
}

func quoted(id stream.ID) string { return fmt.Sprintf("%q", id.String()) }

func modelEntry(id stream.ID) string { return fmt.Sprintf(`*2[%q, *2["f", %q]]`, id, id) }

func array(parts []string) string {
	return fmt.Sprintf("*%d[%s]", len(parts), strings.Join(parts, ", "))
}

func (m *model) estimate(x stream.ID) int64 {
	intact := m.deleted.IsZero() || m.deleted.Less(m.first())
	switch {
	case m.added == 0:
		return 0
	case len(m.entries) == 0 && !m.last.Less(x):
		return m.added
	case !x.IsZero() && x.Less(m.deleted):
		return -1
	case x == m.last:
		return m.added
	case m.last.Less(x):
		return -1
	case intact && x.Less(m.first()):
		return m.added - int64(len(m.entries))
	case intact && x == m.first():
		return m.added - int64(len(m.entries)) + 1
	}
	return -1
}

func (m *model) tombstoneAhead(x stream.ID) bool {
	return len(m.entries) > 0 && !m.deleted.IsZero() && !m.deleted.Less(x)
}

func (m *model) lag(g *modelGroup) string {
	known := m.estimate(g.last)
	switch {
	case m.added == 0 || len(m.entries) == 0:
		return ":0"
	case g.last.Less(m.first()) && m.deleted.Less(m.first()):
		return fmt.Sprintf(":%d", len(m.entries))
	case g.read != -1 && !m.tombstoneAhead(g.last):
		return fmt.Sprintf(":%d", m.added-g.read)
	case known != -1:
		return fmt.Sprintf(":%d", m.added-known)
	}
	return "$-1"
}

func (m *model) remove(id stream.ID) bool {
	i, ok := slices.BinarySearchFunc(m.entries, id, stream.ID.Compare)
	if ok {
		m.entries = slices.Delete(m.entries, i, i+1)
	}
	return ok
}

func (m *model) xdel(id stream.ID) bool {
	if !m.remove(id) {
		return false
	}
	if m.deleted.Less(id) {
		m.deleted = id
	}
	return true
}

func (m *model) referenced(id stream.ID) bool {
	for _, g := range m.groups {
		if g.last.Less(id) || g.pel[id] != nil {
			return true
		}
	}
	return false
}

func (m *model) drop(id stream.ID) {
	for _, g := range m.groups {
		delete(g.pel, id)
	}
}

func (m *model) seen(g *modelGroup, name string) *modelConsumer {
	c := g.consumers[name]
	if c == nil {
		c = &modelConsumer{active: -1}
		g.consumers[name] = c
	}
	c.seen = m.nowMS
	return c
}

// owned returns the pending entries of a consumer, "*": all, by id.
func (g *modelGroup) owned(name string) []*modelPending {
	var list []*modelPending
	for _, p := range g.pel {
		if name == "*" || p.owner == name {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *modelPending) int { return a.id.Compare(b.id) })
	return list
}

func (m *model) deliver(g *modelGroup, name string, count, minIdle int64, noAck bool) (out []string) {
	c := m.seen(g, name)
	left := count
	if count <= 0 {
		left = math.MaxInt64
	}
	if minIdle >= 0 {
		list := g.owned("*")
		slices.SortStableFunc(list, func(a, b *modelPending) int {
			if a.owner == "" && b.owner == "" {
				return cmp.Compare(a.nacked, b.nacked)
			}
			return cmp.Compare(a.since, b.since)
		})
		for _, p := range list {
			if left == 0 || m.nowMS-p.since < minIdle {
				break
			}
			if !m.has(p.id) {
				continue
			}
			out = append(out, fmt.Sprintf(`*4[%q, *2["f", %q], :%d, :%d]`, p.id, p.id, m.nowMS-p.since, p.count))
			*p = modelPending{id: p.id, owner: name, since: m.nowMS, count: p.count + 1}
			c.active = m.nowMS
			left--
		}
	}
	for _, id := range m.entries {
		if !g.last.Less(id) {
			continue
		}
		if left == 0 {
			break
		}
		left--
		if g.read != -1 && !g.last.Less(m.first()) && !m.tombstoneAhead(g.last) {
			g.read++
		} else {
			g.read = m.estimate(id)
		}
		g.last = id
		if !noAck {
			g.pel[id] = &modelPending{id: id, owner: name, since: m.nowMS, count: 1}
			c.active = m.nowMS
		}
		if minIdle >= 0 {
			out = append(out, fmt.Sprintf(`*4[%q, *2["f", %q], :0, :0]`, id, id))
		} else {
			out = append(out, modelEntry(id))
		}
	}
	return out
}

func (m *model) history(g *modelGroup, name string, after stream.ID, count int64) []string {
	m.seen(g, name)
	out := []string{}
	for _, p := range g.owned(name) {
		if !after.Less(p.id) || count > 0 && int64(len(out)) == count {
			continue
		}
		if !m.has(p.id) {
			out = append(out, fmt.Sprintf("*2[%q, *-1]", p.id))
			continue
		}
		p.count++
		p.since = m.nowMS
		out = append(out, modelEntry(p.id))
	}
	return out
}

// claim takes one pending entry over; ok is false if it is left alone.
func (m *model) claim(g *modelGroup, p *modelPending, name string, minIdle, retries int64, justID bool) (reply string, ok bool) {
	if p.owner != "" && minIdle > 0 && m.nowMS-p.since < minIdle {
		return "", false
	}
	count := p.count
	if retries >= 0 {
		count = retries
	} else if !justID {
		count++
	}
	*p = modelPending{id: p.id, owner: name, since: m.nowMS, count: count}
	g.pel[p.id] = p
	g.consumers[name].active = m.nowMS
	if justID {
		return quoted(p.id), true
	}
	return modelEntry(p.id), true
}

func (m *model) xclaim(g *modelGroup, name string, minIdle, retries int64, ids []stream.ID, force, justID bool) string {
	m.seen(g, name)
	out := []string{}
	for _, id := range ids {
		p := g.pel[id]
		if !m.has(id) {
			delete(g.pel, id)
			continue
		}
		if p == nil && force {
			p = &modelPending{id: id, count: 1}
		}
		if p == nil {
			continue
		}
		if reply, ok := m.claim(g, p, name, minIdle, retries, justID); ok {
			out = append(out, reply)
		}
	}
	return array(out)
}

func (m *model) xautoclaim(g *modelGroup, name string, minIdle int64, start stream.ID, count int, justID bool) string {
	m.seen(g, name)
	cursor, out, gone, looks := stream.ID{}, []string{}, []string{}, 0
	for _, p := range g.owned("*") {
		if p.id.Less(start) {
			continue
		}
		if looks == 10*count || len(out)+len(gone) == count {
			cursor = p.id
			break
		}
		looks++
		if !m.has(p.id) {
			delete(g.pel, p.id)
			gone = append(gone, quoted(p.id))
		} else if reply, ok := m.claim(g, p, name, minIdle, -1, justID); ok {
			out = append(out, reply)
		}
	}
	return array([]string{quoted(cursor), array(out), array(gone)})
}

func (m *model) xnack(g *modelGroup, mode string, retries int64, ids []stream.ID, force bool) string {
	n := 0
	for _, id := range ids {
		p := g.pel[id]
		if p == nil && force && m.has(id) {
			p = &modelPending{id: id}
		}
		if p == nil {
			continue
		}
		count := p.count
		switch {
		case retries >= 0:
			count = retries
		case mode == "SILENT":
			count = max(count-1, 0)
		}
		m.nacks++
		*p = modelPending{id: id, count: count, nacked: m.nacks}
		g.pel[id] = p
		n++
	}
	return fmt.Sprintf(":%d", n)
}

// state renders what XINFO STREAM FULL COUNT 0 must answer from last-generated-id on, less the middle.
func (m *model) state() string {
	entries := []string{}
	for _, id := range m.entries {
		entries = append(entries, modelEntry(id))
	}
	groups := []string{}
	for _, name := range slices.Sorted(maps.Keys(m.groups)) {
		g := m.groups[name]
		pel, consumers := []string{}, []string{}
		nacked := 0
		for _, p := range g.owned("*") {
			pel = append(pel, fmt.Sprintf("*4[%q, %q, :%d, :%d]", p.id, p.owner, p.since, p.count))
			if p.owner == "" {
				nacked++
			}
		}
		for _, name := range slices.Sorted(maps.Keys(g.consumers)) {
			own := []string{}
			for _, p := range g.owned(name) {
				own = append(own, fmt.Sprintf("*3[%q, :%d, :%d]", p.id, p.since, p.count))
			}
			c := g.consumers[name]
			consumers = append(consumers, fmt.Sprintf(`*10["name", %q, "seen-time", :%d, "active-time", :%d, "pel-count", :%d, "pending", %s]`,
				name, c.seen, c.active, len(own), array(own)))
		}
		read := "$-1"
		if g.read >= 0 {
			read = fmt.Sprintf(":%d", g.read)
		}
		groups = append(groups, fmt.Sprintf(`*16["name", %q, "last-delivered-id", %q, "entries-read", %s, "lag", %s, "pel-count", :%d, "nacked-count", :%d, "pending", %s, "consumers", %s]`,
			name, g.last, read, m.lag(g), len(pel), nacked, array(pel), array(consumers)))
	}
	return fmt.Sprintf(`*30["length", :%d, …"last-generated-id", %q, "max-deleted-entry-id", %q, "entries-added", :%d, "recorded-first-entry-id", %q, …"entries", %s, "groups", %s]`,
		len(m.entries), m.last, m.deleted, m.added, m.first(), array(entries), array(groups))
}

func TestStreamModel(t *testing.T) {
	for range 10 {
		seed := rand.Int63()
		t.Logf("seed %d", seed)
		runModel(t, seed, 400)
		if t.Failed() {
			return
		}
	}
}

func FuzzStreamModel(f *testing.F) {
	f.Add(int64(1))
	f.Fuzz(func(t *testing.T, seed int64) { runModel(t, seed, 100) })
}

func runModel(t *testing.T, seed int64, steps int) {
	r := &modelRun{Rand: rand.New(rand.NewSource(seed)), d: newDialogue(t), m: &model{groups: map[string]*modelGroup{}}}
	r.expect("XADD s 1-0 f 1-0", r.m.xadd(stream.ID{MS: 1}))
	for range steps {
		r.d.nowMS += r.Int63n(20)
		r.m.nowMS = r.d.nowMS
		r.step()
		if got, want := r.d.do("XINFO STREAM s FULL COUNT 0"), r.m.state(); !matches(got, want) {
			t.Errorf("seed %d: state after %s\n got %s\nwant %s", seed, r.command, got, want)
		}
		if t.Failed() {
			return
		}
	}
}
