package command

import (
	"bytes"
	"testing"

	"github.com/streamd/streamd/server/machine"
)

// FuzzParse feeds random arguments to every Parse function and to key extraction: neither may panic, whatever clients send,
// they must agree on the keys, and what is accepted must survive the log.
func FuzzParse(f *testing.F) {
	table := NewTable()
	for _, s := range table.Specs() {
		f.Add(uint16(s.ID), []byte(s.Args))
	}
	for _, line := range []string{
		"s MAXLEN ~ 10 LIMIT 5 * a b", "s IDMP p i * a b", "STREAMS s q 0 $", "GROUP g c COUNT 1 CLAIM 5 NOACK STREAMS s >",
		"s g c 0 1-0 IDLE 5 TIME 6 RETRYCOUNT 1 FORCE JUSTID LASTID 5", "s g IDLE 5 - + 10 c", "s g FAIL IDS 2 1 2 RETRYCOUNT 5 FORCE",
		"CREATE s g $ MKSTREAM ENTRIESREAD 5", "STREAM s FULL COUNT 1", "s ACKED IDS 3 1 2 3", "k v NX GET EX 10", "0 MATCH * COUNT 5 TYPE stream",
	} {
		for id := range table.Specs() {
			f.Add(uint16(id), []byte(line))
		}
	}
	f.Fuzz(func(t *testing.T, id uint16, text []byte) {
		s := table.Specs()[int(id)%len(table.Specs())]
		args := bytes.Split([]byte(s.Name), []byte("|"))
		args = append(args, bytes.Split(text, []byte(" "))...)
		if !s.ArityOK(len(args)) {
			return
		}
		keys, err := s.KeysOf(args, nil)
		refs, err2 := s.KeyRefsOf(args, nil)
		if (err == nil) != (err2 == nil) || len(keys) != len(refs) {
			t.Fatalf("%s: %d keys (%v) but %d with flags (%v)", s.Name, len(keys), err, len(refs), err2)
		}
		if s.Parse == nil {
			return
		}
		var op machine.Op
		blockMS, err := s.Parse(args, &op)
		if err != nil {
			return
		}
		if op.Kind == 0 || op.Kind.Writes() != (s.Flags&Write != 0) {
			t.Fatalf("%s became kind %d", s.Name, op.Kind)
		}
		if blockMS >= 0 && s.Flags&Blocking == 0 {
			t.Fatalf("%s blocks", s.Name)
		}
		if s.Flags&MovableKeys != 0 && len(keys) != len(op.Args) {
			t.Fatalf("%s: %d keys found, %d read", s.Name, len(keys), len(op.Args))
		}
		if !op.Kind.Writes() || ResolveRelative(&op, s.Name) != nil || op.Err != nil {
			return
		}
		var again machine.Op
		if rest, err := machine.DecodeOp(machine.AppendOp(nil, &op), &again); err != nil || len(rest) != 0 {
			t.Fatalf("%s %q cannot be read back from the log: %v, %d bytes left", s.Name, text, err, len(rest))
		}
	})
}
