package integration

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/streamd/streamd/resp"
)

// judge compares the replies of one session.
type judge struct {
	release   string
	counters  bool // nothing was deleted or set by hand, so that entries-read and lag follow the same rules in every release
	explained map[string]int
	stop      bool                 // from here on the states differ, for a reason that a rule names
	queued    [numConns][][]string // what an open transaction of the connection holds
}

// same tells whether the replies to a call are equal, or differ in a way that a rule explains.
func (j *judge) same(c call, ours, theirs resp.Value) bool {
	name := strings.ToUpper(c.words[0])
	if c.kind != drain && c.kind != park && string(theirs.Text) == "QUEUED" && theirs.Kind == '+' {
		j.queued[c.conn] = append(j.queued[c.conn], c.words)
		return string(ours.Text) == "QUEUED" && ours.Kind == '+'
	}
	switch name {
	case "EXEC", "DISCARD", "RESET":
		queued := j.queued[c.conn]
		j.queued[c.conn] = nil
		if name == "EXEC" && theirs.Kind == '*' && !theirs.Null {
			return j.sameAll(queued, ours, theirs)
		}
	}
	return j.sameReply(c.words, ours, theirs)
}

func (j *judge) sameAll(queued [][]string, ours, theirs resp.Value) bool {
	if ours.Kind != '*' || len(ours.Elems) != len(theirs.Elems) || len(queued) != len(ours.Elems) {
		return false
	}
	for i, words := range queued {
		if !j.sameReply(words, ours.Elems[i], theirs.Elems[i]) {
			return false
		}
	}
	return true
}

func (j *judge) sameReply(words []string, ours, theirs resp.Value) bool {
	upper := make([]string, len(words))
	for i, w := range words {
		upper[i] = strings.ToUpper(w)
	}
	masked := false
	for _, m := range masks {
		if older(j.release, m.until) && m.applies(upper) && !(m.counters && j.counters) {
			if !masked {
				ours, theirs, masked = cloneReply(ours), cloneReply(theirs), true
			}
			m.mask(&ours)
			m.mask(&theirs)
		}
	}
	if equalReplies(ours, theirs) {
		return true
	}
	for _, e := range explanations {
		if older(j.release, e.until) && e.applies(upper, ours, theirs) {
			j.explained[e.name]++
			j.stop = j.stop || e.stop
			return true
		}
	}
	return false
}

func cloneReply(v resp.Value) resp.Value {
	v.Elems = slices.Clone(v.Elems)
	for i := range v.Elems {
		v.Elems[i] = cloneReply(v.Elems[i])
	}
	return v
}

// equalReplies is equality, but for values of the kinds that masks give.
func equalReplies(a, b resp.Value) bool {
	if a.Kind != b.Kind || a.Null != b.Null || len(a.Elems) != len(b.Elems) {
		return false
	}
	if a.Kind == nearly {
		x, ok1 := a.Int()
		y, ok2 := b.Int()
		return ok1 && ok2 && (x < 0) == (y < 0) && max(x-y, y-x) < 60_000
	}
	if !bytes.Equal(a.Text, b.Text) && !(generatedID.Match(a.Text) && generatedID.Match(b.Text)) {
		return false
	}
	for i := range a.Elems {
		if !equalReplies(a.Elems[i], b.Elems[i]) {
			return false
		}
	}
	return true
}

// generatedID matches an id that XADD made from the clock; the generator makes none that look so.
var generatedID = regexp.MustCompile(`^1[5-9]\d{11}-\d+$`)

// nearly is the Kind of an integer that counts time: a minute more or less is the same.
const nearly = 't'

// never is a release that does not come: the mask is no matter of releases.
const never = "256.0"

// masks take from both replies what cannot be equal. until names the first release that needs the mask no longer.
var masks = []struct {
	name     string
	until    string
	counters bool // needed only when entries were deleted
	applies  func(words []string) bool
	mask     func(*resp.Value)
}{
	{name: "idle times pass", until: never, applies: is("XPENDING"), mask: func(v *resp.Value) {
		for _, row := range v.Elems {
			if len(row.Elems) == 4 {
				timed(&row.Elems[2])
			}
		}
	}},
	{name: "idle times of consumers pass", until: never, applies: is("XINFO", "CONSUMERS"), mask: func(v *resp.Value) {
		each(v, func(row *resp.Value) { timed(field(row, "idle")); timed(field(row, "inactive")) })
	}},
	{name: "7.2 idle counts attempts, 7.0 successes; inactive is new", until: "7.2", applies: is("XINFO", "CONSUMERS"),
		mask: func(v *resp.Value) { each(v, func(row *resp.Value) { drop(row, "idle", "inactive") }) }},
	{name: "times in XINFO STREAM FULL", until: never, applies: is("XINFO", "STREAM"), mask: func(v *resp.Value) {
		each(field(v, "groups"), func(group *resp.Value) {
			each(pendings(group), func(row *resp.Value) { timedAt(row, 2) })
			each(field(group, "consumers"), func(c *resp.Value) {
				timed(field(c, "seen-time"))
				timed(field(c, "active-time"))
				each(pendings(c), func(row *resp.Value) { timedAt(row, 1) })
			})
		})
	}},
	{name: "7.2 active-time is new", until: "7.2", applies: is("XINFO", "STREAM"), mask: func(v *resp.Value) {
		each(field(v, "groups"), func(group *resp.Value) {
			each(field(group, "consumers"), func(c *resp.Value) { drop(c, "active-time", "seen-time") })
		})
	}},
	{name: "8.8 nacked-count is new", until: "8.8", applies: is("XINFO", "STREAM"), mask: func(v *resp.Value) {
		each(field(v, "groups"), func(group *resp.Value) { drop(group, "nacked-count") })
	}},
	{name: "8.6 idempotent production is new", until: "8.6", applies: is("XINFO", "STREAM"), mask: func(v *resp.Value) {
		drop(v, "idmp-duration", "idmp-maxsize", "pids-tracked", "iids-tracked", "iids-added", "iids-duplicates")
	}},
	{name: "radix-tree-nodes tells about the tree of that server", until: never, applies: is("XINFO", "STREAM"),
		mask: func(v *resp.Value) { drop(v, "radix-tree-nodes") }},
	{name: "7.4 and 8.0 count the lag of more groups", until: "8.0", counters: true, applies: is("XINFO"), mask: func(v *resp.Value) {
		each(v, func(row *resp.Value) { drop(row, "entries-read", "lag") })
		each(field(v, "groups"), func(group *resp.Value) { drop(group, "entries-read", "lag") })
	}},
	{name: "times to live pass", until: never, applies: is("PTTL"), mask: timed},
	{name: "deadlines were set at another time", until: never, applies: is("PEXPIRETIME"), mask: timed},
	{name: "times to live pass", until: never, applies: is("TTL"), mask: timed},
	{name: "deadlines were set at another time", until: never, applies: is("EXPIRETIME"), mask: timed},
	{name: "order of keys", until: never, applies: is("KEYS"), mask: sorted},
	{name: "order of names", until: never, applies: is("CONFIG", "GET"), mask: sorted},
	{name: "pages of keys", until: never, applies: is("SCAN"), mask: func(v *resp.Value) {
		if len(v.Elems) == 2 && v.Elems[1].Kind == '*' { // inside a transaction, where no iteration follows
			v.Elems = nil
		}
	}},
	{name: "order of the patterns that a message matches", until: never, applies: is("(DRAIN)"), mask: sortMatches},
	{name: "order of channels", until: never, applies: is("PUBSUB", "CHANNELS"), mask: sorted},
	{name: "order of channels", until: never, applies: is("PUBSUB", "SHARDCHANNELS"), mask: sorted},
	{name: "which key is random", until: never, applies: is("RANDOMKEY"), mask: shapeOnly},
	{name: "sizes in memory", until: never, applies: is("MEMORY"), mask: shapeOnly},
	{name: "idle time of keys, wrong for shared integers", until: never, applies: is("OBJECT", "IDLETIME"), mask: shapeOnly},
	{name: "help texts are free", until: never, applies: is("XGROUP", "HELP"), mask: firstLine},
	{name: "help texts are free", until: never, applies: is("XINFO", "HELP"), mask: firstLine},
	{name: "versions and ids", until: never, applies: is("HELLO"), mask: func(v *resp.Value) { drop(v, "version", "id") }},
	{name: "clocks", until: never, applies: is("TIME"), mask: func(v *resp.Value) { each(v, shapeOnly) }},
}

// explanations name the differences between releases that change a whole reply. With stop, the states of the servers differ
// after it and the session ends.
var explanations = []struct {
	name    string
	until   string
	stop    bool
	applies func(words []string, ours, theirs resp.Value) bool
}{
	{name: "7.2 text of XADD ms-* at the last sequence number", until: "7.2",
		applies: texts("ERR The ID specified in XADD is equal or smaller than the target stream top item", "ERR Elements are too large to be stored")},
	{name: "7.4 text of unbalanced XREAD", until: "7.4", applies: func(_ []string, ours, theirs resp.Value) bool {
		return strings.HasPrefix(string(ours.Text), "ERR Unbalanced 'xread") && strings.HasPrefix(string(theirs.Text), "ERR Unbalanced XREAD")
	}},
	{name: "7.2 XSETID refuses to go below the largest deleted id", until: "7.2", stop: true,
		applies: func(_ []string, ours, _ resp.Value) bool {
			return string(ours.Text) == "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
		}},
	{name: "7.4 knows the types that SCAN may name", until: "7.4", applies: func(_ []string, ours, _ resp.Value) bool {
		return strings.HasPrefix(string(ours.Text), "ERR unknown type name")
	}},
	{name: "7.4 a cursor has no sign", until: "7.4", applies: func(words []string, ours, _ resp.Value) bool {
		return words[0] == "SCAN" && string(ours.Text) == "ERR invalid cursor"
	}},
	{name: "7.2 wakes readers of a group that is gone with the error of the command", until: "7.2", stop: true,
		applies: func(_ []string, ours, theirs resp.Value) bool {
			return ours.Kind == '-' && (strings.HasPrefix(string(theirs.Text), "UNBLOCKED the stream key no longer exists") ||
				strings.HasPrefix(string(theirs.Text), "NOGROUP the consumer group this client was blocked on no longer exists"))
		}},
	{name: "8.0 reads + as the last entry there is, not the last id there was", until: "8.0", applies: func(words []string, _, _ resp.Value) bool {
		return words[0] == "XREAD" && slices.Contains(words, "+")
	}},
	{name: "7.2 wakes a reader only for entries that are still there", until: "7.2", stop: true,
		applies: func(_ []string, ours, theirs resp.Value) bool {
			return equalReplies(ours, stillBlocked) && strings.Contains(theirs.String(), "*0[]")
		}},
	{name: "7.2 serves a waiting reader from all its keys, not only from the one that woke it", until: "7.2", stop: true, applies: servesMore},
	{name: "7.4 an end before the first byte is no byte", until: "7.4", applies: func(words []string, ours, theirs resp.Value) bool {
		return (words[0] == "GETRANGE" || words[0] == "SUBSTR") && len(ours.Text) == 0 && len(theirs.Text) == 1
	}},
	{name: "8.2 finds the keys of XREAD as its parser does", until: "8.2", applies: func(words []string, _, _ resp.Value) bool {
		return is("COMMAND", "GETKEYS", "XREAD")(words) || is("COMMAND", "GETKEYS", "XREADGROUP")(words)
	}},
	{name: "a star matches the empty name too", until: never, applies: func(words []string, ours, theirs resp.Value) bool {
		if !is("SCAN")(words) && !is("KEYS")(words) {
			return false
		}
		ours = cloneReply(ours)
		ours.Elems = slices.DeleteFunc(ours.Elems, func(v resp.Value) bool { return v.Kind == '$' && len(v.Text) == 0 })
		return equalReplies(ours, theirs)
	}},
	{name: "in the errors of Redis a word ends at its first zero byte", until: never, applies: func(words []string, ours, theirs resp.Value) bool {
		return ours.Kind == '-' && theirs.Kind == '-' && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "\x00") })
	}},
	{name: "COPY knows the number of databases only after its syntax", until: never,
		applies: func(words []string, ours, theirs resp.Value) bool {
			return words[0] == "COPY" && ours.Kind == '-' && string(theirs.Text) == string(resp.ErrDBIndex)
		}},
	{name: "small integers are shared, and values with the command that set them", until: never, applies: func(words []string, ours, theirs resp.Value) bool {
		return is("OBJECT", "REFCOUNT")(words) && ours.Kind == ':' && theirs.Kind == ':'
	}},
}

// is tells whether a command begins with words.
func is(words ...string) func([]string) bool {
	return func(command []string) bool {
		return len(command) >= len(words) && slices.Equal(command[:len(words)], words)
	}
}

func texts(ours, theirs string) func([]string, resp.Value, resp.Value) bool {
	return func(_ []string, a, b resp.Value) bool { return string(a.Text) == ours && string(b.Text) == theirs }
}

// servesMore tells whether ours answers a blocking read from several streams, among them the one of theirs.
func servesMore(words []string, ours, theirs resp.Value) bool {
	size := 1
	if theirs.Kind == '%' {
		size = 2
	}
	if !slices.Contains(words, "BLOCK") || theirs.Kind != ours.Kind || len(theirs.Elems) != size {
		return false
	}
	for part := range slices.Chunk(ours.Elems, size) {
		if slices.EqualFunc(part, theirs.Elems, equalReplies) {
			return true
		}
	}
	return false
}

// field returns the value of a field of a map, in the form of either protocol, or nil.
func field(v *resp.Value, name string) *resp.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if v.Elems[i].Kind == '$' && string(v.Elems[i].Text) == name {
			return &v.Elems[i+1]
		}
	}
	return nil
}

// pendings is the list of pending entries of a group or consumer.
func pendings(v *resp.Value) *resp.Value {
	if p := field(v, "pending"); p != nil {
		return p
	}
	return field(v, "pel")
}

// drop removes fields of a map.
func drop(v *resp.Value, names ...string) {
	if v == nil || v.Kind != '%' && v.Kind != '*' {
		return
	}
	for i := 0; i+1 < len(v.Elems); {
		if v.Elems[i].Kind == '$' && slices.Contains(names, string(v.Elems[i].Text)) {
			v.Elems = slices.Delete(v.Elems, i, i+2)
			continue
		}
		i += 2
	}
}

func each(v *resp.Value, do func(*resp.Value)) {
	if v == nil {
		return
	}
	for i := range v.Elems {
		do(&v.Elems[i])
	}
}

func timed(v *resp.Value) {
	if v != nil && v.Kind == ':' {
		v.Kind = nearly
	}
}

func timedAt(v *resp.Value, i int) {
	if i < len(v.Elems) {
		timed(&v.Elems[i])
	}
}

func sorted(v *resp.Value) {
	slices.SortFunc(v.Elems, func(a, b resp.Value) int { return bytes.Compare(a.Text, b.Text) })
}

// sortMatches orders the frames that bring one message by their patterns.
func sortMatches(v *resp.Value) {
	pattern := func(f resp.Value) string {
		if len(f.Elems) == 4 && string(f.Elems[0].Text) == "pmessage" {
			return string(f.Elems[1].Text)
		}
		return ""
	}
	same := func(a, b resp.Value) bool {
		return pattern(a) != "" && pattern(b) != "" && pattern(a) != pattern(b) && slices.EqualFunc(a.Elems[2:], b.Elems[2:], equalReplies)
	}
	for from := 0; from < len(v.Elems); {
		to := from + 1
		for to < len(v.Elems) && same(v.Elems[from], v.Elems[to]) {
			to++
		}
		slices.SortFunc(v.Elems[from:to], func(a, b resp.Value) int { return strings.Compare(pattern(a), pattern(b)) })
		from = to
	}
}

func shapeOnly(v *resp.Value) {
	if v.Kind == '$' || v.Kind == ':' {
		v.Text = nil
	}
}

func firstLine(v *resp.Value) {
	v.Elems = v.Elems[:min(1, len(v.Elems))]
}

// movesCounters tells whether a unit deletes entries or sets counters by hand.
func (u unit) movesCounters() bool {
	for _, c := range u {
		for _, w := range c.words {
			switch strings.ToUpper(w) {
			case "XDEL", "XTRIM", "MAXLEN", "MINID", "XSETID", "ENTRIESREAD", "LASTID":
				return true
			}
		}
	}
	return false
}
