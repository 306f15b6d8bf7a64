package stream

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The model is what a stream means, written as plainly as possible: a slice of entries, and nodes whose listpacks are built
// byte by byte.

var modelSeed = flag.Uint64("stream.seed", 0, "seed of the model test; 0 takes the time")

type modelEntry struct {
	id     ID
	fields [][]byte
	gone   bool
}

type modelNode struct{ entries []*modelEntry }

func (n *modelNode) live() int64 {
	var live int64
	for _, e := range n.entries {
		if !e.gone {
			live++
		}
	}
	return live
}

type model struct {
	nodes              []*modelNode
	lastID, maxDeleted ID
	added              int64
}

func (m *model) live() []*modelEntry {
	var all []*modelEntry
	for _, n := range m.nodes {
		for _, e := range n.entries {
			if !e.gone {
				all = append(all, e)
			}
		}
	}
	return all
}

func (m *model) append(id ID, fields [][]byte, lim Limits) error {
	if id.Compare(m.lastID) <= 0 {
		return ErrNotAbove
	}
	e := &modelEntry{id: id}
	size := 0
	for _, f := range fields {
		e.fields = append(e.fields, bytes.Clone(f))
		size += len(f)
	}
	maxBytes := lim.NodeMaxBytes
	if maxBytes == 0 {
		maxBytes = 1 << 30
	}
	if k := len(m.nodes); k == 0 || int64(len(m.nodes[k-1].listpack())+size) >= maxBytes ||
		lim.NodeMaxEntries > 0 && int64(len(m.nodes[k-1].entries)) >= lim.NodeMaxEntries {
		m.nodes = append(m.nodes, &modelNode{})
	}
	n := m.nodes[len(m.nodes)-1]
	n.entries = append(n.entries, e)
	m.lastID = id
	m.added++
	return nil
}

func (m *model) delete(id ID) bool {
	for _, e := range m.live() {
		if e.id == id {
			e.gone = true
			if m.maxDeleted.Less(id) {
				m.maxDeleted = id
			}
			m.sweep()
			return true
		}
	}
	return false
}

func (m *model) sweep() {
	m.nodes = slices.DeleteFunc(m.nodes, func(n *modelNode) bool { return n.live() == 0 })
}

func (m *model) trim(t Trim) int64 {
	var removed int64
	length := int64(len(m.live()))
	for _, n := range m.nodes {
		if !t.ByMinID && length <= t.MaxLen || t.Limit > 0 && removed+n.live() > t.Limit {
			break
		}
		whole := length-n.live() >= t.MaxLen
		if t.ByMinID {
			whole = n.entries[len(n.entries)-1].id.Less(t.MinID)
		}
		if !whole && t.Approx && t.Keep == nil && t.Removed == nil {
			break
		}
		for _, e := range n.entries {
			if !t.ByMinID && length <= t.MaxLen || t.ByMinID && !e.id.Less(t.MinID) {
				break
			}
			if e.gone || t.Keep != nil && t.Keep(e.id) {
				continue
			}
			if t.Removed != nil {
				t.Removed(e.id)
			}
			e.gone = true
			length--
			removed++
		}
		if !whole {
			break
		}
	}
	m.sweep()
	return removed
}

func (m *model) clone() *model {
	c := *m
	c.nodes = nil
	for _, n := range m.nodes {
		d := &modelNode{}
		for _, e := range n.entries {
			f := *e
			d.entries = append(d.entries, &f)
		}
		c.nodes = append(c.nodes, d)
	}
	return &c
}

// reply is the entry on the wire.
func (e *modelEntry) reply() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*2\r\n$%d\r\n%s\r\n*%d\r\n", len(e.id.String()), e.id, len(e.fields))
	for _, f := range e.fields {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(f), f)
	}
	return b.String()
}

// same compares a stream with the model in full.
func (m *model) same(s *Stream) error {
	if err := s.Check(); err != nil {
		return err
	}
	live := m.live()
	var first, last ID
	if len(live) > 0 {
		first, last = live[0].id, live[len(live)-1].id
	}
	if s.Len() != int64(len(live)) || s.FirstID() != first || s.LastEntryID() != last || s.LastID() != m.lastID ||
		s.MaxDeletedID() != m.maxDeleted || s.EntriesAdded() != m.added || s.Nodes() != int64(len(m.nodes)) {
		return fmt.Errorf("got %d %v %v %v %v %d %d, want %d %v %v %v %v %d %d",
			s.Len(), s.FirstID(), s.LastEntryID(), s.LastID(), s.MaxDeletedID(), s.EntriesAdded(), s.Nodes(),
			len(live), first, last, m.lastID, m.maxDeleted, m.added, len(m.nodes))
	}
	if k := len(m.nodes); k > 0 {
		n := s.nodes.newest()
		got := int(n.bytes) + listpackInt(int64(n.live)) + listpackInt(int64(n.total-n.live))
		if want := len(m.nodes[k-1].listpack()); got != want {
			return fmt.Errorf("newest node has %d bytes, want %d", got, want)
		}
	}
	return m.sameRange(s, live, MinID, MaxID)
}

// sameRange compares a walk in both directions.
func (m *model) sameRange(s *Stream, live []*modelEntry, start, end ID) error {
	var want []string
	for _, e := range live {
		if !e.id.Less(start) && !end.Less(e.id) {
			want = append(want, e.reply())
		}
	}
	if n := s.Count(start, end); n != int64(len(want)) {
		return fmt.Errorf("count %v %v: got %d, want %d", start, end, n, len(want))
	}
	var got []string
	for c := s.Scan(start, end); c.Next(); {
		got = append(got, string(c.AppendEntry(nil)))
		if err := sameViews(&c); err != nil {
			return err
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("scan %v %v: got %q, want %q", start, end, got, want)
	}
	got = got[:0]
	for c := s.ScanReverse(start, end); c.Next(); {
		got = append(got, string(c.AppendEntry(nil)))
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("reverse scan %v %v: got %q, want %q", start, end, got, want)
	}
	return nil
}

// sameViews compares the ways to look at one entry.
func sameViews(c *Cursor) error {
	entry := c.AppendEntry(nil)
	fields := c.Fields(nil)
	e := modelEntry{id: c.ID(), fields: fields}
	if len(entry) != c.EntrySize() || len(fields) != c.NumFields() || e.reply() != string(entry) {
		return fmt.Errorf("views of %v differ: %q, size %d, %q", c.ID(), entry, c.EntrySize(), fields)
	}
	return nil
}

func randomText(r *rand.Rand) []byte {
	switch r.IntN(12) {
	case 0:
		return []byte{}
	case 1:
		return []byte(strconv.FormatInt(int64(r.Uint64())>>r.IntN(64), 10))
	case 2:
		return []byte(strconv.FormatUint(r.Uint64(), 10))
	case 3:
		return []byte(strconv.Itoa(r.IntN(130) - 2))
	case 4:
		return bytes.Repeat([]byte{'v'}, r.IntN(300))
	case 5:
		return []byte("0" + strconv.Itoa(r.IntN(20)))
	case 6:
		if r.IntN(60) == 0 {
			return bytes.Repeat([]byte{'w'}, r.IntN(80000))
		}
		return []byte("-0")
	}
	return []byte(strconv.Itoa(100000 + r.IntN(900000)))
}

func randomFields(r *rand.Rand, kinds int) [][]byte {
	var fields [][]byte
	kind := r.IntN(kinds)
	for i := range 1 + kind%4 {
		fields = append(fields, []byte(fmt.Sprintf("field%d-%d", kind, i*kind)), randomText(r))
	}
	return fields
}

// follower is one of the streams a run has in hand, with its model.
type follower struct {
	s *Stream
	m *model
}

func TestModel(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	runs := 16
	if testing.Short() {
		runs = 4
	}
	for range runs {
		run := r.Uint64()
		disturbed, err := modelRun(run, 400, true)
		if err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		calm, err := modelRun(run, 400, false)
		if err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		if !bytes.Equal(disturbed, calm) {
			t.Fatalf("run %d: images and restoring show in the encoded stream", run)
		}
	}
}

// modelRun does random calls and returns what the streams encode to in the end. What must not be seen in that, images and
// restoring, is left out unless disturb is set.
func modelRun(seed uint64, ops int, disturb bool) ([]byte, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	lim := Limits{NodeMaxBytes: int64(r.IntN(3)) * 300, NodeMaxEntries: int64(r.IntN(4)) * 5}
	kinds := 1 + r.IntN(12)
	all := []follower{{New(), &model{}}}
	var images []follower
	for op := range ops {
		f := &all[r.IntN(len(all))]
		if err := modelOp(r, f, lim, kinds); err != nil {
			return nil, fmt.Errorf("op %d: %w", op, err)
		}
		switch r.IntN(60) {
		case 0:
			if disturb {
				images = append(images, follower{f.s.Freeze(), f.m.clone()})
			}
		case 1:
			if len(all) < 3 {
				all = append(all, follower{f.s.Clone(), f.m.clone()})
			}
		case 2:
			if !disturb {
				break
			}
			s, rest, err := Decode(append(f.s.Encode(nil), "rest"...))
			if err != nil || string(rest) != "rest" {
				return nil, fmt.Errorf("op %d: decode: %q, %w", op, rest, err)
			}
			f.s = s
		}
		if op%7 != 0 {
			continue
		}
		if err := f.m.same(f.s); err != nil {
			return nil, fmt.Errorf("op %d: %w", op, err)
		}
	}
	for i, f := range append(all, images...) {
		if err := f.m.same(f.s); err != nil {
			return nil, fmt.Errorf("stream or image %d at the end: %w", i, err)
		}
	}
	var encoded []byte
	for _, f := range all {
		encoded = f.s.Encode(encoded)
	}
	return encoded, nil
}

func modelOp(r *rand.Rand, f *follower, lim Limits, kinds int) error {
	live := f.m.live()
	pick := func() ID {
		if len(live) == 0 {
			return ID{1, 1}
		}
		id := live[r.IntN(len(live))].id
		switch r.IntN(6) {
		case 0:
			id, _ = id.Next()
		case 1:
			id, _ = id.Prev()
		}
		return id
	}
	switch r.IntN(20) {
	case 0, 1:
		if len(live) > 0 {
			// A run of deletions, so that whole nodes and blocks go from inside.
			at := r.IntN(len(live))
			for _, e := range live[at:min(len(live), at+r.IntN(30))] {
				if f.s.Delete(e.id) != f.m.delete(e.id) {
					return fmt.Errorf("delete %v", e.id)
				}
			}
		}
	case 2:
		id := pick()
		if got, want := f.s.Delete(id), f.m.delete(id); got != want {
			return fmt.Errorf("delete %v: got %v, want %v", id, got, want)
		}
	case 3, 4:
		return modelTrim(r, f, pick)
	case 5:
		start, end := pick(), pick()
		return f.m.sameRange(f.s, live, start, end)
	case 6:
		last := f.s.LastEntryID()
		if !last.IsZero() && !last.Less(f.m.maxDeleted) && r.IntN(4) == 0 {
			f.m.lastID = last
		}
		f.s.SetID(f.m.lastID, f.m.maxDeleted, f.m.added)
	default:
		for range 1 + r.IntN(12) {
			id := ID{f.m.lastID.MS + uint64(r.IntN(3)), uint64(r.IntN(5))}
			if id.MS == f.m.lastID.MS {
				id.Seq = f.m.lastID.Seq + uint64(r.IntN(3))
			}
			if r.IntN(40) == 0 {
				id.MS += r.Uint64N(1 << 40)
			}
			fields := randomFields(r, kinds)
			if got, want := f.s.Append(id, fields, lim), f.m.append(id, fields, lim); got != want {
				return fmt.Errorf("append %v: got %v, want %v", id, got, want)
			}
		}
	}
	return nil
}

func modelTrim(r *rand.Rand, f *follower, pick func() ID) error {
	t := Trim{ByMinID: r.IntN(2) == 0, Approx: r.IntN(2) == 0, MinID: pick()}
	t.MaxLen = max(0, f.s.Len()-int64(r.IntN(20)))
	if r.IntN(8) == 0 {
		t.MaxLen = int64(r.IntN(10))
	}
	if t.Approx && r.IntN(2) == 0 {
		t.Limit = int64(1 + r.IntN(30))
	}
	want := t
	var gotIDs, wantIDs []ID
	if r.IntN(3) == 0 {
		t.Removed = func(id ID) { gotIDs = append(gotIDs, id) }
		want.Removed = func(id ID) { wantIDs = append(wantIDs, id) }
	}
	if r.IntN(3) == 0 {
		k := 2 + uint64(r.IntN(4))
		t.Keep = func(id ID) bool { return (id.MS+id.Seq)%k == 0 }
		want.Keep = t.Keep
	}
	got, wanted := f.s.Trim(t), f.m.trim(want)
	if got != wanted || !slices.Equal(gotIDs, wantIDs) {
		return fmt.Errorf("trim %+v: got %d %v, want %d %v", t, got, gotIDs, wanted, wantIDs)
	}
	return nil
}
