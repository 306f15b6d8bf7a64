package command

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/settings"
)

// adminHost notes what commands ask of the server.
type adminHost struct {
	rigHost
	asked []string
	log   session.LogStatus
	fail  error
}

func (h *adminHost) note(what string) error {
	h.asked = append(h.asked, what)
	return h.fail
}

func (h *adminHost) Propose(op *machine.Op, w *resp.Writer) machine.Result {
	return h.rig.node.Machine.Apply(op, w)
}
func (h *adminHost) Save() error                   { return h.note("save") }
func (h *adminHost) Background(kind string) error  { return h.note(kind) }
func (h *adminHost) LogStatus() session.LogStatus  { return h.log }
func (h *adminHost) SettingChanged(n string) error { return h.note("changed " + n) }
func (h *adminHost) BlockedKeys() (int, int)       { return 2, 1 }
func (h *adminHost) UsedMemory() int64             { return 3 << 20 }

func (h *adminHost) Reload(save bool) error {
	if save {
		return h.note("save and reload")
	}
	return h.note("reload")
}

func (h *adminHost) Shutdown(save bool) error {
	if save {
		return h.note("save and stop")
	}
	return h.note("stop")
}

func (h *adminHost) SetActiveExpire(on bool) {
	if on {
		_ = h.note("expire")
	} else {
		_ = h.note("do not expire")
	}
}

func newAdmin(t *testing.T, flags ...settings.Pair) (*rig, *adminHost) {
	t.Helper()
	r := newRig(t, flags...)
	h := &adminHost{rigHost: rigHost{rig: r}, log: session.LogStatus{Enabled: true, LastSaveUnix: 5, LastSaveSecs: -1, SaveSecs: -1}}
	r.node.Host = h
	return r, h
}

// reply runs a command and returns the reply in the notation of package resp, "" for none.
func reply(r *rig, name string, args ...string) string {
	r.t.Helper()
	s := r.client(name)
	var words [][]byte
	for _, a := range args {
		words = append(words, []byte(a))
	}
	spec, err := r.table.Find(words)
	if err != nil {
		return "-" + err.Error()
	}
	s.W.Buf = nil
	spec.Local(&Ctx{Node: r.node, S: s, W: &s.W, Spec: spec, Args: words})
	if len(s.W.Buf) == 0 {
		return ""
	}
	reader := resp.NewReader(bytes.NewReader(s.W.Buf))
	v, err := reader.Read()
	if err != nil || reader.Buffered() > 0 {
		r.t.Fatalf("%q answered %q: %v", args, s.W.Buf, err)
	}
	return v.String()
}

func TestAdminReplies(t *testing.T) {
	r, _ := newAdmin(t)
	r.nowMS = 1_700_000_000_123
	tests := []struct{ client, command, want string }{
		{"a", "TIME", `*2["1700000000", "123000"]`},
		{"a", "LASTSAVE", ":5"},
		{"a", "ROLE", `*3["master", :0, *0[]]`},
		{"a", "REPLICAOF NO ONE", "+OK"},
		{"a", "SLAVEOF no one", "+OK"},
		{"a", "REPLICAOF h 1", "-ERR REPLICAOF a Redis server is not supported"},
		{"a", "FAILOVER", "-ERR FAILOVER requires connected replicas."},
		{"a", "FAILOVER ABORT", "-ERR No failover in progress."},
		{"a", "SHUTDOWN ABORT", "-ERR No shutdown in progress."},
		{"a", "SHUTDOWN foo", "-ERR syntax error"},
		{"a", "SHUTDOWN SAVE NOSAVE", "-ERR syntax error"},
		{"a", "SHUTDOWN ABORT NOW", "-ERR syntax error"},
		{"a", "BGSAVE foo", "-ERR syntax error"},
		{"a", "FUNCTION FLUSH", "+OK"},
		{"a", "FUNCTION FLUSH async", "+OK"},
		{"a", "FUNCTION FLUSH foo", "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option"},
		{"a", "FUNCTION LIST", "*0[]"},
		{"a", "FUNCTION LIST LIBRARYNAME x WITHCODE", "*0[]"},
		{"a", "FUNCTION LIST LIBRARYNAME", "-ERR library name argument was not given"},
		{"a", "FUNCTION LIST foo", "-ERR Unknown argument foo"},
		{"A", "FUNCTION STATS", `%2{"running_script": _, "engines": %0{}}`},
		{"a", "SCRIPT EXISTS a b", "*2[:0, :0]"},
		{"a", "SCRIPT FLUSH sync", "+OK"},
		{"a", "SCRIPT FLUSH foo", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"},
		{"a", "MODULE LIST", "*0[]"},
		{"a", "MODULE LOAD x", "-ERR unknown subcommand 'LOAD'. Try MODULE HELP."},
		{"a", "SLOWLOG", "-ERR wrong number of arguments for 'slowlog' command"},
		{"a", "SLOWLOG LEN", ":0"},
		{"a", "SLOWLOG GET x", "-ERR count should be greater than or equal to -1"},
		{"a", "SLOWLOG GET -2", "-ERR count should be greater than or equal to -1"},
		{"a", "SLOWLOG RESET", "+OK"},
		{"a", "LATENCY LATEST", "*0[]"},
		{"a", "LATENCY HISTORY x", "*0[]"},
		{"a", "LATENCY RESET x", ":0"},
		{"a", "LATENCY GRAPH x", "-ERR No samples available for event 'x'"},
		{"a", "MEMORY PURGE", "+OK"},
		{"A", "MEMORY DOCTOR", `="txt:The data set is empty or very small; there is nothing to diagnose yet.\n"`},
		{"a", "ACL WHOAMI", `"default"`},
		{"a", "ACL USERS", `*1["default"]`},
		{"a", "ACL LIST", `*1["user default on nopass sanitize-payload ~* &* +@all"]`},
		{"A", "ACL GETUSER default", `%6{"flags": ~3["on", "nopass", "sanitize-payload"], "passwords": *0[], "commands": "+@all", "keys": "~*", "channels": "&*", "selectors": *0[]}`},
		{"a", "ACL GETUSER bob", "$-1"},
		{"a", "ACL CAT nocat", "-ERR Unknown category 'nocat'"},
		{"a", "ACL CAT transaction", `*5["multi", "exec", "discard", "watch", "unwatch"]`},
		{"a", "ACL DRYRUN default get k", "+OK"},
		{"a", "ACL DRYRUN bob get k", "-ERR User 'bob' not found"},
		{"a", "ACL DRYRUN default nosuch", "-ERR Command 'nosuch' not found"},
		{"a", "ACL DRYRUN default get", "-ERR wrong number of arguments for 'get' command"},
		{"a", "ACL GENPASS 0", "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"},
		{"a", "ACL SETUSER bob", "-ERR unknown subcommand 'SETUSER'. Try ACL HELP."},
		{"a", "CLUSTER INFO", "-ERR This instance has cluster support disabled"},
		{"a", "CLUSTER HELP", "-ERR This instance has cluster support disabled"},
		{"a", "READONLY", "-ERR This instance has cluster support disabled"},
		{"a", "ASKING", "-ERR This instance has cluster support disabled"},
		{"a", "DEBUG JMAP", "-ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP."},
		{"a", "DEBUG SLEEP", "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP."},
		{"a", "DEBUG SLEEP x", "+OK"},
		{"a", "DEBUG DIGEST", "+" + strings.Repeat("0", 40)},
		{"a", "DEBUG DIGEST-VALUE k", "*1[+" + strings.Repeat("0", 40) + "]"},
		{"a", "DEBUG OBJECT k", "-ERR no such key"},
		{"a", "DEBUG ERROR boom", "-boom"},
		{"a", "DEBUG RELOAD foo", "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."},
	}
	for _, tt := range tests {
		if got := reply(r, tt.client, strings.Fields(tt.command)...); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
	if got := reply(r, "a", "ACL", "GENPASS"); len(got) != 66 {
		t.Errorf("ACL GENPASS: %s", got)
	}
	if got := reply(r, "a", "ACL", "GENPASS", "5"); len(got) != 4 {
		t.Errorf("ACL GENPASS 5: %s", got)
	}
}

func TestAdminAsksTheHost(t *testing.T) {
	r, h := newAdmin(t)
	for _, tt := range []struct{ command, want, asked string }{
		{"SAVE", "+OK", "save"},
		{"BGSAVE SCHEDULE", "+Background saving started", "bgsave"},
		{"BGREWRITEAOF", "+Background append only file rewriting started", "rewrite"},
		{"SHUTDOWN", "", "stop"},
		{"SHUTDOWN SAVE NOW", "", "save and stop"},
		{"SHUTDOWN NOSAVE FORCE", "", "stop"},
		{"DEBUG RELOAD", "+OK", "save and reload"},
		{"DEBUG RELOAD NOSAVE MERGE", "+OK", "reload"},
		{"DEBUG LOADAOF", "+OK", "reload"},
		{"DEBUG SET-ACTIVE-EXPIRE 0", "+OK", "do not expire"},
		{"DEBUG SET-ACTIVE-EXPIRE 1", "+OK", "expire"},
	} {
		h.asked = nil
		if got := reply(r, "a", strings.Fields(tt.command)...); got != tt.want || !slices.Equal(h.asked, []string{tt.asked}) {
			t.Errorf("%s: got %s and %v, want %s and %s", tt.command, got, h.asked, tt.want, tt.asked)
		}
	}
	h.fail = errors.New("disk full")
	for command, want := range map[string]string{
		"SAVE": "-ERR", "BGSAVE": "-ERR", "SHUTDOWN": "-ERR Errors trying to SHUTDOWN. Check logs.",
		"DEBUG RELOAD": "-ERR Error trying to load the RDB dump, check server logs.",
	} {
		if got := reply(r, "a", strings.Fields(command)...); got != want {
			t.Errorf("%s: got %s, want %s", command, got, want)
		}
	}
	h.fail, h.log.SnapshotBusy = nil, true
	for command, want := range map[string]string{
		"SAVE": "-ERR Background save already in progress", "BGSAVE": "-ERR Background save already in progress",
		"BGSAVE SCHEDULE": "-ERR Background save already in progress",
		"BGREWRITEAOF":    "+Background append only file rewriting scheduled",
	} {
		if got := reply(r, "a", strings.Fields(command)...); got != want {
			t.Errorf("%s: got %s, want %s", command, got, want)
		}
	}
	h.log.SnapshotBusy, h.log.RewriteBusy = false, true
	for command, want := range map[string]string{
		"SAVE": "-ERR Background save already in progress",
		"BGSAVE": "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to " +
			"schedule a BGSAVE whenever possible.",
		"BGSAVE SCHEDULE": "+Background saving scheduled",
		"BGREWRITEAOF":    "-ERR Background append only file rewriting already in progress",
	} {
		if got := reply(r, "a", strings.Fields(command)...); got != want {
			t.Errorf("%s: got %s, want %s", command, got, want)
		}
	}
}

func TestShutdownSavesWithSavePoints(t *testing.T) {
	r, h := newAdmin(t, settings.Pair{Name: "save", Value: "60 1"})
	reply(r, "a", "SHUTDOWN")
	reply(r, "a", "SHUTDOWN", "NOSAVE")
	if want := []string{"save and stop", "stop"}; !slices.Equal(h.asked, want) {
		t.Errorf("asked %v, want %v", h.asked, want)
	}
}

func TestConfig(t *testing.T) {
	r, h := newAdmin(t)
	for _, tt := range []struct{ client, command, want string }{
		{"a", "CONFIG GET maxclients", `*2["maxclients", "10000"]`},
		{"A", "CONFIG GET MAXCLIENTS maxcl*", `%1{"MAXCLIENTS": "10000"}`},
		{"A", "CONFIG GET nosuch", "%0{}"},
		{"a", "CONFIG SET maxclients", "-ERR wrong number of arguments for 'config|set' command"},
		{"a", "CONFIG SET maxclients 1 hz", "-ERR syntax error"},
		{"a", "CONFIG SET nosuch 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"},
		{"a", "CONFIG SET maxclients 7 hz 10", "+OK"},
		{"a", "CONFIG GET maxclients", `*2["maxclients", "7"]`},
		{"a", "CONFIG RESETSTAT", "+OK"},
		{"a", "CONFIG REWRITE", "-ERR The server is running without a config file"},
		{"a", "CONFIG FOO", "-ERR unknown subcommand 'FOO'. Try CONFIG HELP."},
	} {
		if got := reply(r, tt.client, strings.Fields(tt.command)...); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
	if want := []string{"changed maxclients"}; !slices.Equal(h.asked, want) {
		t.Errorf("asked %v, want %v", h.asked, want)
	}
	reply(r, "a", "CONFIG", "SET", "stream-node-max-entries", "5")
	if got := r.node.Machine.Params(); got.NodeMaxEntries != 5 {
		t.Errorf("the machine's parameters are %+v", got)
	}
	h.fail = errors.New("no room")
	got := reply(r, "a", "CONFIG", "SET", "maxclients", "9")
	if want := "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - no room"; got != want || r.node.Settings.MaxClients() != 7 {
		t.Errorf("got %s, maxclients %d", got, r.node.Settings.MaxClients())
	}
}

func TestConfigRewrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "streamd.conf")
	if err := os.WriteFile(path, []byte("# mine\nhz 10\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, _, err := settings.Load(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := newAdmin(t)
	r.node.Settings = st
	reply(r, "a", "CONFIG", "SET", "hz", "20")
	if got := reply(r, "a", "CONFIG", "REWRITE"); got != "+OK" {
		t.Error(got)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "# mine\nhz 20\n" {
		t.Errorf("file is %q, %v", text, err)
	}
}

func TestSlowlogAndLatency(t *testing.T) {
	r, _ := newAdmin(t)
	s := r.client("a")
	s.Name = "me"
	r.node.Slowlog.Add(r.node, s, [][]byte{[]byte("GET"), []byte("k")}, 15*time.Millisecond, r.nowMS)
	if got, want := reply(r, "a", "SLOWLOG", "GET"), `*1[*7[:0, :1700000000, :15000, *2["GET", "k"], "10.0.0.1:5000", "me", :2]]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.node.Latency.Add("command", r.nowMS, 20)
	r.node.Latency.Add("command", r.nowMS+2000, 10)
	for command, want := range map[string]string{
		"LATENCY LATEST":          `*1[*4["command", :1700000002, :10, :20]]`,
		"LATENCY HISTORY command": `*2[*2[:1700000000, :20], *2[:1700000002, :10]]`,
	} {
		if got := reply(r, "a", strings.Fields(command)...); got != want {
			t.Errorf("%s: got %s, want %s", command, got, want)
		}
	}
	r.nowMS += 5000
	want := "command - high 20 ms, low 10 ms (all time high 20 ms)\n" + strings.Repeat("-", 80) + "\n# \n# \n##\n##\n2 samples, the last 3 seconds ago\n"
	if got := reply(r, "a", "LATENCY", "GRAPH", "command"); got != resp.Quote([]byte(want)) {
		t.Errorf("got %s", got)
	}
	if got := reply(r, "a", "LATENCY", "DOCTOR"); !strings.Contains(got, "1. command: 2 spikes, 15 ms on average, the worst 20 ms.") {
		t.Errorf("got %s", got)
	}
	if got := reply(r, "a", "LATENCY", "RESET"); got != ":1" {
		t.Errorf("got %s", got)
	}
	r.node.Stats.Calls(r.table.Lookup([]byte("get")).ID, 1, 3*time.Microsecond, false)
	r.node.Stats.Calls(r.table.Lookup([]byte("xgroup|create")).ID, 1, 3*time.Microsecond, false)
	for command, want := range map[string]string{
		"LATENCY HISTOGRAM get nosuch set": `%1{"get": %2{"calls": :1, "histogram_usec": %1{:4: :1}}}`,
		"LATENCY HISTOGRAM xgroup":         `%1{"xgroup|create": %2{"calls": :1, "histogram_usec": %1{:4: :1}}}`,
	} {
		if got := reply(r, "A", strings.Fields(command)...); got != want {
			t.Errorf("%s: got %s, want %s", command, got, want)
		}
	}
}

func TestClusterOfOneNode(t *testing.T) {
	r, _ := newAdmin(t, settings.Pair{Name: "cluster-compat", Value: "yes"})
	id := strings.Repeat("a", 40)
	r.node.RunID = id
	set := machine.Op{Kind: machine.Set, Key: []byte("foo"), Args: [][]byte{[]byte("v")}}
	r.node.Machine.Apply(&set, nil)
	for _, tt := range []struct{ client, command, want string }{
		{"a", "CLUSTER SLOTS", `*1[*3[:0, :16383, *4["127.0.0.1", :6379, "` + id + `", *0[]]]]`},
		{"A", "CLUSTER SHARDS", `*1[%2{"slots": *2[:0, :16383], "nodes": *1[%7{"id": "` + id + `", "port": :6379, "ip": "127.0.0.1", "endpoint": "127.0.0.1", "role": "master", "replication-offset": :0, "health": "online"}]}]`},
		{"A", "CLUSTER NODES", `="txt:` + id + ` 127.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-16383\n"`},
		{"a", "CLUSTER MYID", `"` + id + `"`},
		{"a", "CLUSTER KEYSLOT {user1000}.a", ":3443"},
		{"a", "CLUSTER COUNTKEYSINSLOT 12182", ":1"},
		{"a", "CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot"},
		{"a", "CLUSTER COUNTKEYSINSLOT x", "-ERR value is not an integer or out of range"},
		{"a", "CLUSTER GETKEYSINSLOT 12182 10", `*1["foo"]`},
		{"a", "CLUSTER GETKEYSINSLOT 12182 -1", "-ERR Invalid slot or number of keys"},
		{"a", "CLUSTER LINKS", "*0[]"},
		{"a", "CLUSTER REPLICAS " + id, "*0[]"},
		{"a", "CLUSTER REPLICAS foo", "-ERR Unknown node foo"},
		{"a", "CLUSTER FOO", "-ERR unknown subcommand 'FOO'. Try CLUSTER HELP."},
		{"a", "READONLY", "+OK"},
		{"a", "READWRITE", "+OK"},
		{"a", "ASKING", "+OK"},
		{"a", "REPLICAOF NO ONE", "-ERR REPLICAOF not allowed in cluster mode."},
	} {
		if got := reply(r, tt.client, strings.Fields(tt.command)...); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
	if got := reply(r, "a", "CLUSTER", "INFO"); !strings.HasPrefix(got, `"cluster_state:ok\r\ncluster_slots_assigned:16384\r\n`) {
		t.Error(got)
	}
}

func TestDebugDigest(t *testing.T) {
	r, _ := newAdmin(t)
	for _, key := range []string{"a", "b"} {
		add := machine.Op{Kind: machine.XAdd, Key: []byte(key), Args: [][]byte{[]byte("f"), []byte("v")}, Flags: machine.FlagAutoID, AtMS: 5}
		r.node.Machine.Apply(&add, nil)
	}
	if got := reply(r, "a", "DEBUG", "DIGEST"); len(got) != 41 || strings.Trim(got, "+0") == "" {
		t.Error(got)
	}
	got := reply(r, "a", "DEBUG", "DIGEST-VALUE", "a", "b")
	if v, err := resp.ParseReply(got); err != nil || string(v.Elems[0].Text) != string(v.Elems[1].Text) {
		t.Errorf("equal values have the digests %s, %v", got, err)
	}
	if got := reply(r, "a", "DEBUG", "OBJECT", "a"); !strings.HasPrefix(got, "+Value at:0x0 refcount:1 encoding:stream serializedlength:") {
		t.Error(got)
	}
}

func TestInfo(t *testing.T) {
	r, h := newAdmin(t)
	h.log.Size = 1234
	s := r.client("a")
	add := machine.Op{Kind: machine.XAdd, Key: []byte("k"), Args: [][]byte{[]byte("f"), []byte("v")}, Flags: machine.FlagAutoID, AtMS: 5}
	r.node.Machine.Apply(&add, nil)
	r.node.Stats.Calls(r.table.Lookup([]byte("xadd")).ID, 1, 5*time.Microsecond, true)
	r.node.Stats.Error("ERR")
	ask := func(sections ...string) string {
		reply(r, "a", append([]string{"INFO"}, sections...)...)
		v, err := resp.NewReader(bytes.NewReader(s.W.Buf)).Read()
		if err != nil {
			t.Fatal(err)
		}
		return string(v.Text)
	}
	if got := ask("nosuch"); got != "" {
		t.Errorf("unknown section: %q", got)
	}
	if got := ask("modules"); got != "# Modules\r\n" {
		t.Errorf("empty section: %q", got)
	}
	if got, want := ask("KEYSPACE", "cluster"), "# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ask("commandstats"), "# Commandstats\r\ncmdstat_xadd:calls=1,usec=5,usec_per_call=5.00,rejected_calls=0,failed_calls=1,slowlog_count=0,slowlog_time_ms_sum=0,slowlog_time_ms_max=0\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ask("errorstats"), "# Errorstats\r\nerrorstat_ERR:count=1\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	titles := func(text string) (list []string) {
		for _, line := range strings.Split(text, "\r\n") {
			if strings.HasPrefix(line, "# ") {
				list = append(list, line[2:])
			}
		}
		return list
	}
	want := strings.Fields("Server Clients Memory Persistence Threads Stats Replication CPU Modules Errorstats Cluster Keyspace Keysizes")
	if plain, byName := titles(ask()), titles(ask("default")); !slices.Equal(plain, want) || !slices.Equal(byName, want) {
		t.Errorf("default sections %v and %v", plain, byName)
	}
	if got := ask("runtime"); !strings.HasPrefix(got, "# Runtime\r\ngo_version:go") || !strings.Contains(got, "\r\ngc_pause_usec_max:") {
		t.Errorf("got %q", got)
	}
	all := ask("everything")
	for _, field := range []string{
		"redis_version:8.10.0", "redis_mode:standalone", "tcp_port:6379", "connected_clients:1", "used_memory:3145728", "used_memory_human:3.00M",
		"total_blocking_keys:2", "total_blocking_keys_on_nokey:1", "aof_enabled:1", "aof_current_size:1234", "rdb_last_save_time:5",
		"role:master", "latency_percentiles_usec_xadd:p50=", "second_repl_offset:-1", "maxmemory_policy:noeviction",
	} {
		if !strings.Contains(all, "\r\n"+field) {
			t.Errorf("INFO everything lacks %s", field)
		}
	}
	seen := make(map[string]bool)
	for _, line := range strings.Split(strings.TrimSuffix(all, "\r\n"), "\r\n") {
		name, _, ok := strings.Cut(line, ":")
		if line != "" && line[0] != '#' && (!ok || seen[name]) {
			t.Errorf("line %q: no field, or one seen before", line)
		}
		seen[name] = true
	}
}

// TestInfoHasTheFieldsThatToolsParse lists what exporters, consoles and client libraries look for.
func TestInfoHasTheFieldsThatToolsParse(t *testing.T) {
	r, _ := newAdmin(t)
	all := reply(r, "a", "INFO", "everything")
	for _, name := range strings.Fields(`redis_build_id os process_id run_id uptime_in_seconds uptime_in_days hz configured_hz config_file
		maxclients client_recent_max_input_buffer client_recent_max_output_buffer blocked_clients used_memory_rss used_memory_peak
		used_memory_overhead used_memory_startup used_memory_dataset total_system_memory maxmemory mem_fragmentation_ratio
		mem_fragmentation_bytes active_defrag_running lazyfree_pending_objects lazyfreed_objects loading rdb_changes_since_last_save
		rdb_bgsave_in_progress rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_last_cow_size
		aof_rewrite_in_progress aof_rewrite_scheduled aof_last_rewrite_time_sec aof_current_rewrite_time_sec aof_last_bgrewrite_status
		aof_last_write_status aof_last_cow_size aof_base_size aof_pending_rewrite aof_buffer_length aof_delayed_fsync
		total_connections_received total_commands_processed instantaneous_ops_per_sec total_net_input_bytes total_net_output_bytes
		rejected_connections sync_full sync_partial_ok sync_partial_err expired_keys expired_time_cap_reached_count evicted_keys
		keyspace_hits keyspace_misses pubsub_channels pubsub_patterns latest_fork_usec migrate_cached_sockets slave_expires_tracked_keys
		tracking_total_keys total_error_replies total_reads_processed total_writes_processed io_threaded_reads_processed
		io_threaded_writes_processed acl_access_denied_auth acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel
		connected_slaves master_replid master_repl_offset repl_backlog_active repl_backlog_size repl_backlog_first_byte_offset
		repl_backlog_histlen used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children cluster_enabled`) {
		if !strings.Contains(all, `\n`+name+":") {
			t.Errorf("INFO lacks %s", name)
		}
	}
}

func TestMemoryStats(t *testing.T) {
	r, _ := newAdmin(t)
	add := machine.Op{Kind: machine.XAdd, DB: 3, Key: []byte("k"), Args: [][]byte{[]byte("f"), []byte("v")}, Flags: machine.FlagAutoID, AtMS: 5}
	r.node.Machine.Apply(&add, nil)
	v, err := resp.ParseReply(reply(r, "A", "MEMORY", "STATS"))
	if err != nil || v.Kind != '%' || len(v.Elems) != 2*32 {
		t.Errorf("%d elements, %v", len(v.Elems), err)
	}
	for i := 0; i < len(v.Elems); i += 2 {
		if string(v.Elems[i].Text) == "db.3" && v.Elems[i+1].Kind == '%' {
			return
		}
	}
	t.Error("db.3 is missing")
}

// TestEveryContainerHasHelp also sees that help has two lines for every subcommand but its own.
func TestEveryContainerHasHelp(t *testing.T) {
	r, _ := newAdmin(t, settings.Pair{Name: "cluster-compat", Value: "yes"})
	for _, s := range r.table.Commands() {
		if !s.Container && s.Name != "debug" {
			continue
		}
		v, err := resp.ParseReply(reply(r, "a", s.Name, "help"))
		n := len(v.Elems)
		if err != nil || n < 3 || string(v.Elems[n-2].Text) != "HELP" || string(v.Elems[n-1].Text) != "    Print this help." {
			t.Errorf("%s help: %s, %v", s.Name, v, err)
		}
		if want := "-" + WrongArity(s.Name+"|help").Error(); s.Name != "debug" && reply(r, "a", s.Name, "help", "x") != want {
			t.Errorf("%s help x: %s", s.Name, reply(r, "a", s.Name, "help", "x"))
		}
	}
}
