package integration

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// gen makes the commands of one session. It knows little of what they do: enough that most of them do something.
type gen struct {
	*rand.Rand
	release  string              // of the Redis that is compared with
	next     map[string]uint64   // milliseconds of the newest id, per key
	ids      map[string][]string // the newest ids, per key
	deadline int64               // seconds of the last relative deadline
	units    []unit
	conn     int
	// clockIDs allows ids from the clock: not where the bytes of a node count, since ids take more or fewer of them.
	clockIDs bool
	// big makes long streams and PELs: more commands, less trimming, more ids at once.
	big bool
	// exactMinID allows MINID without ~, but then no XDEL: trimming by id may leave Redis a node without live entries, if the
	// last one was deleted before, which shows in radix-tree-keys and in later approximate trims. Here such a node is gone.
	exactMinID bool
}

// maker makes a unit; weight says how often.
type maker struct {
	weight int
	make   func(g *gen) [][]string
}

// words is a unit of one command.
func lineOf(w ...string) [][]string { return [][]string{w} }

func (g *gen) session() *session {
	g.exactMinID = g.chance(40)
	nodeBytes := g.pick("4096", "0", "0", "0", "60", "100", "200", "400")
	g.clockIDs = nodeBytes == "0"
	s := &session{pipeline: 1 + g.IntN(200), settings: []string{
		"stream-node-max-entries", g.pick("3", "4", "5", "7", "10", "10", "100", "0"),
		"stream-node-max-bytes", nodeBytes,
		"notify-keyspace-events", ""}}
	for i := range s.resp3 {
		s.resp3[i] = g.IntN(3) == 0
	}
	switch n := g.IntN(100); {
	case n < 55:
		s.shape = "streams"
		g.play(streamMakers, 100+g.IntN(300), 1)
	case n < 57:
		s.shape, g.big = "big", true
		g.play(streamMakers, 4000, 1)
	case n < 85:
		s.shape = "mixed"
		g.prologue()
		g.play(mixedMakers, 100+g.IntN(300), 2)
	case n < 93:
		s.shape = "events"
		s.settings[5] = g.pick("KEA", "KEA", "Kt", "Eg$t", "KEt")
		g.events()
	default:
		s.shape = "blocking"
		s.pipeline = 1
		g.blocking()
	}
	s.units = g.units
	return s
}

// play adds units of n commands or a few more, from connections 0 up to conns.
func (g *gen) play(makers []maker, n, conns int) {
	if len(g.units) == 0 {
		g.prologue()
	}
	for have := 0; have < n; {
		if conns > 1 && g.IntN(8) == 0 {
			g.conn = g.IntN(conns)
		}
		u := g.unit(makers)
		have += len(u)
		g.units = append(g.units, u)
	}
}

func (g *gen) unit(makers []maker) unit {
	var u unit
	for _, w := range g.from(makers) {
		u = append(u, call{conn: g.conn, kind: kindOf(w), words: w})
	}
	return u
}

func kindOf(words []string) callKind {
	if words[0] == "SCAN" && len(words) > 1 && words[1] == "0" {
		return scan
	}
	return plain
}

// from lets one of the makers make a unit.
func (g *gen) from(makers []maker) [][]string {
	total := 0
	for _, m := range makers {
		total += m.weight
	}
	n := g.IntN(total)
	for _, m := range makers {
		if n -= m.weight; n < 0 {
			return m.make(g)
		}
	}
	panic("unreachable: n is less than the total weight")
}

// prologue gives the session streams with groups.
func (g *gen) prologue() {
	for _, key := range []string{"s", "t"} {
		for range 1 + g.IntN(6) {
			g.add(append([]string{"XADD", key, g.newID(key)}, g.fields()...))
		}
		for _, group := range []string{"g", "h"} {
			g.add([]string{"XGROUP", "CREATE", key, group, g.pick("0", "0", "$", "2")})
		}
	}
}

func (g *gen) add(words []string) {
	g.units = append(g.units, unit{{conn: g.conn, words: words}})
}

func (g *gen) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g *gen) chance(percent int) bool { return g.IntN(100) < percent }

func (g *gen) newer(release string) bool { return !older(g.release, release) }

func (g *gen) key() string {
	return g.pick("s", "s", "s", "s", "s", "t", "t", "t", "u", "auto", "str", "nos")
}

// groupKey is a key that likely has groups.
func (g *gen) groupKey() string {
	if g.chance(12) {
		return g.key()
	}
	return g.pick("s", "s", "s", "t")
}

func (g *gen) group() string {
	if g.chance(6) {
		return g.pick("H", "", "nog")
	}
	return g.pick("g", "g", "h")
}

func (g *gen) consumer() string { return g.pick("a", "a", "b", "b", "c", "B", "") }

// newID is an id for XADD: mostly the next of the key.
func (g *gen) newID(key string) string {
	if id := g.anyNewID(key); id != "*" || g.clockIDs {
		return id
	}
	return "0-*"
}

func (g *gen) anyNewID(key string) string {
	if key == "auto" && g.clockIDs && !g.chance(10) {
		return "*"
	}
	switch n := g.IntN(200); {
	case n < 6:
		return g.badID()
	case n < 14:
		return g.id(key)
	case n < 15 && !g.big: // nothing can follow the last id
		return g.pick("18446744073709551615-18446744073709551615", "18446744073709551615-18446744073709551614", "*", "9-18446744073709551615")
	case n < 20:
		return g.pick("0-0", "0", "0-1", "0-*", "*", "1-*", "01-02", "007")
	case n < 50:
		ms := strconv.FormatUint(g.next[key], 10)
		return ms + "-*"
	}
	g.next[key] += 1 + uint64(g.IntN(2))
	seq := g.pick("0", "0", "0", "1", "2", "300")
	if g.chance(2) {
		g.next[key] += 1 << g.pickInt(7, 13, 32, 33)
	}
	if g.chance(2) {
		seq = g.pick("127", "128", "4294967295", "4294967296", "9223372036854775808", "18446744073709551614", "18446744073709551615")
	}
	ms := strconv.FormatUint(g.next[key], 10)
	id := ms + "-" + seq
	g.ids[key] = append(g.ids[key], id)
	if g.chance(20) {
		g.ids[key][len(g.ids[key])-1] = ms + "-0"
		return g.pick(ms, ms+"-*")
	}
	return id
}

// id is an id that likely was given out.
func (g *gen) id(key string) string {
	if g.chance(4) && !g.big {
		return g.pick("0", "0-0", "0-1", "99999-0", "18446744073709551615-18446744073709551615", "18446744073709551615", "01-01")
	}
	ids := g.ids[key]
	if len(ids) == 0 || g.chance(10) {
		return strconv.Itoa(g.IntN(30)) + g.pick("", "-0", "-1", "-2")
	}
	if g.big && g.chance(70) {
		return ids[g.IntN(len(ids))]
	}
	return ids[max(0, len(ids)-1-g.IntN(25))]
}

func (g *gen) badID() string {
	return g.pick("abc", "-", "+", "$", ">", "*", "1-*", "(5", "(", "1.5", "-1", "7-", "7-1-1", "", "18446744073709551616-0", "5-18446744073709551616",
		"5-5-", "1-1 ", "0x1", "1-x", strings.Repeat("1", 128), strings.Repeat("0", 100)+"7", "(-", "(+", "(0-0")
}

// orBadID is an id that sometimes is none.
func (g *gen) orBadID(id string) string {
	if g.chance(2) {
		return g.badID()
	}
	return id
}

func (g *gen) someIDs(key string) []string {
	var ids []string
	if g.big && g.chance(30) {
		for range 100 {
			ids = append(ids, g.id(key))
		}
	}
	for range 1 + g.IntN(4) {
		ids = append(ids, g.orBadID(g.id(key)))
	}
	return ids
}

// bound is an end of a range.
func (g *gen) bound(key, all string) string {
	switch n := g.IntN(100); {
	case n < 40:
		return all
	case n < 65:
		return g.id(key)
	case n < 85:
		return "(" + g.id(key)
	case n < 92:
		return strconv.Itoa(g.IntN(40))
	case n < 96:
		return g.pick("-", "+")
	}
	return g.badID()
}

func (g *gen) count() string {
	return g.orBadInt(g.pick("1", "1", "2", "3", "5", "10", "100", "0", "-1", "9223372036854775807"))
}

// orBadInt is a number that sometimes is none.
func (g *gen) orBadInt(n string) string {
	if g.chance(2) {
		return g.pick("abc", "", "1.5", "+1", "01", " 1", "-0", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e3", "0x10", "COUNT")
	}
	return n
}

// fields are the pairs of an entry: often the same names again, values of every encoding that a packed list has.
func (g *gen) fields() []string {
	var pairs []string
	names := [][]string{{"f"}, {"f", "g"}, {"f", "g"}, {"g"}, {"name", "12", "f"}, {"x", "f", "f"}}[g.IntN(6)]
	for _, name := range names {
		pairs = append(pairs, name, g.value())
	}
	if g.chance(2) {
		pairs = pairs[:len(pairs)-1]
	}
	return pairs
}

func (g *gen) value() string {
	switch n := g.IntN(100); {
	case n < 40:
		return strconv.Itoa(g.IntN(200) - 20)
	case n < 55:
		shift := g.IntN(63)
		v := int64(1)<<shift + int64(g.IntN(3)) - 1
		if g.chance(50) {
			v = -v
		}
		return strconv.FormatInt(v, 10)
	case n < 62:
		return g.pick("", "007", "-0", "+5", "1.5", "9223372036854775808", "-9223372036854775808", "a\r\nb", "\x00\xff", " 1")
	case n < 95:
		return strings.Repeat(g.pick("x", "yz", "é"), g.IntN(20))
	case n < 99:
		return strings.Repeat("v", 60+g.IntN(10))
	}
	return strings.Repeat("w", g.pickInt(127, 128, 129, 1000, 4094, 4095, 4096, 5000))
}

func (g *gen) pickInt(from ...int) int { return from[g.IntN(len(from))] }

// keyword is a word in upper, lower or mixed case.
func (g *gen) keyword(word string) string {
	switch g.IntN(20) {
	case 0:
		return strings.ToLower(word)
	case 1:
		return strings.ToLower(word[:1]) + word[1:]
	}
	return word
}

// options are groups of words in random order, each group with its chance in percent; now and then one is repeated or cut.
func (g *gen) options(all ...option) []string {
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var out []string
	for _, o := range all {
		if !g.chance(o.percent) {
			continue
		}
		out = append(out, g.keyword(o.words[0]))
		out = append(out, o.words[1:]...)
		switch {
		case g.chance(2):
			out = append(out, o.words...)
		case g.chance(1):
			out = out[:len(out)-1]
		}
	}
	if g.chance(1) {
		out = append(out, g.pick("FOO", "COUNT", "LIMIT", "5"))
	}
	return out
}

type option struct {
	percent int
	words   []string
}

func opt(percent int, words ...string) option { return option{percent, words} }

// tail damages the end of a command, where that cannot turn a number into another.
func (g *gen) tail(w []string) []string {
	switch {
	case g.chance(97) || len(w) < 2:
		return w
	case g.chance(50):
		return w[:1+g.IntN(len(w)-1)]
	}
	return append(w, g.pick("x", "", "FOO", "1", "abc def"))
}

// damage leaves a word out, repeats one, puts nonsense in its place, or swaps two.
func (g *gen) damage(w []string) []string {
	if g.chance(96) || len(w) < 2 || !g.exactMinID && slices.Contains(w, "~") {
		return w
	}
	i := 1 + g.IntN(len(w)-1)
	switch g.IntN(4) {
	case 0:
		return append(w[:i:i], w[i+1:]...)
	case 1:
		return append(append(w[:i:i], w[i]), w[i:]...)
	case 2:
		w[i] = g.pick("", "abc", "-1", "0", "\x00", "STREAMS", "s", "5-*", "5-5")
	case 3:
		j := 1 + g.IntN(len(w)-1)
		w[i], w[j] = w[j], w[i]
	}
	return w
}
