// Package server puts the parts together: it opens the data directory, loads the machine, starts the loops and listens.
//
// Goroutines of a running server:
//
//	loop.Loop.run    one for each loop: sockets, commands, the log's writes
//	aof.Local.run    one: syncs that no loop does itself
//	aof              one at a time: prepares the next segment file
//	shard.runSave    one while a snapshot is written
//	Serve's caller   waits for the end
package server
