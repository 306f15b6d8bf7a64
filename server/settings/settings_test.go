package settings

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func get(t *testing.T, s *Settings, name string) string {
	t.Helper()
	v, ok := s.Get(name)
	if !ok {
		t.Fatalf("no setting %q", name)
	}
	return v
}

func TestTableIsSound(t *testing.T) {
	s := New()
	seen := map[string]bool{}
	for i := range s.rows {
		r := &s.rows[i]
		for _, name := range []string{r.Name, r.Alias} {
			if name == "" {
				continue
			}
			if seen[name] || name != strings.ToLower(name) {
				t.Errorf("%s: a name twice, or not in lower case", name)
			}
			seen[name] = true
		}
		got, err := r.canonical(r.Default, r.Default)
		if err != nil || got != r.Default {
			t.Errorf("%s: default %q reads back as %q, %v", r.Name, r.Default, got, err)
		}
		if r.word != nil && r.word(s).Load() != r.number(r.Default) {
			t.Errorf("%s: word %d", r.Name, r.word(s).Load())
		}
	}
}

func TestSet(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"maxmemory", "100mb", "104857600"},
		{"maxmemory", "1k", "1000"},
		{"maxmemory", "1GB", "1073741824"},
		{"MaxClients", "20", "20"},
		{"maxclients", "0", "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be between 1 and 4294967295 inclusive"},
		{"maxclients", "abc", "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be parsed into an integer"},
		{"maxmemory", "1q", "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value"},
		{"maxmemory", "-1", "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value"},
		{"maxmemory", "99999999999gb", "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value"},
		{"maxmemory-policy", "allkeys-lru", "ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - argument(s) must be one of the following: noeviction"},
		{"appendonly", "maybe", "ERR CONFIG SET failed (possibly related to argument 'appendonly') - argument must be 'yes' or 'no'"},
		{"appendfsync", "x", "ERR CONFIG SET failed (possibly related to argument 'appendfsync') - argument(s) must be one of the following: everysec, always, no"},
		{"appendfsync", "ALWAYS", "always"},
		{"databases", "3", "ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config"},
		{"dir", "/tmp", "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"},
		{"nosuch", "1", "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"},
		{"slave-read-only", "no", "no"},
		{"save", "3600 1 60  10", "3600 1 60 10"},
		{"save", "", ""},
		{"save", "1 2 3", "ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters"},
		{"notify-keyspace-events", "KEA", "AKE"},
		{"notify-keyspace-events", "Kt", "tK"},
		{"notify-keyspace-events", "gmEn", "gnEm"},
		{"notify-keyspace-events", "", ""},
		{"notify-keyspace-events", "Q", "ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use 'Ag$lshzxeKEtmdnocaSTIV'."},
		{"client-output-buffer-limit", "replica 1mb 1kb 3", "normal 0 0 0 slave 1048576 1024 3 pubsub 33554432 8388608 60"},
		{"client-output-buffer-limit", "normal", "ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Wrong number of arguments in buffer limit configuration."},
		{"client-output-buffer-limit", "foo 0 0 0", "ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Invalid client class specified in buffer limit configuration."},
		{"client-output-buffer-limit", "normal x 0 0", "ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Error in hard, soft or soft_seconds setting in buffer limit configuration."},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			s := New()
			before := slices.Clone(s.values)
			_, _, err := s.Set([]Pair{{tt.name, tt.value}})
			if err != nil {
				if err.Error() != tt.want {
					t.Errorf("got  %s\nwant %s", err, tt.want)
				}
				if !slices.Equal(before, s.values) {
					t.Error("a refused value changed something")
				}
				return
			}
			if got := get(t, s, tt.name); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSetIsAllOrNothing(t *testing.T) {
	s := New()
	if _, _, err := s.Set([]Pair{{"maxclients", "5"}, {"hz", "x"}}); err == nil || s.MaxClients() != 10000 {
		t.Errorf("error %v, maxclients %d", err, s.MaxClients())
	}
	_, _, err := s.Set([]Pair{{"databases", "5"}, {"nosuch", "x"}})
	if want := "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, _, err = s.Set([]Pair{{"slave-read-only", "no"}, {"replica-read-only", "no"}})
	if want := "ERR CONFIG SET failed (possibly related to argument 'replica-read-only') - duplicate parameter"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	changed, undo, err := s.Set([]Pair{{"maxclients", "5"}, {"hz", "10"}, {"requirepass", "secret"}, {"proto-max-bulk-len", "1mb"}})
	if err != nil || !slices.Equal(changed, []string{"maxclients", "requirepass", "proto-max-bulk-len"}) {
		t.Errorf("changed %v, %v", changed, err)
	}
	if s.MaxClients() != 5 || s.RequirePass() != "secret" || s.Limits(false).MaxBulk != 1<<20 || !s.Limits(false).Unauthenticated || s.MaxBulk() != 1<<20 {
		t.Error("new values do not show")
	}
	undo()
	if s.MaxClients() != 10000 || s.RequirePass() != "" || s.MaxBulk() != 512<<20 {
		t.Error("old values do not show")
	}
}

func TestMatch(t *testing.T) {
	s := New()
	var got []string
	s.Match("*READ-ONLY", func(name, value string) { got = append(got, name+"="+value) })
	if want := []string{"replica-read-only=yes", "slave-read-only=yes"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAccessors(t *testing.T) {
	s := New()
	if name, over := s.OutputOver("normal", true, 1<<30); over {
		t.Errorf("normal clients have no limit, got %s", name)
	}
	if name, over := s.OutputOver("pubsub", true, 32<<20+1); !over || name != "pubsub" {
		t.Errorf("got %s, %v", name, over)
	}
	if name, over := s.OutputOver("normal", false, 64<<10+1); !over || name != "unauthenticated" {
		t.Errorf("got %s, %v", name, over)
	}
	if _, _, err := s.Set([]Pair{{"notify-keyspace-events", "Kt"}}); err != nil || !s.Notify('K') || !s.Notify('t') || s.Notify('E') {
		t.Error("events K and t are on")
	}
	if got := s.MachineParams(); got != [4]int64{4096, 100, 100, 100} {
		t.Errorf("machine parameters %v", got)
	}
	for value, want := range map[string][2]bool{"no": {false, false}, "local": {true, false}, "yes": {true, true}} {
		if err := s.give("enable-debug-command", value); err != nil || s.DebugAllowed(true) != want[0] || s.DebugAllowed(false) != want[1] {
			t.Errorf("enable-debug-command %s: local %v, remote %v", value, s.DebugAllowed(true), s.DebugAllowed(false))
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "streamd.conf")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	path := write(t, "# a comment\nPORT 7000\n\nbind 127.0.0.1 -::1\nrequirepass \"a \\x41\"\nsave 60 1\nsave 30 2\nclient-output-buffer-limit replica 1 2 3\nmaxclients 5\r\n")
	s, warnings, err := Load(path, []string{"STREAMD_PORT=7001", "STREAMD_STREAM_NODE_MAX_BYTES=8kb", "STREAMD_SERVICE_HOST=x", "STREAMD_TIMEOUT=tcp://10.0.0.1:1", "HOME=/"}, []Pair{{"port", "7002"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 2 {
		t.Errorf("warnings %q", warnings)
	}
	for name, want := range map[string]string{
		"port": "7002", "bind": "127.0.0.1 -::1", "requirepass": "a A", "save": "60 1 30 2", "stream-node-max-bytes": "8192", "timeout": "0",
		"client-output-buffer-limit": "normal 0 0 0 slave 1 2 3 pubsub 33554432 8388608 60", "maxclients": "5",
	} {
		if got := get(t, s, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"port 1\nnosuch 1\n", `:2: unknown directive "nosuch"`},
		{"\nport x\n", ":2: port: argument couldn't be parsed into an integer"},
		{"port\n", ":1: port: wrong number of arguments"},
		{"port 1 2\n", ":1: port: wrong number of arguments"},
		{"requirepass \"a\n", ":1: unbalanced quotes"},
		{"maxmemory-policy allkeys-lru\n", ":1: maxmemory-policy: argument(s) must be one of the following: noeviction"},
		{"tls-port 6380\n", ":1: tls-port: argument(s) must be one of the following: 0"},
	} {
		path := write(t, tt.file)
		if _, _, err := Load(path, nil, nil); err == nil || err.Error() != path+tt.want {
			t.Errorf("%q: got %v, want %s", tt.file, err, path+tt.want)
		}
	}
	if _, _, err := Load(filepath.Join(t.TempDir(), "none"), nil, nil); err == nil {
		t.Error("a missing file was accepted")
	}
	if _, _, err := Load("", []string{"STREAMD_PORT=x"}, nil); err == nil || !strings.Contains(err.Error(), "STREAMD_PORT") {
		t.Errorf("got %v", err)
	}
	if _, _, err := Load("", nil, []Pair{{"port", "x"}}); err == nil || !strings.Contains(err.Error(), "--port") {
		t.Errorf("got %v", err)
	}
}

func TestRewrite(t *testing.T) {
	path := write(t, "# head\nport 7000  \nmaxclients 5\n  # inner\nmaxclients 6\nsave 60 1\nsave 30 2\nmaxmemory 1mb\n")
	s, _, err := Load(path, nil, []Pair{{"requirepass", `a "b`}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Set([]Pair{{"maxclients", "9"}, {"save", ""}, {"hz", "20"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := s.Rewrite(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := "# head\nport 7000  \nmaxclients 9\n  # inner\nsave \"\"\nmaxmemory 1mb\n\n# Written by CONFIG REWRITE\nrequirepass \"a \\\"b\"\nhz 20\n"
		if string(got) != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	again, _, err := Load(path, nil, nil)
	if err != nil || !slices.Equal(again.values, s.values) {
		t.Errorf("the file reads back differently: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := New().Rewrite(); err == nil || err.Error() != "ERR The server is running without a config file" {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Rewrite(); err == nil || err.Error() != "ERR Rewriting config file: no such file or directory" {
		t.Errorf("got %v", err)
	}
}

var update = flag.Bool("update", false, "rewrite docs/config.md")

func TestDocumentIsUpToDate(t *testing.T) {
	const path = "../../docs/config.md"
	want := document()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("docs/config.md is stale (%v): run go test ./server/settings -update", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("port 1\nsave 60 1\n# x\nrequirepass \"\\x00\"\n")
	f.Add("client-output-buffer-limit normal 1 2 3 pubsub 1gb 0 0")
	f.Fuzz(func(t *testing.T, text string) {
		s := New()
		if s.parseFile("f", text) != nil {
			return
		}
		again := New()
		if err := again.parseFile("f", s.rewritten(text)); err != nil || !slices.Equal(again.values, s.values) {
			t.Errorf("%q: rewritten as %q reads back differently: %v", text, s.rewritten(text), err)
		}
	})
}
