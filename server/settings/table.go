package settings

import (
	"math"
	"sync/atomic"
)

// Kind says how a value is written and checked.
type Kind uint8

// Kinds of values. Yes, integers, sizes and choices are kept as numbers beside their text.
const (
	Bool   Kind = iota + 1 // yes, no
	Int                    // Min … Max
	Memory                 // bytes, with the units k kb m mb g gb; Min … Max
	Choice                 // one of Values; its number is its place there
	String
	Octal  // file mode
	List   // words
	Events // classes of keyspace events
	Output // client-output-buffer-limit
	Save   // save points
)

// When says when a setting may change.
type When uint8

// A setting changes at any time, only at start, or never through a client because it names paths or secures the server.
const (
	Always When = iota
	AtStart
	Protected
)

// Row describes one setting.
type Row struct {
	Name, Alias string // Alias: an older name that Redis also takes
	Kind        Kind
	Default     string // in canonical form
	Min, Max    int64
	Values      []string
	When        When
	Doc         string // one sentence or two; "" for settings that are only accepted
	word        func(*Settings) *atomic.Int64
}

// Accepted tells that a setting is taken for the sake of clients and of existing files, but has nothing to act on here.
func (r *Row) Accepted() bool { return r.Doc == "" }

const (
	maxInt  = math.MaxInt32
	maxLong = math.MaxInt64
)

// section is a group of rows with its heading in docs/config.md.
type section struct {
	title string
	rows  []Row
}

func table() []section {
	return []section{
		{"Network", networkRows()},
		{"Data and durability", durabilityRows()},
		{"Limits", limitRows()},
		{"Streams", streamRows()},
		{"Logs and monitoring", monitoringRows()},
		{"Security", securityRows()},
		{"Cluster clients", clusterRows()},
		{"Accepted for compatibility", acceptedRows()},
	}
}

func networkRows() []Row {
	return []Row{
		{Name: "port", Kind: Int, Default: "6379", Max: 65535, When: AtStart, Doc: "TCP port; 0 serves no TCP.", word: func(s *Settings) *atomic.Int64 { return &s.port }},
		{Name: "bind", Kind: List, Default: "127.0.0.1", When: AtStart, Doc: "Addresses to listen on. An address after `-` may be missing on the machine; `*` means all IPv4 and `::*` all IPv6 addresses."},
		{Name: "unixsocket", Kind: String, When: AtStart, Doc: "Path of a unix socket to listen on as well."},
		{Name: "unixsocketperm", Kind: Octal, Default: "0", Max: 0o777, When: AtStart, Doc: "File mode of the unix socket, octal; 0 leaves it to the umask."},
		{Name: "tcp-backlog", Kind: Int, Default: "511", Max: maxInt, When: AtStart, Doc: "Length of the queue of connections that wait to be accepted."},
		{Name: "tcp-keepalive", Kind: Int, Default: "300", Max: maxInt, Doc: "Seconds of silence after which the kernel probes a peer; 0 never.", word: func(s *Settings) *atomic.Int64 { return &s.tcpKeepAlive }},
		{Name: "timeout", Kind: Int, Default: "0", Max: maxInt, Doc: "Seconds after which an idle client is closed; 0 never. Subscribers and blocked clients stay.", word: func(s *Settings) *atomic.Int64 { return &s.timeout }},
		{Name: "maxclients", Kind: Int, Default: "10000", Min: 1, Max: math.MaxUint32, Doc: "Most connections at a time.", word: func(s *Settings) *atomic.Int64 { return &s.maxClients }},
		{Name: "protected-mode", Kind: Bool, Default: "yes", Doc: "Without a password, refuse clients from other machines.", word: func(s *Settings) *atomic.Int64 { return &s.protectedMode }},
	}
}

func durabilityRows() []Row {
	return []Row{
		{Name: "dir", Kind: String, Default: "./data", When: Protected, Doc: "Directory of the log and the snapshots; made when missing."},
		{Name: "appendonly", Kind: Bool, Default: "yes", Doc: "Log every change. `no` keeps data in memory, and on disk only what SAVE and BGSAVE write.", word: func(s *Settings) *atomic.Int64 { return &s.appendOnly }},
		{Name: "appendfsync", Kind: Choice, Default: "everysec", Values: []string{"everysec", "always", "no"}, Doc: "When the log is synced to disk: before any reply leaves (`always`), once a second in the background (`everysec`), or when the kernel likes (`no`).", word: func(s *Settings) *atomic.Int64 { return &s.appendFsync }},
		{Name: "auto-aof-rewrite-percentage", Kind: Int, Default: "100", Max: maxInt, Doc: "Write a snapshot and drop the log before it once the log grew by so many percent since the last one; 0 never.", word: func(s *Settings) *atomic.Int64 { return &s.rewritePercentage }},
		{Name: "auto-aof-rewrite-min-size", Kind: Memory, Default: "67108864", Max: maxLong, Doc: "No automatic snapshot while the log is smaller than this.", word: func(s *Settings) *atomic.Int64 { return &s.rewriteMinSize }},
		{Name: "save", Kind: Save, Doc: "Save points, pairs of seconds and changes: a snapshot is written when so many seconds passed with so many changes. None by default, because the log already makes changes durable."},
		{Name: "databases", Kind: Int, Default: "16", Min: 1, Max: maxInt, When: AtStart, Doc: "Number of databases for SELECT.", word: func(s *Settings) *atomic.Int64 { return &s.databases }},
		{Name: "shutdown-timeout", Kind: Int, Default: "10", Max: maxInt, Doc: "Most seconds that a shutdown waits for replies to leave.", word: func(s *Settings) *atomic.Int64 { return &s.shutdownTimeout }},
	}
}

func limitRows() []Row {
	return []Row{
		{Name: "maxmemory", Kind: Memory, Default: "0", Max: maxLong, Doc: "Bytes of memory beyond which commands that need more are refused with OOM; 0 no limit.", word: func(s *Settings) *atomic.Int64 { return &s.maxMemory }},
		{Name: "maxmemory-policy", Kind: Choice, Default: "noeviction", Values: []string{"noeviction"}, Doc: "What happens at maxmemory. Nothing is ever evicted: writes are refused."},
		{Name: "proto-max-bulk-len", Kind: Memory, Default: "536870912", Min: 1 << 20, Max: maxLong, Doc: "Longest argument of a command in bytes."},
		{Name: "client-query-buffer-limit", Kind: Memory, Default: "1073741824", Min: 1 << 20, Max: maxLong, Doc: "A client is closed when its unfinished input is larger.", word: func(s *Settings) *atomic.Int64 { return &s.queryBufferLimit }},
		{Name: "client-output-buffer-limit", Kind: Output, Default: "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", Doc: "For each class of client (`normal`, `slave`, `pubsub`) a hard limit, a soft limit and the seconds it may be exceeded: a client whose waiting output is larger is closed. 0 no limit."},
	}
}

func streamRows() []Row {
	return []Row{
		{Name: "stream-node-max-bytes", Kind: Memory, Default: "4096", Max: maxLong, Doc: "Size at which a node of Redis's tree would be full: decides what `~` trimming removes and what XINFO reports. 0 no limit.", word: func(s *Settings) *atomic.Int64 { return &s.nodeMaxBytes }},
		{Name: "stream-node-max-entries", Kind: Int, Default: "100", Max: maxLong, Doc: "Entries at which a node of Redis's tree would be full. 0 no limit.", word: func(s *Settings) *atomic.Int64 { return &s.nodeMaxEntries }},
		{Name: "stream-idmp-duration", Kind: Int, Default: "100", Min: 1, Max: 86400, Doc: "Seconds for which a new stream remembers idempotent ids; XCFGSET changes it per stream.", word: func(s *Settings) *atomic.Int64 { return &s.idmpDuration }},
		{Name: "stream-idmp-maxsize", Kind: Int, Default: "100", Min: 1, Max: 10000, Doc: "Idempotent ids that a new stream remembers per producer.", word: func(s *Settings) *atomic.Int64 { return &s.idmpMaxSize }},
	}
}

func monitoringRows() []Row {
	return []Row{
		{Name: "loglevel", Kind: Choice, Default: "notice", Values: logLevels(), Doc: "Least severity of what is logged.", word: func(s *Settings) *atomic.Int64 { return &s.logLevel }},
		{Name: "logfile", Kind: String, When: AtStart, Doc: "File to append the log to; empty: standard error."},
		{Name: "slowlog-log-slower-than", Kind: Int, Default: "10000", Min: -1, Max: maxLong, Doc: "Microseconds from which a command is slow; 0 all, -1 none.", word: func(s *Settings) *atomic.Int64 { return &s.slowlogMicros }},
		{Name: "slowlog-max-len", Kind: Int, Default: "128", Max: maxLong, Doc: "Slow commands remembered.", word: func(s *Settings) *atomic.Int64 { return &s.slowlogMaxLen }},
		{Name: "slowlog-max-argc", Kind: Int, Default: "32", Min: 1, Max: maxInt, Doc: "Arguments remembered of a slow command.", word: func(s *Settings) *atomic.Int64 { return &s.slowlogMaxArgc }},
		{Name: "latency-monitor-threshold", Kind: Int, Default: "0", Max: maxLong, Doc: "Milliseconds from which an event goes to LATENCY; 0 none.", word: func(s *Settings) *atomic.Int64 { return &s.latencyMillis }},
		{Name: "latency-tracking", Kind: Bool, Default: "yes", Doc: "Keep histograms of command times for LATENCY HISTOGRAM and INFO latencystats.", word: func(s *Settings) *atomic.Int64 { return &s.latencyTracking }},
		{Name: "notify-keyspace-events", Kind: Events, Doc: "Classes of events to publish: `K` and `E` choose the channels, `g$lshzxetdnmoca` the events, `A` means `g$lshztdxea`."},
	}
}

func securityRows() []Row {
	return []Row{
		{Name: "requirepass", Kind: String, Doc: "Password of the default user; empty: none."},
		{Name: "enable-debug-command", Kind: Choice, Default: "no", Values: []string{"no", "yes", "local"}, When: AtStart, Doc: "Who may use DEBUG: nobody, everybody, or clients on this machine.", word: func(s *Settings) *atomic.Int64 { return &s.debugCommand }},
	}
}

func clusterRows() []Row {
	return []Row{
		{Name: "cluster-compat", Kind: Bool, Default: "no", When: AtStart, Doc: "Announce this server as a cluster of one node that owns all slots, for clients that are set to cluster mode.", word: func(s *Settings) *atomic.Int64 { return &s.clusterCompat }},
		{Name: "cluster-announce-ip", Kind: String, When: AtStart, Doc: "Address that cluster-compat announces; empty: clients keep using the one they connected to."},
		{Name: "cluster-announce-port", Kind: Int, Default: "0", Max: 65535, When: AtStart, Doc: "Port that cluster-compat announces; 0: `port`.", word: func(s *Settings) *atomic.Int64 { return &s.announcePort }},
	}
}
