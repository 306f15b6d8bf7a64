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
		return bytes.EqualFold(word, []byte("POST"))
	case 5:
		return bytes.EqualFold(word, []byte("Host:"))
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
	// Nearly all arguments are shorter than a hundred bytes and their line is all there.
	if short := buf[start:]; len(short) >= 5 && short[0] == '$' && short[1]-'1' < 9 {
		switch {
		case short[2] == '\r':
			p.pos += 4
			return int64(short[1] - '0'), true, nil
		case short[2]-'0' < 10 && short[3] == '\r':
			p.pos += 5
			return int64(short[1]-'0')*10 + int64(short[2]-'0'), true, nil
		}
	}
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
