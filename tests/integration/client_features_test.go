package integration

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestGoRedisTransactions(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		var added *redis.StringCmd
		var length, count *redis.IntCmd
		cmds, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			added = p.XAdd(ctx, &redis.XAddArgs{Stream: "s", Values: []string{"a", "b"}})
			length = p.XLen(ctx, "s")
			count = p.Incr(ctx, "n")
			return nil
		})
		equal(t, "EXEC", joined(len(cmds), err, strings.Contains(added.Val(), "-"), length.Val(), count.Val()), "3 <nil> true 1 1")

		// An error at run time leaves the others in force.
		_, err = c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Incr(ctx, "s")
			count = p.Incr(ctx, "n")
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE ") || count.Val() != 2 {
			t.Errorf("EXEC with a wrong type: %v, n = %d", err, count.Val())
		}
		// One in the grammar lets nothing happen.
		_, err = c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Incr(ctx, "n")
			p.Do(ctx, "XADD", "s")
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "wrong number of arguments") && !strings.HasPrefix(err.Error(), "EXECABORT") {
			t.Errorf("EXEC with a command that is none: %v", err)
		}
		equal(t, "n", must[string](t)(c.Get(ctx, "n").Result()), "2")

		// WATCH: the first attempt meets another writer, the second succeeds.
		attempts := 0
		increment := func(tx *redis.Tx) error {
			attempts++
			n := must[int](t)(tx.Get(ctx, "n").Int())
			if attempts == 1 {
				must[string](t)(c.Set(ctx, "n", 40, 0).Result())
			}
			_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.Set(ctx, "n", n+2, 0)
				return nil
			})
			return err
		}
		equal(t, "WATCH", c.Watch(ctx, increment, "n"), error(redis.TxFailedErr))
		equal(t, "WATCH again", c.Watch(ctx, increment, "n"), error(nil))
		equal(t, "n", must[string](t)(c.Get(ctx, "n").Result()), "42")
	})
}

func TestGoRedisPipelines(t *testing.T) {
	const n = 5000
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		value := strings.Repeat("v", 200)
		cmds := must[[]redis.Cmder](t)(c.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := range n {
				p.XAdd(ctx, &redis.XAddArgs{Stream: "s", ID: fmt.Sprintf("%d-1", i), Values: []any{"n", i, "v", value}})
				p.Incr(ctx, "n")
				p.Get(ctx, "n")
			}
			return nil
		}))
		for i := range n {
			equal(t, "XADD", cmds[3*i].(*redis.StringCmd).Val(), fmt.Sprintf("%d-1", i))
			equal(t, "INCR", cmds[3*i+1].(*redis.IntCmd).Val(), int64(i+1))
			equal(t, "GET", cmds[3*i+2].(*redis.StringCmd).Val(), strconv.Itoa(i+1))
			if t.Failed() {
				return
			}
		}
		// Errors stay in their places.
		cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
			for range n {
				p.XLen(ctx, "s")
				p.XLen(ctx, "n")
			}
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE ") {
			t.Fatalf("the pipeline's first error: %v", err)
		}
		for i := range n {
			if cmds[2*i].Err() != nil || cmds[2*i].(*redis.IntCmd).Val() != n || cmds[2*i+1].Err() == nil {
				t.Fatalf("replies %d: %v, %v", i, cmds[2*i], cmds[2*i+1])
			}
		}
		all := must[[]redis.XMessage](t)(c.XRange(ctx, "s", "-", "+").Result())
		if len(all) != n || all[n-1].Values["v"] != value {
			t.Fatalf("XRANGE of all: %d entries", len(all))
		}
	})
}

func TestGoRedisPubSub(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		equal(t, "CONFIG SET", must[string](t)(c.ConfigSet(ctx, "notify-keyspace-events", "KEA").Result()), "OK")
		events := c.PSubscribe(ctx, "__key*@0__:*")
		channels := c.Subscribe(ctx, "a", "b")
		shard := c.SSubscribe(ctx, "shard")
		receive := func(from *redis.PubSub) string {
			t.Helper()
			switch m := must[any](t)(from.ReceiveTimeout(ctx, replyTimeout)).(type) {
			case *redis.Subscription:
				return joined(m.Kind, m.Channel, m.Count)
			case *redis.Message:
				return joined(m.Channel, m.Payload)
			case *redis.Pong:
				return joined("pong", m.Payload)
			default:
				return fmt.Sprintf("%T", m)
			}
		}
		equal(t, "confirmation", receive(events), "psubscribe __key*@0__:* 1")
		equal(t, "confirmation", receive(channels), "subscribe a 1")
		equal(t, "confirmation", receive(channels), "subscribe b 2")
		equal(t, "confirmation", receive(shard), "ssubscribe shard 1")
		equal(t, "PUBLISH", must[int64](t)(c.Publish(ctx, "a", "hello").Result()), 1)
		equal(t, "PUBLISH to none", must[int64](t)(c.Publish(ctx, "c", "hello").Result()), 0)
		equal(t, "SPUBLISH", must[int64](t)(c.SPublish(ctx, "shard", "there").Result()), 1)
		equal(t, "message", receive(channels), "a hello")
		equal(t, "message", receive(shard), "shard there")
		equal(t, "PUBSUB NUMSUB", fmt.Sprint(must[map[string]int64](t)(c.PubSubNumSub(ctx, "a", "c").Result())), "map[a:1 c:0]")
		equal(t, "PING", channels.Ping(ctx, "x"), error(nil))
		equal(t, "PING", receive(channels), "pong x")
		equal(t, "UNSUBSCRIBE", channels.Unsubscribe(ctx, "a"), error(nil))
		equal(t, "UNSUBSCRIBE", receive(channels), "unsubscribe a 1")

		addEntries(t, c, "s", 1)
		must[string](t)(c.XGroupCreate(ctx, "s", "g", "0").Result())
		must[int64](t)(c.XDel(ctx, "s", "1-0").Result())
		must[string](t)(c.Set(ctx, "k", "v", time.Millisecond).Result())
		for _, event := range [][2]string{{"xadd", "s"}, {"xgroup-create", "s"}, {"xdel", "s"}, {"set", "k"}, {"expire", "k"}, {"expired", "k"}} {
			equal(t, "event", receive(events), fmt.Sprintf("__keyspace@0__:%s %s", event[1], event[0]))
			equal(t, "event", receive(events), fmt.Sprintf("__keyevent@0__:%s %s", event[0], event[1]))
		}
		for _, sub := range []*redis.PubSub{events, channels, shard} {
			equal(t, "Close", sub.Close(), error(nil))
		}
	})
}

func TestGoRedisScanAndLocks(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		want := []string{"stream"}
		addEntries(t, c, "stream", 1)
		pairs := make([]any, 0, 2000)
		for i := range 1000 {
			want = append(want, fmt.Sprintf("key:%d", i))
			pairs = append(pairs, want[i+1], i)
		}
		must[string](t)(c.MSet(ctx, pairs...).Result())
		all := func(it *redis.ScanIterator) (keys []string) {
			for it.Next(ctx) {
				keys = append(keys, it.Val())
			}
			equal(t, "SCAN", it.Err(), error(nil))
			slices.Sort(keys)
			return keys
		}
		slices.Sort(want)
		if got := all(c.Scan(ctx, 0, "", 7).Iterator()); !slices.Equal(got, want) {
			t.Errorf("SCAN: got %d keys, want %d", len(got), len(want))
		}
		equal(t, "SCAN MATCH", len(all(c.Scan(ctx, 0, "key:9*", 100).Iterator())), 111)
		equal(t, "SCAN TYPE", fmt.Sprint(all(c.ScanType(ctx, 0, "", 100, "stream").Iterator())), "[stream]")

		lock := must[bool]
		equal(t, "first", lock(t)(c.SetNX(ctx, "lock", "alice", time.Hour).Result()), true)
		equal(t, "second", lock(t)(c.SetNX(ctx, "lock", "bob", time.Hour).Result()), false)
		if ttl := must[time.Duration](t)(c.TTL(ctx, "lock").Result()); ttl <= 0 || ttl > time.Hour {
			t.Errorf("TTL: got %v", ttl)
		}
		old, err := c.SetArgs(ctx, "lock", "bob", redis.SetArgs{Mode: "XX", Get: true, KeepTTL: true}).Result()
		equal(t, "SET XX GET", joined(old, err), "alice <nil>")
		equal(t, "DEL", must[int64](t)(c.Del(ctx, "lock").Result()), 1)
		equal(t, "third", lock(t)(c.SetNX(ctx, "lock", "carol", 5*time.Millisecond).Result()), true)
		within(t, "the lock expires", func() bool { return lock(t)(c.SetNX(ctx, "lock", "dave", 0).Result()) })
	})
}

func TestGoRedisAuth(t *testing.T) {
	p := startStreamd(t, binary, "--requirepass", "secret")
	for _, protocol := range []int{2, 3} {
		for _, test := range []struct{ user, password, want string }{
			{"", "secret", "<nil>"},
			{"default", "secret", "<nil>"},
			{"", "", "NOAUTH "},
			{"", "wrong", "WRONGPASS "},
			{"nobody", "secret", "WRONGPASS "},
		} {
			c := p.goRedis(protocol, func(o *redis.Options) { o.Username, o.Password = test.user, test.password })
			if err := c.Ping(t.Context()).Err(); !strings.HasPrefix(fmt.Sprint(err), test.want) {
				t.Errorf("RESP%d %q %q: got %v, want %s", protocol, test.user, test.password, err, test.want)
			}
		}
	}
}

func TestGoRedisDatabasesAndNames(t *testing.T) {
	p := startStreamd(t, binary)
	for _, protocol := range []int{2, 3} {
		ctx := t.Context()
		c := p.goRedis(protocol, func(o *redis.Options) { o.DB, o.ClientName = 5, "worker" })
		must[string](t)(c.Set(ctx, "k", "five", 0).Result())
		equal(t, "CLIENT GETNAME", must[string](t)(c.ClientGetName(ctx).Result()), "worker")
		info := must[*redis.ClientInfo](t)(c.ClientInfo(ctx).Result())
		equal(t, "CLIENT INFO", joined(info.Name, info.DB, info.Resp, info.LibName != ""), joined("worker", 5, protocol, true))
		equal(t, "database 0", p.goRedis(protocol).Get(ctx, "k").Err(), error(redis.Nil))
	}
}

func TestGoRedisCluster(t *testing.T) {
	p := startTCP(t, binary, "--cluster-compat", "yes")
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			ctx := t.Context()
			c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{p.addr}, Protocol: protocol,
				DialTimeout: replyTimeout, ReadTimeout: replyTimeout, WriteTimeout: replyTimeout})
			defer c.Close()
			must[string](t)(c.FlushAll(ctx).Result())
			slots := must[[]redis.ClusterSlot](t)(c.ClusterSlots(ctx).Result())
			if len(slots) != 1 || slots[0].Start != 0 || slots[0].End != 16383 || len(slots[0].Nodes) != 1 {
				t.Fatalf("CLUSTER SLOTS: got %+v", slots)
			}
			cmds := must[[]redis.Cmder](t)(c.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i := range 500 {
					p.XAdd(ctx, &redis.XAddArgs{Stream: fmt.Sprintf("s%d", i), ID: "1-1", Values: []string{"a", "b"}})
				}
				return nil
			}))
			for _, cmd := range cmds {
				equal(t, "XADD", cmd.(*redis.StringCmd).Val(), "1-1")
			}
			equal(t, "DBSIZE", must[int64](t)(c.DBSize(ctx).Result()), 500)
			must[string](t)(c.XGroupCreateMkStream(ctx, "{x}a", "g", "0").Result())
			must[string](t)(c.XAdd(ctx, &redis.XAddArgs{Stream: "{x}a", Values: []string{"a", "b"}}).Result())
			got := must[[]redis.XStream](t)(c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "alice", Streams: []string{"{x}a", ">"}}).Result())
			equal(t, "XREADGROUP", len(got[0].Messages), 1)
			_, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.XAck(ctx, "{x}a", "g", got[0].Messages[0].ID)
				p.Incr(ctx, "{x}b")
				return nil
			})
			equal(t, "EXEC", err, error(nil))
			sub := c.Subscribe(ctx, "news")
			defer sub.Close()
			must[any](t)(sub.ReceiveTimeout(ctx, replyTimeout))
			must[int64](t)(c.Publish(ctx, "news", "x").Result())
			if m, ok := must[any](t)(sub.ReceiveTimeout(ctx, replyTimeout)).(*redis.Message); !ok || m.Payload != "x" {
				t.Errorf("published: got %v", m)
			}
		})
	}
	// Without the setting a cluster client is told what Redis tells it.
	plain := startTCP(t, binary)
	c := plain.goRedis(3)
	if err := c.ClusterSlots(t.Context()).Err(); err == nil || err.Error() != "ERR This instance has cluster support disabled" {
		t.Errorf("CLUSTER SLOTS: %v", err)
	}
	if err := c.Do(t.Context(), "NOSUCH", "x").Err(); err == nil || errors.Is(err, redis.Nil) ||
		err.Error() != "ERR unknown command 'NOSUCH', with args beginning with: 'x' " {
		t.Errorf("unknown command: %v", err)
	}
}
