package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// Program is a server that a Host can start: this binary, redis-server, or one that takes the same directives as flags.
type Program struct {
	Name    string // "streamd", "redis 7.0.15": unique in a suite
	Version string
	Path    string
	Own     bool // the one whose figures are compared with the others'
}

// Durability is how a server is told to keep what it answered.
type Durability string

// The durabilities of a suite. Off is `appendonly no`, the others are `appendonly yes` with that `appendfsync`.
const (
	Off      Durability = "off"
	EverySec Durability = "everysec"
	Always   Durability = "always"
)

// versionWord is a version as `--version` prints it: "Redis server v=7.0.15 sha=…", "Valkey server v=8.0.1", "streamd 0.1.0 (…)".
var versionWord = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

// Identify asks a program for its name and version.
func Identify(ctx context.Context, path string) (Program, error) {
	resolved, err := exec.LookPath(path)
	if err != nil {
		return Program{}, err
	}
	cmd := exec.CommandContext(ctx, resolved, "--version")
	cmd.Env = environment()
	out, err := cmd.Output()
	if err != nil {
		return Program{}, fmt.Errorf("%s --version: %w", path, err)
	}
	return programOf(resolved, string(out))
}

func programOf(path, banner string) (Program, error) {
	words := strings.Fields(banner)
	version := versionWord.FindString(banner)
	if len(words) == 0 || version == "" {
		return Program{}, fmt.Errorf("%s --version said %q: no version in it", path, banner)
	}
	name := strings.ToLower(words[0])
	return Program{Name: name + " " + version, Version: version, Path: path}, nil
}

// environment is this process's environment without the variables that streamd takes as directives.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "STREAMD_") {
			env = append(env, v)
		}
	}
	return env
}

// settings are the directives that every server of a suite is started with, the same words for all.
func (d Durability) settings() []string {
	flags := []string{"--save", "", "--auto-aof-rewrite-percentage", "0"}
	if d == Off {
		return append(flags, "--appendonly", "no")
	}
	return append(flags, "--appendonly", "yes", "--appendfsync", string(d))
}

// Settings shows the directives as a reader would type them.
func (d Durability) Settings() string {
	words := d.settings()
	for i, w := range words {
		if w == "" {
			words[i] = "''"
		}
	}
	return strings.Join(words, " ")
}

// Launch is one server to start.
type Launch struct {
	Program    Program
	Durability Durability
	Extra      []string // further flags
	Slow       Slowness
	Dir        string // data to start on; "" is a new directory that goes with the server
}

// flags are all the words a server is started with.
func (l Launch) flags(port int, dir string) []string {
	flags := []string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--maxclients", "20000"}
	return append(append(flags, l.Durability.settings()...), l.Extra...)
}
