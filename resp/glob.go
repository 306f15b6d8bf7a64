package resp

import "bytes"

// Match tells whether s matches a Redis glob pattern, bytewise: '*' any run, '?' any byte, '[abc]', '[^a]', '[a-z]', and '\x'
// for x itself, inside a class too. An unclosed class reaches to the end of the pattern.
//
// Every element but '*' takes exactly one byte, so what stands between two stars has a fixed width, and the leftmost place
// where it fits is as good as any other: nothing is tried twice, however many stars there are (CVE-2022-36021).
func Match(pattern, s []byte) bool {
	head, width, _ := section(pattern)
	pattern = pattern[len(head):]
	if len(pattern) == 0 {
		return len(s) == width && fits(head, s)
	}
	if len(s) < width || !fits(head, s) {
		return false
	}
	s = s[width:]
	for {
		for len(pattern) > 0 && pattern[0] == '*' {
			pattern = pattern[1:]
		}
		if len(pattern) == 0 {
			return true
		}
		part, width, plain := section(pattern)
		if len(s) < width {
			return false
		}
		if pattern = pattern[len(part):]; len(pattern) == 0 {
			return fits(part, s[len(s)-width:])
		}
		at := find(part, width, plain, s)
		if at < 0 {
			return false
		}
		s = s[at+width:]
	}
}

// section returns what p holds before its first star, the number of bytes that it takes, and whether it stands for itself.
func section(p []byte) (part []byte, width int, plain bool) {
	plain = true
	i := 0
	for i < len(p) && p[i] != '*' {
		if c := p[i]; c == '?' || c == '[' || c == '\\' {
			plain = false
			i += elementLen(p[i:])
		} else {
			i++
		}
		width++
	}
	return p[:i], width, plain
}

// elementLen is the length of the element at the start of p.
func elementLen(p []byte) int {
	switch {
	case p[0] == '\\' && len(p) > 1:
		return 2
	case p[0] != '[':
		return 1
	}
	i := 1
	if i < len(p) && p[i] == '^' {
		i++
	}
	for i < len(p) {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			i += 2
		case p[i] == ']':
			return i + 1
		case i+2 < len(p) && p[i+1] == '-':
			i += 3
		default:
			i++
		}
	}
	return i
}

// fits tells whether the elements of part match the first bytes of s, which has enough of them.
func fits(part, s []byte) bool {
	for i := 0; len(part) > 0; i++ {
		n := 1
		switch part[0] {
		case '?':
		case '[':
			n = elementLen(part)
			if !inClass(part[1:n], s[i]) {
				return false
			}
		case '\\':
			n = elementLen(part)
			if part[n-1] != s[i] {
				return false
			}
		default:
			if part[0] != s[i] {
				return false
			}
		}
		part = part[n:]
	}
	return true
}

// inClass tells whether c is in a class, given without its opening bracket.
func inClass(class []byte, c byte) bool {
	found, negated := false, false
	eachRange(class, &negated, func(from, to byte) { found = found || from <= c && c <= to })
	return found != negated
}

func eachRange(class []byte, negated *bool, visit func(from, to byte)) {
	if len(class) > 0 && class[0] == '^' {
		*negated = true
		class = class[1:]
	}
	for len(class) > 0 {
		switch {
		case class[0] == '\\' && len(class) > 1:
			visit(class[1], class[1])
			class = class[2:]
		case class[0] == ']':
			return
		case len(class) > 2 && class[1] == '-':
			visit(min(class[0], class[2]), max(class[0], class[2]))
			class = class[3:]
		default:
			visit(class[0], class[0])
			class = class[1:]
		}
	}
}

// bruteForce is the product of pattern and text lengths up to which trying every place is cheaper than preparing.
const bruteForce = 1 << 16

// find returns the leftmost place in s where part fits, or -1.
func find(part []byte, width int, plain bool, s []byte) int {
	if plain {
		return bytes.Index(s, part)
	}
	if len(part)*len(s) > bruteForce {
		return findLong(part, width, s)
	}
	for i := 0; i+width <= len(s); i++ {
		if fits(part, s[i:i+width]) {
			return i
		}
	}
	return -1
}

// findLong is find with one bit of state per element, all moved on by one pass over s.
func findLong(part []byte, width int, s []byte) int {
	words := (width + 63) / 64
	accepts := make([]uint64, 256*words) // per byte value: the elements that accept it
	anything := make([]uint64, words)
	for i := 0; len(part) > 0; i++ {
		n := elementLen(part)
		word, bit := i/64, uint64(1)<<(i%64)
		switch part[0] {
		case '?':
			anything[word] |= bit
		case '[':
			var set [256]bool
			negated := false
			eachRange(part[1:n], &negated, func(from, to byte) {
				for c := int(from); c <= int(to); c++ {
					set[c] = true
				}
			})
			for c, in := range set {
				if in != negated {
					accepts[c*words+word] |= bit
				}
			}
		default:
			accepts[int(part[n-1])*words+word] |= bit
		}
		part = part[n:]
	}
	state := make([]uint64, words)
	last := uint64(1) << ((width - 1) % 64)
	for i, c := range s {
		row := accepts[int(c)*words : (int(c)+1)*words]
		carry := uint64(1)
		for j := range min(words, i/64+1) { // no element beyond the i-th can be reached yet
			next := state[j]<<1 | carry
			carry = state[j] >> 63
			state[j] = next & (row[j] | anything[j])
		}
		if state[words-1]&last != 0 {
			return i + 1 - width
		}
	}
	return -1
}
