package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// varied returns a stream with something of everything.
func varied(t testing.TB, seed uint64) *Stream {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	s := New()
	for i := range 300 {
		if err := s.Append(ID{uint64(i / 3), uint64(i + 1)}, randomFields(r, 12), tens); err != nil {
			t.Fatal(err)
		}
		if i%7 == 0 {
			s.Delete(ID{uint64(i / 6), uint64(i/2 + 1)})
		}
	}
	s.Trim(Trim{MaxLen: 200})
	s.Idmp().Record([]byte("p"), []byte("i"), ID{7, 7})
	s.Idmp().Record([]byte("p"), []byte("j"), ID{7, 8})
	s.Idmp().Record([]byte("q"), []byte("i"), ID{7, 9})
	s.Idmp().CountDuplicate()
	return s
}

func TestDecodeFromReadsNoByteMore(t *testing.T) {
	s := varied(t, 1)
	want := s.Encode(nil)
	src := bytes.NewReader(append(bytes.Clone(want), "rest"...))
	got, err := DecodeFrom(iotest.HalfReader(src))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Encode(nil), want) {
		t.Error("the restored stream encodes differently")
	}
	if src.Len() != len("rest") {
		t.Errorf("%d bytes left, want 4", src.Len())
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
}

func TestDecodeRefusesDamage(t *testing.T) {
	whole := varied(t, 2).Encode(nil)
	for cut := 0; cut < len(whole); cut += 1 + cut/50 {
		if _, _, err := Decode(whole[:cut]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d bytes: got %v", cut, err)
		}
		if _, err := DecodeFrom(bytes.NewReader(whole[:cut])); !errors.Is(err, ErrDamaged) {
			t.Fatalf("reader cut to %d bytes: got %v", cut, err)
		}
	}
	for at := 0; at < len(whole); at += 1 + at/200 {
		broken := bytes.Clone(whole)
		broken[at] ^= 1 << (at % 8)
		if _, _, err := Decode(broken); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit changed at %d: got %v", at, err)
		}
	}
}

func TestDecodePassesOnTheReadersError(t *testing.T) {
	failure := errors.New("disk")
	if _, err := DecodeFrom(iotest.ErrReader(failure)); !errors.Is(err, failure) || errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// resum gives every section its right checksum, so that fuzzing gets behind it.
func resum(src []byte) []byte {
	src = bytes.Clone(src)
	for rest := src; len(rest) >= sectionHead; {
		size := int(binary.LittleEndian.Uint32(rest))
		if size > len(rest)-sectionHead {
			break
		}
		binary.LittleEndian.PutUint32(rest[4:], crc32.Checksum(rest[sectionHead:sectionHead+size], castagnoli))
		rest = rest[sectionHead+size:]
	}
	return src
}

// Damage that checksums do not show: whatever is accepted must be a sound stream that can be used.
func TestDecodeSurvivesForgery(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	whole := varied(t, 5).Encode(nil)
	accepted := 0
	for range 3000 {
		forged := bytes.Clone(whole)
		for range 1 + r.IntN(3) {
			forged[r.IntN(len(forged))] = byte(r.Uint32())
		}
		if useDecoded(t, resum(forged)) {
			accepted++
		}
	}
	t.Logf("%d of 3000 accepted", accepted)
}

func useDecoded(t *testing.T, src []byte) bool {
	s, _, err := Decode(src)
	if err != nil {
		return false
	}
	if err := s.Check(); err != nil {
		t.Fatalf("accepted, but %v", err)
	}
	for c := s.Scan(MinID, MaxID); c.Next(); {
		if err := sameViews(&c); err != nil {
			t.Fatal(err)
		}
	}
	if id, ok := s.AutoID(1); ok {
		if err := s.Append(id, pair("a", "b"), tens); err != nil {
			t.Fatal(err)
		}
	}
	s.Delete(s.FirstID())
	s.Trim(Trim{MaxLen: 1})
	s.Idmp().Expire(1 << 50)
	if err := s.Check(); err != nil {
		t.Fatalf("after use: %v", err)
	}
	return true
}

func FuzzDecode(f *testing.F) {
	f.Add(New().Encode(nil))
	f.Add(numbered(f, 3, tens).Encode(nil))
	f.Add(varied(f, 6).Encode(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		useDecoded(t, src)
		useDecoded(t, resum(src))
	})
}
