package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/streamd/streamd/"

// order says who may import whom: a package may import those to the left of its own '<', and all that they may import. What
// is not listed is refused. Do not relax it to make a build pass: find where the code belongs.
const order = `
NONE < resp, stream, aof
stream < groups
resp < bench
resp < server/settings
resp, groups < server/machine
server/machine, server/settings < server/session
server/session < server/command
server/command, aof < server/shard
aof < aof/crashfs
aof, aof/crashfs < aof/journaltest
server/shard < server/loop
server/loop < server
server, bench < cmd/streamd
cmd/streamd, aof/crashfs, aof/journaltest < tests/integration
`

// doors names the packages through which each foreign module is used.
var doors = map[string][]string{
	"github.com/tidwall/redcon": {"resp"},
	"github.com/tidwall/btree":  {"stream", "groups", "server/machine"},
	"github.com/redis/go-redis": {"tests/integration"},
	"github.com/creack/pty":     {"tests/integration"},
	"github.com/zeebo/xxh3":     {"stream", "server/machine"},
	"github.com/spf13/cobra":    {"cmd/streamd"},
	"github.com/HdrHistogram":   {"bench"},
	"golang.org/x/sys":          {"bench", "aof", "aof/crashfs", "server/loop", "server", "cmd/streamd", "tests/integration"},
}

// pure rooms hold state machines: their outcome is a function of their input.
var pure = []string{"stream", "groups", "server/machine"}

var impure = []string{"time", "context", "sync", "os", "net", "math/rand", "math/rand/v2", "log/slog"}

// TestImports parses the files itself: a test that asked the go command would be answered from the test cache.
func TestImports(t *testing.T) {
	allowed := transitive(t)
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == "examples" || strings.HasPrefix(name, ".") && rel != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		checkFile(t, allowed, path, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, allowed map[string]map[string]bool, path, rel string) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	pkg := filepath.ToSlash(filepath.Dir(rel))
	test := strings.HasSuffix(rel, "_test.go")
	if allowed[pkg] == nil {
		t.Errorf("%s: package %s has no place in the order", rel, pkg)
		return
	}
	for _, imp := range f.Imports {
		name := strings.Trim(imp.Path.Value, `"`)
		if own, ok := strings.CutPrefix(name, module); ok {
			if own != pkg && !allowed[pkg][own] && !(test && strings.HasPrefix(own, "aof")) {
				t.Errorf("%s imports %s: the order does not allow it", rel, own)
			}
			continue
		}
		if slices.Contains(pure, pkg) && !test && slices.Contains(impure, name) {
			t.Errorf("%s imports %s: %s is a pure room", rel, name, pkg)
		}
		if strings.Contains(name, ".") && !throughDoor(pkg, name) {
			t.Errorf("%s imports %s: not through its door", rel, name)
		}
	}
}

func throughDoor(pkg, name string) bool {
	for prefix, rooms := range doors {
		if strings.HasPrefix(name, prefix) {
			return slices.Contains(rooms, pkg)
		}
	}
	return false
}

// transitive reads order: package → all it may import.
func transitive(t *testing.T) map[string]map[string]bool {
	direct := map[string][]string{}
	for line := range strings.Lines(order) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " < ")
		if !ok {
			continue
		}
		for pkg := range strings.SplitSeq(right, ", ") {
			if _, err := os.Stat(filepath.Join("..", "..", pkg)); err != nil {
				t.Errorf("the order names %s: %v", pkg, err)
			}
			direct[pkg] = append(direct[pkg], strings.Split(left, ", ")...)
		}
	}
	all := map[string]map[string]bool{}
	var visit func(pkg string) map[string]bool
	visit = func(pkg string) map[string]bool {
		if all[pkg] != nil {
			return all[pkg]
		}
		set := map[string]bool{}
		all[pkg] = set
		for _, d := range direct[pkg] {
			if d == "NONE" {
				continue
			}
			set[d] = true
			for dd := range visit(d) {
				set[dd] = true
			}
		}
		return set
	}
	for pkg := range direct {
		visit(pkg)
	}
	return all
}
