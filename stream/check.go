package stream

import (
	"errors"
	"fmt"
	"slices"
)

// Check verifies the invariants of the stream from the bytes up, for tests.
func (s *Stream) Check() error {
	var err error
	var memory int64
	s.eachBlock(func(b *block) {
		memory += b.memory()
		if b.epoch > s.epoch || b.bufEpoch > b.epoch {
			err = errors.Join(err, fmt.Errorf("block %v: epochs %d, %d in a stream of %d", b.base, b.epoch, b.bufEpoch, s.epoch))
		}
		c := block{base: b.base, buf: b.buf, start: b.start}
		forms, failed := c.inspect()
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("block %v: %w", b.base, failed))
			return
		}
		if c.startID != b.startID || c.last != b.last || c.form != b.form || c.count != b.count || c.live != b.live || !slices.Equal(c.index, b.index) {
			err = errors.Join(err, fmt.Errorf("block %v: counters differ from its entries", b.base))
		}
		if len(b.buf) > int(b.limit) {
			err = errors.Join(err, fmt.Errorf("block %v: beyond its limit", b.base))
		}
		if b == s.tail {
			var want ring
			for _, off := range forms {
				want.add(int(off), formNames(nil, b.buf, int(off)))
			}
			if want.made != s.forms.made || want.slots != s.forms.slots {
				err = errors.Join(err, errors.New("forms of the tail differ from its entries"))
			}
		}
	})
	if err == nil && memory != s.memory {
		err = fmt.Errorf("memory is %d, blocks take %d", s.memory, memory)
	}
	return errors.Join(err, s.check(), s.idmp.check())
}

// check verifies what holds between blocks, nodes and counters; the blocks themselves are in order.
func (s *Stream) check() error {
	var length, packed int64
	var last ID
	ordered := true
	s.eachBlock(func(b *block) {
		length += int64(b.live)
		packed += int64(len(b.buf)) - int64(b.start)
		ordered = ordered && last.Less(b.base)
		last = b.lastLive()
	})
	switch {
	case !ordered:
		return errors.New("blocks are out of order")
	case length != s.length:
		return fmt.Errorf("length is %d, blocks hold %d", s.length, length)
	case packed != s.packed:
		return fmt.Errorf("packed size is %d, blocks hold %d", s.packed, packed)
	case last != s.lastLive:
		return fmt.Errorf("last entry is %v, not %v", last, s.lastLive)
	case s.lastID.Less(last):
		return fmt.Errorf("last id %v is below the last entry %v", s.lastID, last)
	}
	if b := s.oldest(); b == nil && !s.first.IsZero() || b != nil && b.startID != s.first {
		return fmt.Errorf("first entry is not %v", s.first)
	}
	for i, c := range s.nodes.chunks {
		var live int64
		for _, n := range c.recs[c.head:] {
			live += int64(n.live)
		}
		if live != c.live {
			return fmt.Errorf("chunk %d counts %d live entries, its nodes %d", i, c.live, live)
		}
	}
	return s.checkNodes()
}

// checkNodes verifies that the nodes count exactly the live entries.
func (s *Stream) checkNodes() error {
	var count int64
	var err error
	c := s.Scan(MinID, MaxID)
	more := c.Next()
	last := ID{}
	var names int64
	var shared *master
	s.nodes.each(func(n *node) bool {
		count++
		if n.master != shared {
			shared = n.master
			names += shared.memory()
		}
		if n.live == 0 || n.live > n.total || n.last.Less(n.first) || !last.Less(n.first) {
			err = fmt.Errorf("node %v is malformed", n.first)
		}
		last = n.last
		live := uint32(0)
		for more && !n.last.Less(c.ID()) {
			if c.ID().Less(n.first) {
				err = fmt.Errorf("entry %v is in no node", c.ID())
			}
			live++
			more = c.Next()
		}
		if live != n.live {
			err = fmt.Errorf("node %v counts %d live entries, there are %d", n.first, n.live, live)
		}
		return true
	})
	switch {
	case err != nil:
		return err
	case more:
		return fmt.Errorf("entry %v is in no node", c.ID())
	case names != s.nodes.names:
		return fmt.Errorf("master fields take %d bytes, not %d", names, s.nodes.names)
	case count != s.nodes.count:
		return fmt.Errorf("there are %d nodes, not %d", count, s.nodes.count)
	}
	return nil
}

func (x *Idempotency) check() error {
	if x.byPID == nil {
		if x.iids != 0 {
			return errors.New("iids without producers")
		}
		return nil
	}
	var err error
	var iids, memory int64
	x.byPID.Scan(func(p pidItem) bool {
		memory += producerBytes + int64(len(p.pid))
		for i, r := range p.recs[p.head:] {
			iids++
			memory += iidBytes + int64(len(r.iid))
			if n, ok := p.at[r.iid]; !ok || n-p.base != i+p.head {
				err = fmt.Errorf("producer %q does not find iid %q", p.pid, r.iid)
			}
		}
		aged, ok := x.byAge.Get(p.producer)
		if !ok || aged != p.producer || p.head == len(p.recs) || p.oldest != p.oldestMS() || len(p.at) != len(p.recs)-p.head {
			err = fmt.Errorf("producer %q is malformed", p.pid)
		}
		return true
	})
	if err == nil && (iids != x.iids || memory != x.memory || x.byAge.Len() != x.byPID.Len()) {
		err = fmt.Errorf("%d iids of %d bytes, counted %d of %d", iids, memory, x.iids, x.memory)
	}
	return err
}
