package session

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// maxSlowArgBytes bounds what the slow log keeps of one argument.
const maxSlowArgBytes = 128

// Slowlog keeps the last slow commands.
type Slowlog struct {
	nextID  int64
	entries []SlowEntry // the oldest first
}

// SlowEntry is one slow command, its arguments cut and its secrets hidden.
type SlowEntry struct {
	ID      int64
	UnixSec int64
	Micros  int64
	Args    [][]byte
	Addr    string
	Name    string
	Argc    int // how many arguments the command had
}

// Add notes a slow command of s.
func (l *Slowlog) Add(n *Node, s *Session, args [][]byte, took time.Duration, nowMS int64) {
	l.entries = append(l.entries, SlowEntry{ID: l.nextID, UnixSec: nowMS / 1000, Micros: took.Microseconds(),
		Args: cutSlowArgs(Redact(args, nil), n.Settings.SlowlogMaxArgc()),
		Addr: s.Conn.RemoteAddr(), Name: s.Name, Argc: len(args)})
	l.nextID++
	if extra := len(l.entries) - n.Settings.SlowlogMaxLen(); extra > 0 {
		l.entries = slices.Delete(l.entries, 0, extra)
	}
}

// cutSlowArgs copies what is kept of args: at most limit, the last of which says how many are missing.
func cutSlowArgs(args [][]byte, limit int) [][]byte {
	n := min(len(args), limit)
	kept := make([][]byte, n)
	for i := range kept {
		switch arg := args[i]; {
		case n < len(args) && i == n-1:
			kept[i] = fmt.Appendf(nil, "... (%d more arguments)", len(args)-n+1)
		case len(arg) > maxSlowArgBytes:
			kept[i] = fmt.Appendf(bytes.Clone(arg[:maxSlowArgBytes]), "... (%d more bytes)", len(arg)-maxSlowArgBytes)
		default:
			kept[i] = bytes.Clone(arg)
		}
	}
	return kept
}

// Len counts the entries.
func (l *Slowlog) Len() int { return len(l.entries) }

// Get returns up to n entries (-1: all), the newest first.
func (l *Slowlog) Get(n int64) []SlowEntry {
	if n < 0 || n > int64(len(l.entries)) {
		n = int64(len(l.entries))
	}
	newest := slices.Clone(l.entries[int64(len(l.entries))-n:])
	slices.Reverse(newest)
	return newest
}

// Reset drops all entries; ids go on counting.
func (l *Slowlog) Reset() { l.entries = nil }
