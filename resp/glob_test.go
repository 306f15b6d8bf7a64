package resp

import (
	"bytes"
	"math/rand"
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"**", "abc", true}, {"a", "a", true}, {"a", "A", false},
		{"?", "", false}, {"?", "a", true}, {"?", "ab", false}, {"h?llo", "hello", true}, {"h*llo", "heeello", true}, {"h*llo", "hell", false},
		{"h[ae]llo", "hallo", true}, {"h[ae]llo", "hillo", false}, {"h[^e]llo", "hallo", true}, {"h[^e]llo", "hello", false},
		{"h[a-c]llo", "hbllo", true}, {"h[c-a]llo", "hbllo", true}, {"h[a-c]llo", "hdllo", false}, {`h[\]]llo`, "h]llo", true},
		{`a\*b`, "a*b", true}, {`a\*b`, "axb", false}, {`a\`, `a\`, true}, {"[]", "a", false}, {"[^]", "a", true}, {"[a", "a", true}, {"[ab", "b", true},
		{"[a-", "-", true}, {"[", "a", false}, {"*a*b*c*", "xxaxxbxxcxx", true}, {"*a*b*c", "abcabc", true}, {"*a*b*c", "abcab", false},
		{"*[a-b]?c*", "xxaxcx", true}, {"a*a", "a", false}, {"a*a", "aa", true}, {"*ab", "aab", true}, {"*.*", "a.b", true},
		{"stream-*", "stream-node-max-bytes", true}, {"__key*__:*", "__keyevent@0__:xadd", true}, {"a[^\x00-\x7f]b", "a\xffb", true},
	}
	for _, tt := range tests {
		if got := Match([]byte(tt.pattern), []byte(tt.s)); got != tt.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tt.pattern, tt.s, got, tt.want)
		}
	}
}

// naiveMatch tries everything.
func naiveMatch(p, s []byte) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == '*':
		return naiveMatch(p[1:], s) || len(s) > 0 && naiveMatch(p, s[1:])
	case len(s) == 0:
		return false
	}
	n := elementLen(p)
	return fits(p[:n], s[:1]) && naiveMatch(p[n:], s[1:])
}

func TestMatchAgainstNaive(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	random := func(alphabet string, most int) []byte {
		b := make([]byte, rnd.Intn(most))
		for i := range b {
			b[i] = alphabet[rnd.Intn(len(alphabet))]
		}
		return b
	}
	for range 200000 {
		p, s := random(`ab**?[]^-\`, 12), random("ab-", 12)
		if got, want := Match(p, s), naiveMatch(p, s); got != want {
			t.Fatalf("Match(%q, %q) = %v, want %v", p, s, got, want)
		}
		part, width, _ := section(p)
		if width == 0 {
			continue
		}
		if got, want := findLong(part, width, s), find(part, width, false, s); got != want {
			t.Fatalf("findLong(%q, %q) = %d, want %d", part, s, got, want)
		}
	}
}

func TestMatchHostilePatterns(t *testing.T) {
	text := bytes.Repeat([]byte("a"), 64<<10)
	for name, pattern := range map[string]string{
		"stars":          strings.Repeat("a*", 32<<10) + "b",
		"leading stars":  strings.Repeat("*a", 32<<10) + "*b",
		"only stars":     strings.Repeat("*", 64<<10) + "b",
		"long literal":   "*" + strings.Repeat("a", 32<<10) + "b*",
		"long wildcard":  "*?" + strings.Repeat("a", 32<<10) + "b*",
		"many questions": "*" + strings.Repeat("?", 32<<10) + "b*",
		"many classes":   "*" + strings.Repeat("[ab]", 16<<10) + "b*",
		"one class":      "*[" + strings.Repeat("b", 64<<10) + "]?*",
		"ranges":         "*[" + strings.Repeat("b-c", 20<<10) + "]?*",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if Match([]byte(pattern), text) {
				t.Error("matched")
			}
			if d := time.Since(start); d > 50*time.Millisecond*slowdown {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	p, s := []byte("user:*:[a-f]?:events"), []byte("user:1000:cd:events")
	if got := testing.AllocsPerRun(100, func() {
		if !Match(p, s) {
			t.Fatal("no match")
		}
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
