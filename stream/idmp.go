package stream

import (
	"bytes"
	"maps"
	"slices"
	"sort"

	"github.com/tidwall/btree"
)

// Defaults of stream-idmp-duration and stream-idmp-maxsize.
const (
	defaultIdmpSeconds = 100
	defaultIdmpMaxSize = 100
)

// producerBytes and iidBytes estimate the memory of a producer and of one of its iids.
const (
	producerBytes = 256
	iidBytes      = 96
)

// Idempotency remembers which iid of which producer made which entry. An iid is forgotten when its producer holds too many,
// oldest insertion first, or when it expires, which is counted from the ms part of the entry's id.
type Idempotency struct {
	seconds    int64 // idmp-duration
	maxSize    int64 // idmp-maxsize
	added      int64 // iids-added
	duplicates int64 // iids-duplicates
	iids       int64
	memory     int64
	epoch      uint64

	byPID *btree.BTreeG[pidItem]   // by pid; nil until one is known
	byAge *btree.BTreeG[*producer] // the same, by oldest, then pid: who expires first
}

// producer is the iids of one pid. Invariant: it has at least one while it is in the trees.
type producer struct {
	pid    []byte
	epoch  uint64
	recs   []iidRecord    // recs[head:], in insertion order
	head   int            //
	base   int            // insertion number of recs[0]
	at     map[string]int // iid to insertion number
	oldest uint64         // smallest ms of the ids
	sorted bool           // ids were inserted in ascending order, as XADD does
}

type iidRecord struct {
	iid string
	id  ID
}

// pidItem is a producer beside its key, so that a search needs no producer.
type pidItem struct {
	pid []byte
	*producer
}

func byPID(a, b pidItem) bool { return bytes.Compare(a.pid, b.pid) < 0 }

func byAge(a, b *producer) bool {
	return a.oldest < b.oldest || a.oldest == b.oldest && bytes.Compare(a.pid, b.pid) < 0
}

func newIdempotency() Idempotency {
	return Idempotency{seconds: defaultIdmpSeconds, maxSize: defaultIdmpMaxSize}
}

func (x *Idempotency) fork() Idempotency {
	x.epoch++
	c := *x
	if x.byPID != nil {
		c.byPID, c.byAge = x.byPID.Copy(), x.byAge.Copy()
	}
	return c
}

// Config returns idmp-duration in seconds and idmp-maxsize.
func (x *Idempotency) Config() (seconds, maxSize int64) { return x.seconds, x.maxSize }

// SetConfig sets idmp-duration and idmp-maxsize. If that changes one of them, all producers are forgotten.
func (x *Idempotency) SetConfig(seconds, maxSize int64) {
	if seconds == x.seconds && maxSize == x.maxSize {
		return
	}
	x.seconds, x.maxSize = seconds, maxSize
	x.byPID, x.byAge, x.iids, x.memory = nil, nil, 0, 0
}

// Added is the lifetime number of iids recorded.
func (x *Idempotency) Added() int64 { return x.added }

// Duplicates is the lifetime number of duplicates counted.
func (x *Idempotency) Duplicates() int64 { return x.duplicates }

// CountDuplicate counts an XADD answered from memory.
func (x *Idempotency) CountDuplicate() { x.duplicates++ }

// Producers is the number of producers with an iid.
func (x *Idempotency) Producers() int {
	if x.byPID == nil {
		return 0
	}
	return x.byPID.Len()
}

// Iids is the number of iids of all producers.
func (x *Idempotency) Iids() int64 { return x.iids }

// Tracked counts the producers and the iids that Expire(nowMS) would leave.
func (x *Idempotency) Tracked(nowMS int64) (producers int, iids int64) {
	producers, iids = x.Producers(), x.iids
	cutoff := nowMS - x.seconds*1000
	if cutoff < 0 || x.byAge == nil {
		return producers, iids
	}
	x.byAge.Scan(func(p *producer) bool {
		if p.oldest > uint64(cutoff) {
			return false
		}
		gone := p.expired(uint64(cutoff))
		if iids -= int64(gone); gone == len(p.recs)-p.head {
			producers--
		}
		return true
	})
	return producers, iids
}

// Lookup returns the id recorded for an iid. Call Expire first: what should have expired may still be found.
func (x *Idempotency) Lookup(pid, iid []byte) (ID, bool) {
	p := x.producer(pid)
	if p == nil {
		return ID{}, false
	}
	n, ok := p.at[string(iid)]
	if !ok {
		return ID{}, false
	}
	return p.recs[n-p.base].id, true
}

// Record remembers an iid that Lookup does not find, and forgets the producer's oldest if it holds too many.
func (x *Idempotency) Record(pid, iid []byte, id ID) {
	if x.byPID == nil {
		x.byPID = btree.NewBTreeGOptions(byPID, btree.Options{NoLocks: true})
		x.byAge = btree.NewBTreeGOptions(byAge, btree.Options{NoLocks: true})
	}
	p := x.producer(pid)
	fresh := p == nil
	if fresh {
		p = &producer{pid: bytes.Clone(pid), epoch: x.epoch, at: map[string]int{}, oldest: id.MS, sorted: true}
		x.memory += producerBytes + int64(len(pid))
		x.byPID.Set(pidItem{p.pid, p})
	} else {
		p = x.own(p)
	}
	before := p.oldest
	key := string(iid)
	p.sorted = p.sorted && (fresh || !id.Less(p.recs[len(p.recs)-1].id))
	p.at[key] = p.base + len(p.recs)
	p.recs = append(p.recs, iidRecord{key, id})
	x.added++
	x.iids++
	x.memory += iidBytes + int64(len(iid))
	oldest := min(p.oldest, id.MS)
	for int64(len(p.recs)-p.head) > x.maxSize {
		x.forgetHead(p)
		oldest = p.oldestMS()
	}
	if fresh || oldest != before {
		x.byAge.Delete(p)
		p.oldest = oldest
		x.byAge.Set(p)
	}
}

// Expire forgets the iids whose entry's ms part is at most nowMS less the duration.
func (x *Idempotency) Expire(nowMS int64) {
	cutoff := nowMS - x.seconds*1000
	if cutoff < 0 || x.byAge == nil {
		return
	}
	for {
		p, ok := x.byAge.Min()
		if !ok || p.oldest > uint64(cutoff) {
			return
		}
		p = x.own(p)
		x.byAge.Delete(p)
		x.expire(p, uint64(cutoff))
		if p.head == len(p.recs) {
			x.byPID.Delete(pidItem{pid: p.pid})
			x.memory -= producerBytes + int64(len(p.pid))
			continue
		}
		p.oldest = p.oldestMS()
		x.byAge.Set(p)
	}
}

// expire forgets the iids of one producer up to cutoff.
func (x *Idempotency) expire(p *producer, cutoff uint64) {
	if p.sorted {
		for p.head < len(p.recs) && p.recs[p.head].id.MS <= cutoff {
			x.forgetHead(p)
		}
		return
	}
	kept := p.recs[:0]
	for _, r := range p.recs[p.head:] {
		if r.id.MS <= cutoff {
			x.forget(p, r.iid)
		} else {
			kept = append(kept, r)
		}
	}
	clear(p.recs[len(kept):])
	p.recs, p.head, p.base = kept, 0, 0
	for i, r := range kept {
		p.at[r.iid] = i
	}
}

// expired counts the iids that expire would forget.
func (p *producer) expired(cutoff uint64) int {
	held := p.recs[p.head:]
	if p.sorted {
		return sort.Search(len(held), func(i int) bool { return held[i].id.MS > cutoff })
	}
	n := 0
	for _, r := range held {
		if r.id.MS <= cutoff {
			n++
		}
	}
	return n
}

func (x *Idempotency) forgetHead(p *producer) {
	x.forget(p, p.recs[p.head].iid)
	p.recs[p.head] = iidRecord{}
	p.head++
	if p.head > len(p.recs)/2 && p.head > 16 {
		n := copy(p.recs, p.recs[p.head:])
		clear(p.recs[n:])
		p.recs = p.recs[:n]
		p.base += p.head
		p.head = 0
	}
}

func (x *Idempotency) forget(p *producer, iid string) {
	delete(p.at, iid)
	x.iids--
	x.memory -= iidBytes + int64(len(iid))
}

// oldestMS looks up the smallest ms of the producer's ids.
func (p *producer) oldestMS() uint64 {
	oldest := p.recs[p.head].id.MS
	if !p.sorted {
		for _, r := range p.recs[p.head:] {
			oldest = min(oldest, r.id.MS)
		}
	}
	return oldest
}

func (x *Idempotency) producer(pid []byte) *producer {
	if x.byPID == nil {
		return nil
	}
	at, _ := x.byPID.Get(pidItem{pid: pid})
	return at.producer
}

// own returns the producer for writing.
func (x *Idempotency) own(p *producer) *producer {
	if p.epoch == x.epoch {
		return p
	}
	c := *p
	c.epoch = x.epoch
	c.recs = slices.Clone(p.recs)
	c.at = maps.Clone(p.at)
	x.byPID.Set(pidItem{c.pid, &c})
	x.byAge.Set(&c)
	return &c
}
