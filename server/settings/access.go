package settings

import (
	"strconv"
	"strings"

	"github.com/streamd/streamd/resp"
)

// Fsync policies, as AppendFsync returns them.
const (
	FsyncEverySec = iota
	FsyncAlways
	FsyncNo
)

// logLevels are in the order of severity.
func logLevels() []string { return []string{"debug", "verbose", "notice", "warning", "nothing"} }

// text returns a value that is only read under the node's lock.
func (s *Settings) text(name string) string { return s.values[s.index[name]] }

// Bind returns the addresses to listen on, as written.
func (s *Settings) Bind() []string { return strings.Fields(s.text("bind")) }

// UnixSocket returns the path of the unix socket, "" for none.
func (s *Settings) UnixSocket() string { return s.text("unixsocket") }

// UnixSocketPerm returns the socket's file mode, 0 to leave it alone.
func (s *Settings) UnixSocketPerm() uint32 {
	n, _ := strconv.ParseUint(s.text("unixsocketperm"), 8, 32)
	return uint32(n)
}

// TCPBacklog returns the length of the accept queue.
func (s *Settings) TCPBacklog() int {
	n, _ := strconv.Atoi(s.text("tcp-backlog"))
	return n
}

// Dir returns the data directory.
func (s *Settings) Dir() string { return s.text("dir") }

// LogFile returns the file to log to, "" for standard error.
func (s *Settings) LogFile() string { return s.text("logfile") }

// AnnounceIP returns the address that cluster-compat announces, "" when unknown.
func (s *Settings) AnnounceIP() string { return s.text("cluster-announce-ip") }

// The accessors below may be called without the node's lock.

// LogLevel returns debug, verbose, notice, warning or nothing.
func (s *Settings) LogLevel() string { return logLevels()[s.logLevel.Load()] }

// Port returns the TCP port, 0 for none.
func (s *Settings) Port() int { return int(s.port.Load()) }

// AnnouncePort returns the port that cluster-compat announces.
func (s *Settings) AnnouncePort() int {
	if n := s.announcePort.Load(); n != 0 {
		return int(n)
	}
	return s.Port()
}

// TCPKeepAlive returns seconds, 0 for off.
func (s *Settings) TCPKeepAlive() int { return int(s.tcpKeepAlive.Load()) }

// Timeout returns the seconds after which an idle client is closed, 0 for never.
func (s *Settings) Timeout() int64 { return s.timeout.Load() }

// MaxClients returns the most connections.
func (s *Settings) MaxClients() int { return int(s.maxClients.Load()) }

// ProtectedMode tells whether remote clients need a password to be set.
func (s *Settings) ProtectedMode() bool { return s.protectedMode.Load() != 0 }

// RequirePass returns the password of the default user, "" for none.
func (s *Settings) RequirePass() string { return *s.pass.Load() }

// AppendOnly tells whether changes are logged.
func (s *Settings) AppendOnly() bool { return s.appendOnly.Load() != 0 }

// AppendFsync returns the sync policy.
func (s *Settings) AppendFsync() int { return int(s.appendFsync.Load()) }

// AutoRewrite returns when the log is rewritten by itself: percent of growth (0 never) and least size in bytes.
func (s *Settings) AutoRewrite() (percentage, minSize int64) {
	return s.rewritePercentage.Load(), s.rewriteMinSize.Load()
}

// SavePoints returns when a snapshot is due.
func (s *Settings) SavePoints() []SavePoint { return *s.saves.Load() }

// Databases returns the number of databases.
func (s *Settings) Databases() int { return int(s.databases.Load()) }

// ShutdownTimeout returns seconds.
func (s *Settings) ShutdownTimeout() int64 { return s.shutdownTimeout.Load() }

// MaxMemory returns bytes, 0 for no limit.
func (s *Settings) MaxMemory() int64 { return s.maxMemory.Load() }

// QueryBufferLimit returns the bytes of input at which a client is closed.
func (s *Settings) QueryBufferLimit() int64 { return s.queryBufferLimit.Load() }

// SlowlogMicros returns the microseconds from which a command is slow, -1 for never.
func (s *Settings) SlowlogMicros() int64 { return s.slowlogMicros.Load() }

// SlowlogMaxLen returns how many slow commands are remembered.
func (s *Settings) SlowlogMaxLen() int { return int(min(s.slowlogMaxLen.Load(), maxInt)) }

// SlowlogMaxArgc returns how many arguments of a slow command are remembered.
func (s *Settings) SlowlogMaxArgc() int { return int(s.slowlogMaxArgc.Load()) }

// LatencyMillis returns the milliseconds from which an event is remembered, 0 for never.
func (s *Settings) LatencyMillis() int64 { return s.latencyMillis.Load() }

// LatencyTracking tells whether histograms are kept.
func (s *Settings) LatencyTracking() bool { return s.latencyTracking.Load() != 0 }

// ClusterCompat tells whether the server announces itself as a cluster of one node.
func (s *Settings) ClusterCompat() bool { return s.clusterCompat.Load() != 0 }

// DebugAllowed tells whether a client, local or not, may use DEBUG.
func (s *Settings) DebugAllowed(local bool) bool {
	n := s.debugCommand.Load() // no, yes, local
	return n == 1 || n == 2 && local
}

// MachineParams returns the settings that are part of the logged state, in the order of machine.SetParams.
func (s *Settings) MachineParams() [4]int64 {
	return [4]int64{s.nodeMaxBytes.Load(), s.nodeMaxEntries.Load(), s.idmpDuration.Load(), s.idmpMaxSize.Load()}
}

// MachineParam tells whether a setting is one of MachineParams.
func MachineParam(name string) bool { return strings.HasPrefix(name, "stream-") }

// Limits returns the limits on one request.
func (s *Settings) Limits(authenticated bool) *resp.Limits {
	both := s.limits.Load()
	if authenticated {
		return &both[1]
	}
	return &both[0]
}

// MaxBulk returns the longest argument in bytes (proto-max-bulk-len).
func (s *Settings) MaxBulk() int64 { return s.limits.Load()[1].MaxBulk }

// unauthenticatedOutput bounds the replies that wait for a client that has not logged in (CVE-2025-21605).
const unauthenticatedOutput = 64 << 10

// OutputOver tells whether size bytes of waiting output are more than the hard limit of a client's class allows, and names
// what was exceeded.
func (s *Settings) OutputOver(class string, authenticated bool, size int) (name string, over bool) {
	if !authenticated && size > unauthenticatedOutput {
		return "unauthenticated", true
	}
	limit := s.OutputLimit(class)
	return class, limit.Hard > 0 && int64(size) > limit.Hard
}

// OutputLimit returns the limits of a class of clients (normal, replica or slave, pubsub).
func (s *Settings) OutputLimit(class string) OutputLimit {
	return s.outputs.Load()[max(outputClass(class), 0)]
}

// Notify tells whether keyspace events of a class, a letter of notify-keyspace-events, are published; 'K' and 'E' stand for
// the two channels.
func (s *Settings) Notify(class byte) bool { return s.events.Load()[class] }
