package machine

import (
	"errors"
	"io"

	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/stream"
)

// Image is the state at the moment of Freeze. The machine goes on: what it changes before the walk got there, it freezes for
// the image first.
//
// Owner: as the machine, whoever holds the shard's lock, until Step returned true. What Take returns is the taker's.
type Image struct {
	m      *Machine
	header header
	dbs    []*database // as they were numbered then
	db     int         // where the walk is
	cursor uint64
	walked bool
	ready  []Frozen // not yet taken
}

// Frozen is a key as it was when the image was made. It never changes and needs no lock.
type Frozen struct {
	db         int
	key        string
	deadlineMS int64
	kind       objectKind
	form       stringForm
	str        []byte
	stream     *stream.Stream
	groups     *groups.Set
}

// header is what an image tells besides keys.
type header struct {
	databases int
	lastMS    int64
	ops       uint64
	params    Params
}

// Freeze starts an image of the present state, without a pause: it costs as much as there are databases. Call Step until it
// returns true, or Abandon. While one image is being walked there is no other: then Freeze returns nil.
func (m *Machine) Freeze() *Image {
	if m.image != nil {
		return nil
	}
	m.epoch++
	img := &Image{m: m, header: m.header(), dbs: append([]*database(nil), m.dbs...)}
	for i, d := range m.dbs {
		d.frozen = i
	}
	m.image = img
	return img
}

func (m *Machine) header() header {
	return header{databases: len(m.dbs), lastMS: m.lastMS, ops: m.ops, params: m.params}
}

// freeze returns o as it is now, as a key of database db.
func (o *object) freeze(db int) Frozen {
	f := Frozen{db: db, key: o.key, deadlineMS: o.deadlineMS, kind: o.kind, form: o.form}
	if o.kind == kindStream {
		f.stream, f.groups = o.stream.Freeze(), o.groups.Freeze()
	} else {
		f.str, o.shared = o.str, true
	}
	return f
}

// take adds o, which the walk has not reached, before it changes.
func (img *Image) take(o *object) { img.ready = append(img.ready, o.freeze(o.home.frozen)) }

// maxBatch bounds the room made in advance for a batch.
const maxBatch = 1024

// Step walks about budget keys further and tells whether all were seen. It is called between ops.
func (img *Image) Step(budget int) bool {
	if img.walked {
		return true
	}
	epoch := img.m.epoch
	if img.ready == nil {
		img.ready = make([]Frozen, 0, min(max(budget, 0), maxBatch)+bucketRoom)
	}
	for budget > 0 && img.db < len(img.dbs) {
		img.cursor = img.dbs[img.db].keys.walk(img.cursor, budget, func(o *object) {
			budget--
			if o.epoch != epoch {
				o.epoch = epoch
				img.ready = append(img.ready, o.freeze(img.db))
			}
		})
		budget-- // so that a walk over empty buckets ends too
		if img.cursor == 0 {
			img.db++
		}
	}
	if img.db == len(img.dbs) {
		img.Abandon()
		return true
	}
	return false
}

// Abandon ends the walk: the machine no longer keeps anything for the image.
func (img *Image) Abandon() {
	img.walked, img.dbs = true, nil
	if img.m.image == img {
		img.m.image = nil
	}
}

// Take returns the keys frozen since the last Take. Taking between steps keeps little in memory; what is left after the last
// one is for Encode.
func (img *Image) Take() []Frozen {
	batch := img.ready
	img.ready = nil
	return batch
}

var errNotWalked = errors.New("machine: image is not complete")

// Encode writes the whole image, when Step has returned true and nothing was taken. It needs no lock.
func (img *Image) Encode(w io.Writer) error {
	if !img.walked {
		return errNotWalked
	}
	e := NewEncoder(w, img)
	if err := e.Objects(img.Take()); err != nil {
		return err
	}
	return e.Close()
}
