package command

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/session"
)

// pubsubRows are the commands that publish and subscribe. Channels of S… commands are sharded: in a cluster they live where
// their slot does.
func pubsubRows() []Spec {
	listen := PubSub | NoScript | Loading | Stale
	publishing := PubSub | Loading | Stale | Fast
	report := PubSub | Loading | Stale
	perName := "O(N) where N is the number of channels to "
	slots := func(last int) []KeySpec { return []KeySpec{{Index: 1, Last: last, Step: 1, Flags: KeyNotKey}} }
	rows := []Spec{
		{Name: "subscribe", Arity: -2, Flags: listen, Since: "2.0.0", Args: "channel [channel ...]",
			Summary: "Listens for messages published to channels.", Complexity: perName + "subscribe to.",
			Local: subscriber(session.Channel, "subscribe")},
		{Name: "unsubscribe", Arity: -1, Flags: listen, Since: "2.0.0", Args: "[channel [channel ...]]",
			Summary: "Stops listening to messages posted to channels.", Complexity: perName + "unsubscribe.",
			Local: unsubscriber(session.Channel, "unsubscribe")},
		{Name: "psubscribe", Arity: -2, Flags: listen, Since: "2.0.0", Args: "pattern [pattern ...]",
			Summary: "Listens for messages published to channels that match one or more patterns.", Complexity: "O(N) where N is the number of patterns to subscribe to.",
			Local: subscriber(session.Pattern, "psubscribe")},
		{Name: "punsubscribe", Arity: -1, Flags: listen, Since: "2.0.0", Args: "[pattern [pattern ...]]",
			Summary: "Stops listening to messages published to channels that match one or more patterns.", Complexity: "O(N) where N is the number of patterns to unsubscribe.",
			Local: unsubscriber(session.Pattern, "punsubscribe")},
		{Name: "ssubscribe", Arity: -2, Flags: listen, Since: "7.0.0", Args: "shardchannel [shardchannel ...]", Keys: slots(-1),
			Summary: "Listens for messages published to shard channels.", Complexity: perName + "subscribe to.",
			Local: subscriber(session.ShardChannel, "ssubscribe")},
		{Name: "sunsubscribe", Arity: -1, Flags: listen, Since: "7.0.0", Args: "[shardchannel [shardchannel ...]]", Keys: slots(-1),
			Summary: "Stops listening to messages posted to shard channels.", Complexity: perName + "unsubscribe.",
			Local: unsubscriber(session.ShardChannel, "sunsubscribe")},
		{Name: "publish", Arity: 3, Flags: publishing, Since: "2.0.0", Args: "channel message",
			Summary: "Posts a message to a channel.", Complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
			Local: func(c *Ctx) { c.W.Int(int64(c.Node.PubSub.Publish(c.Args[1], c.Args[2]))) }},
		{Name: "spublish", Arity: 3, Flags: publishing, Since: "7.0.0", Args: "shardchannel message", Keys: slots(0),
			Summary: "Post a message to a shard channel", Complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
			Local: func(c *Ctx) { c.W.Int(int64(c.Node.PubSub.PublishShard(c.Args[1], c.Args[2]))) }},
		{Name: "pubsub", Arity: -2, Since: "2.8.0", Container: true,
			Summary: "A container for Pub/Sub commands.", Complexity: "Depends on subcommand."},
		{Name: "pubsub|channels", Arity: -2, Flags: report, Since: "2.8.0", Args: "[pattern]",
			Summary: "Returns the active channels.", Complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
			Local: activeChannels(session.Channel)},
		{Name: "pubsub|numpat", Arity: 2, Flags: report, Since: "2.8.0",
			Summary: "Returns a count of unique pattern subscriptions.", Complexity: "O(1)",
			Local: func(c *Ctx) { c.W.Int(int64(c.Node.PubSub.Len(session.Pattern))) }},
		{Name: "pubsub|numsub", Arity: -2, Flags: report, Since: "2.8.0", Args: "[channel [channel ...]]",
			Summary: "Returns a count of subscribers to channels.", Complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
			Local: countSubscribers(session.Channel)},
		{Name: "pubsub|shardchannels", Arity: -2, Flags: report, Since: "7.0.0", Args: "[pattern]",
			Summary: "Returns the active shard channels.", Complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).",
			Local: activeChannels(session.ShardChannel)},
		{Name: "pubsub|shardnumsub", Arity: -2, Flags: report, Since: "7.0.0", Args: "[shardchannel [shardchannel ...]]",
			Summary: "Returns the count of subscribers of shard channels.", Complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
			Local: countSubscribers(session.ShardChannel)},
		helpRow("pubsub", "pubsub", "6.2.0", 0),
	}
	for i := range rows {
		rows[i].Group = "pubsub"
	}
	return rows
}

// subscriber makes a command that subscribes to each argument, with a confirmation for each.
func subscriber(kind session.Kind, verb string) func(*Ctx) {
	return func(c *Ctx) {
		for _, name := range c.Args[1:] {
			c.Node.PubSub.Subscribe(c.S, kind, name)
			confirm(c, kind, verb, name)
		}
	}
}

// unsubscriber makes a command that ends the subscriptions named, or all of its kind.
func unsubscriber(kind session.Kind, verb string) func(*Ctx) {
	return func(c *Ctx) {
		names := c.Args[1:]
		if len(names) == 0 {
			names = nil // not to append to the arguments
			for _, name := range c.S.Subs.Names(kind) {
				names = append(names, []byte(name))
			}
			if len(names) == 0 {
				confirm(c, kind, verb, nil)
			}
		}
		for _, name := range names {
			c.Node.PubSub.Unsubscribe(c.S, kind, name)
			confirm(c, kind, verb, name)
		}
	}
}

// confirm tells the client how many subscriptions it has now; name nil stands for none. Confirmations are pushes, so CLIENT
// REPLY OFF does not hold them back.
func confirm(c *Ctx, kind session.Kind, verb string, name []byte) {
	start := c.W.Len()
	c.W.Push(3)
	c.W.BulkString(verb)
	if name == nil {
		c.W.Null()
	} else {
		c.W.Bulk(name)
	}
	c.W.Int(int64(c.S.Subs.Shown(kind)))
	if c.S.ReplyOff {
		c.Node.PubSub.Confirm(c.S, c.W.Buf[start:])
		c.W.Rewind(start)
	}
}

func activeChannels(kind session.Kind) func(*Ctx) {
	return func(c *Ctx) {
		var pattern []byte
		switch len(c.Args) {
		case 2:
		case 3:
			pattern = c.Args[2]
		default:
			c.W.Error(badSubcommand(c.Args))
			return
		}
		writeNames(c.W, c.Node.PubSub.Names(kind, pattern))
	}
}

func countSubscribers(kind session.Kind) func(*Ctx) {
	return func(c *Ctx) {
		c.W.Array(2 * (len(c.Args) - 2))
		for _, name := range c.Args[2:] {
			c.W.Bulk(name)
			c.W.Int(int64(c.Node.PubSub.Subscribers(kind, name)))
		}
	}
}

func writeNames(w *resp.Writer, names []string) {
	w.Array(len(names))
	for _, name := range names {
		w.BulkString(name)
	}
}
