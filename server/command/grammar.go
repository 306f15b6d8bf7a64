package command

import (
	"slices"
	"strings"
)

// argument is one node of a row's Args grammar, as COMMAND DOCS shows it.
type argument struct {
	name          string
	kind          string // "string", "integer", "key", "pattern", "unix-time", "pure-token", "oneof", "block"
	token         string
	optional      bool
	multiple      bool
	multipleToken bool // the token is repeated too
	args          []argument
}

// Kinds of arguments that have parts, or none.
const (
	kindToken = "pure-token"
	kindOneOf = "oneof"
	kindBlock = "block"
)

// grammar reads a row's Args: words in lower case are arguments, words in upper case and signs are tokens, "[…]" is
// optional, "<a | b>" and "[a | b]" are choices, "x [x ...]" is a list.
type grammar struct {
	words []string
	at    int
}

// parseGrammar returns the arguments that text describes, and whether all of it was understood.
func parseGrammar(text string) ([]argument, bool) {
	for _, sign := range []string{"[", "]", "<", ">", "|"} {
		text = strings.ReplaceAll(text, sign, " "+sign+" ")
	}
	g := grammar{words: strings.Fields(text)}
	args, _ := g.sequence()
	return args, g.at == len(g.words)
}

func (g *grammar) peek() string {
	if g.at < len(g.words) {
		return g.words[g.at]
	}
	return ""
}

func (g *grammar) accept(word string) bool {
	if g.peek() != word {
		return false
	}
	g.at++
	return true
}

// sequence reads arguments up to a closing bracket, a bar or the end; repeats: it ended in dots.
func (g *grammar) sequence() (args []argument, repeats bool) {
	for {
		switch word := g.peek(); word {
		case "", "]", ">", "|":
			return args, false
		case "...":
			g.at++
			return args, true
		case "[":
			args = g.group(args)
		case "<":
			g.at++
			choice, _ := g.choices(">")
			args = append(args, choice)
		default:
			g.at++
			if isToken(word) {
				args = append(args, g.operands(word))
			} else {
				args = append(args, argument{name: word, kind: kindOf(word)})
			}
		}
	}
}

// group reads "[…]" after args: a repetition of the last of them, or something optional.
func (g *grammar) group(args []argument) []argument {
	g.at++
	inner, repeats := g.choices("]")
	if repeats {
		parts := []argument{inner}
		if inner.kind == kindBlock && inner.token == "" {
			parts = inner.args
		}
		if from := len(args) - len(parts); from >= 0 && slices.EqualFunc(args[from:], parts, sameArgument) {
			list := block(slices.Clone(args[from:]))
			list.multiple = true
			list.multipleToken = parts[0].token != ""
			return append(args[:from], list)
		}
		inner.multiple = true
	}
	inner.optional = true
	return append(args, inner)
}

func sameArgument(a, b argument) bool { return a.name == b.name && a.token == b.token }

// choices reads alternatives up to the closing bracket. A single one stands for itself.
func (g *grammar) choices(closing string) (_ argument, repeats bool) {
	var all []argument
	for {
		args, dots := g.sequence()
		repeats = repeats || dots
		all = append(all, block(args))
		if !g.accept("|") {
			break
		}
	}
	g.accept(closing)
	if len(all) == 1 {
		return all[0], repeats
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return argument{name: strings.Join(names, "-or-"), kind: kindOneOf, args: all}, repeats
}

// block makes one argument of several.
func block(args []argument) argument {
	switch len(args) {
	case 0:
		return argument{kind: kindBlock}
	case 1:
		return args[0]
	}
	return argument{name: args[0].name + "-block", kind: kindBlock, args: args}
}

// operands reads what belongs to token: the arguments in lower case up to the next token or bracket, or a choice.
func (g *grammar) operands(token string) argument {
	if g.peek() == "<" {
		g.at++
		choice, _ := g.choices(">")
		choice.token = token
		return choice
	}
	var args []argument
	for isArgument(g.peek()) || len(args) > 0 && g.repeats(args) {
		if g.peek() == "[" {
			args = g.group(args)
			continue
		}
		args = append(args, argument{name: g.peek(), kind: kindOf(g.peek())})
		g.at++
	}
	if len(args) == 0 || isSign(token) {
		return argument{name: tokenName(token), kind: kindToken, token: token}
	}
	arg := block(args)
	if len(args) > 1 {
		arg.name = tokenName(token)
	}
	arg.token = token
	return arg
}

// repeats tells whether a bracket follows that repeats the last of args.
func (g *grammar) repeats(args []argument) bool {
	return g.peek() == "[" && g.at+2 < len(g.words) && g.words[g.at+1] == args[len(args)-1].name && g.words[g.at+2] == "..."
}

func isSign(word string) bool { return len(word) == 1 && !('a' <= word[0] && word[0] <= 'z') }

// isToken tells tokens by their lack of lower-case letters.
func isToken(word string) bool { return word == strings.ToUpper(word) }

func isArgument(word string) bool {
	return word != "" && word != "..." && !strings.ContainsAny(word, "[]<>|") && !isToken(word)
}

// tokenName is the name of an argument that is nothing but a token.
func tokenName(token string) string {
	switch token {
	case "*":
		return "auto-id"
	case "$":
		return "last-id"
	case "=":
		return "equal"
	case "~":
		return "approximately"
	}
	return strings.ToLower(token)
}

// kindOf tells the type of an argument by its name.
func kindOf(name string) string {
	switch name {
	case "key", "newkey", "source", "destination":
		return "key"
	case "pattern":
		return "pattern"
	case "seconds", "milliseconds", "ms", "count", "maxcount", "maxsize", "numids", "increment", "decrement", "offset",
		"start-index", "index", "index1", "index2", "db", "destination-db", "cursor", "numreplicas", "numlocal", "timeout",
		"entries-read", "entries-added", "idmp-duration", "idmp-maxsize", "protover", "client-id", "bits", "port", "slot":
		return "integer"
	}
	if strings.HasPrefix(name, "unix-time") {
		return "unix-time"
	}
	return "string"
}
