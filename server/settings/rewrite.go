package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/streamd/streamd/resp"
)

// ErrNoFile is answered to CONFIG REWRITE by a server started without a configuration file.
const ErrNoFile resp.Error = "ERR The server is running without a config file"

const rewriteMark = "# Written by CONFIG REWRITE"

// Rewrite writes the values in force to the configuration file. Comments, order and the lines that still say what is in force
// stay as they are; what is not in the file and not the default is added at its end.
func (s *Settings) Rewrite() error {
	if s.file == "" {
		return ErrNoFile
	}
	if err := s.rewrite(); err != nil {
		reason := err
		for errors.Unwrap(reason) != nil {
			reason = errors.Unwrap(reason) // the system's own words, as Redis shows them
		}
		return resp.Error("ERR Rewriting config file: " + reason.Error())
	}
	return nil
}

func (s *Settings) rewrite() error {
	data, err := os.ReadFile(s.file)
	if err != nil {
		return err
	}
	mode := os.FileMode(0o600)
	if info, err := os.Stat(s.file); err == nil {
		mode = info.Mode().Perm()
	}
	text := s.rewritten(string(data))
	temporary, err := os.CreateTemp(filepath.Dir(s.file), filepath.Base(s.file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // gone already when all went well
	_, err = temporary.WriteString(text)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), s.file)
}

// rewritten is the file's text brought up to date.
func (s *Settings) rewritten(data string) string {
	said := s.said(data)
	written := make([]bool, len(s.rows))
	var out []string
	for _, line := range strings.Split(strings.TrimSuffix(data, "\n"), "\n") {
		words, err := splitLine(line)
		i, known := -1, false
		if err == nil && len(words) > 0 {
			i, known = s.index[strings.ToLower(words[0])]
		}
		switch {
		case !known || said.values[i] == s.values[i]:
			out = append(out, line)
		case !written[i]:
			out = append(out, s.line(i))
		}
		if known {
			written[i] = true
		}
	}
	marked := false
	for i := range s.rows {
		if written[i] || s.values[i] == s.rows[i].Default {
			continue
		}
		if !marked && !strings.Contains(data, rewriteMark) {
			out = append(out, "", rewriteMark)
		}
		marked = true
		out = append(out, s.line(i))
	}
	return strings.TrimPrefix(strings.Join(out, "\n"), "\n") + "\n"
}

// said returns the settings that the file alone gives; lines that cannot be read count for nothing.
func (s *Settings) said(data string) *Settings {
	only := New()
	saves := false
	for _, line := range strings.Split(data, "\n") {
		if words, err := splitLine(line); err == nil && len(words) > 0 {
			_ = only.directive(words, &saves) // a bad line is not what is in force
		}
	}
	return only
}

// line is row i as a line of a configuration file.
func (s *Settings) line(i int) string {
	r, value := &s.rows[i], s.values[i]
	switch {
	case value == "":
		return r.Name + ` ""`
	case r.Kind == String && strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c == '"' || c == '\'' || c == '\\' || c == '#' || c >= 0x7f }):
		return r.Name + " " + resp.Quote([]byte(value))
	}
	return r.Name + " " + value
}
