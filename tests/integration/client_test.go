package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// goRedis returns a client of the server's unix socket as go-redis sets it up by itself, but patient and without retries.
func (p *process) goRedis(protocol int, change ...func(*redis.Options)) *redis.Client {
	o := &redis.Options{
		Network: "unix", Addr: p.sock, Protocol: protocol, MaxRetries: -1,
		DialTimeout: replyTimeout, ReadTimeout: replyTimeout, WriteTimeout: replyTimeout,
	}
	for _, f := range change {
		f(o)
	}
	c := redis.NewClient(o)
	p.t.Cleanup(func() { c.Close() })
	return c
}

// bothProtocols runs f with a client of RESP2 and one of RESP3, each on an empty server.
func bothProtocols(t *testing.T, f func(t *testing.T, c *redis.Client), args ...string) {
	p := startStreamd(t, binary, args...)
	for _, protocol := range []int{2, 3} {
		c := p.goRedis(protocol)
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) { f(t, c) })
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// must unwraps what a client returned; an error ends the test.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// within polls until ok, and fails the test when that takes too long.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(replyTimeout); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", replyTimeout, what)
		}
	}
}

// idsOf are the ids of entries, with * behind those that were deleted while they were pending.
func idsOf(entries []redis.XMessage) string {
	var b []string
	for _, e := range entries {
		if e.Values == nil {
			e.ID += "*"
		}
		b = append(b, e.ID)
	}
	return strings.Join(b, " ")
}

// joined are the values as text with blanks between them.
func joined(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

func addEntries(t *testing.T, c *redis.Client, key string, n int) {
	t.Helper()
	for i := 1; i <= n; i++ {
		id := must[string](t)(c.XAdd(t.Context(), &redis.XAddArgs{
			Stream: key, ID: fmt.Sprintf("%d-0", i), Values: []any{"n", i},
		}).Result())
		equal(t, "XADD", id, fmt.Sprintf("%d-0", i))
	}
}

func TestGoRedisAppendAndRange(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		addEntries(t, c, "s", 5)
		entries := must[[]redis.XMessage]
		equal(t, "XLEN", must[int64](t)(c.XLen(ctx, "s").Result()), 5)
		equal(t, "XRANGE", idsOf(entries(t)(c.XRange(ctx, "s", "(1-0", "+").Result())), "2-0 3-0 4-0 5-0")
		equal(t, "XRANGE COUNT", idsOf(entries(t)(c.XRangeN(ctx, "s", "-", "+", 2).Result())), "1-0 2-0")
		equal(t, "XREVRANGE", idsOf(entries(t)(c.XRevRange(ctx, "s", "4", "2").Result())), "4-0 3-0 2-0")
		equal(t, "XREVRANGE COUNT", idsOf(entries(t)(c.XRevRangeN(ctx, "s", "+", "-", 1).Result())), "5-0")
		equal(t, "XDEL", must[int64](t)(c.XDel(ctx, "s", "2-0", "9-0").Result()), 1)
		equal(t, "XDELEX", fmt.Sprint(must[[]any](t)(c.XDelEx(ctx, "s", "KEEPREF", "3-0", "9-0").Result())), "[1 -1]")

		equal(t, "NOMKSTREAM", c.XAdd(ctx, &redis.XAddArgs{Stream: "no", NoMkStream: true, Values: []string{"a", "b"}}).Err(), error(redis.Nil))
		idempotent := &redis.XAddArgs{Stream: "i", ProducerID: "p", IdempotentID: "1", Values: []string{"a", "b"}}
		first := must[string](t)(c.XAdd(ctx, idempotent).Result())
		equal(t, "IDMP again", must[string](t)(c.XAdd(ctx, idempotent).Result()), first)
		auto := &redis.XAddArgs{Stream: "i", ProducerID: "p", IdempotentAuto: true, Values: map[string]any{"a": 1, "b": 2}}
		first = must[string](t)(c.XAdd(ctx, auto).Result())
		equal(t, "IDMPAUTO again", must[string](t)(c.XAdd(ctx, auto).Result()), first)
		equal(t, "XCFGSET", must[string](t)(c.XCfgSet(ctx, &redis.XCfgSetArgs{Stream: "i", Duration: 7, MaxSize: 8}).Result()), "OK")
		info := must[*redis.XInfoStream](t)(c.XInfoStream(ctx, "i").Result())
		equal(t, "XINFO STREAM", joined(info.Length, info.IDMPDuration, info.IDMPMaxSize), "2 7 8")
		if err := c.XAdd(ctx, &redis.XAddArgs{Stream: "s", ID: "1-0", Values: []string{"a", "b"}}).Err(); err == nil ||
			err.Error() != "ERR The ID specified in XADD is equal or smaller than the target stream top item" {
			t.Errorf("XADD of a small id: %v", err)
		}
	})
}

func TestGoRedisTrim(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		addEntries(t, c, "s", 20)
		n := must[int64]
		equal(t, "MAXLEN", n(t)(c.XTrimMaxLen(ctx, "s", 18).Result()), 2)
		equal(t, "MAXLEN ~", n(t)(c.XTrimMaxLenApprox(ctx, "s", 3, 10).Result()), 0)
		equal(t, "MAXLEN KEEPREF", n(t)(c.XTrimMaxLenMode(ctx, "s", 17, "KEEPREF").Result()), 1)
		equal(t, "MAXLEN ~ DELREF", n(t)(c.XTrimMaxLenApproxMode(ctx, "s", 16, redis.XTrimLimitDisabled, "DELREF").Result()), 1)
		equal(t, "MINID", n(t)(c.XTrimMinID(ctx, "s", "6-0").Result()), 1)
		equal(t, "MINID ~", n(t)(c.XTrimMinIDApprox(ctx, "s", "7-0", 0).Result()), 0)
		equal(t, "MINID ACKED", n(t)(c.XTrimMinIDMode(ctx, "s", "8-0", "ACKED").Result()), 2)
		equal(t, "MINID ~ ACKED", n(t)(c.XTrimMinIDApproxMode(ctx, "s", "9-0", 5, "ACKED").Result()), 0)
		id := must[string](t)(c.XAdd(ctx, &redis.XAddArgs{Stream: "s", MaxLen: 2, Mode: "DELREF", Values: []string{"a", "b"}}).Result())
		equal(t, "XADD MAXLEN", idsOf(must[[]redis.XMessage](t)(c.XRange(ctx, "s", "-", "+").Result())), "20-0 "+id)
	})
}

func TestGoRedisRead(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		addEntries(t, c, "s1", 3)
		addEntries(t, c, "s2", 2)
		streams := must[[]redis.XStream]
		// A RESP3 reply is a map, and still in the order of the keys.
		got := streams(t)(c.XReadStreams(ctx, "s2", "none", "s1", "0", "0", "1-0").Result())
		if len(got) != 2 || got[0].Stream != "s2" || got[1].Stream != "s1" {
			t.Fatalf("XREAD: got %v", got)
		}
		equal(t, "XREAD s2", idsOf(got[0].Messages), "1-0 2-0")
		equal(t, "XREAD s1", idsOf(got[1].Messages), "2-0 3-0")
		equal(t, "value", got[1].Messages[0].Values["n"], any("2"))
		got = streams(t)(c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s1", "s2", "0", "0"}, Count: 2, MaxCount: 3, Block: -1}).Result())
		equal(t, "MAXCOUNT", idsOf(got[0].Messages)+"|"+idsOf(got[1].Messages), "1-0 2-0|1-0")
		got = streams(t)(c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s1", "+"}, Block: -1}).Result())
		equal(t, "+", idsOf(got[0].Messages), "3-0")
		equal(t, "nothing", c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s1", "9"}, Block: -1}).Err(), error(redis.Nil))
		equal(t, "nothing in time", c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s1", "$"}, Block: 10 * time.Millisecond}).Err(), error(redis.Nil))
	})
}

func TestGoRedisGroups(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		equal(t, "MKSTREAM", must[string](t)(c.XGroupCreateMkStream(ctx, "s", "g", "$").Result()), "OK")
		if err := c.XGroupCreate(ctx, "s", "g", "0").Err(); err == nil || err.Error() != "BUSYGROUP Consumer Group name already exists" {
			t.Errorf("XGROUP CREATE again: %v", err)
		}
		addEntries(t, c, "s", 6)
		equal(t, "CREATECONSUMER", must[int64](t)(c.XGroupCreateConsumer(ctx, "s", "g", "bob").Result()), 1)
		read := func(consumer, from string, count int64, noAck bool) string {
			t.Helper()
			got := must[[]redis.XStream](t)(c.XReadGroup(ctx, &redis.XReadGroupArgs{
				Group: "g", Consumer: consumer, Streams: []string{"s", from}, Count: count, NoAck: noAck, Block: -1}).Result())
			return idsOf(got[0].Messages)
		}
		equal(t, "alice", read("alice", ">", 4, false), "1-0 2-0 3-0 4-0")
		equal(t, "NOACK", read("bob", ">", 1, true), "5-0")
		equal(t, "history", read("alice", "1-0", 2, false), "2-0 3-0")
		equal(t, "XACK", must[int64](t)(c.XAck(ctx, "s", "g", "1-0", "5-0").Result()), 1)
		must[int64](t)(c.XDel(ctx, "s", "2-0").Result())
		equal(t, "a deleted entry", read("alice", "0", 1, false), "2-0*")

		pending := must[*redis.XPending](t)(c.XPending(ctx, "s", "g").Result())
		equal(t, "XPENDING", fmt.Sprint(*pending), "{3 2-0 4-0 map[alice:3]}")
		ext := must[[]redis.XPendingExt](t)(c.XPendingExt(ctx, &redis.XPendingExtArgs{
			Stream: "s", Group: "g", Start: "-", End: "+", Count: 9, Consumer: "alice"}).Result())
		if len(ext) != 3 || ext[0].ID != "2-0" || ext[0].Consumer != "alice" || ext[0].RetryCount != 2 {
			t.Errorf("XPENDING of alice: got %+v", ext)
		}
		ext = must[[]redis.XPendingExt](t)(c.XPendingExt(ctx, &redis.XPendingExtArgs{
			Stream: "s", Group: "g", Start: "-", End: "+", Count: 9, Idle: time.Hour}).Result())
		equal(t, "XPENDING IDLE", len(ext), 0)
		checkInfo(t, c)
		checkClaims(t, c)
		equal(t, "SETID", must[string](t)(c.XGroupSetID(ctx, "s", "g", "0").Result()), "OK")
		equal(t, "DELCONSUMER", must[int64](t)(c.XGroupDelConsumer(ctx, "s", "g", "bob").Result()), 0)
		equal(t, "DESTROY", must[int64](t)(c.XGroupDestroy(ctx, "s", "g").Result()), 1)
		err := c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "a", Streams: []string{"s", ">"}}).Err()
		if err == nil || !strings.HasPrefix(err.Error(), "NOGROUP ") {
			t.Errorf("XREADGROUP without a group: %v", err)
		}
	})
}

// checkInfo looks at the stream of TestGoRedisGroups: 6 entries added, 2-0 deleted, alice has 2-0 3-0 4-0, bob nothing.
func checkInfo(t *testing.T, c *redis.Client) {
	t.Helper()
	ctx := t.Context()
	s := must[*redis.XInfoStream](t)(c.XInfoStream(ctx, "s").Result())
	equal(t, "XINFO STREAM", joined(s.Length, s.Groups, s.LastGeneratedID, s.MaxDeletedEntryID, s.EntriesAdded,
		s.FirstEntry.ID, s.LastEntry.ID, s.RecordedFirstEntryID), "5 1 6-0 2-0 6 1-0 6-0 1-0")
	full := must[*redis.XInfoStreamFull](t)(c.XInfoStreamFull(ctx, "s", 2).Result())
	equal(t, "XINFO FULL", joined(full.Length, idsOf(full.Entries), len(full.Groups)), "5 1-0 3-0 1")
	g := full.Groups[0]
	equal(t, "its group", joined(g.Name, g.LastDeliveredID, g.EntriesRead, g.Lag, g.PelCount, len(g.Pending)), "g 5-0 5 1 3 2")
	alice := g.Consumers[0]
	equal(t, "its consumer", joined(alice.Name, alice.PelCount, alice.Pending[0].ID, alice.Pending[0].DeliveryCount), "alice 3 2-0 2")
	if age := time.Since(alice.ActiveTime); age < -time.Second || age > replyTimeout {
		t.Errorf("alice was active %v ago", age)
	}
	groups := must[[]redis.XInfoGroup](t)(c.XInfoGroups(ctx, "s").Result())
	equal(t, "XINFO GROUPS", fmt.Sprint(groups), "[{g 2 3 5-0 5 1}]")
	consumers := must[[]redis.XInfoConsumer](t)(c.XInfoConsumers(ctx, "s", "g").Result())
	if len(consumers) != 2 || consumers[0].Name != "alice" || consumers[0].Pending != 3 || consumers[1].Name != "bob" || consumers[1].Pending != 0 {
		t.Errorf("XINFO CONSUMERS: got %+v", consumers)
	}
}

// checkClaims goes on from there: bob takes over what alice has.
func checkClaims(t *testing.T, c *redis.Client) {
	t.Helper()
	ctx := t.Context()
	claim := &redis.XClaimArgs{Stream: "s", Group: "g", Consumer: "bob", Messages: []string{"3-0"}}
	equal(t, "XCLAIM", idsOf(must[[]redis.XMessage](t)(c.XClaim(ctx, claim).Result())), "3-0")
	equal(t, "JUSTID", fmt.Sprint(must[[]string](t)(c.XClaimJustID(ctx, claim).Result())), "[3-0]")
	claim.MinIdle = time.Hour
	equal(t, "MinIdle", len(must[[]redis.XMessage](t)(c.XClaim(ctx, claim).Result())), 0)
	auto := &redis.XAutoClaimArgs{Stream: "s", Group: "g", Consumer: "bob", Start: "0", Count: 1}
	justIDs, next, err := c.XAutoClaimJustID(ctx, &redis.XAutoClaimArgs{Stream: "s", Group: "g", Consumer: "bob", Start: "3-0", Count: 1}).Result()
	equal(t, "XAUTOCLAIM JUSTID", joined(justIDs, next, err), "[3-0] 4-0 <nil>")
	claimed, next, deleted, err := c.XAutoClaimWithDeleted(ctx, auto).Result()
	equal(t, "XAUTOCLAIM of a deleted entry", joined(len(claimed), next, deleted, err), "0 3-0 [2-0] <nil>")
	auto.Count = 10
	claimed, next, err = c.XAutoClaim(ctx, auto).Result()
	equal(t, "XAUTOCLAIM", joined(idsOf(claimed), next, err), "3-0 4-0 0-0 <nil>")

	equal(t, "XNACK", must[int64](t)(c.XNack(ctx, &redis.XNackArgs{Stream: "s", Group: "g", Mode: redis.XNackModeFail, IDs: []string{"3-0"}}).Result()), 1)
	got := must[[]redis.XStream](t)(c.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: "g", Consumer: "carol", Streams: []string{"s", ">"}, Count: 1, Claim: time.Hour, Block: -1}).Result())
	entry := got[0].Messages[0]
	equal(t, "XREADGROUP CLAIM", joined(idsOf(got[0].Messages), entry.DeliveredCount > 0), "3-0 true")
	equal(t, "XACKDEL", fmt.Sprint(must[[]any](t)(c.XAckDel(ctx, "s", "g", "DELREF", "3-0", "4-0", "9-0").Result())), "[1 1 -1]")
}

// TestGoRedisMaps sees the replies as they are: maps in RESP3, flat arrays in RESP2.
func TestGoRedisMaps(t *testing.T) {
	p := startStreamd(t, binary)
	c2, c3 := p.goRedis(2), p.goRedis(3)
	ctx := t.Context()
	addEntries(t, c2, "s", 2)
	must[string](t)(c2.XGroupCreate(ctx, "s", "g", "0").Result())
	for _, words := range [][]any{{"XINFO", "STREAM", "s"}, {"XINFO", "STREAM", "s", "FULL"}, {"CONFIG", "GET", "append*"},
		{"XREAD", "STREAMS", "s", "0"}, {"HELLO"}} {
		if _, ok := must[any](t)(c3.Do(ctx, words...).Result()).(map[any]any); !ok {
			t.Errorf("RESP3 %v: not a map", words)
		}
		if _, ok := must[any](t)(c2.Do(ctx, words...).Result()).([]any); !ok {
			t.Errorf("RESP2 %v: not an array", words)
		}
	}
	groups := must[[]any](t)(c3.Do(ctx, "XINFO", "GROUPS", "s").Slice())
	if g, ok := groups[0].(map[any]any); !ok || g["name"] != "g" || g["lag"] != int64(2) {
		t.Errorf("XINFO GROUPS: got %v", groups)
	}
	config := must[map[string]string](t)(c3.ConfigGet(ctx, "appendfsync").Result())
	equal(t, "CONFIG GET", config["appendfsync"], "everysec")
	if names := must[[]string](t)(c3.CommandList(ctx, nil).Result()); !slices.Contains(names, "xadd") {
		t.Errorf("COMMAND LIST: no xadd in %v", names)
	}
	info := must[map[string]*redis.CommandInfo](t)(c3.Command(ctx).Result())
	if x := info["xadd"]; x == nil || x.Arity != -5 || x.FirstKeyPos != 1 || x.ReadOnly {
		t.Errorf("COMMAND of xadd: got %+v", x)
	}
}

func TestGoRedisBlockingReads(t *testing.T) {
	bothProtocols(t, func(t *testing.T, c *redis.Client) {
		ctx := t.Context()
		addEntries(t, c, "s", 1)
		must[string](t)(c.XGroupCreate(ctx, "s", "g", "$").Result())
		blocked := func(n int) {
			t.Helper()
			within(t, fmt.Sprintf("%d blocked clients", n), func() bool {
				return strings.Contains(must[string](t)(c.Info(ctx, "clients").Result()), fmt.Sprintf("\r\nblocked_clients:%d\r\n", n))
			})
		}
		// A reader gives up: its connection is closed, and what comes later is not delivered to the dead.
		patient := c.WithTimeout(replyTimeout)
		patient.Options().ContextTimeoutEnabled = true
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		err := patient.XReadGroup(short, &redis.XReadGroupArgs{Group: "g", Consumer: "dead", Streams: []string{"s", ">"}}).Err()
		if !errors.Is(err, context.DeadlineExceeded) && (err == nil || !strings.Contains(err.Error(), "timeout")) {
			t.Fatalf("a read past its deadline: %v", err)
		}
		blocked(0)

		type result struct {
			ids string
			err error
		}
		results := make(chan result)
		for range 3 {
			go func() {
				got, err := c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s", "$"}}).Result()
				if err != nil {
					results <- result{err: err}
					return
				}
				results <- result{ids: idsOf(got[0].Messages)}
			}()
		}
		go func() {
			got, err := c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "alice", Streams: []string{"s", ">"}, Block: time.Minute}).Result()
			if err != nil {
				results <- result{err: err}
				return
			}
			results <- result{ids: idsOf(got[0].Messages)}
		}()
		blocked(4)
		must[string](t)(c.XAdd(ctx, &redis.XAddArgs{Stream: "s", ID: "7-7", Values: []string{"a", "b"}}).Result())
		for range 4 {
			equal(t, "blocked read", <-results, result{ids: "7-7"})
		}
		pending := must[*redis.XPending](t)(c.XPending(ctx, "s", "g").Result())
		equal(t, "XPENDING", fmt.Sprint(pending.Consumers), "map[alice:1]")
	})
}
