package settings

import (
	"strings"
	"sync/atomic"

	"github.com/streamd/streamd/resp"
)

// Settings are the values of all settings.
type Settings struct {
	rows   []Row
	index  map[string]int // by name and alias
	values []string       // canonical text by row
	set    []bool         // by row: given by file, environment, flag or CONFIG SET
	file   string         // the configuration file; "" none

	// What is read without the node's lock.
	port, tcpKeepAlive, timeout, maxClients, protectedMode, appendOnly, appendFsync, rewritePercentage, rewriteMinSize,
	databases, shutdownTimeout, maxMemory, queryBufferLimit, nodeMaxBytes, nodeMaxEntries, idmpDuration, idmpMaxSize,
	logLevel, slowlogMicros, slowlogMaxLen, slowlogMaxArgc, latencyMillis, latencyTracking, debugCommand, clusterCompat,
	announcePort atomic.Int64

	limits  atomic.Pointer[[2]resp.Limits] // unauthenticated, authenticated
	outputs atomic.Pointer[[3]OutputLimit] // by class, see outputClasses
	events  atomic.Pointer[[256]bool]      // by letter
	saves   atomic.Pointer[[]SavePoint]    //
	pass    atomic.Pointer[string]         // requirepass
}

// New returns the defaults.
func New() *Settings {
	s := &Settings{index: make(map[string]int)}
	for _, section := range table() {
		s.rows = append(s.rows, section.rows...)
	}
	s.values = make([]string, len(s.rows))
	s.set = make([]bool, len(s.rows))
	for i := range s.rows {
		r := &s.rows[i]
		s.index[r.Name] = i
		if r.Alias != "" {
			s.index[r.Alias] = i
		}
		s.store(i, r.Default)
	}
	return s
}

// store makes the canonical text the value of row i.
func (s *Settings) store(i int, text string) {
	r := &s.rows[i]
	s.values[i] = text
	if r.word != nil {
		r.word(s).Store(r.number(text))
	}
	switch r.Name {
	case "proto-max-bulk-len":
		most := r.number(text)
		s.limits.Store(&[2]resp.Limits{{MaxBulk: most, Unauthenticated: true}, {MaxBulk: most}})
	case "client-output-buffer-limit":
		limits, _ := parseOutputs(strings.Fields(text), [3]OutputLimit{})
		s.outputs.Store(&limits)
	case "notify-keyspace-events":
		events, _ := parseEvents(text)
		s.events.Store(&events)
	case "save":
		points, _ := parseSave(strings.Fields(text))
		s.saves.Store(&points)
	case "requirepass":
		s.pass.Store(&text)
	}
}

// Get returns the value of a setting in canonical form.
func (s *Settings) Get(name string) (value string, ok bool) {
	i, ok := s.index[strings.ToLower(name)]
	if !ok {
		return "", false
	}
	return s.values[i], true
}

// Match visits the names, aliases included, that match a glob pattern, in the order of the table.
func (s *Settings) Match(pattern string, visit func(name, value string)) {
	p := []byte(strings.ToLower(pattern))
	for i := range s.rows {
		for _, name := range [2]string{s.rows[i].Name, s.rows[i].Alias} {
			if name != "" && resp.Match(p, []byte(name)) {
				visit(name, s.values[i])
			}
		}
	}
}

// Pair is a name and a value that CONFIG SET gives it.
type Pair struct{ Name, Value string }

// SetError is why CONFIG SET refused a value.
func SetError(name, reason string) resp.Error {
	return resp.Error("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + reason)
}

// Set is CONFIG SET: all pairs or none. It returns the names (not aliases) whose value differs now, and undo, which takes
// everything back.
func (s *Settings) Set(pairs []Pair) (changed []string, undo func(), err error) {
	places := make([]int, len(pairs))
	for k, p := range pairs {
		i, ok := s.index[strings.ToLower(p.Name)]
		if !ok {
			return nil, nil, resp.Error("ERR Unknown option or number of arguments for CONFIG SET - '" + p.Name + "'")
		}
		places[k] = i
	}
	for k, i := range places {
		switch s.rows[i].When {
		case AtStart:
			return nil, nil, SetError(pairs[k].Name, "can't set immutable config")
		case Protected:
			return nil, nil, SetError(pairs[k].Name, "can't set protected config")
		}
		for _, j := range places[:k] {
			if i == j {
				return nil, nil, SetError(pairs[k].Name, "duplicate parameter")
			}
		}
	}
	texts := make([]string, len(pairs))
	for k, i := range places {
		if texts[k], err = s.rows[i].canonical(pairs[k].Value, s.values[i]); err != nil {
			return nil, nil, SetError(pairs[k].Name, err.Error())
		}
	}
	values, set := append([]string(nil), s.values...), append([]bool(nil), s.set...)
	for k, i := range places {
		if s.values[i] != texts[k] {
			changed = append(changed, s.rows[i].Name)
		}
		s.set[i] = true
		s.store(i, texts[k])
	}
	return changed, func() {
		copy(s.set, set)
		for _, i := range places {
			s.store(i, values[i])
		}
	}, nil
}

// File returns the path of the configuration file, "" when there is none.
func (s *Settings) File() string { return s.file }

// Rows returns the table, for flags and documentation.
func (s *Settings) Rows() []Row { return s.rows }
