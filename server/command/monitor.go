package command

import "github.com/streamd/streamd/resp"

const errMonitorDeny resp.Error = "ERR MONITOR isn't allowed for DENY BLOCKING client"

func monitorRow() Spec {
	return Spec{Name: "monitor", Arity: 1, Flags: Admin | NoScript | Loading | Stale, Group: "server", Since: "1.0.0",
		Summary: "Listens for all requests received by the server in real-time.", Complexity: "O(1)", Local: monitor}
}

// monitor makes the connection see every command. As in Redis, a monitor that asks again gets no reply.
func monitor(c *Ctx) {
	if c.S.Deny {
		c.W.Error(errMonitorDeny)
		return
	}
	if c.Node.Monitors.Add(c.S) {
		c.W.OK()
	}
}
