package resp

import (
	"bytes"
	"errors"
	"math"
)

// ErrHTTP is returned for a request whose first word is POST or Host: a browser was led to this port. The connection is
// closed without a reply.
var ErrHTTP = errors.New("HTTP request on the Redis port")

// Protocol errors: the reply is sent, then the connection is closed.
const (
	ErrInlineTooBig     Error = "ERR Protocol error: too big inline request"
	ErrQuotes           Error = "ERR Protocol error: unbalanced quotes in request"
	ErrMultibulkLength  Error = "ERR Protocol error: invalid multibulk length"
	ErrMultibulkTooBig  Error = "ERR Protocol error: too big mbulk count string"
	ErrBulkTooBig       Error = "ERR Protocol error: too big bulk count string"
	ErrBulkLength       Error = "ERR Protocol error: invalid bulk length"
	ErrUnauthMultibulk  Error = "ERR Protocol error: unauthenticated multibulk length"
	ErrUnauthBulk       Error = "ERR Protocol error: unauthenticated bulk length"
	unauthenticatedArgs       = 10
	unauthenticatedBulk       = 16384
	maxLine                   = 65536     // inline request or header line, without its end
	defaultMaxBulk            = 512 << 20 // Limits.MaxBulk 0
	keepArgs                  = 1024      // a parser keeps room for so many arguments between requests
	keepInline                = 4096      // and so many bytes of decoded inline words
)

// Limits bound one request.
type Limits struct {
	MaxBulk         int64 // longest argument in bytes (proto-max-bulk-len); 0: 512 MiB
	MaxArgs         int   // most arguments; 0: 2147483647
	Unauthenticated bool  // the client still has to log in: 10 arguments of 16 KiB
}

// span is an argument as offsets from the start of its request: a buffer may move while a request is incomplete.
type span struct{ start, end int }

// state says what the parser expects at Parser.pos.
type state uint8

const (
	stateNew state = iota
	stateInline
	stateCount  // "*n"
	stateLength // "$n"
	stateBody
)

// Parser cuts requests out of a read buffer. The zero value is ready. It remembers how far it got in an incomplete request,
// so that no byte is looked at twice however slowly it dribbles in, and its memory grows only with bytes received, never
// with a count that a client merely announced.
type Parser struct {
	state  state
	pos    int // parsed so far, from the request's start
	seen   int // searched for a line end so far, from the request's start
	left   int // arguments still to come
	body   int // length of the argument at pos
	spans  []span
	args   [][]byte
	inline []byte // decoded words of an inline request
}

// Parse reads the request at the start of buf. It returns its arguments, which alias buf (quoted inline words: the parser) and
// are valid until buf changes or Parse is called again, and the bytes consumed. Zero bytes consumed without an error: the
// request is incomplete; call again with the same unconsumed bytes and more, wherever they are by then. Bytes consumed
// without arguments: an empty request, to be passed over. After an error the connection is at its end.
func (p *Parser) Parse(buf []byte, lim *Limits) (args [][]byte, consumed int, err error) {
	if len(buf) == 0 {
		return nil, 0, nil
	}
	if p.state == stateNew {
		if n := p.whole(buf, lim); n > 0 {
			return p.finish(n)
		}
		p.begin(buf[0])
	}
	if p.state == stateInline {
		return p.parseInline(buf)
	}
	if p.state == stateCount {
		line, ok, err := p.line(buf, ErrMultibulkTooBig)
		if !ok {
			return nil, 0, err
		}
		n, ok := ParseInt(line)
		if !ok {
			return nil, 0, ErrMultibulkLength
		}
		if err := checkCount(n, lim); err != nil {
			return nil, 0, err
		}
		p.left = int(max(n, 0))
		p.state = stateLength
	}
	if ok, err := p.bulks(buf, lim); !ok {
		return nil, 0, err
	}
	for _, s := range p.spans {
		p.args = append(p.args, buf[s.start:s.end:s.end])
	}
	return p.finish(p.pos)
}

// whole reads the request at the start of buf into args if it is an ordinary one: an array of at most 99 arguments of less
// than 10000 bytes, all there and within the limits. Otherwise it returns 0, for a closer look.
func (p *Parser) whole(buf []byte, lim *Limits) (consumed int) {
	if buf[0] != '*' || lim.Unauthenticated || cap(p.args) > keepArgs {
		return 0
	}
	count, pos := short(buf, 1)
	if pos == 0 || count > 99 || lim.MaxArgs > 0 && count > lim.MaxArgs {
		return 0
	}
	args := p.args[:0]
	for range count {
		if pos >= len(buf) || buf[pos] != '$' {
			return 0
		}
		size, start := short(buf, pos+1)
		if start == 0 || len(buf)-start < size+2 || lim.MaxBulk > 0 && int64(size) > lim.MaxBulk {
			return 0
		}
		args = append(args, buf[start:start+size:start+size])
		pos = start + size + 2
	}
	p.args = args
	return pos
}

// short reads a number of one to four digits, the first of them not 0, that begins at buf[at] and ends with a CR. It returns
// the number and where what follows its line begins, 0 if there is none such.
func short(buf []byte, at int) (n, next int) {
	if len(buf)-at < 6 {
		return 0, 0
	}
	b := buf[at : at+6]
	if n = int(b[0] - '0'); n < 1 || n > 9 {
		return 0, 0
	}
	for i := 1; i < 5; i++ {
		if b[i] == '\r' {
			return n, at + i + 2
		}
		d := int(b[i] - '0')
		if d > 9 {
			return 0, 0
		}
		n = 10*n + d
	}
	return 0, 0
}

// Missing returns how many bytes, at least, an incomplete request still needs beyond the have bytes given to Parse: a hint for
// the size of the next read, bounded by the limit on one argument.
func (p *Parser) Missing(have int) int {
	if p.state != stateBody {
		return 1
	}
	return max(1, p.pos+p.body+2-have)
}

func (p *Parser) begin(first byte) {
	p.pos, p.seen, p.left = 0, 0, 0
	p.spans, p.args = p.spans[:0], p.args[:0]
	if cap(p.args) > keepArgs {
		p.spans, p.args = nil, nil
	}
	p.state = stateInline
	if first == '*' {
		p.state = stateCount
	}
}

// finish hands out the arguments gathered.
func (p *Parser) finish(consumed int) ([][]byte, int, error) {
	p.state = stateNew
	if len(p.args) > 0 && isHTTP(p.args[0]) {
		return nil, 0, ErrHTTP
	}
	return p.args, consumed, nil
}

func isHTTP(word []byte) bool {
	switch len(word) {
	case 4:
		return word[0]|0x20 == 'p' && bytes.EqualFold(word, []byte("POST"))
	case 5:
		return word[0]|0x20 == 'h' && bytes.EqualFold(word, []byte("Host:"))
	}
	return false
}

func checkCount(n int64, lim *Limits) error {
	most := int64(math.MaxInt32)
	if lim.MaxArgs > 0 {
		most = min(most, int64(lim.MaxArgs))
	}
	if n > most {
		return ErrMultibulkLength
	}
	if lim.Unauthenticated && n > unauthenticatedArgs {
		return ErrUnauthMultibulk
	}
	return nil
}

func checkLength(n int64, lim *Limits) error {
	most := lim.MaxBulk
	if most <= 0 {
		most = defaultMaxBulk
	}
	if n < 0 || n > most || n > math.MaxInt-maxLine {
		return ErrBulkLength
	}
	if lim.Unauthenticated && n > unauthenticatedBulk {
		return ErrUnauthBulk
	}
	return nil
}

// bulks reads the arguments still to come; ok is false when bytes are missing or wrong.
func (p *Parser) bulks(buf []byte, lim *Limits) (ok bool, err error) {
	for p.left > 0 {
		if p.state == stateLength {
			n, ok, err := p.length(buf)
			if !ok {
				return false, err
			}
			if err := checkLength(n, lim); err != nil {
				return false, err
			}
			p.body = int(n)
			p.state = stateBody
		}
		// The two bytes after the body are skipped unseen, as in Redis.
		if len(buf)-p.pos < p.body+2 {
			return false, nil
		}
		p.spans = append(p.spans, span{p.pos, p.pos + p.body})
		p.pos += p.body + 2
		p.seen = p.pos
		p.state = stateLength
		p.left--
	}
	return true, nil
}

// length reads the "$n" line at pos.
func (p *Parser) length(buf []byte) (n int64, ok bool, err error) {
	start := p.pos
	line, ok, err := p.line(buf, ErrBulkTooBig)
	if !ok {
		return 0, false, err
	}
	if buf[start] != '$' {
		return 0, false, Error("ERR Protocol error: expected '$', got '" + string(buf[start:start+1]) + "'")
	}
	if n, ok = ParseInt(line); !ok {
		return 0, false, ErrBulkLength
	}
	return n, true, nil
}

// line reads the header line at pos and returns it without its first byte and its end, and moves pos behind it. The end is a
// CR and one more byte, whatever it is. ok is false when the end is missing; err then says that it will not come.
func (p *Parser) line(buf []byte, tooBig Error) (text []byte, ok bool, err error) {
	end := -1
	for i, c := range buf[p.seen:min(len(buf), p.seen+24)] { // headers are short: no call
		if c == '\r' {
			end = p.seen + i
			break
		}
	}
	if end < 0 {
		if i := bytes.IndexByte(buf[p.seen:], '\r'); i >= 0 {
			end = p.seen + i
		} else {
			end = len(buf)
		}
	}
	if end-p.pos > maxLine {
		return nil, false, tooBig
	}
	if end+1 >= len(buf) {
		p.seen = end
		return nil, false, nil
	}
	start := p.pos
	p.pos, p.seen = end+2, end+2
	// A CR as the first byte leaves no text at all.
	return buf[min(start+1, end):end], true, nil
}

func (p *Parser) parseInline(buf []byte) (args [][]byte, consumed int, err error) {
	end := bytes.IndexByte(buf[p.seen:], '\n')
	if end < 0 {
		p.seen = len(buf)
		end = len(buf)
	} else {
		end += p.seen
	}
	if end > maxLine {
		return nil, 0, ErrInlineTooBig
	}
	if end == len(buf) {
		return nil, 0, nil
	}
	line := buf[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	if cap(p.inline) > keepInline {
		p.inline = nil
	}
	scratch := p.inline[:0]
	if bytes.ContainsAny(line, `"'`) && cap(scratch) < len(line) {
		scratch = make([]byte, 0, len(line))
	}
	for {
		for len(line) > 0 && isBlank(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			break
		}
		var word []byte
		var ok bool
		if word, line, scratch, ok = nextWord(line, scratch); !ok {
			return nil, 0, ErrQuotes
		}
		p.args = append(p.args, word[:len(word):len(word)])
	}
	p.inline = scratch
	return p.finish(end + 1)
}
