// Command streamd is the server: it reads the configuration, opens the data directory and serves until a signal or SHUTDOWN
// stops it. Its subcommands look at a data directory that no server has open.
//
// Exit codes: 0 after a clean stop; 1 when serving failed, or when check found damage; 2 when nothing was begun because of
// arguments or configuration.
package main
