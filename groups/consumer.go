package groups

import "github.com/streamd/streamd/stream"

// Consumer is one consumer of a group. SeenMS and ActiveMS may be set by whoever may change the group. See the package
// comment for how long a pointer to it is valid.
type Consumer struct {
	SeenMS   int64 // last attempt
	ActiveMS int64 // last successful delivery or claim, -1 never

	name    []byte // never changes; shared by copies
	number  uint32 // index in Group.table, at least 1
	pending int64
	low     stream.ID // it owns nothing below; meaningful while pending > 0
}

// gain counts the pending entry id, which becomes the consumer's.
func (c *Consumer) gain(id stream.ID) {
	if c.pending == 0 || id.Less(c.low) {
		c.low = id
	}
	c.pending++
}

// consumerOverheadBytes estimates a consumer without its name.
const consumerOverheadBytes = 112

// Name returns the name; the caller must not change it.
func (c *Consumer) Name() []byte { return c.name }

// Pending returns the number of pending entries the consumer owns.
func (c *Consumer) Pending() int64 { return c.pending }

// NumConsumers returns the number of consumers.
func (g *Group) NumConsumers() int { return g.names.Len() }

// Consumer returns the consumer of that name, or nil.
func (g *Group) Consumer(name []byte) *Consumer {
	number, ok := g.names.Get(text(name))
	if !ok {
		return nil
	}
	return g.table[number]
}

// AddConsumer adds a consumer seen at nowMS and never active; the caller has checked that the name is free.
func (g *Group) AddConsumer(name []byte, nowMS int64) *Consumer {
	g.mustOwn()
	c := &Consumer{SeenMS: nowMS, ActiveMS: -1, name: append([]byte{}, name...)}
	if n := len(g.vacant); n > 0 {
		c.number, g.vacant = g.vacant[n-1], g.vacant[:n-1]
		g.table[c.number] = c
	} else {
		if len(g.table) == 0 {
			g.table = append(g.table, nil)
		}
		c.number = uint32(len(g.table))
		g.table = append(g.table, c)
	}
	if _, replaced := g.names.Set(text(c.name), c.number); replaced {
		panic("groups: a consumer was added twice")
	}
	g.charge(consumerOverheadBytes + int64(len(name)))
	return c
}

// DeleteConsumer removes a consumer and its pending entries; NACKed entries have no owner and stay. It returns how many
// pending entries went with it and whether it existed.
func (g *Group) DeleteConsumer(name []byte) (pending int64, existed bool) {
	g.mustOwn()
	c := g.Consumer(name)
	if c == nil {
		return 0, false
	}
	pending = c.pending
	g.dropOwned(c)
	g.names.Delete(text(name))
	g.table[c.number] = nil
	g.vacant = append(g.vacant, c.number)
	g.charge(-consumerOverheadBytes - int64(len(name)))
	return pending, true
}

// Ascend calls visit for each consumer in bytewise order of the names until it returns false. Consumers must not be added
// or deleted during the walk.
func (g *Group) Ascend(visit func(*Consumer) bool) {
	g.names.Scan(func(_ string, number uint32) bool { return visit(g.table[number]) })
}
