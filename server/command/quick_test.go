package command

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestLookupAnySpelling compares the quick way with the map of all names.
func TestLookupAnySpelling(t *testing.T) {
	table := NewTable()
	quick := 0
	for _, s := range table.Commands() {
		name := []byte(s.Name)
		if table.quick.find(name) == s {
			quick++
		}
		for range 50 {
			for i := range name {
				name[i] = s.Name[i]
				if rand.IntN(2) == 0 {
					name[i] = strings.ToUpper(s.Name)[i]
				}
			}
			if table.Lookup(name) != s {
				t.Fatalf("%q is not found", name)
			}
			at := rand.IntN(len(name))
			name[at] = byte(rand.IntN(256))
			if want := table.names[strings.ToLower(string(name))]; table.Lookup(name) != want {
				t.Fatalf("%q is taken for another command", name)
			}
		}
	}
	if all := len(table.Commands()); quick < all*9/10 {
		t.Errorf("only %d of %d commands are found quickly", quick, all)
	}
	for _, name := range []string{"", "x", "nosuch", strings.Repeat("xadd", 5), "xgroup|create\x00"} {
		if s := table.Lookup([]byte(name)); s != nil {
			t.Errorf("%q is taken for %s", name, s.Name)
		}
	}
}
