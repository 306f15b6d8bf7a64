package settings

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/streamd/streamd/resp"
)

// EnvPrefix begins the name of an environment variable that gives a setting: STREAMD_STREAM_NODE_MAX_BYTES.
const EnvPrefix = "STREAMD_"

// Load returns the defaults changed by the file (path "": none), then by the environment (NAME=value strings), then by flags.
// An unknown or bad directive is an error that names where it stands. Warnings tell of variables that were passed over,
// because other programs, such as Kubernetes for its services, set variables with the same prefix.
func Load(path string, environ []string, flags []Pair) (s *Settings, warnings []string, err error) {
	s = New()
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read configuration: %w", err)
		}
		s.file = path
		if err := s.parseFile(path, string(data)); err != nil {
			return nil, nil, err
		}
	}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, EnvPrefix) {
			continue
		}
		setting := strings.ToLower(strings.ReplaceAll(name[len(EnvPrefix):], "_", "-"))
		if _, known := s.index[setting]; !known || strings.HasPrefix(value, "tcp://") {
			warnings = append(warnings, name+" is not a setting and is ignored")
			continue
		}
		if err := s.give(setting, value); err != nil {
			return nil, nil, fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	for _, flag := range flags {
		if err := s.give(flag.Name, flag.Value); err != nil {
			return nil, nil, fmt.Errorf("flag --%s: %w", flag.Name, err)
		}
	}
	return s, warnings, nil
}

// give sets one value before the start, when everything may be set.
func (s *Settings) give(name, value string) error {
	i, ok := s.index[strings.ToLower(name)]
	if !ok {
		return fmt.Errorf("unknown directive %q", name)
	}
	text, err := s.rows[i].canonical(value, s.values[i])
	if err != nil {
		return err
	}
	s.set[i] = true
	s.store(i, text)
	return nil
}

// parseFile carries out the directives of a file, one a line.
func (s *Settings) parseFile(path, data string) error {
	saves := false // a save line was seen: further ones add to it
	for n, line := range strings.Split(data, "\n") {
		words, err := splitLine(line)
		if err == nil && len(words) > 0 {
			err = s.directive(words, &saves)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, n+1, err)
		}
	}
	return nil
}

// splitLine returns the words of a line of a configuration file, none for a comment.
func splitLine(line string) ([]string, error) {
	if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
		return nil, nil
	}
	words, err := resp.SplitWords([]byte(line))
	if err != nil {
		return nil, errors.New("unbalanced quotes")
	}
	return words, nil
}

func (s *Settings) directive(words []string, saves *bool) error {
	name, args := strings.ToLower(words[0]), words[1:]
	i, ok := s.index[name]
	if !ok {
		return fmt.Errorf("unknown directive %q", words[0])
	}
	r := &s.rows[i]
	switch r.Kind {
	case List, Output, Save:
		if len(args) == 0 {
			return fmt.Errorf("%s: wrong number of arguments", name)
		}
	default:
		if len(args) != 1 {
			return fmt.Errorf("%s: wrong number of arguments", name)
		}
	}
	value := strings.Join(args, " ")
	if r.Kind == Save {
		if *saves && value != "" {
			value = s.values[i] + " " + value
		}
		*saves = true
	}
	if err := s.give(name, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
