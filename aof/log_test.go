package aof_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/streamd/streamd/aof"
)

func TestLogComesBackAfterClose(t *testing.T) {
	dir := t.TempDir() + "/a/data"
	var got []string
	open := func() (*aof.Log, aof.Report) {
		got = got[:0]
		l, report, err := aof.Open(aof.Options{Dir: dir}, func(r io.Reader, index uint64) error {
			b, err := io.ReadAll(r)
			got = append(got, fmt.Sprintf("snap %d %s", index, b))
			return err
		}, func(p []byte, index uint64) error {
			got = append(got, fmt.Sprintf("%d %s", index, p))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return l, report
	}
	l, _ := open()
	for i := range 3 {
		if _, err := l.Append(fmt.Appendf(nil, "op%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, report := open()
	t.Log(got, report)
	w, index, err := l.BeginSnapshot()
	if err != nil || index != 3 {
		t.Fatal(index, err)
	}
	fmt.Fprintf(w, "state")
	if _, err := l.Append([]byte("op3")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, report = open()
	t.Log(got, report)
	l.Close()
}
