// Package integration holds the tests that see streamd as its users do: as a process with a socket.
//
//	transcript_test.go   dialogues in testdata/transcripts, in memory, over a socket, with a kill -9 between any two lines, and
//	                     against a real Redis for what that Redis has
//	differential_test.go generated sessions against a real Redis
//	crash_test.go        kill -9 under load: crash_load_test.go the clients, crash_check_test.go what must hold;
//	                     crash_state_test.go the whole state over each kind of restart
//	fault_test.go        failing disks, damage, foreign and newer directories, orderly stops
//	indoubt_test.go      servers on files that fail on request; clock_test.go on a clock that is set
//	client*_test.go      go-redis; tools_test.go redis-cli, redis-benchmark, python and node clients
//	hostile_test.go      clients that mean harm; hostile_text_test.go by what they say
//	soak_test.go         1,000 idle and 50 busy clients: -soak 10m
//
// Tests that need a tool (redis-server, redis-cli, python3 with redis, node) skip when it is missing, but fail when CI is set.
package integration
