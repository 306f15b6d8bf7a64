package stream

import "sort"

// Limits close a node as stream-node-max-bytes and stream-node-max-entries do in Redis. 0 means no limit; bytes beyond
// 2^30 mean 2^30.
type Limits struct {
	NodeMaxBytes   int64
	NodeMaxEntries int64
}

// maxNodeBytes is Redis's bound on a listpack of entries, and on the fields and values of one entry.
const maxNodeBytes = 1 << 30

// node is what a radix tree node of Redis would hold.
type node struct {
	first  ID      // the first entry put in: the master entry's id
	last   ID      // the last entry put in, deleted or not
	bytes  uint64  // listpack size without the elements that count live and deleted entries
	master *master // fields of the first entry
	live   uint32
	total  uint32 // live and deleted
}

// master is a list of field names: varint length, name, … It never changes; nodes of the same fields share it, so that
// walking nodes is cheap for the garbage collector too.
type master struct{ names []byte }

func (m *master) memory() int64 { return 24 + int64(cap(m.names)) }

// full tells whether an entry with size bytes of fields and values opens a new node.
func (n *node) full(size int64, lim Limits) bool {
	maxBytes := lim.NodeMaxBytes
	if maxBytes <= 0 || maxBytes > maxNodeBytes {
		maxBytes = maxNodeBytes
	}
	bytes := int64(n.bytes) + int64(listpackInt(int64(n.live))) + int64(listpackInt(int64(n.total-n.live)))
	return bytes+size >= maxBytes || lim.NodeMaxEntries > 0 && int64(n.total) >= lim.NodeMaxEntries
}

// chunkNodes is how many nodes a chunk holds: as many as fit into 4 KiB.
const chunkNodes = 73

// nodeBytes and chunkBytes are the memory of a node and of an empty chunk.
const (
	nodeBytes  = 56
	chunkBytes = 48
)

// nodeChunk is a run of nodes. Invariant: recs[head:] is not empty while the chunk is in a list, and live the sum of theirs.
type nodeChunk struct {
	epoch uint64
	head  int
	live  int64
	recs  []node
}

// nodeList is the nodes of a stream, oldest first, in chunks that streams share copy-on-write.
type nodeList struct {
	chunks []*nodeChunk
	count  int64
	names  int64 // bytes of the masters, each counted once per run of nodes that share it
}

// nodeRef names a node of a list until the list changes.
type nodeRef struct{ chunk, at int }

// fork returns a list that shares the chunks; both sides go on under a higher epoch.
func (l *nodeList) fork() nodeList {
	return nodeList{chunks: append([]*nodeChunk(nil), l.chunks...), count: l.count, names: l.names}
}

// own makes a chunk writable for epoch.
func (l *nodeList) own(i int, epoch uint64) *nodeChunk {
	c := l.chunks[i]
	if c.epoch != epoch {
		c = &nodeChunk{epoch: epoch, live: c.live, recs: append(make([]node, 0, len(c.recs)-c.head+1), c.recs[c.head:]...)}
		l.chunks[i] = c
	}
	return c
}

// oldest returns the oldest node; the list is not empty.
func (l *nodeList) oldest() *node {
	c := l.chunks[0]
	return &c.recs[c.head]
}

// newest returns the newest node, nil if there is none.
func (l *nodeList) newest() *node {
	if len(l.chunks) == 0 {
		return nil
	}
	c := l.chunks[len(l.chunks)-1]
	return &c.recs[len(c.recs)-1]
}

// growNewest counts one more entry in the newest node and returns it for writing; the list is not empty.
func (l *nodeList) growNewest(epoch uint64) *node {
	c := l.own(len(l.chunks)-1, epoch)
	c.live++
	n := &c.recs[len(c.recs)-1]
	n.live++
	n.total++
	return n
}

// push adds a node at the end.
func (l *nodeList) push(n node, epoch uint64) {
	if last := l.newest(); last == nil || last.master != n.master {
		l.names += n.master.memory()
	}
	l.count++
	if k := len(l.chunks); k > 0 && len(l.chunks[k-1].recs)-l.chunks[k-1].head < chunkNodes {
		c := l.own(k-1, epoch)
		if len(c.recs) == cap(c.recs) && c.head > 0 {
			c.recs = c.recs[:copy(c.recs, c.recs[c.head:])]
			c.head = 0
		}
		c.recs = append(c.recs, n)
		c.live += int64(n.live)
		return
	}
	room := 1
	if len(l.chunks) > 0 {
		room = chunkNodes // the second chunk of many
	}
	l.chunks = append(l.chunks, &nodeChunk{epoch: epoch, live: int64(n.live), recs: append(make([]node, 0, room), n)})
}

// find returns the node an entry is in: the last one whose first id is not above id.
func (l *nodeList) find(id ID) (nodeRef, bool) {
	i := sort.Search(len(l.chunks), func(i int) bool {
		c := l.chunks[i]
		return id.Less(c.recs[c.head].first)
	}) - 1
	if i < 0 {
		return nodeRef{}, false
	}
	c := l.chunks[i]
	live := c.recs[c.head:]
	at := sort.Search(len(live), func(j int) bool { return id.Less(live[j].first) }) - 1
	return nodeRef{i, c.head + at}, true
}

// ceiling returns the first node whose first entry is not below id.
func (l *nodeList) ceiling(id ID) (*node, bool) {
	i := sort.Search(len(l.chunks), func(i int) bool {
		c := l.chunks[i]
		return !c.recs[len(c.recs)-1].first.Less(id)
	})
	if i == len(l.chunks) {
		return nil, false
	}
	live := l.chunks[i].recs[l.chunks[i].head:]
	return &live[sort.Search(len(live), func(j int) bool { return !live[j].first.Less(id) })], true
}

// take counts n entries of a node as deleted; the node goes when none is left. It tells whether that was the newest node.
func (l *nodeList) take(r nodeRef, n uint32, epoch uint64) (newestGone bool) {
	shift := l.chunks[r.chunk].head
	c := l.own(r.chunk, epoch)
	at := r.at - (shift - c.head)
	c.recs[at].live -= n
	c.live -= int64(n)
	if c.recs[at].live > 0 {
		return false
	}
	l.release(r.chunk, at)
	l.count--
	newestGone = r.chunk == len(l.chunks)-1 && at == len(c.recs)-1
	switch {
	case len(c.recs)-c.head == 1 && r.chunk == 0:
		l.chunks[0] = nil
		l.chunks = l.chunks[1:]
	case len(c.recs)-c.head == 1:
		l.chunks = append(l.chunks[:r.chunk], l.chunks[r.chunk+1:]...)
	case at == c.head:
		c.head++
	default:
		c.recs = append(c.recs[:at], c.recs[at+1:]...)
	}
	return newestGone
}

// release takes the master of a node that goes out of the count, unless a node beside it has it too.
func (l *nodeList) release(chunk, at int) {
	c := l.chunks[chunk]
	m := c.recs[at].master
	var before, after *master
	if at > c.head {
		before = c.recs[at-1].master
	} else if chunk > 0 {
		below := l.chunks[chunk-1].recs
		before = below[len(below)-1].master
	}
	if at+1 < len(c.recs) {
		after = c.recs[at+1].master
	} else if chunk+1 < len(l.chunks) {
		above := l.chunks[chunk+1]
		after = above.recs[above.head].master
	}
	if before != m && after != m {
		l.names -= m.memory()
	}
}

// takeOldest is take for the oldest node.
func (l *nodeList) takeOldest(n uint32, epoch uint64) (newestGone bool) {
	return l.take(nodeRef{0, l.chunks[0].head}, n, epoch)
}

// dropOldest takes out the first n nodes, with all their entries.
func (l *nodeList) dropOldest(n int, epoch uint64) {
	l.count -= int64(n)
	var shared *master
	whole := 0
	for n > 0 {
		c := l.chunks[whole]
		k := min(n, len(c.recs)-c.head)
		var live int64
		for i := c.head; i < c.head+k; i++ {
			live += int64(c.recs[i].live)
			if m := c.recs[i].master; m != shared {
				l.dropMaster(shared)
				shared = m
			}
		}
		if n -= k; k == len(c.recs)-c.head {
			whole++
			continue
		}
		c = l.own(whole, epoch)
		c.head += k
		c.live -= live
	}
	clear(l.chunks[:whole])
	l.chunks = l.chunks[whole:]
	if l.count == 0 || l.oldest().master != shared {
		l.dropMaster(shared)
	}
}

// dropMaster takes the master of a run of nodes that went out of the count; nil is none.
func (l *nodeList) dropMaster(m *master) {
	if m != nil {
		l.names -= m.memory()
	}
}

// each visits the nodes, oldest first, until visit returns false.
func (l *nodeList) each(visit func(n *node) bool) {
	for _, c := range l.chunks {
		for i := c.head; i < len(c.recs); i++ {
			if !visit(&c.recs[i]) {
				return
			}
		}
	}
}
