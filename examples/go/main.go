// A producer and a worker: `go run . produce [count]`, `go run . work [name]`.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	stream = "orders"
	group  = "billing"
	idle   = 30 * time.Second // after which another worker's entry may be claimed
)

func main() {
	addr := os.Getenv("EXAMPLE_ADDR")
	if addr == "" {
		addr = "127.0.0.1:6379"
	}
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	var err error
	switch arg(1, "") {
	case "produce":
		err = produce(client, arg(2, "10"))
	case "work":
		err = work(client, arg(2, fmt.Sprintf("worker-%d", os.Getpid())))
	default:
		err = errors.New("usage: go run . produce [count] | work [name]")
	}
	if err != nil {
		log.Fatal(err)
	}
}

func arg(n int, otherwise string) string {
	if len(os.Args) > n {
		return os.Args[n]
	}
	return otherwise
}

func produce(client *redis.Client, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	for i := range n {
		id, err := client.XAdd(context.Background(), &redis.XAddArgs{
			Stream: stream, MaxLen: 1_000_000, Approx: true,
			Values: []any{"order", i, "amount", 100 + i},
		}).Result()
		if err != nil {
			return err
		}
		fmt.Println("added", id)
	}
	return nil
}

func work(client *redis.Client, name string) error {
	ctx := context.Background()
	err := client.XGroupCreateMkStream(ctx, stream, group, "0").Err()
	if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return err
	}
	// What this worker had in hand when it last stopped, then what is new, and what others left.
	for from := "0"; ; from = ">" {
		err := round(ctx, client, name, from)
		if answer := redis.Error(nil); errors.As(err, &answer) {
			return err
		}
		if err != nil { // the server is away for a moment
			log.Println(err)
			time.Sleep(time.Second)
		}
	}
}

func round(ctx context.Context, client *redis.Client, name, from string) error {
	claimed, _, err := client.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: stream, Group: group, Consumer: name, MinIdle: idle, Start: "0", Count: 10,
	}).Result()
	if err != nil {
		return err
	}
	if err := handle(ctx, client, name, claimed); err != nil {
		return err
	}
	args := &redis.XReadGroupArgs{Group: group, Consumer: name, Streams: []string{stream, from}, Block: 2 * time.Second}
	if from == ">" {
		args.Count = 10
	}
	streams, err := client.XReadGroup(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return err
	}
	return handle(ctx, client, name, streams[0].Messages)
}

func handle(ctx context.Context, client *redis.Client, name string, entries []redis.XMessage) error {
	for _, e := range entries {
		if e.Values != nil { // nil: deleted while it was pending
			fmt.Println(name, "billed order", e.Values["order"], "as", e.ID)
		}
		if err := client.XAck(ctx, stream, group, e.ID).Err(); err != nil { // only after the work is done
			return err
		}
	}
	return nil
}
