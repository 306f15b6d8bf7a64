package stream

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
)

// inspect reads all of an untrusted buffer, given base and start, and sets what follows from it: last, index, form, count and
// live. It returns the offsets of the forms.
func (b *block) inspect() (forms []uint32, err error) {
	started := false
	for off := 0; off < len(b.buf); {
		if b.count > 0 && b.count%indexEvery == 0 {
			b.index = append(b.index, uint32(off))
		}
		end, ok := b.inspectEntry(off, &forms)
		if !ok {
			return nil, fmt.Errorf("entry at %d of block %v is malformed", off, b.base)
		}
		deleted := b.buf[off]&flagDeleted != 0
		if off == int(b.start) {
			started, b.startID = !deleted, b.last
		}
		if started && !deleted {
			b.live++
		}
		b.count++
		off = end
	}
	if !started {
		return nil, fmt.Errorf("block %v does not start with a live entry", b.base)
	}
	return forms, nil
}

// inspectEntry reads the entry at off and returns where the next one starts.
func (b *block) inspectEntry(off int, forms *[]uint32) (end int, ok bool) {
	r := payload{buf: b.buf, p: off + 1}
	flags := b.buf[off]
	var size, width uint64 = 0, 2
	if flags&flagWide != 0 {
		width = 4
	}
	for i, c := range r.take(width) {
		size |= uint64(c) << (8 * i)
	}
	body := r.p
	r.take(size)
	if r.bad || flags&^byte(flagsKnown) != 0 || flags&flagForm != 0 && flags&flagRef != 0 {
		return 0, false
	}
	end = r.p
	r = payload{buf: b.buf[:end], p: body}
	if !b.inspectID(&r, flags) {
		return 0, false
	}
	var pairs uint64
	switch {
	case flags&flagForm != 0:
		if b.count == 0 {
			b.form = uint32(r.p)
		}
		*forms = append(*forms, uint32(r.p))
		pairs = r.form()
	case b.count == 0:
		return 0, false
	default:
		at := uint64(b.form)
		if flags&flagRef != 0 {
			at = r.count(uint64(off))
			if _, found := slices.BinarySearch(*forms, uint32(at)); !found {
				return 0, false
			}
		}
		// The form was read before, so it is sound.
		pairs, _ = uvarint(b.buf, int(at))
	}
	for ; pairs > 0 && !r.bad; pairs-- {
		r.value()
	}
	return end, r.done()
}

// inspectID reads an entry's id, which must be above the one before it, and takes it for the last one.
func (b *block) inspectID(r *payload, flags byte) bool {
	if flags&flagNear != 0 {
		above, ok := b.last.Next()
		if !ok || !b.near(above) {
			return false
		}
		b.last = above
		return true
	}
	ms, seq := r.num(), r.num()
	if ms == 0 {
		var carry uint64
		seq, carry = bits.Add64(b.base.Seq, seq, 0)
		r.bad = r.bad || carry != 0
	}
	high, carry := bits.Add64(b.base.MS, ms, 0)
	id := ID{high, seq}
	if r.bad || carry != 0 {
		return false
	}
	if b.count == 0 {
		// The base is the first entry's id, and no id is 0-0.
		b.last = id
		return id == b.base && !id.IsZero()
	}
	above := b.last.Less(id) && !b.near(id)
	b.last = id
	return above
}

// form reads a form and returns the number of its names.
func (r *payload) form() uint64 {
	n := r.num()
	whole := r.num()
	from := uint64(r.p)
	for i := uint64(0); i < n && !r.bad; i++ {
		size := r.num()
		if size > uint64(len(r.buf)) {
			r.bad = true
			break
		}
		var room [maxHead + wordSlack]byte
		head := room[:putHead(room[:], '$', int(size))]
		r.bad = r.bad || !bytes.Equal(r.take(uint64(len(head))), head)
		r.take(size)
		r.bad = r.bad || string(r.take(2)) != "\r\n"
	}
	r.bad = r.bad || n == 0 || uint64(r.p)-from != whole
	return n
}

// value reads a packed value.
func (r *payload) value() {
	tag := r.take(1)
	if r.bad {
		return
	}
	switch t := tag[0]; {
	case t <= maxTagText:
		r.take(uint64(t))
	case t < tagInt:
	case t < tagText16:
		r.take(uint64(t-tagInt) + 1)
	case t == tagText16:
		if n := r.take(2); !r.bad {
			r.take(uint64(n[0]) | uint64(n[1])<<8)
		}
	case t == tagText32:
		if n := r.take(4); !r.bad {
			r.take(uint64(n[0]) | uint64(n[1])<<8 | uint64(n[2])<<16 | uint64(n[3])<<24)
		}
	default:
		r.bad = true
	}
}
