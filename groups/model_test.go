package groups

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamd/streamd/stream"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the model test, 0 for the standing ones")

// model is a set without any cleverness, beside the real one.
type model struct {
	rng    *rand.Rand
	set    *Set
	groups map[string]*modelGroup
	images []image
	now    int64
	next   stream.ID
	names  []string
}

type image struct {
	set     *Set
	encoded []byte
}

func (m *model) pickGroup() (*Group, *modelGroup) {
	names := slices.Sorted(maps.Keys(m.groups))
	name := names[m.rng.IntN(len(names))]
	return m.set.Get([]byte(name)), m.groups[name]
}

// pickID returns an id that is often pending and sometimes anything.
func (m *model) pickID(mg *modelGroup) stream.ID {
	if ids := mg.ids(); len(ids) > 0 && m.rng.IntN(8) > 0 {
		return ids[m.rng.IntN(len(ids))]
	}
	switch m.rng.IntN(12) {
	case 0:
		return stream.ID{MS: m.rng.Uint64(), Seq: m.rng.Uint64()}
	case 1:
		return stream.ID{MS: m.next.MS - m.rng.Uint64N(min(m.next.MS, 8)+1), Seq: math.MaxUint64 - m.rng.Uint64N(3)}
	case 2:
		return []stream.ID{stream.MinID, stream.MaxID}[m.rng.IntN(2)]
	}
	return stream.ID{MS: m.rng.Uint64N(m.next.MS + 1), Seq: m.rng.Uint64N(3)}
}

func (m *model) pickCount() int64 {
	return []int64{0, 1, 2, 4093, 4094, 4095, 4096, math.MaxInt64}[m.rng.IntN(8)]
}

func (m *model) pickSince() int64 {
	switch m.rng.IntN(20) {
	case 0:
		return 0
	case 1:
		return m.now - m.rng.Int64N(1<<34)
	case 2:
		return m.now + m.rng.Int64N(1<<32)
	case 3:
		return []int64{math.MinInt64, math.MaxInt64 - 1, -5}[m.rng.IntN(3)]
	}
	return m.now
}

// consumer returns one of a few consumers, made if need be.
func (m *model) consumer(g *Group, mg *modelGroup) *Consumer {
	name := m.names[m.rng.IntN(len(m.names))]
	if c := g.Consumer([]byte(name)); c != nil {
		return c
	}
	mg.consumers[name] = true
	return g.AddConsumer([]byte(name), m.now)
}

func (m *model) step() error {
	m.now += m.rng.Int64N(3)
	g, mg := m.pickGroup()
	switch n := m.rng.IntN(100); {
	case n < 30:
		c := m.consumer(g, mg)
		for range 1 + m.rng.IntN(60) {
			if m.rng.IntN(4) == 0 {
				m.next.MS += m.rng.Uint64N(5)
				m.next.Seq = 0
			}
			m.next.Seq++
			g.Put(m.next, c, m.now, 1)
			mg.put(m.next, string(c.Name()), m.now, 1)
		}
	case n < 45:
		c, id, since, count := m.consumer(g, mg), m.pickID(mg), m.pickSince(), m.pickCount()
		g.Put(id, c, since, count)
		mg.put(id, string(c.Name()), since, count)
	case n < 58:
		return m.ackSome(g, mg)
	case n < 64:
		id, count := m.pickID(mg), m.pickCount()
		g.Nack(id, count)
		mg.nack(id, count)
	case n < 66:
		name := m.names[m.rng.IntN(len(m.names))]
		got, ok := g.DeleteConsumer([]byte(name))
		if want, exists := mg.deleteConsumer(name); got != want || ok != exists {
			return fmt.Errorf("DeleteConsumer gives %d %v, want %d %v", got, ok, want, exists)
		}
	case n < 75:
		return m.claimByIdle(g, mg)
	case n < 80:
		return m.readConsumer(g, mg)
	case n < 85:
		id := m.pickID(mg)
		m.set.Drop(id)
		for _, other := range m.groups {
			other.ack(id)
		}
	case n < 88:
		return m.changeGroups(g, mg)
	case n < 92:
		return m.compareReferenced(m.pickID(mg))
	case n < 94:
		m.images = append(m.images, image{m.set.Freeze(), m.set.Encode(nil)})
	case n < 95:
		// The original becomes an image nobody may change.
		original := m.set
		m.set = original.Clone()
		m.images = append(m.images, image{original, original.Encode(nil)})
	case n < 97:
		return m.recode()
	default:
		return m.walkAndChange(g, mg)
	}
	return nil
}

// ackSome acknowledges one entry, or a run of them from the front or from anywhere.
func (m *model) ackSome(g *Group, mg *modelGroup) error {
	ids := mg.ids()
	switch m.rng.IntN(5) {
	case 0:
		ids = []stream.ID{m.pickID(mg)}
	case 1, 2:
		ids = ids[:m.rng.IntN(len(ids)+1)]
	case 3:
		from := m.rng.IntN(len(ids) + 1)
		ids = ids[from : from+m.rng.IntN(len(ids)-from+1)]
	case 4:
		m.rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		ids = ids[:len(ids)*7/8]
	}
	for _, id := range ids {
		if got, want := g.Ack(id), mg.ack(id); got != want {
			return fmt.Errorf("Ack(%v) gives %v, want %v", id, got, want)
		}
	}
	return nil
}

// claimByIdle walks in delivery order and claims, acknowledges or leaves what it finds.
func (m *model) claimByIdle(g *Group, mg *modelGroup) error {
	max := m.now - m.rng.Int64N(6)
	want := mg.byIdle(max)
	want = want[:m.rng.IntN(len(want)+1)]
	c := m.consumer(g, mg)
	n := 0
	var err error
	g.ByIdle(max, func(p Pending) bool {
		if n == len(want) {
			n++
			return false
		}
		if p.ID != want[n] || !sameEntry(p, mg.pending[p.ID]) {
			err = fmt.Errorf("ByIdle gives %+v at %d, want %v %+v", p, n, want[n], mg.pending[want[n]])
			return false
		}
		n++
		switch m.rng.IntN(4) {
		case 0:
			g.Ack(p.ID)
			mg.ack(p.ID)
		case 1, 2:
			g.Put(p.ID, c, m.now, 7)
			mg.put(p.ID, string(c.Name()), m.now, 7)
		}
		return true
	})
	if err == nil && n < len(want) {
		err = fmt.Errorf("ByIdle gives %d entries, want %d", n, len(want))
	}
	return err
}

// readConsumer compares the history of one consumer, perhaps with a filter by idle time.
func (m *model) readConsumer(g *Group, mg *modelGroup) error {
	c := m.consumer(g, mg)
	from := m.pickID(mg)
	want, max := []stream.ID{}, int64(math.MaxInt64)
	cursor := g.PendingsOf(c, from)
	if m.rng.IntN(2) == 0 {
		max = m.now - m.rng.Int64N(4)
		cursor.SkipIdle(max)
	}
	owned := int64(0)
	for _, id := range mg.ids() {
		e := mg.pending[id]
		if e.held && e.owner == string(c.Name()) {
			owned++
			if !id.Less(from) && e.since <= max {
				want = append(want, id)
			}
		}
	}
	got := []stream.ID{}
	for cursor.Next() {
		got = append(got, cursor.Pending().ID)
	}
	if !slices.Equal(got, want) || c.Pending() != owned {
		return fmt.Errorf("history of %q is %v, want %v; owns %d, want %d", c.Name(), got, want, c.Pending(), owned)
	}
	return nil
}

// changeGroups makes, destroys or moves a group.
func (m *model) changeGroups(g *Group, mg *modelGroup) error {
	name := fmt.Sprint("g", m.rng.IntN(4))
	switch _, exists := m.groups[name]; {
	case m.rng.IntN(3) == 0:
		mg.last, mg.read = m.pickID(mg), m.rng.Int64N(9)-1
		g.SetLastID(mg.last)
		g.SetEntriesRead(mg.read)
	case !exists:
		m.groups[name] = newModelGroup(m.next)
		m.set.Create([]byte(name), m.next, -1)
	case name != "g0":
		delete(m.groups, name)
		if !m.set.Destroy([]byte(name)) || m.set.Destroy([]byte(name)) || m.set.Get([]byte(name)) != nil {
			return fmt.Errorf("group %s was not destroyed", name)
		}
	}
	return nil
}

func newModelGroup(last stream.ID) *modelGroup {
	return &modelGroup{last: last, read: -1, pending: map[stream.ID]modelEntry{}, consumers: map[string]bool{}}
}

func (m *model) compareReferenced(id stream.ID) error {
	want := false
	for name, mg := range m.groups {
		e, pending := mg.pending[id]
		want = want || pending || mg.last.Less(id)
		p, ok := m.set.Get([]byte(name)).Get(id)
		if ok != pending || ok && !sameEntry(p, e) {
			return fmt.Errorf("Get(%v) gives %+v, want %+v", id, p, e)
		}
	}
	if got := m.set.Referenced(id); got != want {
		return fmt.Errorf("Referenced(%v) is %v, want %v", id, got, want)
	}
	return nil
}

// recode replaces the set by what its encoding decodes to.
func (m *model) recode() error {
	encoded := m.set.Encode(nil)
	set, rest, err := Decode(append(slices.Clone(encoded), "rest"...))
	if err != nil || string(rest) != "rest" {
		return fmt.Errorf("decode: %v, rest %q", err, rest)
	}
	if !bytes.Equal(set.Encode(nil), encoded) {
		return fmt.Errorf("another encoding after decoding")
	}
	m.set = set
	return nil
}

// walkAndChange changes the group under a cursor.
func (m *model) walkAndChange(g *Group, mg *modelGroup) error {
	last := stream.MinID
	first := true
	for c := g.Pendings(last); c.Next(); first = false {
		id := c.Pending().ID
		if _, ok := mg.pending[id]; !ok || !first && !last.Less(id) {
			return fmt.Errorf("walk gives %v after %v, pending: %v", id, last, ok)
		}
		last = id
		switch m.rng.IntN(6) {
		case 0:
			g.Ack(id)
			mg.ack(id)
		case 1:
			g.Nack(id, 3)
			mg.nack(id, 3)
		case 2:
			other := m.pickID(mg)
			g.Ack(other)
			mg.ack(other)
		}
	}
	return nil
}

func (m *model) compare() error {
	if m.set.Len() != len(m.groups) {
		return fmt.Errorf("%d groups, want %d", m.set.Len(), len(m.groups))
	}
	for name, mg := range m.groups {
		g := m.set.Get([]byte(name))
		if g == nil {
			return fmt.Errorf("no group %s", name)
		}
		if err := mg.compare(g); err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
	}
	return m.set.Check()
}

// compareImages looks whether the images are still what they were.
func (m *model) compareImages() error {
	for i, image := range m.images {
		if !bytes.Equal(image.set.Encode(nil), image.encoded) {
			return fmt.Errorf("image %d changed", i)
		}
		if err := image.set.Check(); err != nil {
			return fmt.Errorf("image %d: %w", i, err)
		}
	}
	if len(m.images) > 4 {
		m.images = m.images[2:]
	}
	return nil
}

func TestModel(t *testing.T) {
	seeds := []uint64{1, 2, 3, 4, 5, 6, 7, 8}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			m := &model{
				rng: rand.New(rand.NewPCG(seed, 0)), set: New(), groups: map[string]*modelGroup{},
				now: 1_700_000_000_000, next: stream.ID{MS: 1_700_000_000_000}, names: []string{"", "a", "b", "Z", "long name of a consumer that does not fit in 32 bytes"},
			}
			m.groups["g0"] = newModelGroup(stream.MinID)
			m.set.Create([]byte("g0"), stream.MinID, -1)
			for step := range 600 {
				err := m.step()
				if err == nil {
					err = m.compare()
				}
				if err == nil && step%16 == 0 {
					err = m.compareImages()
				}
				if err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, step, err)
				}
			}
		})
	}
}
