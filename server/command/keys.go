package command

import "github.com/streamd/streamd/resp"

// Errors of finding keys in arguments.
const (
	errNoKeys     resp.Error = "ERR The command has no key arguments"
	errKeysHidden resp.Error = "ERR Invalid arguments specified for command"
)

// keyAt is one key at index.
func keyAt(index int, f KeyFlags) []KeySpec {
	return []KeySpec{{Index: index, Step: 1, Flags: f}}
}

// keysFrom are keys from index to the end, every step arguments.
func keysFrom(index, step int, f KeyFlags) []KeySpec {
	return []KeySpec{{Index: index, Last: -1, Step: step, Flags: f}}
}

// keysAfter are the first half of what follows keyword.
func keysAfter(keyword string, startFrom int, f KeyFlags) []KeySpec {
	return []KeySpec{{Keyword: keyword, StartFrom: startFrom, Last: -1, Step: 1, Limit: 2, Flags: f}}
}

// noted adds a note to specs.
func noted(specs []KeySpec, notes string) []KeySpec {
	specs[0].Notes = notes
	return specs
}

// KeyRef is a key of a command and what the command does with it.
type KeyRef struct {
	Key   []byte
	Flags KeyFlags
}

// KeysOf appends the keys that a command with args touches to dst, in the order of the arguments. It fails when the
// arguments do not show them; args have passed the arity check.
func (s *Spec) KeysOf(args [][]byte, dst [][]byte) ([][]byte, error) {
	for i := range s.Keys {
		ks := &s.Keys[i]
		if ks.Flags&KeyNotKey != 0 {
			continue
		}
		first, end, err := ks.span(args)
		if err != nil {
			return dst, err
		}
		for at := first; at < end; at += ks.Step {
			dst = append(dst, args[at])
		}
	}
	return dst, nil
}

// KeyRefsOf is KeysOf with what is done to each key, for ACL checks and COMMAND GETKEYSANDFLAGS.
func (s *Spec) KeyRefsOf(args [][]byte, dst []KeyRef) ([]KeyRef, error) {
	for i := range s.Keys {
		ks := &s.Keys[i]
		if ks.Flags&KeyNotKey != 0 {
			continue
		}
		first, end, err := ks.span(args)
		if err != nil {
			return dst, err
		}
		flags := ks.Flags &^ KeyIncomplete
		if flags&KeyVariable != 0 {
			flags = setKeyFlags(args)
		}
		for at := first; at < end; at += ks.Step {
			dst = append(dst, KeyRef{args[at], flags})
		}
	}
	return dst, nil
}

// span returns where the keys stand: from first, before end.
func (ks *KeySpec) span(args [][]byte) (first, end int, err error) {
	if ks.Keyword != "" {
		first = streamsAt(args) + 1
		if rest := len(args) - first; first > 0 && rest > 0 && rest%ks.Limit == 0 {
			return first, first + rest/ks.Limit, nil
		}
		return 0, 0, errKeysHidden
	}
	end = ks.Index + ks.Last + 1
	if ks.Last < 0 {
		end = len(args) + ks.Last + 1
	}
	if ks.Index >= len(args) || end > len(args) || (end-ks.Index)%ks.Step != 0 && ks.Last < 0 {
		return 0, 0, errKeysHidden
	}
	return ks.Index, end, nil
}

// streamsAt walks the options of XREAD and XREADGROUP as their parser does, because a group or a count may be spelled
// STREAMS; it returns where STREAMS stands, -1 if the options are wrong.
func streamsAt(args [][]byte) int {
	for c := from(args, 1); c.more(); {
		switch {
		case c.keyword("COUNT", 1), c.keyword("BLOCK", 1), c.keyword("CLAIM", 1), c.keyword("MAXCOUNT", 1), c.keyword("MAXSIZE", 1):
			c.at++
		case c.keyword("GROUP", 2):
			c.at += 2
		case c.keyword("NOACK", 0):
		case c.keyword("STREAMS", 1):
			return c.at - 1
		default:
			return -1
		}
	}
	return -1
}

// setKeyFlags tells what SET does with its key, the only command for which that depends on the options: GET and the
// conditions on the value read it.
func setKeyFlags(args [][]byte) KeyFlags {
	for c := from(args, 3); c.more(); {
		switch {
		case c.keyword("EX", 1), c.keyword("PX", 1), c.keyword("EXAT", 1), c.keyword("PXAT", 1):
			c.at++
		case c.keyword("GET", 0), c.keyword("IFEQ", 1), c.keyword("IFNE", 1), c.keyword("IFDEQ", 1), c.keyword("IFDNE", 1):
			return KeyRW | KeyAccess | KeyUpdate
		default:
			c.at++
		}
	}
	return KeyOW | KeyUpdate
}
