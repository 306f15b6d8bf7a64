package command

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

// infoSection is a section of INFO.
type infoSection struct {
	title     string
	byDefault bool // part of INFO without arguments
	write     func(r *infoReport)
}

func infoSections() []infoSection {
	return []infoSection{
		{"Server", true, infoServer},
		{"Clients", true, infoClients},
		{"Memory", true, infoMemory},
		{"Persistence", true, infoPersistence},
		{"Threads", true, func(r *infoReport) {
			s := r.node.Stats
			r.line("io_thread_0", "clients=%d,reads=%d,writes=%d", r.node.Clients.Count(), s.Reads, s.Writes)
		}},
		{"Stats", true, infoStats},
		{"Replication", true, infoReplication},
		{"CPU", true, infoCPU},
		{"Modules", true, func(*infoReport) {}},
		{"Commandstats", false, infoCommands},
		{"Errorstats", true, func(r *infoReport) {
			for _, e := range r.node.Stats.Errors() {
				r.line("errorstat_"+e.Code, "count=%d", e.Count)
			}
		}},
		{"Latencystats", false, infoLatency},
		{"Cluster", true, func(r *infoReport) { r.flag("cluster_enabled", r.node.Settings.ClusterCompat()) }},
		{"Keyspace", true, infoKeyspace},
		{"Keysizes", true, func(*infoReport) {}},
		{"Runtime", false, infoRuntime},
	}
}

// infoReport is what INFO writes to and reads from.
type infoReport struct {
	node    *session.Node
	table   *Table
	log     session.LogStatus
	process process
	nowMS   int64
	out     []byte
}

// info is INFO: sections by name, "default", "all" and "everything"; unknown names are passed over.
func info(c *Ctx) {
	r := infoReport{node: c.Node, table: c.Spec.Table, log: c.Node.Host.LogStatus(), process: readProcess(), nowMS: c.Node.Host.NowMS()}
	for _, section := range infoSections() {
		wanted := section.byDefault && len(c.Args) == 1
		for _, name := range c.Args[1:] {
			wanted = wanted || resp.Is(name, "ALL") || resp.Is(name, "EVERYTHING") || resp.Is(name, "DEFAULT") && section.byDefault ||
				strings.EqualFold(string(name), section.title)
		}
		if !wanted {
			continue
		}
		if len(r.out) > 0 {
			r.out = append(r.out, "\r\n"...)
		}
		r.out = append(r.out, "# "+section.title+"\r\n"...)
		section.write(&r)
	}
	c.W.Verbatim(string(r.out))
}

func (r *infoReport) text(name, value string) {
	r.out = append(append(append(append(r.out, name...), ':'), value...), "\r\n"...)
}

func (r *infoReport) line(name, format string, args ...any) {
	r.text(name, fmt.Sprintf(format, args...))
}

func (r *infoReport) number(name string, n int64) { r.text(name, strconv.FormatInt(n, 10)) }

func (r *infoReport) flag(name string, on bool) {
	if on {
		r.number(name, 1)
	} else {
		r.number(name, 0)
	}
}

// size writes a number of bytes twice, for machines and for people.
func (r *infoReport) size(name string, n int64) {
	r.number(name, n)
	r.text(name+"_human", human(n))
}

// zeros writes fields for things that do not exist here.
func (r *infoReport) zeros(names ...string) {
	for _, name := range names {
		r.number(name, 0)
	}
}

func (r *infoReport) status(name string, err error) {
	if err != nil {
		r.text(name, "err")
	} else {
		r.text(name, "ok")
	}
}

// human writes a number of bytes as Redis does: 512B, 1.20M.
func human(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 50, "P"}, {1 << 40, "T"}, {1 << 30, "G"}, {1 << 20, "M"}, {1 << 10, "K"}} {
		if n >= unit.size {
			return fmt.Sprintf("%.2f%s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}

func infoServer(r *infoReport) {
	commit, dirty := Revision()
	mode := "standalone"
	if r.node.Settings.ClusterCompat() {
		mode = "cluster"
	}
	executable, _ := os.Executable() // "" when the system does not tell
	r.text("redis_version", redisVersion)
	r.text("streamd_version", Version)
	r.text("redis_git_sha1", commit)
	r.flag("redis_git_dirty", dirty)
	r.text("redis_build_id", commit)
	r.text("redis_mode", mode)
	r.text("os", strings.TrimSpace("Linux "+strings.TrimSpace(readText("/proc/sys/kernel/osrelease"))+" "+machineName()))
	r.number("arch_bits", strconv.IntSize)
	r.text("monotonic_clock", "POSIX clock_gettime")
	r.text("multiplexing_api", "epoll")
	r.text("atomicvar_api", "sync/atomic")
	r.text("gcc_version", "0.0.0")
	r.number("process_id", int64(os.Getpid()))
	r.text("process_supervised", "no")
	r.text("run_id", r.node.RunID)
	r.number("tcp_port", int64(r.node.Settings.Port()))
	r.number("server_time_usec", r.nowMS*1000)
	up := max(r.nowMS-r.node.StartMS, 0) / 1000
	r.number("uptime_in_seconds", up)
	r.number("uptime_in_days", up/86400)
	hz, _ := r.node.Settings.Get("hz")
	r.text("hz", hz)
	r.text("configured_hz", hz)
	r.number("lru_clock", r.nowMS/1000%(1<<24))
	r.text("executable", executable)
	r.text("config_file", r.node.Settings.File())
	r.zeros("io_threads_active")
	for i, addr := range r.node.Settings.Bind() {
		r.line("listener"+strconv.Itoa(i), "name=tcp,bind=%s,port=%d", addr, r.node.Settings.Port())
	}
}

func infoClients(r *infoReport) {
	census := r.node.Clients.Census()
	keys, onNoKey := r.node.Host.BlockedKeys()
	r.number("connected_clients", int64(r.node.Clients.Count()))
	r.zeros("cluster_connections")
	r.number("maxclients", int64(r.node.Settings.MaxClients()))
	r.number("client_recent_max_input_buffer", int64(census.MaxInput))
	r.number("client_recent_max_output_buffer", int64(census.MaxOutput))
	r.number("blocked_clients", int64(census.Blocked))
	r.number("tracking_clients", int64(census.Tracking))
	r.number("pubsub_clients", int64(census.PubSub))
	r.number("watching_clients", int64(census.Watching))
	r.zeros("clients_in_timeout_table")
	r.number("total_watched_keys", int64(r.node.Watches.Keys()))
	r.number("total_blocking_keys", int64(keys))
	r.number("total_blocking_keys_on_nokey", int64(onNoKey))
}

func infoMemory(r *infoReport) {
	used, p := r.node.Host.UsedMemory(), &r.process
	peak := max(r.node.Stats.PeakMemory, used)
	dataset := r.node.Machine.SizeBytes()
	r.size("used_memory", used)
	r.size("used_memory_rss", p.resident)
	r.size("used_memory_peak", peak)
	r.line("used_memory_peak_perc", "%.2f%%", 100*share(used, peak))
	r.number("used_memory_overhead", max(used-dataset, 0))
	r.zeros("used_memory_startup")
	r.number("used_memory_dataset", dataset)
	r.line("used_memory_dataset_perc", "%.2f%%", 100*share(dataset, used))
	r.number("allocator_allocated", p.heapLive)
	r.number("allocator_active", p.heapHeld)
	r.number("allocator_resident", p.runtimeHeld)
	r.zeros("allocator_muzzy")
	r.size("total_system_memory", p.system)
	r.size("used_memory_lua", 0)
	r.zeros("used_memory_vm_eval", "used_memory_scripts_eval", "number_of_cached_scripts", "number_of_functions", "number_of_libraries",
		"used_memory_vm_functions")
	r.size("used_memory_vm_total", 0)
	r.zeros("used_memory_functions")
	r.size("used_memory_scripts", 0)
	r.size("maxmemory", r.node.Settings.MaxMemory())
	r.text("maxmemory_policy", "noeviction")
	r.line("allocator_frag_ratio", "%.2f", share(p.heapHeld, p.heapLive))
	r.number("allocator_frag_bytes", p.heapHeld-p.heapLive)
	r.line("allocator_rss_ratio", "%.2f", share(p.runtimeHeld, p.heapHeld))
	r.number("allocator_rss_bytes", p.runtimeHeld-p.heapHeld)
	r.line("rss_overhead_ratio", "%.2f", share(p.resident, p.runtimeHeld))
	r.number("rss_overhead_bytes", p.resident-p.runtimeHeld)
	r.line("mem_fragmentation_ratio", "%.2f", share(p.resident, used))
	r.number("mem_fragmentation_bytes", p.resident-used)
	r.zeros("mem_not_counted_for_evict", "mem_replication_backlog", "mem_total_replication_buffers", "mem_clients_slaves",
		"mem_clients_normal", "mem_cluster_links")
	r.number("mem_aof_buffer", r.log.BufferLength)
	r.text("mem_allocator", "go")
	r.zeros("active_defrag_running", "lazyfree_pending_objects", "lazyfreed_objects")
}

// secondsIf is how long something has been going on, -1 if it is not.
func secondsIf(busy bool, seconds int64) int64 {
	if !busy {
		return -1
	}
	return seconds
}

func infoPersistence(r *infoReport) {
	log := &r.log
	r.flag("loading", log.Loading)
	r.zeros("async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age")
	r.text("current_fork_perc", "0.00")
	r.zeros("current_save_keys_processed", "current_save_keys_total")
	r.number("rdb_changes_since_last_save", log.ChangesSince)
	r.flag("rdb_bgsave_in_progress", log.SnapshotBusy)
	r.number("rdb_last_save_time", log.LastSaveUnix)
	r.status("rdb_last_bgsave_status", log.LastSaveErr)
	r.number("rdb_last_bgsave_time_sec", log.LastSaveSecs)
	r.number("rdb_current_bgsave_time_sec", secondsIf(log.SnapshotBusy, log.SaveSecs))
	r.number("rdb_saves", log.Saves)
	r.zeros("rdb_last_cow_size", "rdb_last_load_keys_expired")
	r.number("rdb_last_load_keys_loaded", log.KeysLoaded)
	// A snapshot is also what rewrites the log: how long the last one took and whether it went well is told for both.
	r.flag("aof_enabled", log.Enabled)
	r.flag("aof_rewrite_in_progress", log.RewriteBusy)
	r.flag("aof_rewrite_scheduled", log.RewriteWaits)
	r.number("aof_last_rewrite_time_sec", log.LastSaveSecs)
	r.number("aof_current_rewrite_time_sec", secondsIf(log.RewriteBusy, log.SaveSecs))
	r.status("aof_last_bgrewrite_status", log.LastSaveErr)
	r.number("aof_rewrites", log.Rewrites)
	r.zeros("aof_rewrites_consecutive_failures")
	r.status("aof_last_write_status", log.LastWriteErr)
	r.zeros("aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size")
	if !log.Enabled {
		return
	}
	r.number("aof_current_size", log.Size)
	r.number("aof_base_size", log.BaseSize)
	r.zeros("aof_pending_rewrite")
	r.number("aof_buffer_length", log.BufferLength)
	r.flag("aof_pending_bio_fsync", log.FsyncedIndex < log.WrittenIndex)
	r.number("aof_delayed_fsync", log.DelayedFsyncs)
}

func infoStats(r *infoReport) {
	s := r.node.Stats
	r.number("total_connections_received", s.ConnectionsReceived)
	r.number("total_commands_processed", s.Commands)
	r.number("instantaneous_ops_per_sec", s.OpsPerSec())
	r.number("total_net_input_bytes", s.NetIn)
	r.number("total_net_output_bytes", s.NetOut)
	r.zeros("total_net_repl_input_bytes", "total_net_repl_output_bytes")
	r.line("instantaneous_input_kbps", "%.2f", s.InputKbps())
	r.line("instantaneous_output_kbps", "%.2f", s.OutputKbps())
	r.text("instantaneous_input_repl_kbps", "0.00")
	r.text("instantaneous_output_repl_kbps", "0.00")
	r.number("rejected_connections", s.ConnectionsRejected)
	r.zeros("sync_full", "sync_partial_ok", "sync_partial_err")
	r.number("expired_keys", s.ExpiredKeys)
	r.text("expired_stale_perc", "0.00")
	r.zeros("expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds", "evicted_keys", "evicted_clients",
		"total_eviction_exceeded_time", "current_eviction_exceeded_time")
	r.number("keyspace_hits", s.KeyspaceHits)
	r.number("keyspace_misses", s.KeyspaceMisses)
	r.number("pubsub_channels", int64(r.node.PubSub.Len(session.Channel)))
	r.number("pubsub_patterns", int64(r.node.PubSub.Len(session.Pattern)))
	r.number("pubsubshard_channels", int64(r.node.PubSub.Len(session.ShardChannel)))
	r.zeros("latest_fork_usec", "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys", "active_defrag_hits",
		"active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time",
		"current_active_defrag_time")
	r.number("tracking_total_keys", int64(r.node.Tracking.Keys()))
	r.number("tracking_total_items", r.node.Tracking.Items())
	r.number("tracking_total_prefixes", int64(r.node.Tracking.Prefixes()))
	r.zeros("unexpected_error_replies")
	r.number("total_error_replies", s.ErrorReplies)
	r.zeros("dump_payload_sanitizations")
	r.number("total_reads_processed", s.Reads)
	r.number("total_writes_processed", s.Writes)
	r.zeros("io_threaded_reads_processed", "io_threaded_writes_processed")
	r.number("client_query_buffer_limit_disconnections", s.QueryLimitClosed)
	r.number("client_output_buffer_limit_disconnections", s.OutputLimitClosed)
	r.zeros("reply_buffer_shrinks", "reply_buffer_expands")
	r.number("eventloop_cycles", s.LoopCycles)
	r.number("eventloop_duration_sum", s.LoopMicros)
	r.number("eventloop_duration_cmd_sum", s.CommandMicros)
	r.zeros("instantaneous_eventloop_cycles_per_sec", "instantaneous_eventloop_duration_usec")
	r.number("acl_access_denied_auth", s.AuthDenied)
	r.zeros("acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel")
	r.number("slowlog_commands_count", s.SlowCount)
	r.number("slowlog_commands_time_ms_sum", s.SlowMS)
	r.number("slowlog_commands_time_ms_max", s.SlowMaxMS)
}

func infoReplication(r *infoReport) {
	r.text("role", "master")
	r.zeros("connected_slaves")
	r.text("master_failover_state", "no-failover")
	r.text("master_replid", r.node.RunID)
	r.text("master_replid2", strings.Repeat("0", 40))
	r.zeros("master_repl_offset")
	r.number("second_repl_offset", -1)
	r.zeros("repl_backlog_active")
	size, _ := r.node.Settings.Get("repl-backlog-size")
	r.text("repl_backlog_size", size)
	r.zeros("repl_backlog_first_byte_offset", "repl_backlog_histlen")
}

func infoCPU(r *infoReport) {
	p := &r.process
	for _, f := range []struct {
		name   string
		micros int64
	}{
		{"used_cpu_sys", p.cpuSystem}, {"used_cpu_user", p.cpuUser}, {"used_cpu_sys_children", p.childSystem},
		{"used_cpu_user_children", p.childUser}, {"used_cpu_sys_main_thread", p.threadSystem}, {"used_cpu_user_main_thread", p.threadUser},
	} {
		r.line(f.name, "%d.%06d", f.micros/1e6, f.micros%1e6)
	}
}

func infoCommands(r *infoReport) {
	for _, s := range r.table.Specs() {
		c := r.node.Stats.Command(s.ID)
		if c.Calls == 0 && c.Rejected == 0 && c.Failed == 0 {
			continue
		}
		perCall := 0.0
		if c.Calls > 0 {
			perCall = float64(c.Nanos) / 1000 / float64(c.Calls)
		}
		r.line("cmdstat_"+s.Name, "calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d,slowlog_count=%d,slowlog_time_ms_sum=%d,slowlog_time_ms_max=%d",
			c.Calls, c.Nanos/1000, perCall, c.Rejected, c.Failed, c.SlowCount, c.SlowMS, c.SlowMaxMS)
	}
}

func infoLatency(r *infoReport) {
	for _, s := range r.table.Specs() {
		h := r.node.Stats.Command(s.ID).Latency
		if h == nil || h.Total() == 0 {
			continue
		}
		micros := func(percent float64) float64 { return float64(h.Percentile(percent)) / 1000 }
		r.line("latency_percentiles_usec_"+s.Name, "p50=%.3f,p99=%.3f,p99.9=%.3f", micros(50), micros(99), micros(99.9))
	}
}

func infoKeyspace(r *infoReport) {
	m := r.node.Machine
	for db := range m.Databases() {
		if n := m.Len(db); n > 0 {
			r.line("db"+strconv.Itoa(db), "keys=%d,expires=%d,avg_ttl=0,subexpiry=0", n, m.Volatile(db))
		}
	}
}
