package settings

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/streamd/streamd/resp"
)

// canonical checks a value and returns it as CONFIG GET shows it. Some values change only a part of old.
func (r *Row) canonical(value, old string) (string, error) {
	switch r.Kind {
	case Bool:
		if value = strings.ToLower(value); value != "yes" && value != "no" {
			return "", errors.New("argument must be 'yes' or 'no'")
		}
	case Int:
		n, ok := resp.ParseInt([]byte(value))
		if !ok {
			return "", errors.New("argument couldn't be parsed into an integer")
		}
		return r.ranged(n, 10)
	case Octal:
		n, err := strconv.ParseInt(value, 8, 64)
		if err != nil {
			return "", errors.New("argument couldn't be parsed into an integer")
		}
		return r.ranged(n, 8)
	case Memory:
		n, ok := parseMemory(value)
		if !ok {
			return "", errors.New("argument must be a memory value")
		}
		return r.ranged(n, 10)
	case Choice:
		for _, v := range r.Values {
			if strings.EqualFold(v, value) {
				return v, nil
			}
		}
		return "", errors.New("argument(s) must be one of the following: " + strings.Join(r.Values, ", "))
	case List:
		return strings.Join(strings.Fields(value), " "), nil
	case Events:
		events, ok := parseEvents(value)
		if !ok {
			return "", errors.New("Invalid event class character. Use 'Ag$lshzxeKEtmdnocaSTIV'.")
		}
		return formatEvents(events), nil
	case Output:
		limits, err := parseOutputs(strings.Fields(old), [3]OutputLimit{})
		if err == nil {
			limits, err = parseOutputs(strings.Fields(value), limits)
		}
		return formatOutputs(limits), err
	case Save:
		points, ok := parseSave(strings.Fields(value))
		if !ok {
			return "", errors.New("Invalid save parameters")
		}
		return formatSave(points), nil
	}
	return value, nil
}

func (r *Row) ranged(n int64, base int) (string, error) {
	if n < r.Min || n > r.Max {
		return "", fmt.Errorf("argument must be between %d and %d inclusive", r.Min, r.Max)
	}
	return strconv.FormatInt(n, base), nil
}

// number is the value of a row in canonical form as a number.
func (r *Row) number(text string) int64 {
	switch r.Kind {
	case Bool:
		if text == "yes" {
			return 1
		}
		return 0
	case Choice:
		return int64(slices.Index(r.Values, text))
	case Octal:
		n, _ := strconv.ParseInt(text, 8, 64)
		return n
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// parseMemory reads bytes with an optional unit: k is 1000, kb is 1024, and so on.
func parseMemory(s string) (int64, bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, false
	}
	unit := int64(1)
	switch strings.ToLower(s[i:]) {
	case "", "b":
	case "k":
		unit = 1000
	case "kb":
		unit = 1 << 10
	case "m":
		unit = 1000 * 1000
	case "mb":
		unit = 1 << 20
	case "g":
		unit = 1000 * 1000 * 1000
	case "gb":
		unit = 1 << 30
	default:
		return 0, false
	}
	if n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// allEvents are the classes that A stands for; eventOrder all letters in the order of their canonical form.
const (
	allEvents   = "g$lshzxetda"
	eventOrder  = allEvents + "n"
	eventOthers = "KEmocSTIV"
)

func parseEvents(s string) (events [256]bool, ok bool) {
	for i := range len(s) {
		switch {
		case s[i] == 'A':
			for j := range len(allEvents) {
				events[allEvents[j]] = true
			}
		case strings.IndexByte(eventOrder+eventOthers, s[i]) >= 0:
			events[s[i]] = true
		default:
			return events, false
		}
	}
	return events, true
}

func formatEvents(events [256]bool) string {
	var out []byte
	all := true
	for i := range len(allEvents) {
		all = all && events[allEvents[i]]
	}
	order := eventOrder + eventOthers
	if all {
		out = append(out, 'A')
		order = order[len(allEvents):]
	}
	for i := range len(order) {
		if events[order[i]] {
			out = append(out, order[i])
		}
	}
	return string(out)
}

// OutputLimit bounds the output that waits for one client; zero bytes are no limit.
type OutputLimit struct {
	Hard, Soft  int64 // bytes
	SoftSeconds int64
}

var outputClasses = [3]string{"normal", "slave", "pubsub"}

// outputClass is the place of a class of clients, -1 for an unknown name.
func outputClass(name string) int {
	if name == outputClasses[0] { // a client's own class, nearly always
		return 0
	}
	name = strings.ToLower(name)
	if name == "replica" {
		name = "slave"
	}
	return slices.Index(outputClasses[:], name)
}

func parseOutputs(words []string, limits [3]OutputLimit) ([3]OutputLimit, error) {
	if len(words) == 0 || len(words)%4 != 0 {
		return limits, errors.New("Wrong number of arguments in buffer limit configuration.")
	}
	for ; len(words) > 0; words = words[4:] {
		class := outputClass(words[0])
		if class < 0 {
			return limits, errors.New("Invalid client class specified in buffer limit configuration.")
		}
		hard, ok1 := parseMemory(words[1])
		soft, ok2 := parseMemory(words[2])
		seconds, ok3 := resp.ParseInt([]byte(words[3]))
		if !ok1 || !ok2 || !ok3 || seconds < 0 {
			return limits, errors.New("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		limits[class] = OutputLimit{hard, soft, seconds}
	}
	return limits, nil
}

func formatOutputs(limits [3]OutputLimit) string {
	var words []string
	for i, l := range limits {
		words = append(words, fmt.Sprintf("%s %d %d %d", outputClasses[i], l.Hard, l.Soft, l.SoftSeconds))
	}
	return strings.Join(words, " ")
}

// SavePoint asks for a snapshot once Seconds have passed since the last one with at least Changes changes.
type SavePoint struct{ Seconds, Changes int64 }

func parseSave(words []string) (points []SavePoint, ok bool) {
	if len(words)%2 != 0 {
		return nil, false
	}
	for ; len(words) > 0; words = words[2:] {
		seconds, ok1 := resp.ParseInt([]byte(words[0]))
		changes, ok2 := resp.ParseInt([]byte(words[1]))
		if !ok1 || !ok2 || seconds < 1 || changes < 0 {
			return nil, false
		}
		points = append(points, SavePoint{seconds, changes})
	}
	return points, true
}

func formatSave(points []SavePoint) string {
	var words []string
	for _, p := range points {
		words = append(words, fmt.Sprintf("%d %d", p.Seconds, p.Changes))
	}
	return strings.Join(words, " ")
}
