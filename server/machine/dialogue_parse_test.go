package machine

import (
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/stream"
)

// line is a command being read.
type line struct {
	t    testing.TB
	args []string
	op   *Op
}

func (l *line) more() bool { return len(l.args) > 0 }

func (l *line) next() string {
	if !l.more() {
		l.t.Fatalf("command ends too early: %+v", l.op)
	}
	arg := l.args[0]
	l.args = l.args[1:]
	return strings.Trim(arg, `"`)
}

func (l *line) bytes() []byte { return []byte(l.next()) }

func (l *line) int() int64 {
	n, err := strconv.ParseInt(l.next(), 10, 64)
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

// id reads an id; one that is none becomes the op's late error.
func (l *line) id() {
	id, ok := stream.ParseID(l.bytes(), 0)
	if !ok {
		l.op.Err = resp.ErrInvalidID
	}
	l.op.IDs = append(l.op.IDs, id)
}

func (l *line) ids(n int) {
	for range n {
		l.id()
	}
}

// accept takes the word if it is next.
func (l *line) accept(word string) bool {
	if !l.more() || l.args[0] != word {
		return false
	}
	l.args = l.args[1:]
	return true
}

// parseLine turns a well-formed command into an op; only ids may be bad.
func parseLine(t testing.TB, text string) *Op {
	t.Helper()
	l := &line{t: t, args: strings.Fields(text), op: &Op{}}
	name := l.next()
	if name == "XGROUP" || name == "XINFO" {
		name += " " + l.next()
	}
	parse, ok := lineParsers()[name]
	if !ok {
		t.Fatalf("unknown command %q", text)
	}
	if name != "XREAD" && name != "XREADGROUP" {
		l.op.Key = l.bytes()
	}
	parse(l, l.op)
	if l.more() {
		t.Fatalf("%s: %q is left over", text, l.args)
	}
	return l.op
}

func lineParsers() map[string]func(*line, *Op) {
	return map[string]func(*line, *Op){
		"SET":         func(l *line, op *Op) { op.Kind, op.Args = Set, [][]byte{l.bytes()} },
		"DEL":         func(l *line, op *Op) { op.Kind, op.Args = Del, [][]byte{op.Key} },
		"XADD":        parseAdd,
		"XTRIM":       parseTrim,
		"XLEN":        func(l *line, op *Op) { op.Kind = XLen },
		"XDEL":        func(l *line, op *Op) { op.Kind = XDel; l.ids(len(l.args)) },
		"XDELEX":      func(l *line, op *Op) { op.Kind = XDelEx; l.references() },
		"XACK":        func(l *line, op *Op) { op.Kind, op.Group = XAck, l.bytes(); l.ids(len(l.args)) },
		"XACKDEL":     func(l *line, op *Op) { op.Kind, op.Group = XAckDel, l.bytes(); l.references() },
		"XNACK":       parseNack,
		"XSETID":      parseSetID,
		"XCFGSET":     parseCfgSet,
		"XIDMPRECORD": func(l *line, op *Op) { op.Kind, op.Group, op.Consumer = XIdmpRecord, l.bytes(), l.bytes(); l.id() },
		"XREADGROUP":  parseReadGroup,
		"XREAD":       parseRead,
		"XCLAIM":      parseClaim,
		"XAUTOCLAIM":  parseAutoClaim,
		"XRANGE":      parseRange,
		"XREVRANGE": func(l *line, op *Op) {
			op.Flags = FlagReverse
			parseRange(l, op)
			op.IDs[0], op.IDs[1] = op.IDs[1], op.IDs[0]
		},
		"XPENDING":     parsePending,
		"XINFO STREAM": parseInfoStream,
		"XINFO GROUPS": func(l *line, op *Op) { op.Kind = XInfoGroups },
		"XINFO CONSUMERS": func(l *line, op *Op) {
			op.Kind, op.Group = XInfoConsumers, l.bytes()
		},
		"XGROUP CREATE":         func(l *line, op *Op) { op.Kind = XGroupCreate; l.groupID() },
		"XGROUP SETID":          func(l *line, op *Op) { op.Kind = XGroupSetID; l.groupID() },
		"XGROUP DESTROY":        func(l *line, op *Op) { op.Kind, op.Group = XGroupDestroy, l.bytes() },
		"XGROUP CREATECONSUMER": func(l *line, op *Op) { op.Kind, op.Group, op.Consumer = XGroupAddCons, l.bytes(), l.bytes() },
		"XGROUP DELCONSUMER":    func(l *line, op *Op) { op.Kind, op.Group, op.Consumer = XGroupDelCons, l.bytes(), l.bytes() },
	}
}

func (l *line) groupID() {
	op := l.op
	op.Group, op.N[0] = l.bytes(), -1
	switch setID := op.Kind == XGroupSetID; {
	case l.accept("$"):
		op.Flags |= FlagDollar
		op.IDs = append(op.IDs, stream.MinID)
	case setID && l.accept("-"):
		op.IDs = append(op.IDs, stream.MinID)
	case setID && l.accept("+"):
		op.IDs = append(op.IDs, stream.MaxID)
	default:
		l.id()
	}
	for l.more() {
		switch word := l.next(); word {
		case "MKSTREAM":
			op.Flags |= FlagMkStream
		case "ENTRIESREAD":
			op.N[0] = l.int()
		default:
			l.t.Fatalf("option %q", word)
		}
	}
}

// trimming reads one trimming option; MINID goes to *minID.
func (l *line) trimming(minID *stream.ID) bool {
	op := l.op
	switch {
	case l.accept("MAXLEN"):
		op.Flags |= FlagMaxLen
		l.approx()
		op.N[0] = l.int()
	case l.accept("MINID"):
		op.Flags |= FlagMinID
		l.approx()
		*minID, _ = stream.ParseID(l.bytes(), 0)
	case l.accept("LIMIT"):
		op.Flags |= FlagHasLimit
		op.N[1] = l.int()
	default:
		return l.reference()
	}
	return true
}

func (l *line) approx() {
	if l.accept("~") {
		l.op.Flags |= FlagApprox
	} else {
		l.accept("=")
	}
}

func (l *line) reference() bool {
	switch {
	case l.accept("DELREF"):
		l.op.Flags |= FlagDelRef
	case l.accept("ACKED"):
		l.op.Flags |= FlagAcked
	default:
		return l.accept("KEEPREF")
	}
	return true
}

func (l *line) references() {
	for l.more() {
		if !l.reference() {
			if !l.accept("IDS") {
				l.t.Fatalf("option %q", l.next())
			}
			l.ids(int(l.int()))
		}
	}
}

func parseAdd(l *line, op *Op) {
	op.Kind, op.IDs = XAdd, make([]stream.ID, 2)
	for {
		switch {
		case l.accept("NOMKSTREAM"):
			op.Flags |= FlagNoMkStream
		case l.accept("IDMP"):
			op.Flags |= FlagIdmp
			op.Group, op.Consumer = l.bytes(), l.bytes()
		case l.accept("IDMPAUTO"):
			op.Flags |= FlagIdmpAuto
			op.Group = l.bytes()
		case l.trimming(&op.IDs[1]):
		default:
			l.entry()
			return
		}
	}
}

func (l *line) entry() {
	op, id := l.op, l.next()
	if id == "*" {
		op.Flags |= FlagAutoID
	} else if ms, auto := strings.CutSuffix(id, "-*"); auto {
		op.Flags |= FlagAutoSeq
		op.IDs[0], _ = stream.ParseID([]byte(ms), 0)
	} else {
		op.IDs[0], _ = stream.ParseID([]byte(id), 0)
	}
	for l.more() {
		op.Args = append(op.Args, l.bytes())
	}
}

func parseTrim(l *line, op *Op) {
	op.Kind, op.IDs = XTrim, make([]stream.ID, 1)
	for l.trimming(&op.IDs[0]) {
	}
}

func parseNack(l *line, op *Op) {
	op.Kind, op.Group, op.N[1] = XNack, l.bytes(), -1
	op.N[0] = map[string]int64{"SILENT": NackSilent, "FAIL": NackFail, "FATAL": NackFatal}[l.next()]
	for l.more() {
		switch word := l.next(); word {
		case "IDS":
			l.ids(int(l.int()))
		case "RETRYCOUNT":
			op.N[1] = l.int()
		case "FORCE":
			op.Flags |= FlagForce
		default:
			l.t.Fatalf("option %q", word)
		}
	}
}

func parseSetID(l *line, op *Op) {
	op.Kind, op.N[0] = XSetID, -1
	l.id()
	for l.more() {
		if l.accept("ENTRIESADDED") {
			op.N[0] = l.int()
		} else if l.accept("MAXDELETEDID") {
			op.Flags |= FlagHasLimit
			l.id()
		}
	}
}

func parseCfgSet(l *line, op *Op) {
	op.Kind = XCfgSet
	for l.more() {
		if l.accept("IDMP-DURATION") {
			op.N[0] = l.int()
		} else if l.accept("IDMP-MAXSIZE") {
			op.N[1] = l.int()
		}
	}
}

func (l *line) readOptions() {
	op := l.op
	op.N[3] = -1
	for !l.accept("STREAMS") {
		switch word := l.next(); word {
		case "GROUP":
			op.Group, op.Consumer = l.bytes(), l.bytes()
		case "COUNT":
			op.N[0] = l.int()
		case "MAXCOUNT":
			op.N[1] = l.int()
		case "MAXSIZE":
			op.N[2] = l.int()
		case "CLAIM":
			op.N[3] = l.int()
		case "NOACK":
			op.Flags |= FlagNoAck
		default:
			l.t.Fatalf("option %q", word)
		}
	}
	for n := len(l.args) / 2; n > 0; n-- {
		op.Args = append(op.Args, l.bytes())
	}
}

func parseReadGroup(l *line, op *Op) {
	op.Kind = XReadGroup
	l.readOptions()
	for i := range op.Args {
		if l.accept(">") {
			op.IDs = append(op.IDs, stream.MaxID)
		} else if l.id(); op.Err != nil {
			op.ErrAt, l.args = i, nil
			return
		}
	}
}

func parseRead(l *line, op *Op) {
	op.Kind = XRead
	l.readOptions()
	op.Marks = make([]byte, len(op.Args))
	for i := range op.Args {
		if l.args[0] == "$" || l.args[0] == "+" {
			op.Marks[i] = l.next()[0]
			op.IDs = append(op.IDs, stream.MinID)
		} else if l.id(); op.Err != nil {
			op.ErrAt, l.args = i, nil
			return
		}
	}
}

func parseClaim(l *line, op *Op) {
	op.Kind, op.Group, op.Consumer = XClaim, l.bytes(), l.bytes()
	op.N = [4]int64{max(l.int(), 0), -1, 0, 0}
	var last []stream.ID
	for l.more() {
		switch word := l.next(); word {
		case "IDLE":
			op.Flags = op.Flags&^FlagTime | FlagIdle
			op.N[2] = l.int()
		case "TIME":
			op.Flags = op.Flags&^FlagIdle | FlagTime
			op.N[2] = l.int()
		case "RETRYCOUNT":
			op.N[1] = max(l.int(), -1)
		case "FORCE":
			op.Flags |= FlagForce
		case "JUSTID":
			op.Flags |= FlagJustID
		case "LASTID":
			op.Flags |= FlagLastID
			id, _ := stream.ParseID(l.bytes(), 0)
			last = []stream.ID{id}
		default:
			id, ok := stream.ParseID([]byte(word), 0)
			if !ok {
				op.Err = resp.Error("ERR Unrecognized XCLAIM option '" + word + "'")
			}
			op.IDs = append(op.IDs, id)
		}
	}
	op.IDs = append(op.IDs, last...)
}

func parseAutoClaim(l *line, op *Op) {
	op.Kind, op.Group, op.Consumer = XAutoClaim, l.bytes(), l.bytes()
	op.N[0], op.N[1] = l.int(), 100
	l.bound(true)
	for l.more() {
		if l.accept("COUNT") {
			op.N[1] = l.int()
		} else if l.accept("JUSTID") {
			op.Flags |= FlagJustID
		}
	}
}

// bound reads one end of a range.
func (l *line) bound(start bool) {
	text := l.next()
	exclusive := strings.HasPrefix(text, "(")
	missing := uint64(0)
	if !start {
		missing = stream.MaxID.Seq
	}
	id, _ := stream.ParseID([]byte(strings.TrimPrefix(text, "(")), missing)
	switch {
	case text == "-":
		id = stream.MinID
	case text == "+":
		id = stream.MaxID
	case exclusive && start:
		id, _ = id.Next()
	case exclusive:
		id, _ = id.Prev()
	}
	l.op.IDs = append(l.op.IDs, id)
}

func parseRange(l *line, op *Op) {
	op.Kind, op.N[0] = XRange, -1
	l.bound(op.Flags&FlagReverse == 0)
	l.bound(op.Flags&FlagReverse != 0)
	if l.accept("COUNT") {
		op.N[0] = max(l.int(), 0)
	}
}

func parsePending(l *line, op *Op) {
	op.Group = l.bytes()
	if !l.more() {
		op.Kind = XPendingSum
		return
	}
	op.Kind = XPendingRange
	if l.accept("IDLE") {
		op.N[1] = l.int()
	}
	l.bound(true)
	l.bound(false)
	op.N[0] = max(l.int(), 0)
	if l.more() {
		op.Flags |= FlagConsumer
		op.Consumer = l.bytes()
	}
}

func parseInfoStream(l *line, op *Op) {
	op.Kind = XInfoStream
	if l.accept("FULL") {
		op.Flags |= FlagFull
		op.N[0] = 10
	}
	if l.accept("COUNT") {
		op.N[0] = l.int()
	}
}
