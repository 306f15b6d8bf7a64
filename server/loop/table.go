//go:build linux

package loop

// connTable holds connections by their descriptors, which are small numbers.
type connTable struct{ byFD []*conn }

// get returns the connection of a descriptor, nil if there is none.
func (t *connTable) get(fd int) *conn {
	if fd >= len(t.byFD) {
		return nil
	}
	return t.byFD[fd]
}

func (t *connTable) add(c *conn) {
	if n := c.fd + 1 - len(t.byFD); n > 0 {
		t.byFD = append(t.byFD, make([]*conn, n)...)
	}
	t.byFD[c.fd] = c
}

func (t *connTable) remove(c *conn) {
	if t.get(c.fd) == c {
		t.byFD[c.fd] = nil
	}
}

// all yields every connection; those it has not come to yet may be removed meanwhile.
func (t *connTable) all(yield func(*conn) bool) {
	for _, c := range t.byFD {
		if c != nil && !yield(c) {
			return
		}
	}
}
