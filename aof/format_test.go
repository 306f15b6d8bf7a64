package aof_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/aof/crashfs"
)

const goldenSalt = 0x0102030405060708

// goldenSegment is the example of docs/format/log.md: two frames of ops, then a mark.
func goldenSegment() []byte {
	b := aof.EmptySegmentForTest(goldenSalt, 4096)
	prev := uint32(0)
	for i, payload := range []string{"first", "second"} {
		h := aof.Header{
			Length: uint32(len(payload)), Type: aof.FrameOps, Version: 1, Index: uint64(i) + 1, Synced: uint64(i),
			Prev: prev, Sum: aof.ChecksumForTest([]byte(payload)),
		}
		frame := aof.EncodeForTest(h, goldenSalt)
		prev = uint32(frame[40]) | uint32(frame[41])<<8 | uint32(frame[42])<<16 | uint32(frame[43])<<24
		b = append(append(b, frame...), payload...)
	}
	mark := aof.Header{Type: aof.FrameMark, Version: 1, Index: 2, Synced: 2, Prev: prev}
	return append(b, aof.EncodeForTest(mark, goldenSalt)...)
}

// dump is the form of the examples: 16 bytes a line.
func dump(b []byte) string {
	var s strings.Builder
	for at := 0; at < len(b); at += 16 {
		fmt.Fprintf(&s, "%04x  % x\n", at, b[at:min(at+16, len(b))])
	}
	return s.String()
}

// checkDocument compares an example of a document with what the code writes.
func checkDocument(t *testing.T, name, want string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "docs", "format", name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "```\n"+want+"```\n") {
		t.Errorf("docs/format/%s does not show these bytes, which the code writes:\n%s", name, want)
	}
}

const goldenFirstFrame = "0500000001010000" + "0100000000000000" + "0000000000000000" + "0000000000000000" +
	"00000000" + "50a13e8a" + "f9749b42" + "6669727374"

func TestSegmentBytes(t *testing.T) {
	b := goldenSegment()
	if got := hex.EncodeToString(b[32 : 32+aof.HeaderSize+5]); got != goldenFirstFrame {
		t.Errorf("first frame\ngot  %s\nwant %s", got, goldenFirstFrame)
	}
	checkDocument(t, "log.md", dump(b))
	s, report, err := openFiles(map[string][]byte{firstSegment: append(b, make([]byte, 4096-len(b))...)})
	if err != nil || report.Cut != nil || strings.Join(s.ops, " ") != "first second" {
		t.Errorf("the example holds %q, %+v, %v", s.ops, report, err)
	}
}

func TestSnapshotBytes(t *testing.T) {
	fs := crashfs.New()
	o := options(fs)
	o.Now = func() time.Time { return time.UnixMilli(1_700_000_000_000) }
	var s state
	l, _, err := aof.Open(o, s.restore, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := l.BeginSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, "the state")
	info, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	checkDocument(t, "snapshot.md", dump(fs.ReadFile(filepath.Join(dir, info.Name))))
}
