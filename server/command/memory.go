package command

import (
	"fmt"
	"runtime/debug"
)

func memoryRows() []Spec {
	shown := []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}
	return []Spec{
		container("memory", "4.0.0", "A container for memory diagnostics commands."),
		{Name: "memory|doctor", Arity: 2, Since: "4.0.0", Tips: shown, Summary: "Outputs a memory problems report.", Local: memoryDoctor},
		{Name: "memory|malloc-stats", Arity: 2, Since: "4.0.0", Tips: shown, Summary: "Returns the allocator statistics.",
			Complexity: "Depends on how much memory is allocated, could be slow", Local: memoryAllocator},
		{Name: "memory|purge", Arity: 2, Since: "4.0.0", Tips: []string{"request_policy:all_shards", "response_policy:all_succeeded"},
			Summary: "Asks the allocator to release memory.", Complexity: "Depends on how much memory is allocated, could be slow",
			Local: memoryPurge},
		{Name: "memory|stats", Arity: 2, Since: "4.0.0", Tips: shown, Summary: "Returns details about memory usage.", Local: memoryStats},
		helpRow("memory", "server", "4.0.0", 0),
	}
}

// smallDataset is the size below which memory is no topic.
const smallDataset = 5 << 20

func memoryDoctor(c *Ctx) {
	used, limit := c.Node.Host.UsedMemory(), c.Node.Settings.MaxMemory()
	p := readProcess()
	text := "No memory issues were detected.\n"
	switch {
	case used < smallDataset:
		text = "The data set is empty or very small; there is nothing to diagnose yet.\n"
	case limit > 0 && used > limit/10*9:
		text = fmt.Sprintf("Memory in use is %s of maxmemory %s: commands that need more are refused beyond it. Trim streams or raise maxmemory.\n",
			human(used), human(limit))
	case p.system > 0 && p.resident > p.system/10*8:
		text = fmt.Sprintf("The process takes %s of the machine's %s: the system may end it.\n", human(p.resident), human(p.system))
	case p.heapHeld > 2*p.heapLive:
		text = fmt.Sprintf("The heap holds %s for %s of data, probably after a large deletion. MEMORY PURGE gives memory back.\n",
			human(p.heapHeld), human(p.heapLive))
	}
	c.W.Verbatim(text)
}

func memoryAllocator(c *Ctx) {
	p := readProcess()
	c.W.Verbatim(fmt.Sprintf("Go runtime\nobjects: %d\nspans: %d\nruntime: %d\nresident: %d\n", p.heapLive, p.heapHeld, p.runtimeHeld, p.resident))
}

func memoryPurge(c *Ctx) {
	debug.FreeOSMemory()
	c.W.OK()
}

// share is part of whole, 0 when there is no whole.
func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func memoryStats(c *Ctx) {
	p, used := readProcess(), c.Node.Host.UsedMemory()
	peak := max(c.Node.Stats.PeakMemory, used)
	keys := int64(0)
	for db := range c.Node.Machine.Databases() {
		keys += c.Node.Machine.Len(db)
	}
	dataset := c.Node.Machine.SizeBytes()
	perKey := int64(0)
	if keys > 0 {
		perKey = dataset / keys
	}
	n := 0
	at := c.W.Begin()
	number := func(name string, value int64) {
		n++
		c.W.BulkString(name)
		c.W.Int(value)
	}
	double := func(name string, value float64) {
		n++
		c.W.BulkString(name)
		c.W.Double(value)
	}
	number("peak.allocated", peak)
	number("total.allocated", used)
	for _, name := range []string{"startup.allocated", "replication.backlog", "clients.slaves", "clients.normal", "cluster.links"} {
		number(name, 0)
	}
	number("aof.buffer", c.Node.Host.LogStatus().BufferLength)
	number("lua.caches", 0)
	number("functions.caches", 0)
	for db := range c.Node.Machine.Databases() {
		if c.Node.Machine.Len(db) == 0 {
			continue
		}
		n++
		c.W.BulkString(fmt.Sprintf("db.%d", db))
		c.W.Map(2)
		c.W.BulkString("overhead.hashtable.main")
		c.W.Int(0)
		c.W.BulkString("overhead.hashtable.expires")
		c.W.Int(0)
	}
	number("overhead.db.hashtable.lut", 0)
	number("overhead.db.hashtable.rehashing", 0)
	number("overhead.total", max(used-dataset, 0))
	number("db.dict.rehashing.count", 0)
	number("keys.count", keys)
	number("keys.bytes-per-key", perKey)
	number("dataset.bytes", dataset)
	double("dataset.percentage", 100*share(dataset, used))
	double("peak.percentage", 100*share(used, peak))
	number("allocator.allocated", p.heapLive)
	number("allocator.active", p.heapHeld)
	number("allocator.resident", p.runtimeHeld)
	number("allocator.muzzy", 0)
	double("allocator-fragmentation.ratio", share(p.heapHeld, p.heapLive))
	number("allocator-fragmentation.bytes", p.heapHeld-p.heapLive)
	double("allocator-rss.ratio", share(p.runtimeHeld, p.heapHeld))
	number("allocator-rss.bytes", p.runtimeHeld-p.heapHeld)
	double("rss-overhead.ratio", share(p.resident, p.runtimeHeld))
	number("rss-overhead.bytes", p.resident-p.runtimeHeld)
	double("fragmentation", share(p.resident, used))
	number("fragmentation.bytes", p.resident-used)
	c.W.EndMap(at, n)
}
