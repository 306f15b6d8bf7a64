package settings

// either accepts yes and no, number a range, only a single value, text anything.
func either(name, alias, def string) Row {
	return Row{Name: name, Alias: alias, Kind: Bool, Default: def}
}

func number(name, alias, def string, least, most int64) Row {
	return Row{Name: name, Alias: alias, Kind: Int, Default: def, Min: least, Max: most}
}

func only(name, value string) Row {
	return Row{Name: name, Kind: Choice, Default: value, Values: []string{value}, When: AtStart}
}

func text(name, def string, when When) Row {
	return Row{Name: name, Kind: String, Default: def, When: when}
}

// acceptedRows are settings that tools read, that test suites set or that usual redis.conf files hold, and that have nothing
// to act on in this server.
func acceptedRows() []Row {
	return []Row{
		number("hz", "", "10", 0, maxInt),
		either("dynamic-hz", "", "yes"),
		number("io-threads", "", "1", 1, 128),
		either("io-threads-do-reads", "", "no"),
		either("activerehashing", "", "yes"),
		only("activedefrag", "no"),
		either("jemalloc-bg-thread", "", "yes"),
		either("lazyfree-lazy-eviction", "", "no"),
		either("lazyfree-lazy-expire", "", "no"),
		either("lazyfree-lazy-server-del", "", "no"),
		either("lazyfree-lazy-user-del", "", "no"),
		either("lazyfree-lazy-user-flush", "", "no"),
		number("active-expire-effort", "", "1", 1, 10),
		number("maxmemory-samples", "", "5", 1, maxInt),
		number("maxmemory-eviction-tenacity", "", "10", 0, 100),
		{Name: "maxmemory-clients", Kind: Memory, Default: "0", Max: maxLong},
		number("busy-reply-threshold", "lua-time-limit", "5000", 0, maxLong),
		text("dbfilename", "dump.rdb", Protected),
		either("rdbcompression", "", "yes"),
		either("rdbchecksum", "", "yes"),
		either("stop-writes-on-bgsave-error", "", "yes"),
		either("rdb-save-incremental-fsync", "", "yes"),
		text("appendfilename", "appendonly.aof", AtStart),
		text("appenddirname", "appendonlydir", AtStart),
		either("no-appendfsync-on-rewrite", "", "no"),
		either("aof-load-truncated", "", "yes"),
		either("aof-use-rdb-preamble", "", "yes"),
		either("aof-timestamp-enabled", "", "no"),
		either("aof-rewrite-incremental-fsync", "", "yes"),
		{Name: "sanitize-dump-payload", Kind: Choice, Default: "no", Values: []string{"no", "yes", "clients"}},
		only("daemonize", "no"),
		only("supervised", "no"),
		text("pidfile", "", AtStart),
		either("always-show-logo", "", "no"),
		either("set-proc-title", "", "yes"),
		either("crash-log-enabled", "", "yes"),
		either("crash-memcheck-enabled", "", "yes"),
		only("syslog-enabled", "no"),
		either("disable-thp", "", "yes"),
		text("ignore-warnings", "", Always),
		{Name: "propagation-error-behavior", Kind: Choice, Default: "ignore", Values: []string{"ignore", "panic", "panic-on-replicas"}},
		{Name: "latency-tracking-info-percentiles", Kind: List, Default: "50 99 99.9", When: AtStart},
		number("tracking-table-max-keys", "", "1000000", 0, maxLong),
		number("acllog-max-len", "", "128", 0, maxLong),
		{Name: "acl-pubsub-default", Kind: Choice, Default: "resetchannels", Values: []string{"allchannels", "resetchannels"}},
		only("enable-module-command", "no"),
		only("enable-protected-configs", "no"),
		only("tls-port", "0"),
		only("replicaof", ""),
		text("masterauth", "", Always),
		text("masteruser", "", Always),
		either("replica-serve-stale-data", "slave-serve-stale-data", "yes"),
		either("replica-read-only", "slave-read-only", "yes"),
		number("replica-priority", "slave-priority", "100", 0, maxInt),
		either("replica-lazy-flush", "slave-lazy-flush", "no"),
		number("min-replicas-to-write", "min-slaves-to-write", "0", 0, 0),
		number("min-replicas-max-lag", "min-slaves-max-lag", "10", 0, maxInt),
		number("repl-timeout", "", "60", 1, maxInt),
		number("repl-ping-replica-period", "repl-ping-slave-period", "10", 1, maxInt),
		{Name: "repl-backlog-size", Kind: Memory, Default: "1048576", Min: 1, Max: maxLong},
		number("repl-backlog-ttl", "", "3600", 0, maxInt),
		either("repl-diskless-sync", "", "yes"),
		number("repl-diskless-sync-delay", "", "5", 0, maxInt),
		{Name: "repl-diskless-load", Kind: Choice, Default: "disabled", Values: []string{"disabled", "on-empty-db", "swapdb"}},
		either("repl-disable-tcp-nodelay", "", "no"),
		only("cluster-enabled", "no"),
		number("cluster-node-timeout", "", "15000", 0, maxLong),
		either("cluster-require-full-coverage", "", "yes"),
		either("cluster-allow-reads-when-down", "", "no"),
		either("cluster-allow-pubsubshard-when-down", "", "yes"),
	}
}
