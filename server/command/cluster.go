package command

import (
	"fmt"
	"net"
	"strings"

	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

// clusterRows are CLUSTER and its relatives. Without cluster-compat all of them answer that there is no cluster; with it this
// node is one that owns every slot.
func clusterRows() []Spec {
	shown := []string{"nondeterministic_output"}
	rows := []Spec{
		container("cluster", "3.0.0", "A container for Redis Cluster commands."),
		{Name: "cluster|countkeysinslot", Arity: 3, Flags: Stale, Since: "3.0.0", Args: "slot",
			Summary: "Returns the number of keys in a hash slot.", Local: clustered(clusterCountKeys)},
		{Name: "cluster|getkeysinslot", Arity: 4, Flags: Stale, Since: "3.0.0", Tips: shown, Args: "slot count",
			Summary: "Returns the key names in a hash slot.", Complexity: "O(N) where N is the number of requested keys",
			Local: clustered(clusterGetKeys)},
		{Name: "cluster|info", Arity: 2, Flags: Stale, Since: "3.0.0", Tips: shown, Summary: "Returns information about the state of a node.",
			Local: clustered(clusterInfo)},
		{Name: "cluster|keyslot", Arity: 3, Flags: Stale, Since: "3.0.0", Args: "key", Summary: "Returns the hash slot for a key.",
			Complexity: "O(N) where N is the number of bytes in the key",
			Local:      clustered(func(c *Ctx) { c.W.Int(int64(machine.Slot(c.Args[2]))) })},
		{Name: "cluster|links", Arity: 2, Flags: Stale, Since: "7.0.0", Tips: shown,
			Summary: "Returns a list of all TCP links to and from peer nodes.", Local: clustered(func(c *Ctx) { c.W.Array(0) })},
		{Name: "cluster|myid", Arity: 2, Flags: Stale, Since: "3.0.0", Summary: "Returns the ID of a node.",
			Local: clustered(func(c *Ctx) { c.W.BulkString(c.Node.RunID) })},
		{Name: "cluster|myshardid", Arity: 2, Flags: Stale, Since: "7.2.0", Tips: shown, Summary: "Returns the shard ID of a node.",
			Local: clustered(func(c *Ctx) { c.W.BulkString(c.Node.RunID) })},
		{Name: "cluster|nodes", Arity: 2, Flags: Stale, Since: "3.0.0", Tips: shown, Summary: "Returns the cluster configuration for a node.",
			Local: clustered(clusterNodes)},
		{Name: "cluster|replicas", Arity: 3, Flags: Admin | Stale, Since: "5.0.0", Tips: shown, Args: "node-id",
			Summary: "Lists the replica nodes of a master node.", Local: clustered(clusterReplicas)},
		{Name: "cluster|slaves", Arity: 3, Flags: Admin | Stale, Since: "3.0.0", Tips: shown, Args: "node-id",
			Summary: "Lists the replica nodes of a master node.", Local: clustered(clusterReplicas)},
		{Name: "cluster|shards", Arity: 2, Flags: Loading | Stale, Since: "7.0.0", Tips: shown,
			Summary: "Returns the mapping of cluster slots to shards.", Local: clustered(clusterShards)},
		{Name: "cluster|slots", Arity: 2, Flags: Loading | Stale, Since: "3.0.0", Tips: shown,
			Summary: "Returns the mapping of cluster slots to nodes.", Local: clustered(clusterSlots)},
		helpRow("cluster", "cluster", "5.0.0", 0),
		{Name: "readonly", Arity: 1, Flags: Loading | Stale | Fast, Cats: CatConnection, Since: "3.0.0",
			Summary: "Enables read-only queries for a connection to a Redis Cluster replica node.", Local: clustered(readOnly(true))},
		{Name: "readwrite", Arity: 1, Flags: Loading | Stale | Fast, Cats: CatConnection, Since: "3.0.0",
			Summary: "Enables read-write queries for a connection to a Redis Cluster replica node.", Local: clustered(readOnly(false))},
		{Name: "asking", Arity: 1, Flags: Fast, Cats: CatConnection, Since: "3.0.0",
			Summary: "Signals that a cluster client is following an -ASK redirect.", Local: clustered(func(c *Ctx) { c.W.OK() })},
	}
	rows[len(rows)-4].Local = clustered(help) // without a cluster even HELP says so
	rows = append(rows, clusterChanges()...)
	for i := range rows {
		rows[i].Group = "cluster"
		if rows[i].Complexity == "" {
			rows[i].Complexity = "O(1)"
		}
	}
	return rows
}

const errFixedCluster resp.Error = "ERR This instance is a cluster of one node, which cannot be changed"

// clusterChanges are the subcommands that change a cluster or look at other nodes. There are none to change, so all they
// do is to be known: without cluster-compat they say, as all others, that there is no cluster.
func clusterChanges() []Spec {
	change := Admin | Stale | NoAsyncLoading
	refuse := clustered(func(c *Ctx) { c.W.Error(errFixedCluster) })
	rows := []Spec{
		{Name: "cluster|addslots", Arity: -3, Flags: change, Since: "3.0.0", Args: "slot [slot ...]",
			Summary: "Assigns new hash slots to a node.", Complexity: "O(N) where N is the total number of hash slot arguments"},
		{Name: "cluster|addslotsrange", Arity: -4, Flags: change, Since: "7.0.0", Args: "start-slot end-slot [start-slot end-slot ...]",
			Summary: "Assigns new hash slot ranges to a node.", Complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments."},
		{Name: "cluster|bumpepoch", Arity: 2, Flags: change, Since: "3.0.0", Summary: "Advances the cluster config epoch."},
		{Name: "cluster|count-failure-reports", Arity: 3, Flags: Admin | Stale, Since: "3.0.0", Args: "node-id",
			Summary: "Returns the number of active failure reports active for a node.", Complexity: "O(N) where N is the number of failure reports"},
		{Name: "cluster|delslots", Arity: -3, Flags: change, Since: "3.0.0", Args: "slot [slot ...]",
			Summary: "Sets hash slots as unbound for a node.", Complexity: "O(N) where N is the total number of hash slot arguments"},
		{Name: "cluster|delslotsrange", Arity: -4, Flags: change, Since: "7.0.0", Args: "start-slot end-slot [start-slot end-slot ...]",
			Summary: "Sets hash slot ranges as unbound for a node.", Complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments."},
		{Name: "cluster|failover", Arity: -2, Flags: change, Since: "3.0.0", Args: "[FORCE | TAKEOVER]",
			Summary: "Forces a replica to perform a manual failover of its master."},
		{Name: "cluster|flushslots", Arity: 2, Flags: change, Since: "3.0.0", Summary: "Deletes all slots information from a node."},
		{Name: "cluster|forget", Arity: 3, Flags: change, Since: "3.0.0", Args: "node-id", Summary: "Removes a node from the nodes table."},
		{Name: "cluster|meet", Arity: -4, Flags: change, Since: "3.0.0", Args: "ip port [cluster-bus-port]",
			Summary: "Forces a node to handshake with another node."},
		{Name: "cluster|replicate", Arity: 3, Flags: change, Since: "3.0.0", Args: "node-id",
			Summary: "Configure a node as replica of a master node."},
		{Name: "cluster|reset", Arity: -2, Flags: Admin | NoScript | Stale, Since: "3.0.0", Args: "[HARD | SOFT]",
			Summary: "Resets a node.", Complexity: "O(N) where N is the number of known nodes."},
		{Name: "cluster|saveconfig", Arity: 2, Flags: change, Since: "3.0.0", Summary: "Forces a node to save the cluster configuration to disk."},
		{Name: "cluster|set-config-epoch", Arity: 3, Flags: change, Since: "3.0.0", Args: "config-epoch",
			Summary: "Sets the configuration epoch for a new node."},
		{Name: "cluster|setslot", Arity: -4, Flags: change, Since: "3.0.0",
			Args: "slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>", Summary: "Binds a hash slot to a node."},
	}
	for i := range rows {
		rows[i].Local = refuse
	}
	return rows
}

func clustered(answer func(c *Ctx)) func(c *Ctx) {
	return func(c *Ctx) {
		if !c.Node.Settings.ClusterCompat() {
			c.W.Error(resp.ErrNoCluster)
			return
		}
		answer(c)
	}
}

func readOnly(on bool) func(c *Ctx) {
	return func(c *Ctx) {
		c.S.ReadOnly = on
		c.W.OK()
	}
}

// announced is the address by which clients reach this node: as configured, else the one that this client used.
func announced(c *Ctx) (ip string, port int) {
	if ip = c.Node.Settings.AnnounceIP(); ip == "" && !c.S.Unix {
		if host, _, err := net.SplitHostPort(c.S.Conn.LocalAddr()); err == nil {
			ip = host
		}
	}
	return ip, c.Node.Settings.AnnouncePort()
}

func clusterInfo(c *Ctx) {
	var b strings.Builder
	for _, line := range []struct {
		name  string
		value any
	}{
		{"cluster_state", "ok"}, {"cluster_slots_assigned", machine.Slots}, {"cluster_slots_ok", machine.Slots}, {"cluster_slots_pfail", 0},
		{"cluster_slots_fail", 0}, {"cluster_known_nodes", 1}, {"cluster_size", 1}, {"cluster_current_epoch", 1}, {"cluster_my_epoch", 1},
		{"cluster_stats_messages_sent", 0}, {"cluster_stats_messages_received", 0}, {"total_cluster_links_buffer_limit_exceeded", 0},
	} {
		fmt.Fprintf(&b, "%s:%v\r\n", line.name, line.value)
	}
	c.W.Verbatim(b.String())
}

// busOffset is how far the port of the cluster bus, which nobody serves here, is from the clients' port by convention.
const busOffset = 10000

func clusterNodes(c *Ctx) {
	ip, port := announced(c)
	c.W.Verbatim(fmt.Sprintf("%s %s:%d@%d myself,master - 0 0 1 connected 0-%d\n", c.Node.RunID, ip, port, port+busOffset, machine.Slots-1))
}

func clusterSlots(c *Ctx) {
	ip, port := announced(c)
	c.W.Array(1)
	c.W.Array(3)
	c.W.Int(0)
	c.W.Int(machine.Slots - 1)
	c.W.Array(4)
	c.W.BulkString(ip)
	c.W.Int(int64(port))
	c.W.BulkString(c.Node.RunID)
	c.W.Map(0)
}

func clusterShards(c *Ctx) {
	ip, port := announced(c)
	c.W.Array(1)
	c.W.Map(2)
	c.W.BulkString("slots")
	c.W.Array(2)
	c.W.Int(0)
	c.W.Int(machine.Slots - 1)
	c.W.BulkString("nodes")
	c.W.Array(1)
	c.W.Map(7)
	c.W.BulkString("id")
	c.W.BulkString(c.Node.RunID)
	c.W.BulkString("port")
	c.W.Int(int64(port))
	for _, pair := range [][2]string{{"ip", ip}, {"endpoint", ip}, {"role", "master"}} {
		c.W.BulkString(pair[0])
		c.W.BulkString(pair[1])
	}
	c.W.BulkString("replication-offset")
	c.W.Int(0)
	c.W.BulkString("health")
	c.W.BulkString("online")
}

func clusterReplicas(c *Ctx) {
	if !strings.EqualFold(string(c.Args[2]), c.Node.RunID) {
		c.W.Error(resp.Error("ERR Unknown node " + string(cut(c.Args[2], shownBytes))))
		return
	}
	c.W.Array(0)
}

func clusterCountKeys(c *Ctx) {
	slot, ok := resp.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.W.Error(resp.ErrNotInteger)
	case slot < 0 || slot >= machine.Slots:
		c.W.Error(resp.Error("ERR Invalid slot"))
	default:
		c.W.Int(c.Node.Machine.CountKeysInSlot(int(slot)))
	}
}

func clusterGetKeys(c *Ctx) {
	slot, ok1 := resp.ParseInt(c.Args[2])
	count, ok2 := resp.ParseInt(c.Args[3])
	switch {
	case !ok1 || !ok2:
		c.W.Error(resp.ErrNotInteger)
		return
	case slot < 0 || slot >= machine.Slots || count < 0:
		c.W.Error(resp.Error("ERR Invalid slot or number of keys"))
		return
	}
	n := 0
	at := c.W.Begin()
	c.Node.Machine.KeysInSlot(int(slot), int(min(count, c.Node.Machine.Len(0))), func(key []byte) {
		n++
		c.W.Bulk(key)
	})
	c.W.End(at, n)
}
