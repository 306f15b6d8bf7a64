package integration

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// The load of the kill test. Each worker is one client with a history of its own; nothing is shared while they run but what
// the administrator may delete and which producer entries may be sent again. Values are unique and carry their checksum.

// addition is one XADD that was sent. Times are of one monotonic clock, in ns since the run began.
type addition struct {
	stream, value string
	producer, seq int
	id            stream.ID // zero: not answered
	sentAt        int64
	answeredAt    int64 // 0: not answered
}

// window is one XRANGE that was answered: the ids it returned, in order.
type window struct {
	stream string
	ids    []stream.ID
}

// delivery is one entry that XREADGROUP > answered.
type delivery struct {
	stream, consumer string
	id               stream.ID
}

// history is what the clients know. Each worker fills one; they are merged after the kill.
type history struct {
	adds      []addition
	pairs     []pair
	windows   []window
	delivered []delivery
	claimed   []delivery
	ackSent   map[string]map[stream.ID]bool // by stream
	acked     map[string]map[stream.ID]bool // answered 1
	delSent   map[string]map[stream.ID]bool
	deleted   map[string]map[stream.ID]bool
	trimSent  map[string]stream.ID // highest threshold of XTRIM MINID
	trimmed   map[string]stream.ID // answered
	once      map[string]*onceKey  // IDMP: by "pid iid"
	counter   counter
	rewrites  int
	answers   int
	problems  []string
}

// pair is a transaction that adds one value to two streams.
type pair struct {
	value string
	ids   [2]stream.ID
	done  bool
}

type onceKey struct {
	pid, iid, value string
	id              stream.ID // of the first answer; zero: none
	sends           int
}

type counter struct{ sent, done int64 }

func newHistory() *history {
	set := func() map[string]map[stream.ID]bool {
		m := make(map[string]map[stream.ID]bool)
		for _, s := range plainStreams {
			m[s] = make(map[stream.ID]bool)
		}
		return m
	}
	return &history{
		ackSent: set(), acked: set(), delSent: set(), deleted: set(), once: make(map[string]*onceKey),
		trimSent: make(map[string]stream.ID), trimmed: make(map[string]stream.ID),
	}
}

func (h *history) problem(format string, args ...any) {
	h.problems = append(h.problems, fmt.Sprintf(format, args...))
}

// merge adds what another worker knows.
func (h *history) merge(o *history) {
	h.adds = append(h.adds, o.adds...)
	h.pairs = append(h.pairs, o.pairs...)
	h.windows = append(h.windows, o.windows...)
	h.delivered = append(h.delivered, o.delivered...)
	h.claimed = append(h.claimed, o.claimed...)
	for _, s := range plainStreams {
		unite(h.ackSent[s], o.ackSent[s])
		unite(h.acked[s], o.acked[s])
		unite(h.delSent[s], o.delSent[s])
		unite(h.deleted[s], o.deleted[s])
		h.trimSent[s] = later(h.trimSent[s], o.trimSent[s])
		h.trimmed[s] = later(h.trimmed[s], o.trimmed[s])
	}
	for k, v := range o.once {
		h.once[k] = v
	}
	h.counter.sent += o.counter.sent
	h.counter.done += o.counter.done
	h.rewrites += o.rewrites
	h.answers += o.answers
	h.problems = append(h.problems, o.problems...)
}

func unite(into, from map[stream.ID]bool) {
	for id := range from {
		into[id] = true
	}
}

func later(a, b stream.ID) stream.ID {
	if a.Less(b) {
		return b
	}
	return a
}

const (
	producers = 4
	consumers = 3
	pairers   = 2
	oncers    = 2
	batch     = 4 // commands a producer sends at once
)

var plainStreams = []string{"s0", "s1"}

// load runs clients against p until p dies. State that outlives a kill is kept between rounds.
type load struct {
	p      *process
	start  time.Time
	rounds int
	seqs   [16]int // next counter of each worker, so that values stay unique across kills
	all    *history
	known  sync.Map // stream → []stream.ID answered lately, for the administrator and the readers
	resend [oncers][]*onceKey
}

func newLoad(p *process) *load { return &load{p: p, start: time.Now(), all: newHistory()} }

func (l *load) now() int64 { return int64(time.Since(l.start)) }

// run begins the clients and returns a function that waits for their end, after the server was killed, and merges what they
// know.
func (l *load) run() (wait func()) {
	l.rounds++
	var wg sync.WaitGroup
	var histories []*history
	client := func(body func(w *wire, h *history, rnd *rand.Rand) error) {
		h := newHistory()
		n := len(histories)
		histories = append(histories, h)
		wg.Add(1)
		go func() {
			defer wg.Done()
			w, err := dialWire(l.p)
			if err != nil {
				return // killed before it came to that
			}
			defer w.close()
			rnd := rand.New(rand.NewPCG(uint64(l.rounds), uint64(n)))
			for err == nil {
				err = body(w, h, rnd)
			}
		}()
	}
	for i := range producers {
		client(func(w *wire, h *history, _ *rand.Rand) error { return l.produce(w, h, i) })
	}
	for i := range oncers {
		client(func(w *wire, h *history, rnd *rand.Rand) error { return l.produceOnce(w, h, rnd, i) })
	}
	for i := range pairers {
		client(func(w *wire, h *history, _ *rand.Rand) error { return l.producePair(w, h, i) })
	}
	for i := range consumers {
		client(func(w *wire, h *history, rnd *rand.Rand) error { return l.consume(w, h, rnd, i) })
	}
	client(l.administer)
	client(l.readRanges)
	return func() {
		wg.Wait()
		for _, h := range histories {
			l.all.merge(h)
		}
	}
}

// checked returns a unique value and its checksum in one string.
func checked(name string, seq int) string {
	v := name + "-" + strconv.Itoa(seq)
	return fmt.Sprintf("%s-%08x", v, crc32.ChecksumIEEE([]byte(v)))
}

func intact(value string) bool {
	at := strings.LastIndexByte(value, '-')
	return at > 0 && fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(value[:at]))) == value[at+1:]
}

// answerID reads the reply to an XADD.
func (h *history) answerID(v resp.Value) stream.ID {
	h.answers++
	if err := v.Err(); err != nil {
		h.problem("XADD: %v", err)
		return stream.ID{}
	}
	id, err := parseID(string(v.Text))
	if err != nil {
		h.problem("XADD: %v", err)
	}
	return id
}

// produce sends a batch of plain XADDs and reads the answers.
func (l *load) produce(w *wire, h *history, i int) error {
	s := plainStreams[i%len(plainStreams)]
	from := len(h.adds)
	for range batch {
		seq := l.seqs[i]
		l.seqs[i]++
		a := addition{stream: s, value: checked("p"+strconv.Itoa(i), seq), producer: i, seq: seq, sentAt: l.now()}
		h.adds = append(h.adds, a)
		w.queue("XADD", s, "*", "v", a.value)
	}
	if err := w.flush(); err != nil {
		return err
	}
	for j := range batch {
		v, err := w.read()
		if err != nil {
			return err
		}
		a := &h.adds[from+j]
		a.id, a.answeredAt = h.answerID(v), l.now()
		l.known.Store(s, a.id)
	}
	return nil
}

// produceOnce sends an XADD IDMP, or one of the last ones again, as it also does with what was in doubt when the server died.
func (l *load) produceOnce(w *wire, h *history, rnd *rand.Rand, i int) error {
	var k *onceKey
	switch n := len(l.resend[i]); {
	case n > 0 && rnd.IntN(3) == 0:
		k = l.resend[i][rnd.IntN(n)]
	case n > 0 && l.resend[i][n-1].id.IsZero():
		k = l.resend[i][n-1] // in doubt
	default:
		seq := l.seqs[8+i]
		l.seqs[8+i]++
		pid := "pid" + strconv.Itoa(i)
		k = &onceKey{pid: pid, iid: strconv.Itoa(seq), value: checked("once"+strconv.Itoa(i), seq)}
		if l.resend[i] = append(l.resend[i], k); len(l.resend[i]) > 50 {
			l.resend[i] = l.resend[i][1:]
		}
	}
	h.once[k.pid+" "+k.iid] = k
	k.sends++
	v, err := w.do("XADD", "once", "IDMP", k.pid, k.iid, "*", "v", k.value)
	if err != nil {
		return err
	}
	id := h.answerID(v)
	if !k.id.IsZero() && k.id != id {
		h.problem("IDMP %s %s: answered %v and then %v", k.pid, k.iid, k.id, id)
	}
	k.id = id
	return nil
}

// producePair adds one value to two streams in a transaction.
func (l *load) producePair(w *wire, h *history, i int) error {
	seq := l.seqs[12+i]
	l.seqs[12+i]++
	h.pairs = append(h.pairs, pair{value: checked("tx"+strconv.Itoa(i), seq)})
	t := &h.pairs[len(h.pairs)-1]
	w.queue("MULTI")
	w.queue("XADD", "ta", "*", "v", t.value)
	w.queue("XADD", "tb", "*", "v", t.value)
	w.queue("EXEC")
	if err := w.flush(); err != nil {
		return err
	}
	var v resp.Value
	for range 4 {
		var err error
		if v, err = w.read(); err != nil {
			return err
		}
	}
	if len(v.Elems) != 2 {
		h.problem("EXEC: %s", v)
		return nil
	}
	t.ids[0], t.ids[1], t.done = h.answerID(v.Elems[0]), h.answerID(v.Elems[1]), true
	return nil
}

// consume reads from the group, acknowledges most of what it got, and sometimes claims from the others.
func (l *load) consume(w *wire, h *history, rnd *rand.Rand, i int) error {
	name := "c" + strconv.Itoa(i)
	v, err := w.do("XREADGROUP", "GROUP", "g", name, "COUNT", "20", "BLOCK", "20", "STREAMS", "s0", "s1", ">", ">")
	if err != nil {
		return err
	}
	if err := v.Err(); err != nil {
		h.problem("XREADGROUP: %v", err)
		return nil
	}
	h.answers++
	for _, part := range v.Elems {
		s := string(part.Elems[0].Text)
		ids := h.entryIDs(part.Elems[1])
		for _, id := range ids {
			h.delivered = append(h.delivered, delivery{s, name, id})
		}
		if err := l.ack(w, h, rnd, s, ids); err != nil {
			return err
		}
	}
	if rnd.IntN(2) > 0 {
		return nil
	}
	s := plainStreams[rnd.IntN(len(plainStreams))]
	if v, err = w.do("XAUTOCLAIM", s, "g", name, "0", "-", "COUNT", "100"); err != nil {
		return err
	}
	if len(v.Elems) != 3 {
		h.problem("XAUTOCLAIM: %s", v)
		return nil
	}
	ids := h.entryIDs(v.Elems[1])
	for _, id := range ids {
		h.claimed = append(h.claimed, delivery{s, name, id})
	}
	return l.ack(w, h, rnd, s, ids)
}

// ack acknowledges four of five entries.
func (l *load) ack(w *wire, h *history, rnd *rand.Rand, s string, ids []stream.ID) error {
	for _, id := range ids {
		if rnd.IntN(5) == 0 {
			continue
		}
		h.ackSent[s][id] = true
		v, err := w.do("XACK", s, "g", id.String())
		if err != nil {
			return err
		}
		h.answers++
		if n, _ := v.Int(); n == 1 {
			h.acked[s][id] = true
		} else if err := v.Err(); err != nil {
			h.problem("XACK: %v", err)
		}
	}
	return nil
}

// entryIDs reads the ids of a list of entries and checks their values.
func (h *history) entryIDs(list resp.Value) []stream.ID {
	var ids []stream.ID
	for _, e := range list.Elems {
		if len(e.Elems) != 2 || len(e.Elems[1].Elems) != 2 {
			h.problem("an entry of another shape: %s", e)
			continue
		}
		id, err := parseID(string(e.Elems[0].Text))
		if value := string(e.Elems[1].Elems[1].Text); err != nil || !intact(value) {
			h.problem("entry %s: %v", e, err)
		}
		ids = append(ids, id)
	}
	return ids
}

// administer deletes, trims, counts and has the log rewritten.
func (l *load) administer(w *wire, h *history, rnd *rand.Rand) error {
	s := plainStreams[rnd.IntN(len(plainStreams))]
	known, ok := l.known.Load(s)
	if !ok {
		known = stream.ID{MS: 1}
	}
	id := known.(stream.ID)
	var v resp.Value
	var err error
	switch rnd.IntN(10) {
	case 0:
		// Keep the last 200 ms.
		bound := stream.ID{MS: id.MS - min(id.MS, 200)}
		h.trimSent[s] = later(h.trimSent[s], bound)
		if v, err = w.do("XTRIM", s, "MINID", bound.String()); err == nil {
			h.trimmed[s] = later(h.trimmed[s], bound)
		}
	case 1:
		// One that is under way is an error here, and expected.
		if v, err = w.do("BGREWRITEAOF"); err == nil {
			if v.Err() == nil {
				h.rewrites++
			}
			v = resp.Value{Kind: '+'}
		}
	case 2, 3, 4:
		h.delSent[s][id] = true
		if v, err = w.do("XDEL", s, id.String()); err == nil {
			if n, _ := v.Int(); n == 1 {
				h.deleted[s][id] = true
			}
		}
	default:
		h.counter.sent++
		if v, err = w.do("INCR", "counter"); err == nil {
			h.counter.done++
		}
	}
	if err != nil {
		return err
	}
	h.answers++
	if err := v.Err(); err != nil {
		h.problem("administrator: %v", err)
	}
	return nil
}

// readRanges reads the end of a stream.
func (l *load) readRanges(w *wire, h *history, rnd *rand.Rand) error {
	s := plainStreams[rnd.IntN(len(plainStreams))]
	from := "-"
	if known, ok := l.known.Load(s); ok {
		id := known.(stream.ID)
		from = stream.ID{MS: id.MS - min(id.MS, 20)}.String()
	}
	v, err := w.do("XRANGE", s, from, "+", "COUNT", "50")
	if err != nil {
		return err
	}
	h.answers++
	if ids := h.entryIDs(v); len(ids) > 0 {
		h.windows = append(h.windows, window{s, ids})
	}
	return nil
}
