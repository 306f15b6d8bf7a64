package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/resp"
)

// clear deletes the keys of the bench. They are sought by name, since a run that was cut off may have left others than its own.
func (a *admin) clear() error {
	const atOnce = 1000
	for cursor := "0"; ; {
		v, err := a.do("SCAN", cursor, "MATCH", prefix+"*", "COUNT", strconv.Itoa(atOnce))
		if err != nil {
			return err
		}
		if len(v.Elems) != 2 {
			return fmt.Errorf("SCAN: got %s", v)
		}
		words := []string{"DEL"}
		for _, key := range v.Elems[1].Elems {
			words = append(words, string(key.Text))
		}
		if len(words) > 1 {
			if _, err := a.do(words...); err != nil {
				return err
			}
		}
		if cursor = string(v.Elems[0].Text); cursor == "0" {
			return nil
		}
	}
}

// exchange sends requests and compares the bytes of their replies. Neither may be more than the sockets hold.
func (a *admin) exchange(requests, want []byte) error {
	if err := a.send(requests); err != nil {
		return err
	}
	got := make([]byte, len(want))
	n := 0
	for at := 0; at < len(want); {
		_ = a.conn.SetReadDeadline(time.Now().Add(adminTimeout))
		var err error
		if n, err = a.conn.Read(got); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if n > len(want)-at {
			return fmt.Errorf("the server said more than it was asked for: %s", excerpt(got[len(want)-at:n]))
		}
		if at, err = agree(got[:n], want, at); err != nil {
			return err
		}
	}
	return nil
}

// entriesAdded returns a field of XINFO STREAM.
func (a *admin) entriesAdded(key string) (int64, error) {
	v, err := a.do("XINFO", "STREAM", key)
	if err != nil {
		return 0, err
	}
	n, ok := field(v, "entries-added").Int()
	if !ok {
		return 0, fmt.Errorf("XINFO STREAM %s has no entries-added", key)
	}
	return n, nil
}

// field returns the value of a name in an array of names and values.
func field(v resp.Value, name string) resp.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if string(v.Elems[i].Text) == name {
			return v.Elems[i+1]
		}
	}
	return resp.Value{}
}

// sample reads entries with an XRANGE or XREVRANGE, whose fields and values, as bulk strings, have to be known.
func (a *admin) sample(words []string, known func(fields []byte) bool) error {
	v, err := a.do(append(words, "COUNT", strconv.Itoa(sampleCount))...)
	if err != nil {
		return err
	}
	var fields []byte
	for _, entry := range v.Elems {
		fields = fields[:0]
		if len(entry.Elems) == 2 {
			for _, f := range entry.Elems[1].Elems {
				fields = appendBulk(fields, string(f.Text))
			}
		}
		if !known(fields) {
			return fmt.Errorf("%s: nobody appended %s", strings.Join(words, " "), excerpt([]byte(entry.String())))
		}
	}
	return nil
}
