// Package bench is the load generator behind `streamd bench`: it drives any server that speaks the Redis protocol and checks every
// reply, so that a figure is never that of a server which lost, repeated or changed an entry.
//
//	Spec ─▶ load (xadd, xrange, …) ─▶ a script for each connection ─┐
//	                                                                ▼
//	Target ◀── sockets ◀── engine: epoll, one thread ◀─▶ meter (window, histogram, CPU of both sides) ─▶ Result
//	Compare: the same Spec on several Targets in turn, in rounds ─▶ Comparison
//
//	Suite: Rows ─▶ Host starts servers, the same durability for all ─▶ Compare's rounds ─▶ bars judged ─▶ Report, Markdown
//	Scale: a world a hundred times as large ─▶ CPU of each operation on a server of ours ─▶ ScaleReport
//
// A run belongs to the goroutine that called Run, which is locked to its thread while the engine works; nothing is shared between
// runs and nothing is locked. Only a Host's list of servers and the last words of each have locks: a signal may end them. The
// generator has to cost less than the server it loads: requests are encoded before the run, replies are checked where they were read.
package bench
