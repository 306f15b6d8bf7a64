package integration

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// entry is one entry of a stream as the restarted server has it.
type entry struct {
	id    stream.ID
	value string
}

// verdict gathers what is wrong; all checks take time linear in the history.
type verdict struct {
	c   *client
	h   *history
	bad []string
	// What the check before saw, for what must never go back.
	lastDelivered map[string]stream.ID
	lastGenerated map[string]stream.ID
	counts        map[string]int64 // "stream id" → delivery count
	// From the server.
	logs  map[string][]entry
	place map[string]map[stream.ID]int
}

func (v *verdict) fail(format string, args ...any) {
	if len(v.bad) < 20 {
		v.bad = append(v.bad, fmt.Sprintf(format, args...))
	}
}

// judge compares the whole history with the state of the server at c, which is idle.
func (v *verdict) judge(c *client, h *history) []string {
	v.c, v.h, v.bad = c, h, h.problems
	v.logs, v.place = map[string][]entry{}, map[string]map[stream.ID]int{}
	for _, s := range []string{"s0", "s1", "once", "ta", "tb"} {
		v.fetch(s)
	}
	v.additions()
	v.windows()
	v.pairs()
	v.idempotent()
	for _, s := range plainStreams {
		v.deletions(s)
		v.group(s)
	}
	v.deliveredOnce()
	if n, _ := c.do("GET", "counter").Int(); n < h.counter.done || n > h.counter.sent {
		v.fail("counter %d: %d increments were answered, %d sent", n, h.counter.done, h.counter.sent)
	}
	return v.bad
}

// fetch reads a stream and checks it by itself: ids ascend (C1), values are unique (C4) and intact, XLEN and XINFO agree.
func (v *verdict) fetch(s string) {
	values := map[string]bool{}
	place := map[stream.ID]int{}
	var log []entry
	for _, e := range v.c.do("XRANGE", s, "-", "+").Elems {
		id, err := parseID(string(e.Elems[0].Text))
		value := string(e.Elems[1].Elems[1].Text)
		switch {
		case err != nil:
			v.fail("%s: %v", s, err)
		case len(log) > 0 && !log[len(log)-1].id.Less(id):
			v.fail("%s: %v follows %v", s, id, log[len(log)-1].id)
		case values[value]:
			v.fail("%s: %s is there twice", s, value)
		case !intact(value):
			v.fail("%s: value %q is damaged", s, value)
		}
		values[value] = true
		place[id] = len(log)
		log = append(log, entry{id, value})
	}
	v.logs[s], v.place[s] = log, place
	info := v.c.do("XINFO", "STREAM", s)
	if info.Err() != nil {
		if len(log) > 0 {
			v.fail("XINFO STREAM %s: %s", s, info)
		}
		return
	}
	last, err := parseID(string(infoValue(info, "last-generated-id").Text))
	length := infoNumber(info, "length")
	xlen, _ := v.c.do("XLEN", s).Int()
	switch {
	case int(length) != len(log) || xlen != length:
		v.fail("%s has %d entries, XINFO says %d, XLEN %d", s, len(log), length, xlen)
	case err != nil || len(log) > 0 && last.Less(log[len(log)-1].id):
		v.fail("%s: last-generated-id %v (%v)", s, last, err)
	case last.Less(v.lastGenerated[s]):
		v.fail("%s: last-generated-id went back from %v to %v", s, v.lastGenerated[s], last)
	case infoNumber(info, "entries-added") < length:
		v.fail("%s: %s", s, info)
	}
	v.lastGenerated[s] = last
}

// explained tells whether somebody asked for an entry to be removed.
func (v *verdict) explained(s string, id stream.ID) bool {
	return v.h.delSent[s][id] || id.Less(v.h.trimSent[s])
}

// additions: what was answered is there under the answered id, or its removal was asked for (C2, C5); nothing is there that
// was not sent (C3); each producer's values are in its order (C6); what was answered before another was sent has the lower
// id (C1).
func (v *verdict) additions() {
	sent := map[string]*addition{}
	for i := range v.h.adds {
		a := &v.h.adds[i]
		sent[a.value] = a
		if a.answeredAt == 0 {
			continue
		}
		at, there := v.place[a.stream][a.id]
		switch {
		case !there && !v.explained(a.stream, a.id):
			v.fail("lost: %s was answered %v in %s", a.value, a.id, a.stream)
		case there && v.logs[a.stream][at].value != a.value:
			v.fail("%s %v holds %s, but was the answer to %s", a.stream, a.id, v.logs[a.stream][at].value, a.value)
		}
	}
	for _, s := range plainStreams {
		latestSent, before := int64(0), ""
		next := map[int]int{}
		for _, e := range v.logs[s] {
			a := sent[e.value]
			if a == nil || a.stream != s {
				v.fail("%s %v: %s was never sent", s, e.id, e.value)
				continue
			}
			if a.seq < next[a.producer] {
				v.fail("%s: %s comes after number %d of the same producer", s, e.value, next[a.producer]-1)
			}
			next[a.producer] = a.seq + 1
			if a.answeredAt != 0 && a.answeredAt < latestSent {
				v.fail("%s: %s was answered before %s was sent, and comes after it", s, e.value, before)
			}
			if a.sentAt > latestSent {
				latestSent, before = a.sentAt, e.value
			}
		}
	}
}

// windows: each range that was read is a contiguous piece of the log, but for what was removed (C7), and what was read is
// still there.
func (v *verdict) windows() {
	for _, win := range v.h.windows {
		log, next := v.logs[win.stream], -1
		for _, id := range win.ids {
			at, there := v.place[win.stream][id]
			switch {
			case !there && !v.explained(win.stream, id):
				v.fail("%s %v was read and is gone", win.stream, id)
			case !there:
			case next >= 0 && at != next:
				v.fail("%s: a range had %v where %v is", win.stream, id, log[next].id)
			}
			if there {
				next = at + 1
			}
		}
	}
}

// pairs: a transaction is in both streams or in none, and in both if it was answered.
func (v *verdict) pairs() {
	var in [2]map[string]stream.ID
	sent := map[string]bool{}
	for i, s := range []string{"ta", "tb"} {
		in[i] = map[string]stream.ID{}
		for _, e := range v.logs[s] {
			in[i][e.value] = e.id
		}
	}
	for _, t := range v.h.pairs {
		sent[t.value] = true
		a, inA := in[0][t.value]
		b, inB := in[1][t.value]
		switch {
		case inA != inB:
			v.fail("half a transaction: %s (%v, %v)", t.value, inA, inB)
		case t.done && (!inA || a != t.ids[0] || b != t.ids[1]):
			v.fail("transaction %s was answered %v and is at %v, %v", t.value, t.ids, a, b)
		}
	}
	for value := range in[0] {
		if !sent[value] {
			v.fail("transaction %s was never sent", value)
		}
	}
}

// idempotent: one entry for each key that was answered, under the id of every answer (I1); values are unique already.
func (v *verdict) idempotent() {
	in := map[string]stream.ID{}
	for _, e := range v.logs["once"] {
		in[e.value] = e.id
	}
	for _, k := range v.h.once {
		if id, there := in[k.value]; !k.id.IsZero() && (!there || id != k.id) {
			v.fail("IDMP %s %s was answered %v and is at %v (%v)", k.pid, k.iid, k.id, id, there)
		}
		delete(in, k.value)
	}
	for value, id := range in {
		v.fail("once %v: %s was never sent", id, value)
	}
}

// deletions: what was deleted or trimmed stays so.
func (v *verdict) deletions(s string) {
	for id := range v.h.deleted[s] {
		if _, there := v.place[s][id]; there {
			v.fail("%s %v was deleted and is back", s, id)
		}
	}
	if log := v.logs[s]; len(log) > 0 && log[0].id.Less(v.h.trimmed[s]) {
		v.fail("%s was trimmed to %v and begins at %v", s, v.h.trimmed[s], log[0].id)
	}
}

// group: what XPENDING, XINFO and each consumer's history say agrees; what was delivered is pending unless it was
// acknowledged (P-G4); what was acknowledged is not pending (P-G3); nothing goes back (P-G5).
func (v *verdict) group(s string) {
	groups := v.c.do("XINFO", "GROUPS", s)
	if len(groups.Elems) != 1 {
		v.fail("XINFO GROUPS %s: %s", s, groups)
		return
	}
	g := groups.Elems[0]
	last, err := parseID(string(infoValue(g, "last-delivered-id").Text))
	if err != nil || last.Less(v.lastDelivered[s]) {
		v.fail("%s: last-delivered-id went back from %v to %v (%v)", s, v.lastDelivered[s], last, err)
	}
	v.lastDelivered[s] = last
	if lag, ok := infoValue(g, "lag").Int(); ok && (lag < 0 || lag > int64(len(v.logs[s]))) {
		v.fail("%s: lag %d of %d entries", s, lag, len(v.logs[s]))
	}
	pending := v.pending(s, infoNumber(g, "pending"))
	for id := range pending {
		if last.Less(id) {
			v.fail("%s: %v is pending beyond the last delivered %v", s, id, last)
		}
		if v.h.acked[s][id] {
			v.fail("%s: %v was acknowledged and is pending again", s, id)
		}
	}
	for _, d := range v.h.delivered {
		if d.stream != s {
			continue
		}
		if last.Less(d.id) {
			v.fail("%s: %v was delivered, last-delivered-id is %v", s, d.id, last)
		}
		if _, there := pending[d.id]; !there && !v.h.ackSent[s][d.id] && !v.explained(s, d.id) {
			v.fail("%s: %v was delivered to %s, never acknowledged, and is not pending", s, d.id, d.consumer)
		}
	}
}

// pending reads all pending entries in three ways and compares: owner by id.
func (v *verdict) pending(s string, total int64) map[stream.ID]string {
	owners := map[stream.ID]string{}
	perOwner := map[string]int64{}
	for _, e := range v.c.do("XPENDING", s, "g", "-", "+", "1000000").Elems {
		id, _ := parseID(string(e.Elems[0].Text))
		owner := string(e.Elems[1].Text)
		owners[id] = owner
		perOwner[owner]++
		count, _ := e.Elems[3].Int()
		key := s + " " + id.String()
		if count < v.counts[key] || count < 1 {
			v.fail("%s: the delivery count of %v went from %d to %d", s, id, v.counts[key], count)
		}
		v.counts[key] = count
	}
	summary := v.c.do("XPENDING", s, "g")
	if n, _ := summary.Elems[0].Int(); n != total || int(n) != len(owners) {
		v.fail("%s: XPENDING says %d, XINFO %d, there are %d", s, n, total, len(owners))
	}
	for _, e := range summary.Elems[3].Elems {
		if n, _ := strconv.ParseInt(string(e.Elems[1].Text), 10, 64); n != perOwner[string(e.Elems[0].Text)] {
			v.fail("%s: XPENDING %s, there are %v", s, summary, perOwner)
		}
	}
	for _, consumer := range v.c.do("XINFO", "CONSUMERS", s, "g").Elems {
		name := string(infoValue(consumer, "name").Text)
		if n := infoNumber(consumer, "pending"); n != perOwner[name] {
			v.fail("%s: XINFO CONSUMERS says %d pending for %s, there are %d", s, n, name, perOwner[name])
		}
		v.ownHistory(s, name, owners)
	}
	return owners
}

// ownHistory compares XREADGROUP … 0 with what a consumer has pending. It makes no delivery that counts.
func (v *verdict) ownHistory(s, name string, owners map[stream.ID]string) {
	reply := v.c.do("XREADGROUP", "GROUP", "g", name, "STREAMS", s, "0")
	var got []stream.ID
	for _, part := range reply.Elems {
		for _, e := range part.Elems[1].Elems {
			id, _ := parseID(string(e.Elems[0].Text))
			got = append(got, id)
			if owners[id] != name {
				v.fail("%s: the history of %s has %v, which belongs to %q", s, name, id, owners[id])
			}
			if _, there := v.place[s][id]; there == isNullEntry(e) {
				v.fail("%s: the history of %s shows %s", s, name, e)
			}
		}
	}
	want := 0
	for _, owner := range owners {
		if owner == name {
			want++
		}
	}
	if len(got) != want || !slices.IsSortedFunc(got, stream.ID.Compare) {
		v.fail("%s: the history of %s has %d entries, %d are pending", s, name, len(got), want)
	}
}

func isNullEntry(e resp.Value) bool { return e.Elems[1].IsNull() }

// deliveredOnce: XREADGROUP > answers each entry once, to one consumer, for ever.
func (v *verdict) deliveredOnce() {
	seen := map[string]string{}
	for _, d := range v.h.delivered {
		key := d.stream + " " + d.id.String()
		if other, twice := seen[key]; twice {
			v.fail("%s was delivered to %s and to %s", key, other, d.consumer)
		}
		seen[key] = d.consumer
	}
}
