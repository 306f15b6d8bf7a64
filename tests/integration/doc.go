// Package integration holds the tests that see streamd as its users do: as a process with a socket.
//
//	transcript_test.go   dialogues in testdata/transcripts, in memory, over a socket, with a kill -9 between any two lines, and
//	                     against a real Redis for what that Redis has
//	differential_test.go generated sessions against a real Redis
//	crash_test.go        kill -9 under load
//	client*_test.go      go-redis; tools_test.go redis-cli, redis-benchmark, python and node clients
//	hostile_test.go      clients that mean harm
//
// Tests that need a tool (redis-server, redis-cli, python3 with redis, node) skip when it is missing, but fail when CI is set.
package integration
