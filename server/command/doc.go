// Package command owns the command table: what commands exist, how many arguments they take, which keys they touch, what
// clients and ACL rules may know about them, and how their arguments are read.
//
//	args ──Table.Find──▶ Spec ──Parse──▶ machine.Op      pure: no clock, no state
//	                       ├───Local──▶ reply              connection's and node's own state
//	                       └───Step───▶ the shard          MULTI, EXEC, WAIT …
//
// Everything about a command is written once, in its row: lookup and arity errors, COMMAND and its relatives, HELP, ACL
// categories, key extraction and docs/commands.md are derived from it.
//
// A Table never changes after NewTable and may be used from anywhere. Parse functions touch only their arguments; Local
// functions run under the lock that guards session.Node.
package command
