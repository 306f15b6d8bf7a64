package aof_test

import (
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
	"github.com/streamd/streamd/aof/journaltest"
)

func TestLocalPassesTheSuite(t *testing.T) {
	for _, policy := range []aof.Policy{aof.Always, aof.EverySec, aof.No} {
		t.Run(policy.String(), func(t *testing.T) {
			journaltest.Run(t, func(t *testing.T) journaltest.Subject {
				fs := crashfs.New()
				return journaltest.Subject{
					Open: func(t *testing.T, apply func([]byte, uint64), onDurable func(uint64), onError func(error)) aof.Journal {
						l, _, err := aof.Open(aof.Options{Dir: dir, FS: fs, Policy: policy, SegmentBytes: 4 << 10},
							func(io.Reader, uint64) error { return nil },
							func(p []byte, index uint64) error { apply(p, index); return nil })
						if err != nil {
							t.Fatal(err)
						}
						return aof.NewLocal(l, onDurable, onError)
					},
					Break: func() { fs.SetHook(func(crashfs.Op) error { return syscall.EIO }) },
				}
			})
		})
	}
}

// slowDisk is a local journal whose syncs take as long as the test says, in the bubble's time.
type slowDisk struct {
	fs      *crashfs.FS
	j       *aof.Local
	mu      sync.Mutex // guards durable and err
	durable []uint64
	err     error
	takes   atomic.Int64 // ns
	fail    atomic.Bool  // with EIO
}

func newSlowDisk(t *testing.T, policy aof.Policy) *slowDisk {
	t.Helper()
	d := &slowDisk{fs: crashfs.New()}
	o := options(d.fs)
	o.Policy, o.Now, o.SegmentBytes = policy, time.Now, 1<<20
	var s state
	l, _, err := aof.Open(o, s.restore, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	d.fs.SetHook(func(op crashfs.Op) error {
		if op.Kind != crashfs.Sync { // nothing but the segment is synced here
			return nil
		}
		time.Sleep(time.Duration(d.takes.Load())) // the bubble's clock: nobody waits
		if d.fail.Load() {
			return syscall.EIO
		}
		return nil
	})
	d.j = aof.NewLocal(l, func(i uint64) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.durable = append(d.durable, i)
	}, func(err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.err = err
	})
	return d
}

// announced is what the callbacks were given so far.
func (d *slowDisk) announced() ([]uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.durable), d.err
}

func (d *slowDisk) append(t *testing.T) uint64 {
	t.Helper()
	index, err := d.j.Append(append(make([]byte, aof.HeaderSize), "op"...))
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func (d *slowDisk) close(t *testing.T) {
	t.Helper()
	d.takes.Store(0)
	if err := d.j.Close(); err != nil {
		t.Error(err)
	}
}

func TestAlwaysSyncsInlineWhileSyncsAreFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(t, aof.Always)
		defer d.close(t)
		d.takes.Store(int64(50 * time.Microsecond))
		for range 100 {
			if index := d.append(t); d.j.Durable() != index {
				t.Fatalf("index %d, durable %d", index, d.j.Durable())
			}
		}
		if got, _ := d.announced(); d.j.Syncs() != 100 || len(got) != 0 {
			t.Errorf("%d syncs, %d in the background", d.j.Syncs(), len(got))
		}
	})
}

func TestAlwaysSyncsInTheBackgroundWhileSyncsAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(t, aof.Always)
		defer d.close(t)
		d.takes.Store(int64(3 * time.Millisecond))
		inline := 0
		for d.append(t) == d.j.Durable() {
			if inline++; inline > 20 {
				t.Fatal("still waiting for each sync")
			}
		}
		before := d.j.Durable()
		for range 10 {
			start := time.Now()
			index := d.append(t)
			if took := time.Since(start); took > 0 {
				t.Fatalf("Append took %v", took)
			}
			if d.j.Durable() == index {
				t.Fatal("durable before the sync")
			}
		}
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		written := d.j.Log().Written()
		got, _ := d.announced()
		if d.j.Durable() != written || got[len(got)-1] != written || got[0] <= before {
			t.Errorf("durable %d, announced %d, written %d", d.j.Durable(), got, written)
		}
		if n := len(got); n > 4 {
			t.Errorf("%d syncs for 11 frames that came while one took place", n)
		}
		d.takes.Store(int64(10 * time.Microsecond))
		for range 40 { // fast again, as the background goroutine finds out
			d.append(t)
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if index := d.append(t); d.j.Durable() != index {
			t.Error("still in the background although syncs are fast")
		}
	})
}

func TestEverySecSyncsOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(t, aof.EverySec)
		defer d.close(t)
		for range 50 { // 5 s
			if index := d.append(t); d.j.Durable() != index {
				t.Fatalf("index %d, durable %d", index, d.j.Durable())
			}
			time.Sleep(100 * time.Millisecond)
			if behind := d.j.Log().Written() - d.j.Log().Synced(); behind > 11 {
				t.Fatalf("%d frames, more than a second, are not synced", behind)
			}
		}
		synctest.Wait()
		if n := d.j.Syncs(); n < 4 || n > 5 {
			t.Errorf("%d syncs in 5 s", n)
		}
		d.append(t)
		time.Sleep(3 * time.Second)
		if n := d.j.Syncs(); n > 7 {
			t.Errorf("%d syncs, some with nothing to sync", n)
		}
	})
}

func TestEverySecHoldsRepliesWhileASyncIsTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(t, aof.EverySec)
		defer d.close(t)
		d.append(t)
		d.takes.Store(int64(5 * time.Second))
		time.Sleep(2900 * time.Millisecond) // the sync began 1.9 s ago
		index := d.append(t)
		if d.j.Durable() != index {
			t.Error("held too early")
		}
		time.Sleep(200 * time.Millisecond)
		held := d.append(t)
		if got := d.j.Durable(); got != index {
			t.Errorf("durable %d while a sync has been running for 2.1 s, want %d", got, index)
		}
		if d.j.DelayedFsyncs() != 1 {
			t.Errorf("%d delayed", d.j.DelayedFsyncs())
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got, _ := d.announced(); !slices.Equal(got, []uint64{held}) || d.j.Durable() != held {
			t.Errorf("announced %v, durable %d, want %d", got, d.j.Durable(), held)
		}
	})
}

func TestNoSyncsOnlyWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(t, aof.No)
		defer d.close(t)
		index := d.append(t)
		time.Sleep(10 * time.Second)
		if d.j.Syncs() != 0 || d.j.Durable() != index {
			t.Errorf("%d syncs, durable %d", d.j.Syncs(), d.j.Durable())
		}
		d.j.Request()
		synctest.Wait()
		if got, _ := d.announced(); d.j.Log().Synced() != index || !slices.Equal(got, []uint64{index}) {
			t.Errorf("synced %d, announced %v", d.j.Log().Synced(), got)
		}
	})
}

func TestSetPolicyKeepsTheWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(t, aof.No)
		defer d.close(t)
		d.append(t)
		released := d.append(t)
		if d.j.Durable() != released {
			t.Fatal("not durable under no")
		}
		d.takes.Store(int64(time.Millisecond))
		d.j.SetPolicy(aof.Always)
		if got := d.j.Durable(); got != released {
			t.Errorf("durable went from %d to %d", released, got)
		}
		time.Sleep(10 * time.Millisecond)
		index := d.append(t)
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if d.j.Durable() != index || d.j.Log().Synced() != index {
			t.Errorf("durable %d, synced %d, want %d", d.j.Durable(), d.j.Log().Synced(), index)
		}
	})
}

func TestBackgroundFailureIsReportedAndHoldsReplies(t *testing.T) {
	for _, policy := range []aof.Policy{aof.Always, aof.EverySec} {
		synctest.Test(t, func(t *testing.T) {
			d := newSlowDisk(t, policy)
			d.takes.Store(int64(3 * time.Millisecond))
			for range 20 {
				d.append(t)
			}
			time.Sleep(2 * time.Second)
			before := d.j.Durable()
			d.fail.Store(true)
			if _, err := d.j.Append(append(make([]byte, aof.HeaderSize), "op"...)); policy == aof.EverySec {
				before = d.j.Durable()
			} else if err == nil && d.j.Durable() != before {
				t.Error("durable before the sync")
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if _, err := d.announced(); !errors.Is(err, aof.ErrFailed) || !errors.Is(err, syscall.EIO) {
				t.Errorf("%v: reported %v", policy, err)
			}
			if _, err := d.j.Append(append(make([]byte, aof.HeaderSize), "op"...)); !errors.Is(err, aof.ErrFailed) {
				t.Errorf("%v: Append: %v", policy, err)
			}
			if got := d.j.Durable(); got != before {
				t.Errorf("%v: durable went from %d to %d", policy, before, got)
			}
			if err := d.j.Close(); !errors.Is(err, aof.ErrFailed) {
				t.Errorf("%v: Close: %v", policy, err)
			}
		})
	}
}

// A quiet log says on disk that its last frame was synced, so that damage to that too is told from a torn write.
func TestIdleLogGuardsItsLastFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk(t, aof.Always)
		d.append(t)
		d.append(t)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		file := d.fs.ReadFile(firstSegment)
		d.close(t)
		marks := 0
		fs := crashfs.New()
		fs.WriteFile(firstSegment, file)
		if err := aof.ReadSegment(fs, firstSegment, func(r aof.Record) error {
			if r.Header.Type == aof.FrameMark && r.Header.Synced == 2 {
				marks++
			}
			return nil
		}); err != nil || marks != 1 {
			t.Fatalf("%d marks, %v", marks, err)
		}
		file[32+aof.HeaderSize+2+aof.HeaderSize] ^= 1 // payload of the last frame
		if _, _, err := openFiles(map[string][]byte{firstSegment: file}); !isDamage(err) {
			t.Errorf("damage to the last frame: %v", err)
		}
	})
}
