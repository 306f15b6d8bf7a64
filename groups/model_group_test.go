package groups

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/streamd/streamd/stream"
)

// modelGroup is a group without any cleverness.
type modelGroup struct {
	last      stream.ID
	read      int64
	pending   map[stream.ID]modelEntry
	zone      []stream.ID
	consumers map[string]bool
}

type modelEntry struct {
	owner string
	held  bool // has an owner
	since int64
	count int64
}

func (m *modelGroup) unzone(id stream.ID) {
	m.zone = slices.DeleteFunc(m.zone, func(z stream.ID) bool { return z == id })
}

func (m *modelGroup) put(id stream.ID, owner string, since, count int64) {
	m.unzone(id)
	m.pending[id] = modelEntry{owner, true, since, count}
}

func (m *modelGroup) nack(id stream.ID, count int64) {
	m.unzone(id)
	m.zone = append(m.zone, id)
	m.pending[id] = modelEntry{count: count}
}

func (m *modelGroup) ack(id stream.ID) bool {
	_, ok := m.pending[id]
	delete(m.pending, id)
	m.unzone(id)
	return ok
}

func (m *modelGroup) deleteConsumer(name string) (n int64, ok bool) {
	if !m.consumers[name] {
		return 0, false
	}
	for id, e := range m.pending {
		if e.held && e.owner == name {
			delete(m.pending, id)
			n++
		}
	}
	delete(m.consumers, name)
	return n, true
}

// ids returns the pending ids in order.
func (m *modelGroup) ids() []stream.ID {
	return slices.SortedFunc(maps.Keys(m.pending), stream.ID.Compare)
}

// byIdle returns the ids in the order ByIdle promises.
func (m *modelGroup) byIdle(maxSince int64) []stream.ID {
	owned := []stream.ID{}
	for _, id := range m.ids() {
		if e := m.pending[id]; e.held && e.since <= maxSince {
			owned = append(owned, id)
		}
	}
	slices.SortStableFunc(owned, func(a, b stream.ID) int { return cmp.Compare(m.pending[a].since, m.pending[b].since) })
	return append(slices.Clone(m.zone), owned...)
}

func sameEntry(p Pending, e modelEntry) bool {
	if !e.held {
		return p.Owner == nil && p.SinceMS == 0 && p.Count == e.count
	}
	return p.Owner != nil && string(p.Owner.Name()) == e.owner && p.SinceMS == e.since && p.Count == e.count
}

// compare tells where a group differs from the model.
func (m *modelGroup) compare(g *Group) error {
	if g.LastID() != m.last || g.EntriesRead() != m.read {
		return fmt.Errorf("last %v read %d, want %v %d", g.LastID(), g.EntriesRead(), m.last, m.read)
	}
	if g.NumPending() != int64(len(m.pending)) || g.NumNacked() != int64(len(m.zone)) {
		return fmt.Errorf("%d pending, %d NACKed, want %d, %d", g.NumPending(), g.NumNacked(), len(m.pending), len(m.zone))
	}
	ids := m.ids()
	c := g.Pendings(stream.MinID)
	for _, id := range ids {
		if !c.Next() || c.Pending().ID != id || !sameEntry(c.Pending(), m.pending[id]) {
			return fmt.Errorf("walk gives %+v, want %v %+v", c.Pending(), id, m.pending[id])
		}
	}
	if c.Next() {
		return fmt.Errorf("walk does not end but gives %+v", c.Pending())
	}
	names := slices.Sorted(maps.Keys(m.consumers))
	got := []string{}
	g.Ascend(func(c *Consumer) bool {
		got = append(got, string(c.Name()))
		return true
	})
	if !slices.Equal(got, names) || g.NumConsumers() != len(names) {
		return fmt.Errorf("consumers %q, want %q", got, names)
	}
	return m.compareEnds(g, ids)
}

func (m *modelGroup) compareEnds(g *Group, ids []stream.ID) error {
	first, ok := g.FirstPending()
	last, _ := g.LastPending()
	if ok != (len(ids) > 0) || ok && (first != ids[0] || last != ids[len(ids)-1]) {
		return fmt.Errorf("ends %v and %v", first, last)
	}
	oldest := int64(math.MaxInt64)
	for _, e := range m.pending {
		oldest = min(oldest, e.since)
	}
	if len(m.zone) > 0 {
		oldest = 0
	}
	if got, ok := g.OldestSince(); ok != (len(ids) > 0) || ok && got != oldest {
		return fmt.Errorf("oldest %d %v, want %d", got, ok, oldest)
	}
	return nil
}
