package integration

import (
	"slices"
	"strconv"
)

// streamMakers make the stream commands.
var streamMakers = append([]maker{{1, (*gen).getKeys}}, streamOnly...)

// streamOnly make the stream commands themselves. Times that commands compare are either nothing or far apart, so that the two servers
// agree about them.
var streamOnly = []maker{
	{30, (*gen).xadd}, {4, (*gen).xtrim}, {6, (*gen).xdel}, {3, (*gen).xlen}, {7, (*gen).xrange}, {6, (*gen).xread},
	{16, (*gen).xreadgroup}, {7, (*gen).xack}, {7, (*gen).xclaim}, {5, (*gen).xautoclaim}, {7, (*gen).xpending},
	{5, (*gen).xgroup}, {9, (*gen).xinfo}, {2, (*gen).xsetid}, {1, (*gen).del},
}

func (g *gen) xadd() [][]string {
	key := g.key()
	w := []string{g.keyword("XADD"), key}
	if g.chance(25) {
		w = append(w, g.options(opt(20, "NOMKSTREAM"), opt(85, g.trim(key)...))...)
	}
	w = append(w, g.newID(key))
	return lineOf(g.damage(append(w, g.fields()...))...)
}

// trim is a strategy with its operands.
func (g *gen) trim(key string) []string {
	w := []string{"MAXLEN"}
	threshold := g.orBadInt(g.pick("0", "1", "2", "3", "5", "7", "10", "12", "15", "20", "30", "-1", "9223372036854775807"))
	if g.big {
		threshold = g.pick("200", "300", "500", "1000")
	}
	if g.chance(40) {
		w, threshold = []string{"MINID"}, g.orBadID(g.id(key))
		if g.big {
			threshold = g.oldID(key)
		}
	}
	approximate := false
	how := g.IntN(5)
	if w[0] == "MINID" && !g.exactMinID {
		how = 1
	}
	switch how {
	case 0:
		w = append(w, "=")
	case 1, 2:
		w, approximate = append(w, "~"), true
	}
	w = append(w, threshold)
	if approximate && g.chance(40) || g.chance(3) {
		w = append(w, "LIMIT", g.orBadInt(g.pick("0", "1", "3", "5", "10", "15", "100", "-1")))
	}
	return w
}

// oldID is an id of the older half.
func (g *gen) oldID(key string) string {
	if n := len(g.ids[key]); n > 1 {
		return g.ids[key][g.IntN(n/2)]
	}
	return "1"
}

func (g *gen) xtrim() [][]string {
	key := g.key()
	w := append([]string{"XTRIM", key}, g.trim(key)...)
	if g.chance(3) {
		w = append(w, g.trim(key)...)
	}
	return lineOf(g.damage(w)...)
}

func (g *gen) xdel() [][]string {
	key := g.key()
	if g.exactMinID {
		return lineOf("XLEN", key)
	}
	return lineOf(g.damage(append([]string{"XDEL", key}, g.someIDs(key)...))...)
}

func (g *gen) xlen() [][]string { return lineOf(g.damage([]string{"XLEN", g.key()})...) }

func (g *gen) xrange() [][]string {
	key := g.key()
	w := []string{"XRANGE", key, g.bound(key, "-"), g.bound(key, "+")}
	if g.chance(40) {
		w = []string{"XREVRANGE", key, g.bound(key, "+"), g.bound(key, "-")}
	}
	return lineOf(g.damage(append(w, g.options(opt(30, "COUNT", g.count()))...))...)
}

func (g *gen) xread() [][]string {
	w := append([]string{"XREAD"}, g.options(opt(40, "COUNT", g.count()), opt(1, "GROUP", "g", "a"), opt(1, "NOACK"))...)
	var keys, ids []string
	for range 1 + g.IntN(3) {
		key := g.key()
		keys = append(keys, key)
		ids = append(ids, g.readID(key))
	}
	if g.chance(2) {
		ids = ids[1:]
	}
	w = append(append(append(w, g.keyword("STREAMS")), keys...), ids...)
	return lineOf(g.damage(w)...)
}

func (g *gen) readID(key string) string {
	switch n := g.IntN(20); {
	case n < 6:
		return "0"
	case n < 8:
		return "$"
	case n < 10 && g.newer("7.4"):
		return "+"
	case n == 19 && g.chance(30):
		return g.pick(">", "-", "abc", "(1")
	}
	return g.id(key)
}

// xreadgroup creates the consumer first where the release creates it only when something is read.
func (g *gen) xreadgroup() [][]string {
	group, consumer := g.group(), g.consumer()
	w := append([]string{"XREADGROUP"}, g.options(opt(60, "COUNT", g.count()), opt(12, "NOACK"), opt(1, "BLOCK", "1"))...)
	if at := 1 + g.IntN(len(w)); g.chance(99) && (at == 1 || at == len(w)) {
		w = slices.Insert(w, at, g.keyword("GROUP"), group, consumer)
	} else if g.chance(99) {
		w = append([]string{"XREADGROUP", "GROUP", group, consumer}, w[1:]...)
	}
	var keys, ids []string
	for range 1 + g.IntN(12)/10 + g.IntN(12)/11 {
		key := g.groupKey()
		keys = append(keys, key)
		switch n := g.IntN(100); {
		case n < 70:
			ids = append(ids, ">")
		case n < 85:
			ids = append(ids, "0")
		case n < 98:
			ids = append(ids, g.id(key))
		case g.newer("7.4"):
			ids = append(ids, g.pick("$", "+", "-", "abc"))
		default:
			ids = append(ids, g.pick("$", "-", "abc"))
		}
	}
	if g.chance(1) {
		ids = ids[1:]
	}
	w = append(append(append(w, g.keyword("STREAMS")), keys...), ids...)
	return append(g.created(keys, group, consumer), g.tail(w))
}

// created makes the consumer of a command that, before 7.2, did so only when it had something to give him.
func (g *gen) created(keys []string, group, consumer string) [][]string {
	if g.newer("7.2") {
		return nil
	}
	var all [][]string
	for _, key := range keys {
		all = append(all, []string{"XGROUP", "CREATECONSUMER", key, group, consumer})
	}
	return all
}

func (g *gen) xack() [][]string {
	key := g.groupKey()
	return lineOf(g.damage(append([]string{"XACK", key, g.group()}, g.someIDs(key)...))...)
}

func (g *gen) minIdle() string {
	return g.orBadInt(g.pick("0", "0", "0", "-1", "100000", "500000", "99999999"))
}

func (g *gen) xclaim() [][]string {
	key, group, consumer := g.groupKey(), g.group(), g.consumer()
	w := append([]string{"XCLAIM", key, group, consumer, g.minIdle()}, g.someIDs(key)...)
	if g.chance(50) {
		w = append(w, g.options(opt(20, "IDLE", g.orBadInt(g.pick("0", "300000", "1000000", "-5"))),
			opt(15, "TIME", g.orBadInt(g.pick("1000", "4102444800000", "-5", "0"))), opt(20, "RETRYCOUNT", g.orBadInt(g.pick("0", "1", "7", "-1", "100000000000"))),
			opt(40, "FORCE"), opt(40, "JUSTID"), opt(6, "LASTID", g.orBadID(g.id(key))))...)
	}
	return append(g.created([]string{key}, group, consumer), g.tail(w))
}

func (g *gen) xautoclaim() [][]string {
	key, group, consumer := g.groupKey(), g.group(), g.consumer()
	w := []string{"XAUTOCLAIM", key, group, consumer, g.minIdle(), g.bound(key, "0")}
	w = append(w, g.options(opt(50, "COUNT", g.orBadInt(g.pick("1", "1", "2", "3", "10", "0", "-1", "576460752303423488"))), opt(30, "JUSTID"))...)
	return append(g.created([]string{key}, group, consumer), g.tail(w))
}

func (g *gen) xpending() [][]string {
	key := g.groupKey()
	w := []string{"XPENDING", key, g.group()}
	if g.chance(35) {
		return lineOf(g.damage(w)...)
	}
	if g.chance(20) {
		w = append(w, g.keyword("IDLE"), g.minIdle())
	}
	w = append(w, g.bound(key, "-"), g.bound(key, "+"), g.count())
	if g.chance(30) {
		w = append(w, g.consumer())
	}
	return lineOf(g.tail(w)...)
}

func (g *gen) xgroup() [][]string {
	key, group := g.groupKey(), g.group()
	read := opt(0, "ENTRIESREAD")
	if !g.newer("8.0") { // 8.2.2 lowers a count that is too high
		read = opt(15, "ENTRIESREAD", g.orBadInt(g.pick("0", "1", "3", "100", "-1", "-2")))
	}
	w := []string{"XGROUP"}
	switch g.IntN(14) {
	case 0, 1, 2, 3:
		w = append(w, "CREATE", key, group, g.orBadID(g.pick("0", "$", g.id(key))))
		w = append(w, g.options(opt(40, "MKSTREAM"), read)...)
	case 4, 5:
		w = append(w, "SETID", key, group, g.orBadID(g.pick("0", "$", "-", "+", g.id(key), g.id(key))))
		w = append(w, g.options(opt(1, "MKSTREAM"), read)...)
	case 6:
		w = append(w, "DESTROY", key, group)
	case 7, 8, 9:
		w = append(w, "CREATECONSUMER", key, group, g.consumer())
	case 10, 11:
		w = append(w, "DELCONSUMER", key, group, g.consumer())
	case 12:
		w = append(w, g.pick("HELP", "FOO", "create", "", "CREATE"))
	case 13:
		w = append(w, g.pick("setid", "Destroy", "createconsumer"), key, group, g.id(key))
	}
	return lineOf(g.damage(w)...)
}

func (g *gen) xinfo() [][]string {
	key := g.groupKey()
	w := []string{"XINFO"}
	switch g.IntN(10) {
	case 0, 1, 2:
		w = append(w, "STREAM", key)
	case 3, 4, 5:
		w = append(append(w, "STREAM", key, g.keyword("FULL")), g.options(opt(50, "COUNT", g.count()))...)
	case 6, 7:
		w = append(w, "GROUPS", key)
	case 8:
		w = append(w, "CONSUMERS", key, g.group())
	case 9:
		w = append(w, g.pick("HELP", "FOO", "STREAM", "groups", "Consumers"), key)
	}
	return lineOf(g.damage(w)...)
}

func (g *gen) xsetid() [][]string {
	key := g.key()
	id := g.id(key)
	if g.chance(50) {
		g.next[key]++
		id = strconv.FormatUint(g.next[key], 10) + "-5"
	}
	w := append([]string{"XSETID", key, g.orBadID(id)}, g.options(opt(40, "ENTRIESADDED", g.orBadInt(g.pick("0", "1", "10", "50", "100", "-1"))),
		opt(40, "MAXDELETEDID", g.orBadID(g.pick("0-0", "1-0", g.id(key)))))...)
	return lineOf(g.damage(w)...)
}

// del deletes a key; mostly ids begin anew, and the group is created again.
func (g *gen) del() [][]string {
	key := g.key()
	all := lineOf(g.pick("DEL", "UNLINK"), key)
	if g.chance(70) {
		g.next[key], g.ids[key] = 0, nil
		all = append(all, []string{"XGROUP", "CREATE", key, g.pick("g", "h"), "0", "MKSTREAM"})
	}
	return all
}

// getKeys asks for the keys of another command.
func (g *gen) getKeys() [][]string {
	of := g.from(streamOnly)
	w := append([]string{"COMMAND", "GETKEYS"}, of[len(of)-1]...)
	if len(w) == 3 && !g.newer("7.2") { // 7.0 wants one word more
		w = append(w, "s")
	}
	return lineOf(w...)
}
