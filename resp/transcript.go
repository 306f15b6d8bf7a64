package resp

import (
	"fmt"
	"strconv"
	"strings"
)

// The notation shows a reply as one line of text, for transcripts, tests and tools:
//
//	+OK   -ERR text   :5   "abc"   $-1   *-1   _   ,1.5   #t   (123   ="txt:abc"
//	*2[a, b]   %1{k: v}   ~1[a]   >2[a, b]
//
// Strings are quoted as by Quote. In what is expected, a placeholder stands for a value: <ms>, <idle> and other names in
// lower case for any value of the kind in front of them (:<ms>, "<id>", +<any>; <any> alone for anything at all), names in
// upper case (<A>) for a value that is the same wherever the name appears.

// String shows v in the notation.
func (v Value) String() string {
	var b strings.Builder
	v.show(&b)
	return b.String()
}

func (v Value) show(b *strings.Builder) {
	switch {
	case v.Null:
		b.WriteByte(v.Kind)
		b.WriteString("-1")
		return
	case v.Kind == '$' || v.Kind == 0:
		b.WriteString(Quote(v.Text))
		return
	case v.Kind == '=':
		b.WriteString("=" + Quote(append([]byte(v.Format+":"), v.Text...)))
		return
	}
	b.WriteByte(v.Kind)
	open, end := byte('['), byte(']')
	n := len(v.Elems)
	switch v.Kind {
	case '%':
		open, end, n = '{', '}', n/2
	case '*', '~', '>':
	default:
		b.Write(v.Text)
		return
	}
	b.WriteString(strconv.Itoa(n))
	b.WriteByte(open)
	for i, elem := range v.Elems {
		switch {
		case i == 0:
		case v.Kind == '%' && i%2 == 1:
			b.WriteString(": ")
		default:
			b.WriteString(", ")
		}
		elem.show(b)
	}
	b.WriteByte(end)
}

// anyKind is the Kind of a placeholder that stands alone.
const anyKind = '?'

// ParseReply reads the notation. Placeholders are kept in Text as they are written.
func ParseReply(text string) (Value, error) {
	p := notation{text: text}
	v, err := p.value(alone)
	if err == nil && p.at < len(p.text) {
		err = p.fail("something follows")
	}
	return v, err
}

type notation struct {
	text string
	at   int
}

func (p *notation) fail(what string) error {
	return fmt.Errorf("reply %q, at %d: %s", p.text, p.at, what)
}

// value reads one value.
func (p *notation) value(where place) (Value, error) {
	if p.at >= len(p.text) {
		return Value{}, p.fail("a value is missing")
	}
	kind := p.text[p.at]
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, "$-1"), strings.HasPrefix(rest, "*-1"):
		p.at += 3
		return Value{Kind: kind, Null: true}, nil
	case kind == '"':
		text, err := p.quoted()
		return Value{Kind: '$', Text: text}, err
	case kind == '<':
		return p.placeholder()
	}
	p.at++
	switch kind {
	case '_':
		return Value{Kind: '_'}, nil
	case '=':
		text, err := p.quoted()
		if err == nil && (len(text) < 4 || text[3] != ':') {
			err = p.fail("a verbatim string has no format")
		}
		if err != nil {
			return Value{}, err
		}
		return Value{Kind: '=', Format: string(text[:3]), Text: text[4:]}, nil
	case '+', '-', ':', ',', '#', '(':
		return Value{Kind: kind, Text: p.line(where)}, nil
	case '*', '%', '~', '>':
		return p.aggregate(kind)
	}
	p.at--
	return Value{}, p.fail("no value begins like this")
}

func (p *notation) quoted() ([]byte, error) {
	if p.at >= len(p.text) || p.text[p.at] != '"' {
		return nil, p.fail("a string is missing")
	}
	text, n, ok := unquote([]byte(p.text[p.at+1:]), '"', nil)
	if !ok {
		return nil, p.fail("a quote is not closed")
	}
	p.at += n + 1
	return text, nil
}

func (p *notation) placeholder() (Value, error) {
	n := strings.IndexByte(p.text[p.at:], '>')
	if n < 0 {
		return Value{}, p.fail("a placeholder is not closed")
	}
	v := Value{Kind: anyKind, Text: []byte(p.text[p.at : p.at+n+1])}
	p.at += n + 1
	return v, nil
}

// line reads the text of a simple value. Inside an aggregate it ends before a closing bracket that it did not open itself,
// before a comma that a new value follows, since error texts have commas of their own, and as a key before a colon.
func (p *notation) line(where place) []byte {
	start, open := p.at, 0
	if where == alone {
		p.at = len(p.text)
		return []byte(p.text[start:])
	}
	for ; p.at < len(p.text); p.at++ {
		rest := p.text[p.at:]
		switch {
		case rest[0] == '[' || rest[0] == '{':
			open++
		case (rest[0] == ']' || rest[0] == '}') && open > 0:
			open--
		case rest[0] == ']' || rest[0] == '}',
			where == key && strings.HasPrefix(rest, ": "),
			strings.HasPrefix(rest, ", ") && len(rest) > 2 && strings.IndexByte(`+-:"$*%~>_,=#(<`, rest[2]) >= 0:
			return []byte(p.text[start:p.at])
		}
	}
	return []byte(p.text[start:])
}

// place is where a value stands, which decides where its text ends.
type place uint8

const (
	alone place = iota
	element
	key
)

func (p *notation) aggregate(kind byte) (Value, error) {
	v := Value{Kind: kind}
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	n, err := strconv.Atoi(p.text[start:p.at])
	if err != nil {
		return v, p.fail("a number of elements is missing")
	}
	open, end := "[", "]"
	if kind == '%' {
		open, end, n = "{", "}", 2*n
	}
	if !p.skip(open) {
		return v, p.fail("missing " + open)
	}
	for i := range n {
		switch {
		case i == 0:
		case kind == '%' && i%2 == 1:
			if !p.skip(":") {
				return v, p.fail("missing ':'")
			}
		case !p.skip(","):
			return v, p.fail("missing ','")
		}
		for p.skip(" ") {
		}
		where := element
		if kind == '%' && i%2 == 0 {
			where = key
		}
		elem, err := p.value(where)
		if err != nil {
			return v, err
		}
		v.Elems = append(v.Elems, elem)
	}
	if !p.skip(end) {
		return v, p.fail("missing " + end)
	}
	return v, nil
}

func (p *notation) skip(s string) bool {
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

// Compare tells, as an error, how got differs from want, which was read by ParseReply. Nulls of RESP2 stand for the one of
// RESP3; without resp3, what RESP2 lacks is expected in the form that RESP2 has for it. captured holds the values of <A>, <B>
// … seen so far, and may be nil.
func Compare(want, got Value, resp3 bool, captured map[string]string) error {
	if !resp3 {
		want = downgrade(want)
	}
	if err := compare(want, got, resp3, captured); err != nil {
		return fmt.Errorf("got %s, want %s: %w", got, want, err)
	}
	return nil
}

// downgrade gives v the form it has in RESP2.
func downgrade(v Value) Value {
	switch v.Kind {
	case '%', '~', '>':
		v.Kind = '*'
	case ',', '=', '(':
		v.Kind, v.Format = '$', ""
	case '#':
		v.Kind = ':'
		if string(v.Text) == "t" {
			v.Text = []byte("1")
		} else {
			v.Text = []byte("0")
		}
	}
	elems := v.Elems
	v.Elems = nil
	for _, elem := range elems {
		v.Elems = append(v.Elems, downgrade(elem))
	}
	return v
}

func compare(want, got Value, resp3 bool, captured map[string]string) error {
	name, isName := placeholderName(want)
	switch {
	case isName && want.Kind == anyKind:
		return capture(name, got.String(), captured)
	case want.IsNull() && got.IsNull() && (resp3 || want.Kind == got.Kind):
		if resp3 && got.Kind != '_' {
			return fmt.Errorf("%s is a null of RESP2", got)
		}
		return nil
	case want.Kind != got.Kind || want.Null != got.Null:
		return fmt.Errorf("%s is not %s", got, want)
	case isName && got.Elems == nil:
		return capture(name, string(got.Text), captured)
	case want.Kind == ',' && sameNumber(want.Text, got.Text):
		return nil
	case string(want.Text) != string(got.Text) || want.Format != got.Format:
		return fmt.Errorf("%s is not %s", got, want)
	case len(want.Elems) != len(got.Elems):
		return fmt.Errorf("%d elements, not %d", len(got.Elems), len(want.Elems))
	}
	for i := range want.Elems {
		if err := compare(want.Elems[i], got.Elems[i], resp3, captured); err != nil {
			return err
		}
	}
	return nil
}

func sameNumber(a, b []byte) bool {
	x, err1 := strconv.ParseFloat(string(a), 64)
	y, err2 := strconv.ParseFloat(string(b), 64)
	return err1 == nil && err2 == nil && x == y
}

// placeholderName returns the name in <name>, if that is all there is of a value. Errors are never placeholders: their texts
// hold angle brackets.
func placeholderName(v Value) (string, bool) {
	n := len(v.Text)
	if v.Kind == '-' || n < 3 || v.Text[0] != '<' || v.Text[n-1] != '>' {
		return "", false
	}
	name := string(v.Text[1 : n-1])
	return name, !strings.ContainsAny(name, "<> ")
}

func capture(name, text string, captured map[string]string) error {
	if captured == nil || name != strings.ToUpper(name) || name == "" {
		return nil
	}
	before, seen := captured[name]
	if seen && before != text {
		return fmt.Errorf("<%s> was %q and is %q now", name, before, text)
	}
	captured[name] = text
	return nil
}
