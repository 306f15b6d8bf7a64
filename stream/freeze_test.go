package stream

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
)

// Readers walk images on other goroutines while the stream is written to; run with -race.
func TestImagesAreReadBesideTheStream(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	s := New()
	var readers sync.WaitGroup
	defer readers.Wait()
	next := uint64(0)
	for range 30 {
		for range 200 {
			next++
			if err := s.Append(ID{next, 0}, randomFields(r, 6), tens); err != nil {
				t.Fatal(err)
			}
			if r.IntN(3) == 0 {
				s.Delete(ID{r.Uint64N(next) + 1, 0})
			}
		}
		s.Idmp().Record([]byte("p"), []byte{byte(next)}, ID{next, 0})
		s.Trim(Trim{MaxLen: 1500, Approx: r.IntN(2) == 0})
		want := s.Encode(nil)
		image := s.Freeze()
		readers.Go(func() {
			if err := image.Check(); err != nil {
				t.Error(err)
			}
			for c := image.ScanReverse(MinID, MaxID); c.Next(); {
				c.EntrySize()
			}
			if !bytes.Equal(image.Encode(nil), want) {
				t.Error("an image changed")
			}
		})
	}
}

func TestClonesGoTheirOwnWays(t *testing.T) {
	a := numbered(t, 100, tens)
	b := a.Clone()
	mustAppend(t, a, ID{200, 1}, tens)
	mustAppend(t, b, ID{200, 2}, tens)
	a.Delete(ID{1, 0})
	b.Trim(Trim{MaxLen: 10})
	b.Idmp().Record([]byte("p"), []byte("i"), ID{1, 1})
	if a.Has(ID{200, 2}) || b.Has(ID{200, 1}) || a.Len() != 100 || b.Len() != 10 || a.Idmp().Iids() != 0 {
		t.Errorf("got %d and %d entries", a.Len(), b.Len())
	}
	for _, s := range []*Stream{a, b} {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
}
