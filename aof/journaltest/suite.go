// Package journaltest is what every aof.Journal must pass.
package journaltest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamd/streamd/aof"
)

// Subject is one kind of journal under test. Each test opens its own.
type Subject struct {
	// Open opens the journal of this test: an empty one the first time, then with what was there. apply is called for each
	// frame found, before Open returns.
	Open func(t *testing.T, apply func(payload []byte, index uint64), onDurable func(uint64), onError func(error)) aof.Journal
	// Break makes the disk or whatever is behind the journal fail from now on.
	Break func()
}

// Run runs all tests; subject makes a new one for each.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"indexes follow each other":        testIndexes,
		"what was flushed comes back":      testComesBack,
		"the watermark never goes back":    testWatermark,
		"nothing succeeds after a failure": testFailure,
		"a frame too large is refused":     testTooLarge,
		"close twice":                      testCloseTwice,
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) { test(t, subject(t)) })
	}
}

func ignore([]byte, uint64) {}

// frame returns a payload with the room for a header before it.
func frame(payload string) []byte { return append(make([]byte, aof.HeaderSize), payload...) }

func mustAppend(t *testing.T, j aof.Journal, payload string) uint64 {
	t.Helper()
	index, err := j.Append(frame(payload))
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func testIndexes(t *testing.T, s Subject) {
	j := s.Open(t, ignore, nil, nil)
	first := mustAppend(t, j, "first")
	for n := uint64(1); n < 100; n++ {
		if got := mustAppend(t, j, "next"); got != first+n {
			t.Fatalf("index %d after %d", got, first+n-1)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func testComesBack(t *testing.T, s Subject) {
	var want, got []string
	for life := range 3 {
		got = got[:0]
		j := s.Open(t, func(p []byte, index uint64) { got = append(got, fmt.Sprintf("%d %s", index, p)) }, nil, nil)
		if !slices.Equal(got, want) {
			t.Fatalf("%d frames came back, want %d", len(got), len(want))
		}
		for n := range 20 {
			p := fmt.Sprintf("life %d op %d", life, n)
			want = append(want, fmt.Sprintf("%d %s", mustAppend(t, j, p), p))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func testWatermark(t *testing.T, s Subject) {
	var mu sync.Mutex
	var highest uint64
	seen := func(index uint64) {
		mu.Lock()
		defer mu.Unlock()
		highest = max(highest, index)
	}
	j := s.Open(t, ignore, seen, func(err error) { t.Error(err) })
	last := j.Durable()
	for n := range 200 {
		index := mustAppend(t, j, "op")
		mark := j.Durable()
		if mark < last || mark > index {
			t.Fatalf("watermark %d after %d, index %d", mark, last, index)
		}
		last = mark
		if n%50 == 49 {
			if err := j.Flush(); err != nil {
				t.Fatal(err)
			}
			if last = j.Durable(); last != index {
				t.Fatalf("watermark %d after a flush at %d", last, index)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if highest > last {
		t.Errorf("watermark %d was announced, %d written", highest, last)
	}
}

func testFailure(t *testing.T, s Subject) {
	failures := make(chan error, 10)
	j := s.Open(t, ignore, nil, func(err error) { failures <- err })
	index := mustAppend(t, j, "before")
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	s.Break()
	_, err := j.Append(frame("during"))
	if err == nil {
		err = j.Flush()
	}
	if err == nil {
		t.Fatal("neither Append nor Flush failed")
	}
	<-failures
	released := j.Durable()
	if _, err := j.Append(frame("after")); err == nil {
		t.Error("Append after the failure")
	}
	if j.Flush() == nil || j.Ready() == nil {
		t.Error("Flush or Ready after the failure")
	}
	if got := j.Durable(); got != released || got < index {
		t.Errorf("watermark %d after the failure, %d at it, %d before", got, released, index)
	}
	_ = j.Close()
	if len(failures) != 0 {
		t.Error("the failure was reported twice")
	}
}

func testTooLarge(t *testing.T, s Subject) {
	j := s.Open(t, ignore, nil, func(err error) { t.Error(err) })
	if _, err := j.Append(frame("")); err == nil {
		t.Error("an empty frame was taken")
	}
	mustAppend(t, j, "goes on")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func testCloseTwice(t *testing.T, s Subject) {
	j := s.Open(t, ignore, nil, nil)
	for range 2 {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Append(frame("x")); err == nil {
		t.Error("Append after Close")
	}
}
