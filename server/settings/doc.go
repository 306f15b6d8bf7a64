// Package settings owns the configuration: one table of every directive (table.go), read from a file in redis.conf syntax,
// then the environment, then flags, and changed by CONFIG SET.
//
//	defaults ─▶ FILE.conf ─▶ STREAMD_* ─▶ --flags ─▶ Settings ◀─▶ CONFIG GET, SET, REWRITE
//
// The node's lock guards Settings. What the event loop and the log read without that lock is kept in atomics besides: the
// accessors that take one word (Port, MaxMemory, …), Limits and OutputOver.
package settings
