package machine

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/zeebo/xxh3"
)

// check verifies the invariants of a table.
func (t *table) check() error {
	n := 0
	if len(t.top) != 1<<t.bits {
		return fmt.Errorf("%d segments for %d bits", len(t.top), t.bits)
	}
	for i, s := range t.top {
		if i>>(t.bits-s.depth)<<(t.bits-s.depth) != i && t.top[i-1] != s {
			return fmt.Errorf("segment slot %d", i)
		}
		if len(s.slots) != 1<<s.bits || s.bits > segmentBits {
			return fmt.Errorf("%d slots for %d bits", len(s.slots), s.bits)
		}
		deep := 0
		var last *bucket
		for j, b := range s.slots {
			if b == last {
				continue
			}
			last = b
			span := 1 << (s.depth + s.bits - b.depth)
			if j%span != 0 || s.slots[j+span-1] != b {
				return fmt.Errorf("bucket at slot %d of depth %d", j, b.depth)
			}
			if b.depth == s.depth+s.bits {
				deep++
			}
			if i == 0 || t.top[i-1] != s {
				n += len(b.entries)
			}
			for _, e := range b.entries {
				if t.bucket(e.hash) != b {
					return fmt.Errorf("entry %q is in the wrong bucket", e.o.key)
				}
			}
		}
		if deep != s.deep || deep == 0 {
			return fmt.Errorf("%d deep buckets, counted %d", deep, s.deep)
		}
	}
	if n != t.n {
		return fmt.Errorf("%d entries, counted %d", n, t.n)
	}
	return nil
}

func TestTableGrowsAndShrinks(t *testing.T) {
	tab := newTable()
	objects := make([]*object, 100_000)
	hash := func(o *object) uint64 { return xxh3.HashStringSeed(o.key, 7) }
	for i := range objects {
		o := &object{key: fmt.Sprint(i)}
		objects[i] = o
		tab.insert(hash(o), o)
		if i < 100 || i%10_000 == 0 {
			if err := tab.check(); err != nil {
				t.Fatalf("after %d inserts: %v", i+1, err)
			}
		}
	}
	if tab.bits < 2 {
		t.Errorf("100,000 keys are in %d segments", len(tab.top))
	}
	for i, o := range objects {
		if tab.find(hash(o), []byte(o.key)) != o {
			t.Fatalf("key %q is lost", o.key)
		}
		if i%2 == 0 {
			tab.remove(hash(o), o)
		}
	}
	for i, o := range objects {
		if got := tab.find(hash(o), []byte(o.key)); (got == o) != (i%2 == 1) {
			t.Fatalf("key %q: %v", o.key, got)
		}
	}
	if err := tab.check(); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(objects); i += 2 {
		tab.remove(hash(objects[i]), objects[i])
		if i > len(objects)-100 {
			if err := tab.check(); err != nil {
				t.Fatalf("after %d removals: %v", i, err)
			}
		}
	}
	if tab.n != 0 || tab.bits != 0 {
		t.Errorf("an emptied table has %d keys, %d segments", tab.n, len(tab.top))
	}
}

// Keys that all collide must still be found, in one long bucket.
func TestTableOfCollisions(t *testing.T) {
	for _, hash := range []uint64{0, 1, 1 << 63, ^uint64(0)} {
		tab := newTable()
		objects := make([]*object, 100)
		for i := range objects {
			objects[i] = &object{key: fmt.Sprint(i)}
			tab.insert(hash, objects[i])
		}
		seen := map[string]int{}
		steps := 0
		for cursor := uint64(0); ; steps++ {
			if cursor = tab.walk(cursor, 10, func(o *object) { seen[o.key]++ }); cursor == 0 {
				break
			}
		}
		for _, o := range objects {
			if tab.find(hash, []byte(o.key)) != o || seen[o.key] != 1 {
				t.Errorf("hash %x: key %q was met %d times", hash, o.key, seen[o.key])
			}
		}
		for _, o := range objects {
			tab.remove(hash, o)
		}
		if err := tab.check(); err != nil {
			t.Error(err)
		}
	}
}

// A walk meets every key that is there throughout, exactly once, whatever comes and goes meanwhile.
func TestWalkUnderChanges(t *testing.T) {
	for _, count := range []int{1, 7, 10, 100, 1000} {
		tab := newTable()
		hash := func(o *object) uint64 { return xxh3.HashStringSeed(o.key, uint64(count)) }
		var stable, passing []*object
		add := func(prefix string, i int) *object {
			o := &object{key: prefix + fmt.Sprint(i)}
			tab.insert(hash(o), o)
			return o
		}
		for i := range 3000 {
			stable = append(stable, add("s", i))
		}
		seen := map[*object]int{}
		next := 0
		for cursor, step := uint64(0), 0; ; step++ {
			got := 0
			cursor = tab.walk(cursor, count, func(o *object) { seen[o]++; got++ })
			if got > count+2 {
				t.Fatalf("COUNT %d gave %d keys", count, got)
			}
			if cursor == 0 {
				break
			}
			if grow := step/20%2 == 0; grow {
				for range 50 {
					passing = append(passing, add("p", next))
					next++
				}
			} else {
				for range min(60, len(passing)) {
					last := passing[len(passing)-1]
					passing = passing[:len(passing)-1]
					tab.remove(hash(last), last)
				}
			}
		}
		for _, o := range stable {
			if seen[o] != 1 {
				t.Errorf("COUNT %d: key %q was met %d times", count, o.key, seen[o])
			}
		}
	}
}

func TestScanAndKeys(t *testing.T) {
	x := newWorld(t)
	x.want(Op{Kind: Scan, N: [4]int64{0, 10}}, "*2 $1 0 *0")
	x.want(Op{Kind: RandomKey}, "$-1")
	x.fill("one", "1")
	x.want(Op{Kind: Scan, N: [4]int64{0, 10}}, "*2 $1 0 *1 $3 one")
	x.want(Op{Kind: RandomKey}, "$3 one")
	x.addEntry("two", 1)
	x.want(on(Set, "late", "x").with(0, x.nowMS), "+OK")
	x.want(Op{Kind: DBSize}, ":3")
	x.want(Op{Kind: Scan, Args: [][]byte{nil, []byte("STREAM")}, N: [4]int64{0, 10}}, "*2 $1 0 *1 $3 two")
	x.want(Op{Kind: Scan, Args: [][]byte{nil, []byte("zset")}, N: [4]int64{0, 10}}, "*2 $1 0 *0")
	x.want(Op{Kind: Scan, Args: [][]byte{[]byte("o*"), nil}, N: [4]int64{0, 10}}, "*2 $1 0 *1 $3 one")
	x.want(Op{Kind: Scan, N: [4]int64{-1, 10}}, "*2 $1 0 *0")
	x.want(Op{Kind: Keys, Args: list("*n*")}, "*1 $3 one")
	x.want(Op{Kind: Keys, Args: list("late")}, "*0")
	x.want(Op{Kind: Keys, DB: 1, Args: list("*")}, "*0")
	for range 100 {
		if got := x.do(Op{Kind: RandomKey}); got != "$3 one" && got != "$3 two" {
			t.Fatalf("RANDOMKEY answers %q", got)
		}
	}
}

func TestRandomKeyIsFair(t *testing.T) {
	x := newWorld(t)
	const keys, draws = 100, 100_000
	for i := range keys {
		x.fill(fmt.Sprint(i), "v")
	}
	drawn := map[string]int{}
	for range draws {
		drawn[x.do(Op{Kind: RandomKey})]++
	}
	for key, n := range drawn {
		if n < draws/keys/4 || n > draws/keys*4 {
			t.Errorf("%s was drawn %d times of %d", key, n, draws)
		}
	}
	if len(drawn) != keys {
		t.Errorf("%d of %d keys were drawn", len(drawn), keys)
	}
}

func TestSlot(t *testing.T) {
	for key, want := range map[string]int{
		"": 0, "123456789": 12739, "foo": 12182, "{user1000}.following": 3443, "{user1000}.followers": 3443,
		"foo{}{bar}": 8363, "foo{{bar}}zap": 4015, "foo{bar}{zap}": 5061, "bar": 5061, "{bar": 4015,
	} {
		if got := Slot([]byte(key)); got != want {
			t.Errorf("Slot(%q) = %d, want %d", key, got, want)
		}
	}
	x := newWorld(t)
	x.fill("{a}1", "", "{a}2", "", "b", "", "{a}3", "")
	slot := Slot([]byte("a"))
	if n := x.m.CountKeysInSlot(slot); n != 3 {
		t.Errorf("%d keys in slot", n)
	}
	n := 0
	x.m.KeysInSlot(slot, 2, func(key []byte) {
		if Slot(key) != slot {
			t.Errorf("key %q", key)
		}
		n++
	})
	if n != 2 {
		t.Errorf("%d keys of 2 wanted", n)
	}
}

func BenchmarkTableFind(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := New(1)
			keys := make([][]byte, n)
			for i := range keys {
				keys[i] = fmt.Appendf(nil, "key:%d", i)
				m.Apply(&Op{Kind: Set, Key: keys[i], Args: list("v")}, nil)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if m.find(0, keys[i]) == nil {
					b.Fatal("lost")
				}
				i = int(bits.Reverse32(uint32(i+7919))>>1) % n
			}
		})
	}
}
