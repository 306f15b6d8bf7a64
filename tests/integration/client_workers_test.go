package integration

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestGoRedisWorkers is what streams are for: a producer, two workers in a group, one dies with work in hand, the server is killed
// and started again, the other worker claims what the dead one left. Nothing is lost, and what was acknowledged never comes back.
func TestGoRedisWorkers(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*replyTimeout)
			defer cancel()
			p := startStreamd(t, binary)
			f := &flow{t: t, total: 1000, acked: map[string]int64{}, died: make(chan struct{})}
			must[string](t)(p.goRedis(protocol).XGroupCreateMkStream(ctx, "orders", "billing", "0").Result())
			var all sync.WaitGroup
			all.Go(func() { f.produce(ctx, p.goRedis(protocol)) })
			all.Go(func() { f.work(ctx, p.goRedis(protocol), "alice", f.total/4) })
			all.Go(func() { f.work(ctx, p.goRedis(protocol), "bob", 0) })
			select {
			case <-f.died:
			case <-ctx.Done():
				t.Fatal("alice never had her share")
			}
			p.restart()
			all.Wait()
			if t.Failed() {
				t.Logf("streamd:\n%s", p.log)
			}
			f.check(p.goRedis(protocol))
		})
	}
}

// flow is one run of TestGoRedisWorkers.
type flow struct {
	t     *testing.T
	total int
	died  chan struct{} // closed when alice is gone

	mu    sync.Mutex
	acked map[string]int64 // order → the sum of the answers to its acknowledgements
}

// produce appends all orders, each until it is answered; the idempotent id keeps a repeated one from being appended twice.
func (f *flow) produce(ctx context.Context, c *redis.Client) {
	for n := range f.total {
		f.retry(ctx, func() error {
			return c.XAdd(ctx, &redis.XAddArgs{Stream: "orders", ProducerID: "shop", IdempotentID: strconv.Itoa(n),
				Values: []any{"order", n}}).Err()
		})
	}
}

// work handles entries until all orders are done. With a limit, it dies with entries in hand after so many.
func (f *flow) work(ctx context.Context, c *redis.Client, name string, limit int) {
	handled := 0
	for from := "0"; ctx.Err() == nil && f.missing() > 0; from = ">" {
		var entries []redis.XMessage
		f.retry(ctx, func() error {
			claimed, _, err := c.XAutoClaim(ctx, &redis.XAutoClaimArgs{
				Stream: "orders", Group: "billing", Consumer: name, MinIdle: 100 * time.Millisecond, Start: "0", Count: 10}).Result()
			entries = claimed
			return err
		})
		f.retry(ctx, func() error {
			got, err := c.XReadGroup(ctx, &redis.XReadGroupArgs{
				Group: "billing", Consumer: name, Streams: []string{"orders", from}, Count: 10, Block: 20 * time.Millisecond}).Result()
			if err == redis.Nil {
				return nil
			}
			if err == nil {
				entries = append(entries, got[0].Messages...)
			}
			return err
		})
		handled += len(entries)
		if limit > 0 && handled >= limit {
			close(f.died)
			return
		}
		for _, e := range entries {
			f.finish(ctx, c, e)
		}
	}
}

// finish acknowledges e. The answer is 0 when the entry was claimed from us, or when the kill took the answer of the first attempt.
func (f *flow) finish(ctx context.Context, c *redis.Client, e redis.XMessage) {
	order, _ := e.Values["order"].(string)
	var answer int64
	f.retry(ctx, func() (err error) {
		answer, err = c.XAck(ctx, "orders", "billing", e.ID).Result()
		return err
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acked[order] += answer
}

func (f *flow) missing() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total - len(f.acked)
}

// retry calls do until it succeeds: the server may be down for a while.
func (f *flow) retry(ctx context.Context, do func() error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for do() != nil {
		select {
		case <-ctx.Done():
			f.t.Errorf("the workers were not done in time: %d orders are missing", f.missing())
			return
		case <-tick.C:
		}
	}
}

func (f *flow) check(c *redis.Client) {
	f.t.Helper()
	ctx := f.t.Context()
	entries := must[[]redis.XMessage](f.t)(c.XRange(ctx, "orders", "-", "+").Result())
	equal(f.t, "entries", len(entries), f.total)
	for i, e := range entries {
		if e.Values["order"] != strconv.Itoa(i) {
			f.t.Fatalf("entry %d is order %v", i, e.Values["order"])
		}
	}
	g := must[[]redis.XInfoGroup](f.t)(c.XInfoGroups(ctx, "orders").Result())[0]
	equal(f.t, "XINFO GROUPS", joined(g.Pending, g.Lag, g.EntriesRead, g.LastDeliveredID),
		joined(0, 0, f.total, entries[len(entries)-1].ID))
	for order, n := range f.acked {
		if n > 1 {
			f.t.Errorf("order %s was acknowledged %d times", order, n)
		}
	}
}
