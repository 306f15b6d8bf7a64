package integration

import (
	"slices"
	"strconv"
	"strings"
)

// mixedMakers make everything that is no subscription and does not block.
var mixedMakers = append(slices.Clone(streamMakers),
	maker{14, (*gen).keyspace}, maker{12, (*gen).expiry}, maker{30, (*gen).text}, maker{6, (*gen).transaction},
	maker{2, (*gen).looseTransaction}, maker{3, (*gen).listing}, maker{5, (*gen).connection}, maker{4, (*gen).database})

func (g *gen) keyspace() [][]string {
	key, other := g.key(), g.key()
	var w []string
	switch g.IntN(12) {
	case 0:
		w = []string{g.pick("DEL", "UNLINK", "EXISTS", "TOUCH", "EXISTS", "TOUCH"), key, other}
	case 1, 2:
		w = []string{"TYPE", key}
	case 3:
		w = []string{"RENAME", key, other}
	case 4:
		w = []string{"RENAMENX", key, other}
	case 5, 6:
		w = append([]string{"COPY", key, other}, g.options(opt(50, "REPLACE"))...)
		if g.chance(25) {
			w = slices.Insert(w, 3+g.IntN(len(w)-2), "DB", g.db())
		}
	case 7:
		w = []string{"MOVE", key, g.db()}
	case 8:
		w = []string{"OBJECT", g.pick("ENCODING", "REFCOUNT", "FREQ", "IDLETIME", "FOO"), key}
	case 9:
		w = append([]string{"MEMORY", "USAGE", key}, g.options(opt(20, "SAMPLES", g.count()))...)
	case 10:
		w = []string{"EXISTS", "nos-" + key, key}
	case 11:
		w = []string{"DBSIZE"}
	}
	return lineOf(g.damage(w)...)
}

func (g *gen) db() string { return g.orBadInt(g.pick("0", "0", "1", "1", "15", "16", "-1")) }

// database selects another database for a few commands, or swaps two.
func (g *gen) database() [][]string {
	switch g.IntN(6) {
	case 0:
		return lineOf("SWAPDB", g.db(), g.db())
	case 1:
		return lineOf(g.pick("FLUSHDB", "FLUSHALL"), g.pick("ASYNC", "SYNC", "FOO"))
	case 2:
		return lineOf("SELECT", g.db())
	}
	all := lineOf("SELECT", "1")
	for range 1 + g.IntN(4) {
		all = append(all, g.from(streamMakers)...)
	}
	return append(all, []string{"SELECT", "0"})
}

func (g *gen) listing() [][]string {
	pattern := g.pick("*", "s*", "?", "[st]", "[^s]", "[a-s]", "\\s", "a*o", "", "nos", "[s", "*t*", "**")
	switch g.IntN(4) {
	case 0:
		return lineOf("KEYS", pattern)
	case 1:
		return lineOf("RANDOMKEY")
	}
	w := append([]string{"SCAN", "0"}, g.options(opt(40, "MATCH", pattern), opt(40, "COUNT", g.count()),
		opt(40, "TYPE", g.pick("stream", "string", "STREAM", "list", "nosuch")))...)
	if g.chance(10) {
		w[1] = g.pick("abc", "", "-1", "1.5")
	}
	return lineOf(w...)
}

// later is a time to live, always another, so that the order of two does not depend on milliseconds.
func (g *gen) later() int64 {
	g.deadline += 61
	return 10_000 + g.deadline*7919%50_000
}

// expiry never sets a deadline that could pass while the session runs, but those that passed long ago.
func (g *gen) expiry() [][]string {
	key := g.key()
	seconds := g.later()
	flags := func(w ...string) []string {
		if g.chance(35) {
			w = append(w, g.pick("NX", "XX", "GT", "LT", "FOO", "nx"))
		}
		if g.chance(8) {
			w = append(w, g.pick("NX", "XX", "GT", "LT"))
		}
		return w
	}
	number := func(n int64) string {
		if g.chance(6) {
			return g.pick("abc", "9223372036854775807", "-9223372036854775808", "", "1.5", "9223372036854775", "-1", "0")
		}
		return strconv.FormatInt(n, 10)
	}
	var w []string
	switch g.IntN(12) {
	case 0, 1:
		w = flags("EXPIRE", key, number(seconds))
	case 2:
		w = flags("PEXPIRE", key, number(seconds*1000))
	case 3:
		w = flags("EXPIREAT", key, g.pick("4102444800", "4102444900", "9999999999", "1000", number(5_000_000_000)))
	case 4:
		w = flags("PEXPIREAT", key, g.pick("4102444800000", "4102444800001", "9999999999999", "1000", number(5_000_000_000_000)))
	case 5:
		w = []string{"PERSIST", key}
	default:
		w = []string{g.pick("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"), key}
	}
	if g.chance(2) {
		w = w[:len(w)-1]
	}
	return lineOf(w...)
}

// text makes the string commands.
func (g *gen) text() [][]string {
	key := g.pick("str", "str", "str", "num", "num", "s2", "s2", "s", "nos")
	number := g.orBadInt(g.pick("0", "1", "-1", "5", "100", "9223372036854775807", "-9223372036854775808"))
	at := g.orBadInt(g.pick("0", "1", "-1", "-3", "2", "5", "10", "100", "-100"))
	deadline := [][]string{{"EX", strconv.FormatInt(g.later(), 10)}, {"PX", strconv.FormatInt(g.later()*1000, 10)}, {"EXAT", "4102444800"},
		{"PXAT", "4102444800123"}, {"KEEPTTL"}, {"PERSIST"}, {"EX", "0"}, {"PX", "-1"}, {"EX", "abc"}, {"EX", "9223372036854775807"}}[g.IntN(10)]
	var w []string
	switch g.IntN(17) {
	case 0, 1, 2, 3:
		w = append([]string{"SET", key, g.value()}, g.options(opt(15, "NX"), opt(15, "XX"), opt(20, "GET"), opt(25, deadline...))...)
	case 4:
		w = []string{g.pick("GET", "GETDEL", "STRLEN", "GETDEL"), key}
	case 5:
		w = []string{"GET", key}
	case 6:
		w = append([]string{"GETEX", key}, g.options(opt(50, deadline...))...)
	case 7:
		w = []string{g.pick("APPEND", "SETNX", "GETSET"), key, g.value()}
	case 8:
		w = []string{"MGET", key, g.key(), "num"}
	case 9:
		w = []string{g.pick("MSET", "MSETNX"), key, g.value(), g.pick("num", "s2", "m1"), g.value()}
	case 10:
		w = []string{g.pick("INCR", "DECR"), key}
	case 11:
		w = []string{g.pick("INCRBY", "DECRBY"), key, number}
	case 12:
		w = []string{"INCRBYFLOAT", key, g.pick("1", "-1", "0.5", "0.1", "1e3", "abc", "nan", "inf", "3.14", "-2.25", "1e400", "", " 1", "10000000000")}
	case 13:
		w = []string{g.pick("GETRANGE", "SUBSTR"), key, at, g.orBadInt(g.pick("-1", "0", "3", "100", "-2"))}
	case 14:
		w = []string{"SETRANGE", key, at, g.value()}
	case 15:
		w = []string{"SETEX", key, strconv.FormatInt(g.later(), 10), g.value()}
		if g.chance(30) {
			w[2] = g.pick("0", "-1", "abc", "9223372036854775807")
		}
	case 16:
		w = []string{"OBJECT", "ENCODING", key}
	}
	if g.chance(2) {
		w = w[:len(w)-1]
	}
	return lineOf(w...)
}

// transaction is a whole one; reads that would block do not, inside.
func (g *gen) transaction() [][]string {
	var all [][]string
	if g.chance(30) {
		all = append(all, []string{"WATCH", g.key(), g.key()})
		if g.chance(40) {
			all = append(all, g.from(streamMakers)...)
		}
	}
	all = append(all, []string{"MULTI"})
	for range g.IntN(6) {
		if g.chance(15) {
			key := g.key()
			all = append(all, []string{"XREAD", "BLOCK", g.pick("0", "100"), "STREAMS", key, g.readID(key)})
			continue
		}
		all = append(all, g.from(streamMakers)...)
	}
	switch g.IntN(20) {
	case 0:
		all = append(all, []string{"DISCARD"})
	case 1:
		all = append(all, []string{"EXEC", "1"})
	case 2:
		all = append(all, []string{g.pick("NOSUCH", "XADD", "MULTI", "SAVE", "UNWATCH")})
	}
	return append(all, []string{"EXEC"})
}

// looseTransaction is a part of one, to meet the others in any order and on both connections.
func (g *gen) looseTransaction() [][]string {
	switch g.IntN(9) {
	case 0, 1, 2:
		return lineOf("WATCH", g.key())
	case 3:
		return lineOf("UNWATCH")
	case 4, 5:
		return lineOf("MULTI")
	case 6:
		return lineOf("DISCARD")
	}
	return lineOf("EXEC")
}

func (g *gen) connection() [][]string {
	switch g.IntN(9) {
	case 0:
		return lineOf(g.damage([]string{"ECHO", g.value()})...)
	case 1:
		return lineOf(g.damage([]string{"PING", g.value()})...)
	case 2:
		return lineOf("CLIENT", "SETNAME", g.pick("n", "", "a b", "x\n"))
	case 3:
		return lineOf("CLIENT", "GETNAME")
	case 4:
		return lineOf("HELLO", g.pick("2", "3", "4", "abc", "3"))
	case 5:
		return lineOf(g.pick("NOSUCH", "", "xadd2", "FOO BAR", "x\r\ny"), strings.ReplaceAll(g.value(), "\x00", ""), g.pick("", "a", "b c"))
	case 6:
		return lineOf(g.pick("XGROUP", "XINFO", "CLIENT", "OBJECT", "CONFIG", "COMMAND", "PUBSUB"), g.pick("nosuch", "", "x y"), "a")
	case 7:
		return lineOf("CONFIG", "GET", g.pick("stream-node-max-*", "nosuch", "notify-keyspace-events"))
	}
	return lineOf(g.pick("PUBLISH", "SPUBLISH"), "channel", g.value())
}
