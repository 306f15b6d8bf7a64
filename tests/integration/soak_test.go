package integration

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamd/streamd/resp"
)

// soakFor is how long TestSoak runs: `go test ./tests/integration -run Soak -soak 10m -timeout 20m`.
var soakFor = flag.Duration("soak", 10*time.Second, "how long TestSoak runs")

const (
	soakIdle = 1000
	soakBusy = 50
	soakKeys = 10
)

// usage is what a process holds.
type usage struct{ rss, threads, files int }

func (p *process) usage() usage {
	p.t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	return usage{p.status("VmRSS"), p.status("Threads"), len(files)}
}

// TestSoak keeps 1,000 idle and 50 busy clients on a server whose state is bounded. After the first fifth of the time, memory,
// threads and descriptors must not grow any more, and nobody may be left behind at the end.
func TestSoak(t *testing.T) {
	p := startStreamd(t, plainBinary, "--auto-aof-rewrite-min-size", "4mb", "--auto-aof-rewrite-percentage", "50")
	admin := p.client()
	for i := range soakKeys {
		admin.want("+OK", "XGROUP", "CREATE", "s"+strconv.Itoa(i), "g", "$", "MKSTREAM")
	}
	fresh := p.usage()
	var idle []*client
	for range soakIdle {
		c := p.client()
		c.want("+PONG", "PING")
		idle = append(idle, c)
	}
	s := &soak{p: p, stop: make(chan struct{})}
	for i := range soakBusy {
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			s.work(i)
		}()
	}
	first, last := s.watch(t, *soakFor)
	close(s.stop)
	s.wg.Wait()
	for _, problem := range s.problems {
		t.Error(problem)
	}
	for _, c := range idle {
		c.want("+PONG", "PING")
		c.conn.Close()
	}
	for deadline := time.Now().Add(replyTimeout); infoField(admin, "clients", "connected_clients") != "1"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("clients are left behind: %.2000s", admin.do("CLIENT", "LIST").Text)
		}
	}
	end := p.usage()
	t.Logf("%v: %d commands, %d reconnects, %s rewrites, %s keys expired", *soakFor, s.commands.Load(), s.reconnects.Load(),
		infoField(admin, "persistence", "aof_rewrites"), infoField(admin, "stats", "expired_keys"))
	t.Logf("resident KiB, threads, descriptors: fresh %v, after the first fifth %v, at the end %v, all gone %v", fresh, first, last, end)
	if last.rss > first.rss+first.rss/4+32<<10 {
		t.Errorf("resident memory grew from %d to %d KiB", first.rss, last.rss)
	}
	if last.threads > first.threads+3 { // the runtime may start one for a slow sync
		t.Errorf("threads grew from %d to %d", first.threads, last.threads)
	}
	if last.files > first.files+soakBusy/5 || end.files > fresh.files+2 { // segments and snapshots come and go
		t.Errorf("descriptors: %d, then %d, and %d when all clients were gone; %d at the beginning", first.files, last.files, end.files, fresh.files)
	}
	for _, field := range []string{"blocked_clients", "tracking_clients", "watching_clients", "pubsub_clients", "total_blocking_keys"} {
		if n := infoField(admin, "clients", field); n != "0" {
			t.Errorf("%s:%s when all clients are gone", field, n)
		}
	}
}

// watch samples the process and returns the highest usage around the first fifth of the time and in the last fifth.
func (s *soak) watch(t *testing.T, all time.Duration) (first, last usage) {
	begin, step := time.Now(), all/50
	for time.Since(begin) < all {
		select {
		case <-s.p.done:
			t.Fatalf("the server ended:\n%s", s.p.log)
		case <-time.After(step):
		}
		u := s.p.usage()
		if testing.Verbose() && all >= time.Minute && time.Since(begin)%time.Minute < step {
			t.Logf("%4.0f s: %v, %d commands", time.Since(begin).Seconds(), u, s.commands.Load())
		}
		switch gone := time.Since(begin); {
		case gone > all/10 && gone <= all*3/10:
			first = usage{max(first.rss, u.rss), max(first.threads, u.threads), max(first.files, u.files)}
		case gone > all*4/5:
			last = usage{max(last.rss, u.rss), max(last.threads, u.threads), max(last.files, u.files)}
		}
	}
	return first, last
}

type soak struct {
	p                    *process
	stop                 chan struct{}
	wg                   sync.WaitGroup
	commands, reconnects atomic.Int64
	mu                   sync.Mutex
	problems             []string
}

func (s *soak) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.problems) < 20 {
		s.problems = append(s.problems, fmt.Sprintf(format, args...))
	}
}

func (s *soak) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// work is one busy client: connected for a while, in a role of its own, then anew.
func (s *soak) work(i int) {
	rnd := rand.New(rand.NewPCG(uint64(i), 0))
	roles := []func(*wire, *rand.Rand, int) error{
		s.soakProduce, s.soakConsume, s.soakWait, s.soakPublish, s.soakSubscribe, s.soakStrings, s.soakTransact, s.soakTrack, s.soakConsume, s.soakProduce,
	}
	for !s.stopped() {
		w, err := dialWire(s.p)
		if err != nil {
			s.problem("connect: %v", err)
			return
		}
		s.reconnects.Add(1)
		for range 50 + rnd.IntN(500) {
			if err = roles[i%len(roles)](w, rnd, i); err != nil || s.stopped() {
				break
			}
		}
		if err != nil {
			s.problem("client %d: %v", i, err)
		}
		w.close()
	}
}

// all sends a pipeline and hands back the replies; an error reply is a problem.
func (s *soak) all(w *wire, commands ...[]string) ([]resp.Value, error) {
	for _, words := range commands {
		w.queue(words...)
	}
	if err := w.flush(); err != nil {
		return nil, err
	}
	var replies []resp.Value
	for range commands {
		v, err := w.read()
		if err != nil {
			return nil, err
		}
		if v.Err() != nil {
			s.problem("%v", v)
		}
		s.commands.Add(1)
		replies = append(replies, v)
	}
	return replies, nil
}

func soakKey(rnd *rand.Rand) string { return "s" + strconv.Itoa(rnd.IntN(soakKeys)) }

func (s *soak) soakProduce(w *wire, rnd *rand.Rand, i int) error {
	key, value := soakKey(rnd), strings.Repeat("v", rnd.IntN(400))
	_, err := s.all(w,
		words("XADD", key, "MAXLEN", "~", "1000", "*", "field", value, "n", strconv.Itoa(rnd.Int())),
		words("XADD", key, "IDMP", "p"+strconv.Itoa(i), strconv.Itoa(rnd.IntN(1000)), "MAXLEN", "~", "1000", "*", "field", value),
		words("XTRIM", key, "MAXLEN", "1200"))
	return err
}

func (s *soak) soakConsume(w *wire, rnd *rand.Rand, i int) error {
	key, name := soakKey(rnd), "c"+strconv.Itoa(i)
	replies, err := s.all(w, words("XREADGROUP", "GROUP", "g", name, "COUNT", "50", "BLOCK", "5", "STREAMS", key, ">"),
		words("XAUTOCLAIM", key, "g", name, "1000", "-", "COUNT", "50"))
	if err != nil {
		return err
	}
	ack := []string{"XACK", key, "g"}
	lists := []resp.Value{replies[1].Elems[1]}
	if len(replies[0].Elems) > 0 {
		lists = append(lists, replies[0].Elems[0].Elems[1])
	}
	for _, list := range lists {
		for _, e := range list.Elems {
			if rnd.IntN(20) > 0 {
				ack = append(ack, string(e.Elems[0].Text))
			}
		}
	}
	if len(ack) == 3 {
		return nil
	}
	if rnd.IntN(10) == 0 {
		ack[0] = "XACKDEL"
		ack = append(append(append([]string(nil), ack[:3]...), "IDS", strconv.Itoa(len(ack)-3)), ack[3:]...)
	}
	_, err = s.all(w, ack)
	return err
}

// soakWait reads with a block that is served, times out, or is cut by hanging up.
func (s *soak) soakWait(w *wire, rnd *rand.Rand, _ int) error {
	if rnd.IntN(100) == 0 {
		w.queue("XREAD", "BLOCK", "0", "STREAMS", "never", "$")
		_ = w.flush()
		w.close()
		fresh, err := dialWire(s.p)
		if err != nil {
			return err
		}
		*w = *fresh
		s.reconnects.Add(1)
		return nil
	}
	_, err := s.all(w, words("XREAD", "COUNT", "10", "BLOCK", strconv.Itoa(1+rnd.IntN(20)), "STREAMS", soakKey(rnd), "never", "$", "$"))
	return err
}

func (s *soak) soakPublish(w *wire, rnd *rand.Rand, _ int) error {
	_, err := s.all(w, words("PUBLISH", "ch"+strconv.Itoa(rnd.IntN(5)), strings.Repeat("m", rnd.IntN(2000))), words("XLEN", soakKey(rnd)))
	return err
}

// soakSubscribe reads messages for a moment; the publishers never wait for it.
func (s *soak) soakSubscribe(w *wire, rnd *rand.Rand, _ int) error {
	w.queue("SUBSCRIBE", "ch"+strconv.Itoa(rnd.IntN(5)))
	w.queue("PSUBSCRIBE", "ch*")
	w.queue("UNSUBSCRIBE")
	w.queue("PUNSUBSCRIBE")
	w.queue("PING")
	if err := w.flush(); err != nil {
		return err
	}
	for {
		v, err := w.read()
		if err != nil {
			return err
		}
		if string(v.Text) == "PONG" {
			s.commands.Add(5)
			return nil
		}
	}
}

func (s *soak) soakStrings(w *wire, rnd *rand.Rand, _ int) error {
	key := "k" + strconv.Itoa(rnd.IntN(5000))
	_, err := s.all(w, words("SET", key, strings.Repeat("x", rnd.IntN(1000)), "PX", strconv.Itoa(1+rnd.IntN(2000))), words("GET", key),
		words("INCR", "counter"), words("DEL", "k"+strconv.Itoa(rnd.IntN(5000))), words("SCAN", "0", "COUNT", "20"), words("CLIENT", "SETNAME", key))
	return err
}

func (s *soak) soakTransact(w *wire, rnd *rand.Rand, i int) error {
	key := soakKey(rnd)
	_, err := s.all(w, words("WATCH", "counter", key), words("MULTI"), words("XADD", key, "MAXLEN", "~", "1000", "*", "f", "v"),
		words("INCR", "transactions"), words("EXEC"), words("WATCH", "counter"), words("UNWATCH"), words("MULTI"), words("GET", "counter"), words("DISCARD"),
		words("XGROUP", "CREATE", key, "temporary"+strconv.Itoa(i), "$"), words("XGROUP", "DESTROY", key, "temporary"+strconv.Itoa(i)))
	return err
}

func (s *soak) soakTrack(w *wire, rnd *rand.Rand, _ int) error {
	w.queue("HELLO", "3")
	w.queue("CLIENT", "TRACKING", "ON")
	for range 10 {
		w.queue("GET", "k"+strconv.Itoa(rnd.IntN(5000)))
	}
	w.queue("CLIENT", "TRACKING", "OFF")
	w.queue("ECHO", "end")
	if err := w.flush(); err != nil {
		return err
	}
	for {
		v, err := w.read() // replies and invalidations
		if err != nil {
			return err
		}
		if string(v.Text) == "end" {
			s.commands.Add(14)
			return nil
		}
	}
}
