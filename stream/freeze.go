package stream

import "slices"

// Freeze returns an image of the stream that another goroutine may read while the stream goes on. It costs little whatever
// the stream's size: blocks and nodes are shared and copied on first change.
func (s *Stream) Freeze() *Stream { return s.fork() }

// Clone returns a stream of its own with the same content, for COPY.
func (s *Stream) Clone() *Stream { return s.fork() }

func (s *Stream) fork() *Stream {
	s.epoch++
	c := *s
	c.spare = [2]*block{}
	c.nodes = s.nodes.fork()
	c.idmp = s.idmp.fork()
	if s.tree != nil {
		c.tree = s.tree.Copy()
	}
	if s.tail != nil {
		// The struct of the tail is ours alone, and so is the room behind its buffer: what the copy appends goes elsewhere.
		s.tail.epoch = s.epoch
		t := *s.tail
		t.buf = slices.Clip(t.buf)
		t.index = slices.Clip(t.index)
		c.tail = &t
		c.memory += t.memory() - s.tail.memory()
	}
	return &c
}
