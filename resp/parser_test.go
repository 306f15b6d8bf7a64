package resp

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"
)

// outcome is what a parser made of a stream of bytes, as text.
func outcome(t testing.TB, input []byte, lim Limits, chunk func() int) string {
	t.Helper()
	var p Parser
	var out strings.Builder
	var buf []byte
	for {
		args, n, err := p.Parse(buf, &lim)
		switch {
		case err != nil:
			fmt.Fprintf(&out, "error %v", err)
			return out.String()
		case n == 0:
			if len(input) == 0 {
				if len(buf) > 0 {
					out.WriteString("incomplete")
				}
				return out.String()
			}
			take := min(max(1, chunk()), len(input))
			// A fresh buffer every time: nothing may point into the old one.
			moved := append(append([]byte(nil), buf...), input[:take]...)
			for i := range buf {
				buf[i] = 'X'
			}
			buf, input = moved, input[take:]
		default:
			for _, a := range args {
				fmt.Fprintf(&out, "%q ", a)
			}
			fmt.Fprintf(&out, "/%d; ", n)
			buf = buf[n:]
		}
	}
}

func whole(input []byte) func() int { return func() int { return len(input) } }

func TestParse(t *testing.T) {
	long := strings.Repeat("a", 65536)
	tests := []struct{ name, in, want string }{
		{"multibulk", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", `"GET" "k" /20; `},
		{"pipeline", "*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$1\r\nx\r\n", `"PING" /14; "PING" /6; "x" /11; `},
		{"empty argument", "*2\r\n$1\r\na\r\n$0\r\n\r\n", `"a" "" /17; `},
		{"binary argument", "*1\r\n$4\r\n\r\n\x00\xff\r\n", `"\r\n\x00\xff" /14; `},
		{"body end unchecked", "*1\r\n$1\r\naXY", `"a" /11; `},
		{"byte after CR unchecked", "*1\rx$1\r!aXY", `"a" /11; `},
		{"empty requests", "*0\r\n*-1\r\n*-10\r\n\r\n\n  \r\nPING\n", `/4; /5; /6; /2; /1; /4; "PING" /5; `},
		{"inline", " SET  a\tb \r\n", `"SET" "a" "b" /12; `},
		{"inline quotes", `SET "a b" 'c d' "\x41\n\"\q" 'it\'s' x"y z"` + "\n", `"SET" "a b" "c d" "A\n\"q" "it's" "xy z" /44; `},
		{"inline empty word", `ECHO ""` + "\r\n", `"ECHO" "" /9; `},
		{"inline bad hex", `ECHO "\xZ1"` + "\n", `"ECHO" "xZ1" /12; `},
		{"inline open quote", "ECHO \"a\r\n", "error ERR Protocol error: unbalanced quotes in request"},
		{"inline glued text", `ECHO "a"b` + "\r\n", "error ERR Protocol error: unbalanced quotes in request"},
		{"inline glued quotes", `ECHO "a"'b'` + "\r\n", "error ERR Protocol error: unbalanced quotes in request"},
		{"inline trailing backslash", "ECHO \"a\\\n", "error ERR Protocol error: unbalanced quotes in request"},
		{"longest inline", long + "\n", fmt.Sprintf("%q /65537; ", long)},
		{"too long inline", long + "a\n", "error ERR Protocol error: too big inline request"},
		{"endless inline", long + "a", "error ERR Protocol error: too big inline request"},
		{"incomplete", "*2\r\n$3\r\nGET\r\n", "incomplete"},
		{"incomplete header", "*2\r", "incomplete"},
		{"count not a number", "*x\r\n", "error ERR Protocol error: invalid multibulk length"},
		{"count missing", "*\r\n", "error ERR Protocol error: invalid multibulk length"},
		{"count with zeros", "*01\r\n", "error ERR Protocol error: invalid multibulk length"},
		{"count with plus", "*+1\r\n", "error ERR Protocol error: invalid multibulk length"},
		{"count too large", "*2147483648\r\n", "error ERR Protocol error: invalid multibulk length"},
		{"largest count", "*2147483647\r\n", "incomplete"},
		{"count of 2^64 + 3", "*18446744073709551619\r\n", "error ERR Protocol error: invalid multibulk length"},
		{"huge count", "*1000000000000000000\r\n", "error ERR Protocol error: invalid multibulk length"},
		{"length not a number", "*1\r\n$x\r\n", "error ERR Protocol error: invalid bulk length"},
		{"length missing", "*1\r\n$\r\n", "error ERR Protocol error: invalid bulk length"},
		{"length negative", "*1\r\n$-1\r\n", "error ERR Protocol error: invalid bulk length"},
		{"length above limit", "*1\r\n$536870913\r\n", "error ERR Protocol error: invalid bulk length"},
		{"length at limit", "*1\r\n$536870912\r\n", "incomplete"},
		{"length of 2^63-1", "*1\r\n$9223372036854775807\r\n", "error ERR Protocol error: invalid bulk length"},
		{"length of 2^64 + 3", "*1\r\n$18446744073709551619\r\n", "error ERR Protocol error: invalid bulk length"},
		{"wrong element", "*1\r\n:1\r\n", "error ERR Protocol error: expected '$', got ':'"},
		{"element is a line end", "*1\r\n\r\n", "error ERR Protocol error: expected '$', got '\r'"},
		{"endless count", "*" + long, "error ERR Protocol error: too big mbulk count string"},
		{"endless length", "*1\r\n$" + long, "error ERR Protocol error: too big bulk count string"},
		{"HTTP inline", "POST / HTTP/1.1\r\n", "error HTTP request on the Redis port"},
		{"HTTP after GET", "GET / HTTP/1.1\r\nhost: a\r\n", `"GET" "/" "HTTP/1.1" /16; error HTTP request on the Redis port`},
		{"HTTP multibulk", "*1\r\n$4\r\npost\r\n", "error HTTP request on the Redis port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			if got := outcome(t, in, Limits{}, whole(in)); got != tt.want {
				t.Errorf("whole: got %.200q, want %.200q", got, tt.want)
			}
			if len(in) > 1000 {
				return
			}
			if got := outcome(t, in, Limits{}, func() int { return 1 }); got != tt.want {
				t.Errorf("byte by byte: got %.200q, want %.200q", got, tt.want)
			}
			for cut := 1; cut < len(in); cut++ {
				first := true
				got := outcome(t, in, Limits{}, func() int {
					if first {
						first = false
						return cut
					}
					return len(in)
				})
				if got != tt.want {
					t.Errorf("cut at %d: got %.200q, want %.200q", cut, got, tt.want)
				}
			}
		})
	}
}

func TestParseLimits(t *testing.T) {
	eleven := "*11\r\n" + strings.Repeat("$1\r\na\r\n", 11)
	tests := []struct {
		name, in string
		lim      Limits
		want     string
	}{
		{"unauthenticated count", eleven, Limits{Unauthenticated: true}, "error ERR Protocol error: unauthenticated multibulk length"},
		{"ten are fine", "*10\r\n" + strings.Repeat("$1\r\na\r\n", 10), Limits{Unauthenticated: true}, strings.Repeat(`"a" `, 10) + "/75; "},
		{"unauthenticated bulk", "*1\r\n$16385\r\n", Limits{Unauthenticated: true}, "error ERR Protocol error: unauthenticated bulk length"},
		{"16 KiB are fine", "*1\r\n$16384\r\n", Limits{Unauthenticated: true}, "incomplete"},
		{"own count limit", eleven, Limits{MaxArgs: 10}, "error ERR Protocol error: invalid multibulk length"},
		{"own bulk limit", "*1\r\n$11\r\n", Limits{MaxBulk: 10}, "error ERR Protocol error: invalid bulk length"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcome(t, []byte(tt.in), tt.lim, whole([]byte(tt.in))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseDribbleIsLinear(t *testing.T) {
	t.Run("one argument", func(t *testing.T) {
		in := append([]byte("*1\r\n$1048576\r\n"), bytes.Repeat([]byte("a"), 1<<20)...)
		dribble(t, append(in, "\r\n"...), 1)
	})
	t.Run("many arguments", func(t *testing.T) {
		in := append([]byte("*150000\r\n"), bytes.Repeat([]byte("$1\r\na\r\n"), 150000)...)
		dribble(t, in, 150000)
	})
	t.Run("inline", func(t *testing.T) {
		dribble(t, append(bytes.Repeat([]byte("a"), 65536), '\n'), 1)
	})
}

func dribble(t *testing.T, in []byte, want int) {
	t.Helper()
	var p Parser
	var lim Limits
	start := time.Now()
	for i := 1; i < len(in); i++ {
		if _, n, err := p.Parse(in[:i], &lim); n != 0 || err != nil {
			t.Fatalf("after %d bytes: consumed %d, error %v", i, n, err)
		}
	}
	args, n, err := p.Parse(in, &lim)
	if err != nil || n != len(in) || len(args) != want {
		t.Fatalf("got %d arguments, %d bytes, error %v", len(args), n, err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestParseAllocatesOnlyForBytesReceived(t *testing.T) {
	in := []byte("*2147483647\r\n$536870912\r\nabc")
	var p Parser
	allocated := testing.AllocsPerRun(10, func() {
		p = Parser{}
		if _, n, err := p.Parse(in, &Limits{}); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	})
	if allocated != 0 || cap(p.spans) != 0 {
		t.Errorf("%v allocations, room for %d arguments", allocated, cap(p.spans))
	}
	if got, want := p.Missing(len(in)), 536870912+2-3; got != want {
		t.Errorf("missing %d bytes, want %d", got, want)
	}
}

func TestParseDropsRoomOfHugeRequests(t *testing.T) {
	in := append([]byte("*5000\r\n"), bytes.Repeat([]byte("$0\r\n\r\n"), 5000)...)
	var p Parser
	if args, _, err := p.Parse(in, &Limits{}); err != nil || len(args) != 5000 {
		t.Fatal(len(args), err)
	}
	if _, _, err := p.Parse([]byte("PING\r\n"), &Limits{}); err != nil {
		t.Fatal(err)
	}
	if cap(p.args) > keepArgs || cap(p.spans) > keepArgs {
		t.Errorf("kept room for %d arguments", cap(p.args))
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	in := []byte("*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$5\r\nfield\r\n$5\r\nvalue\r\nECHO \"a b\" 'c'\r\nPING\r\n")
	var p Parser
	var lim Limits
	if got := testing.AllocsPerRun(100, func() {
		for b := in; len(b) > 0; {
			_, n, err := p.Parse(b, &lim)
			if n == 0 || err != nil {
				t.Fatal(n, err)
			}
			b = b[n:]
		}
	}); got != 0 {
		t.Errorf("%v allocations per run, want 0", got)
	}
}

func FuzzParseSplit(f *testing.F) {
	for _, seed := range []string{
		"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING \"a\\x41\" 'b'\r\n*0\r\n*1\r\n$0\r\n\r\n", "*-1\r\n\r\n*1\r\n:1\r\n", "*\r\n", "\"", "*3\r\n$1\r\n",
	} {
		f.Add([]byte(seed), int64(1), true)
	}
	f.Fuzz(func(t *testing.T, in []byte, seed int64, unauthenticated bool) {
		lim := Limits{MaxBulk: 1 << 16, Unauthenticated: unauthenticated}
		rnd := rand.New(rand.NewSource(seed))
		want := outcome(t, bytes.Clone(in), lim, whole(in))
		if got := outcome(t, bytes.Clone(in), lim, func() int { return 1 + rnd.Intn(7) }); got != want {
			t.Errorf("split: got %q, want %q", got, want)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := bytes.Repeat([]byte("*5\r\n$4\r\nXADD\r\n$8\r\nmystream\r\n$1\r\n*\r\n$5\r\nfield\r\n$5\r\nvalue\r\n"), 16)
	var p Parser
	var lim Limits
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		for rest := in; len(rest) > 0; {
			_, n, err := p.Parse(rest, &lim)
			if err != nil && !errors.Is(err, ErrHTTP) {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
}
