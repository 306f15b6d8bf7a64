package stream

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestIDText compares with ids written whole.
func TestIDText(t *testing.T) {
	var text IDText
	id := ID{}
	for range 20000 {
		switch rand.IntN(4) {
		case 0:
			id = ID{rand.Uint64() >> rand.IntN(64), rand.Uint64() >> rand.IntN(64)}
		case 1:
			id.MS++
		default:
			id.Seq += rand.Uint64N(12)
		}
		if got, want := text.AppendRESP([]byte("x"), id), id.AppendRESP([]byte("x")); !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}
