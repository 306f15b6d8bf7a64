package bench

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/resp"
)

// adminTimeout is how long the answer to a command beside the load may take: a SAVE of gigabytes is the longest.
const adminTimeout = 2 * time.Minute

// admin is a connection for what is not measured: INFO, BGSAVE, filling. It belongs to one goroutine.
type admin struct {
	conn net.Conn
	r    *resp.Reader
	buf  []byte
}

func dialAdmin(t Target) (*admin, error) {
	conn, err := net.DialTimeout(network(t.Addr), t.Addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	a := &admin{conn: conn, r: resp.NewReader(conn)}
	if t.Password != "" {
		if _, err := a.do("AUTH", t.Password); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return a, nil
}

func (a *admin) close() { a.conn.Close() }

// do sends one command and returns its reply; an error reply is an error.
func (a *admin) do(words ...string) (resp.Value, error) {
	a.buf = resp.AppendRequest(a.buf[:0], words...)
	if err := a.send(a.buf); err != nil {
		return resp.Value{}, fmt.Errorf("%s: %w", words[0], err)
	}
	v, err := a.read()
	if err != nil {
		return v, fmt.Errorf("%s: %w", words[0], err)
	}
	return v, nil
}

func (a *admin) send(b []byte) error {
	_ = a.conn.SetDeadline(time.Now().Add(adminTimeout)) // fails on a closed connection only, and then the write does too
	_, err := a.conn.Write(b)
	return err
}

func (a *admin) read() (resp.Value, error) {
	v, err := a.r.Read()
	if err == nil {
		err = v.Err()
	}
	return v, err
}

// number sends a command whose reply is an integer.
func (a *admin) number(words ...string) (int64, error) {
	v, err := a.do(words...)
	if err != nil {
		return 0, err
	}
	n, ok := v.Int()
	if !ok {
		return 0, fmt.Errorf("%s: got %s, want a number", strings.Join(words, " "), v)
	}
	return n, nil
}

// info returns the fields of a section of INFO.
func (a *admin) info(section string) (map[string]string, error) {
	v, err := a.do("INFO", section)
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(v.Text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields, nil
}

// infoNumber returns a field that is a number; missing is 0, as servers leave out what does not apply.
func infoNumber(fields map[string]string, name string) float64 {
	n, _ := strconv.ParseFloat(fields[name], 64)
	return n
}

// idle waits until no snapshot is being written and no log rewritten. It returns an error if the last one failed.
func (a *admin) idle() error {
	for {
		fields, err := a.info("persistence")
		if err != nil {
			return err
		}
		busy := fields["rdb_bgsave_in_progress"] == "1" || fields["aof_rewrite_in_progress"] == "1" || fields["aof_rewrite_scheduled"] == "1"
		if !busy {
			if fields["rdb_last_bgsave_status"] == "err" || fields["aof_last_bgrewrite_status"] == "err" {
				return fmt.Errorf("the server could not write its snapshot or log")
			}
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// tidy leaves an empty server with a short log behind, so that no run inherits the dirty pages of the one before.
func (a *admin) tidy() error {
	if _, err := a.do("FLUSHALL"); err != nil {
		return err
	}
	fields, err := a.info("persistence")
	if err != nil {
		return err
	}
	if infoNumber(fields, "aof_current_size") < tidyLogBytes {
		return nil
	}
	if _, err := a.do("BGREWRITEAOF"); err != nil {
		return err
	}
	return a.idle()
}

// tidyLogBytes is the size of a log that is worth rewriting between two runs.
const tidyLogBytes = 64 << 20
