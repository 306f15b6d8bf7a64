package resp

// AppendQuoted appends s in double quotes with every byte that is not printable ASCII escaped (\\ \" \n \r \t \a \b \xHH),
// the way MONITOR and logs show user data.
func AppendQuoted(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range s {
		switch c {
		case '\\', '"':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\a':
			dst = append(dst, '\\', 'a')
		case '\b':
			dst = append(dst, '\\', 'b')
		default:
			if c >= ' ' && c < 0x7f {
				dst = append(dst, c)
			} else {
				dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
			}
		}
	}
	return append(dst, '"')
}

// Quote is AppendQuoted into a new string.
func Quote(s []byte) string { return string(AppendQuoted(nil, s)) }

// isBlank is the C locale's isspace, which separates inline words.
func isBlank(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }

// nextWord cuts the first word off line, which holds no leading blank. Words with quotes are decoded into scratch, whose
// spare room must hold all of line, so that words decoded before do not move; ok is false when a quote is not closed or
// text is glued to a closing quote.
func nextWord(line, scratch []byte) (word, rest, grown []byte, ok bool) {
	i := 0
	for i < len(line) && !isBlank(line[i]) && line[i] != '"' && line[i] != '\'' {
		i++
	}
	if i == len(line) || isBlank(line[i]) {
		return line[:i], line[i:], scratch, true
	}
	start := len(scratch)
	scratch = append(scratch, line[:i]...)
	for i < len(line) && !isBlank(line[i]) {
		c := line[i]
		i++
		if c != '"' && c != '\'' {
			scratch = append(scratch, c)
			continue
		}
		var n int
		if scratch, n, ok = unquote(line[i:], c, scratch); !ok {
			return nil, nil, scratch, false
		}
		if i += n; i < len(line) && !isBlank(line[i]) {
			return nil, nil, scratch, false
		}
	}
	return scratch[start:len(scratch):len(scratch)], line[i:], scratch, true
}

// unquote decodes s up to its closing quote into dst and returns how many bytes of s it took, the quote included.
func unquote(s []byte, quote byte, dst []byte) (out []byte, n int, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return dst, i + 1, true
		case c != '\\' || i+1 == len(s):
			dst = append(dst, c)
		case quote == '\'':
			if s[i+1] == '\'' {
				i++
				c = '\''
			}
			dst = append(dst, c)
		case s[i+1] == 'x' && i+3 < len(s) && hexDigit(s[i+2]) >= 0 && hexDigit(s[i+3]) >= 0:
			dst = append(dst, byte(hexDigit(s[i+2])<<4|hexDigit(s[i+3])))
			i += 3
		default:
			i++
			dst = append(dst, unescape(s[i]))
		}
	}
	return dst, 0, false
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// SplitWords splits a line into words as inline requests do, for configuration files and tools.
func SplitWords(line []byte) ([]string, error) {
	var words []string
	scratch := make([]byte, 0, len(line))
	for {
		for len(line) > 0 && isBlank(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return words, nil
		}
		var word []byte
		var ok bool
		if word, line, scratch, ok = nextWord(line, scratch); !ok {
			return nil, ErrQuotes
		}
		words = append(words, string(word))
	}
}
