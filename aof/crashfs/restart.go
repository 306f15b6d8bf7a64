package crashfs

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
)

const sector = 512

// Killed is what a new process finds after the old one was killed: all that was written, synced or not. The old file system
// is left dead.
func (s *FS) Killed() *FS {
	return s.restart(func(n *inode) *inode {
		return &inode{now: bytes.Clone(n.now), durable: bytes.Clone(n.durable), pending: slices.Clone(n.pending)}
	}, func(d *directory) (map[string]*inode, []change) { return d.durable, d.pending })
}

// PowerCut is what a machine finds after its power failed: all that was synced and, if r is not nil, any part of the rest:
// each unsynced write whole, torn or not at all, each change of a directory or not, in no order. The old file system is left
// dead.
func (s *FS) PowerCut(r *rand.Rand) *FS {
	return s.restart(func(n *inode) *inode {
		disk := bytes.Clone(n.durable)
		for _, w := range n.pending {
			if r != nil {
				disk = w.torn(disk, r)
			}
		}
		return &inode{now: disk, durable: bytes.Clone(disk)}
	}, func(d *directory) (map[string]*inode, []change) {
		names := maps.Clone(d.durable)
		for _, c := range d.pending {
			if r != nil && r.IntN(2) == 0 {
				c.on(names)
			}
		}
		return names, nil
	})
}

// torn carries out some of the write.
func (w write) torn(b []byte, r *rand.Rand) []byte {
	n := len(w.data)
	if n == 0 {
		if r.IntN(2) == 0 {
			return w.on(b)
		}
		return b
	}
	switch r.IntN(6) {
	case 0, 1:
		return b
	case 2, 3:
		return w.on(b)
	case 4:
		return write{w.off, w.data[:r.IntN(n+1)]}.on(b)
	}
	for at := 0; at < n; { // some of the sectors
		end := min(n, at+sector-int(w.off+int64(at))%sector)
		if r.IntN(2) == 0 {
			b = write{w.off + int64(at), w.data[at:end]}.on(b)
		}
		at = end
	}
	return b
}

// restart copies everything through the two functions.
func (s *FS) restart(file func(*inode) *inode, names func(*directory) (map[string]*inode, []change)) *FS {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	next := New()
	next.space = s.space
	copies := map[*inode]*inode{}
	copyOf := func(n *inode) *inode {
		if n == nil {
			return nil
		}
		if copies[n] == nil {
			copies[n] = file(n)
		}
		return copies[n]
	}
	// In a fixed order: file draws from the caller's source of chance.
	for _, path := range slices.Sorted(maps.Keys(s.dirs)) {
		durable, pending := names(s.dirs[path])
		d := &directory{now: map[string]*inode{}, durable: map[string]*inode{}}
		for _, name := range slices.Sorted(maps.Keys(durable)) {
			d.durable[name] = copyOf(durable[name])
			d.now[name] = d.durable[name]
		}
		for _, c := range pending {
			again := change{}
			for _, name := range slices.Sorted(maps.Keys(c)) {
				again[name] = copyOf(c[name])
			}
			d.apply(again)
		}
		next.dirs[path] = d
	}
	return next
}

// ReadFile returns what a file holds, or nil if there is none.
func (s *FS) ReadFile(path string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, n := s.lookup(path)
	if n == nil {
		return nil
	}
	return bytes.Clone(n.now)
}

// WriteFile makes a file hold b, durably, past all counting.
func (s *FS) WriteFile(path string, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := filepath.Dir(path)
	if s.dirs[dir] == nil {
		s.dirs[dir] = &directory{now: map[string]*inode{}, durable: map[string]*inode{}}
	}
	n := &inode{now: bytes.Clone(b), durable: bytes.Clone(b)}
	s.dirs[dir].now[filepath.Base(path)] = n
	s.dirs[dir].durable[filepath.Base(path)] = n
}
