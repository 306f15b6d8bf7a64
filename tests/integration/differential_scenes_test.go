package integration

import "slices"

// events makes a session with a subscriber that sees the keyspace events of all that happens, and messages.
func (g *gen) events() {
	g.subscriber("PSUBSCRIBE", "__key*__:*")
	g.prologue()
	for range 60 {
		switch g.IntN(12) {
		case 0:
			g.subscriber(g.subscription()...)
		case 1:
			g.units = append(g.units, unit{{conn: 0, words: []string{g.pick("PUBLISH", "PUBLISH", "SPUBLISH"), g.channel(), g.value()}}})
		case 2:
			g.units = append(g.units, unit{{conn: 0, words: g.pubsub()}})
		default:
			for range 3 {
				g.units = append(g.units, g.unit(mixedMakers))
			}
		}
		g.subscriber("(drain)")
	}
}

func (g *gen) subscriber(words ...string) {
	g.units = append(g.units, unit{{conn: subscriber, kind: drain, words: words}})
}

// channel is never empty: the patterns of Redis, but for KEYS, take * to mean one byte at least.
func (g *gen) channel() string { return g.pick("c1", "c2", "c22", "a", "shard") }

func (g *gen) pattern() string { return g.pick("c*", "c?", "[ab]*", "*", "c1", "__keyevent@0__:x*") }

func (g *gen) subscription() []string {
	switch g.IntN(9) {
	case 0, 1:
		return []string{"SUBSCRIBE", g.channel(), g.channel()}
	case 2:
		return []string{"PSUBSCRIBE", g.pattern()}
	case 3:
		return []string{"SSUBSCRIBE", g.channel()}
	case 4:
		return []string{"UNSUBSCRIBE", g.channel()}
	case 5:
		return []string{"PUNSUBSCRIBE", g.pattern()}
	case 6:
		return []string{"SUNSUBSCRIBE", g.channel()}
	case 7:
		return []string{"PING", g.value()}
	}
	return []string{g.pick("GET", "XLEN", "SUBSCRIBE", "MULTI2"), "str"}
}

func (g *gen) pubsub() []string {
	switch g.IntN(5) {
	case 0:
		return []string{"PUBSUB", "CHANNELS", g.pattern()}
	case 1:
		return []string{"PUBSUB", "NUMSUB", g.channel(), g.channel()}
	case 2:
		return []string{"PUBSUB", "NUMPAT"}
	case 3:
		return []string{"PUBSUB", "SHARDNUMSUB", g.channel()}
	}
	return []string{"PUBSUB", g.pick("SHARDCHANNELS", "CHANNELS", "FOO")}
}

// blocking makes a session in which clients wait and another one wakes them, or does not.
func (g *gen) blocking() {
	g.prologue()
	for range 30 {
		if g.chance(45) {
			g.park()
			continue
		}
		all := g.waking()
		var u unit
		for _, w := range all {
			u = append(u, call{words: w})
		}
		g.units = append(g.units, u)
	}
}

// park adds a read that waits; its consumer is there already where the release creates it only when the read is served.
func (g *gen) park() {
	var u unit
	w := g.blockingRead()
	if w[0] == "XREADGROUP" {
		for _, c := range g.created([]string{"s", "t", "nos"}, w[2], w[3]) {
			u = append(u, call{words: c})
		}
	}
	g.units = append(g.units, append(u, call{conn: 1 + g.IntN(3), kind: park, words: w}))
}

func (g *gen) blockingRead() []string {
	w := append([]string{}, "XREAD")
	group := g.pick("g", "g", "h")
	if g.chance(60) {
		w = []string{"XREADGROUP", "GROUP", group, g.pick("a", "b", "c")}
	}
	w = append(w, g.options(opt(30, "COUNT", g.pick("1", "2")))...)
	w = append(w, "BLOCK", g.pick("0", "100000"))
	if w[0] == "XREADGROUP" && g.chance(20) {
		w = append(w, "NOACK")
	}
	w = append(w, "STREAMS")
	var keys, ids []string
	for range 1 + g.IntN(2) {
		key := g.pick("s", "s", "t", "nos")
		if slices.Contains(keys, key) && !g.newer("7.2") { // 7.0 serves only the first of them
			break
		}
		keys = append(keys, key)
		switch {
		case w[0] == "XREADGROUP":
			ids = append(ids, g.pick(">", ">", ">", ">", ">", "0"))
		default:
			ids = append(ids, g.pick("$", "$", "$", "99999", g.id("s")))
		}
	}
	return append(append(w, keys...), ids...)
}

// waking makes what may serve clients that wait.
func (g *gen) waking() [][]string {
	key := g.pick("s", "s", "t", "nos")
	add := func() []string { return append([]string{"XADD", key, g.newID(key)}, g.fields()...) }
	scene := g.IntN(24)
	if scene < 7 && !g.newer("7.2") { // 7.0 does not ask again what the whole transaction left behind
		scene = 23
	}
	switch scene {
	case 1:
		id := g.newID(key)
		if g.exactMinID {
			return [][]string{add()}
		}
		return [][]string{{"MULTI"}, {"XADD", key, id, "a", "b"}, {"XDEL", key, id}, {"EXEC"}}
	case 2:
		return lineOf("XADD", key, "MAXLEN", "0", g.newID(key), "a", "b")
	case 3:
		return [][]string{{"MULTI"}, {"DEL", key}, {"XGROUP", "CREATE", key, "g", "0", "MKSTREAM"}, {"EXEC"}}
	case 4:
		return [][]string{{"MULTI"}, {"XGROUP", "DESTROY", key, "g"}, {"XGROUP", "CREATE", key, "g", "0"}, {"EXEC"}}
	case 5:
		return [][]string{{"MULTI"}, add(), append([]string{"XADD", "t", g.newID("t")}, "k", "v"), {"EXEC"}}
	case 6:
		return lineOf("SET", key, "x")
	case 14:
		return lineOf("XGROUP", "SETID", key, g.pick("g", "h"), "0")
	case 7:
		return lineOf("CLIENT", "UNBLOCK", g.pick("<id1>", "<id2>", "<id3>"), g.pick("TIMEOUT", "ERROR"))
	case 8:
		return lineOf(g.pick("COPY", "RENAME"), g.pick("s", "t"), "nos")
	case 9:
		return g.from(streamMakers)
	case 10:
		return lineOf(g.pick("DEL", "UNLINK"), key)
	case 11:
		return [][]string{g.pickWords([]string{"XGROUP", "DESTROY", key, "g"}, []string{"SWAPDB", "0", "1"},
			[]string{"MOVE", key, "1"}, []string{"FLUSHALL"}, []string{"PEXPIREAT", key, "1000"}, []string{"RENAME", key, "u"})}
	case 12:
		return [][]string{{"MULTI"}, add(), add(), {"EXEC"}}
	case 13:
		group, consumer := g.pick("g", "h"), g.pick("a", "b")
		return append(g.created([]string{key}, group, consumer), []string{"XREADGROUP", "GROUP", group, consumer, "STREAMS", key, ">"})
	}
	return [][]string{add()}
}

func (g *gen) pickWords(from ...[]string) []string { return from[g.IntN(len(from))] }
