package integration

import (
	"bytes"
	bytesof "encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/streamd/streamd/resp"
)

// fileLimit limits the size of the files of a running server, as a full disk does for everything beyond what is allocated.
func fileLimit(p *process, n uint64) {
	p.t.Helper()
	limit := &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, limit, nil); err != nil {
		p.t.Fatal(err)
	}
}

// tally is what writers were answered, by value.
type tally struct {
	mu                     sync.Mutex
	done, refused, inDoubt map[string]bool
	unanswered, unexpected []string
}

func newTally() *tally {
	return &tally{done: map[string]bool{}, refused: map[string]bool{}, inDoubt: map[string]bool{}}
}

// note files one answer. A refused write has not happened and never will; one in doubt may have.
func (y *tally) note(value string, v resp.Value, err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch {
	case err != nil:
		y.unanswered = append(y.unanswered, value)
	case v.Kind == '$':
		y.done[value] = true
	case strings.HasPrefix(string(v.Text), "INDOUBT "):
		y.inDoubt[value] = true
	case strings.HasPrefix(string(v.Text), "MISCONF "):
		y.refused[value] = true
	default:
		y.unexpected = append(y.unexpected, value+": "+v.String())
	}
}

// writers lets clients add entries of 1 KiB to streams of their own, eight at a time, until one is told no, or the
// connection ends.
func writers(p *process, n int) *tally {
	y := newTally()
	var wg sync.WaitGroup
	pad := strings.Repeat("x", 1000)
	for i := range n {
		w, err := dialWire(p)
		if err != nil {
			p.t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer w.close()
			for seq := 0; ; seq += 8 {
				for j := range 8 {
					w.queue("XADD", "w"+strconv.Itoa(i), "*", "v", strconv.Itoa(seq+j), "pad", pad)
				}
				_ = w.flush()
				stop := false
				for j := range 8 {
					v, err := w.read()
					y.note(fmt.Sprintf("w%d %d", i, seq+j), v, err)
					stop = stop || err != nil || v.Err() != nil
				}
				if stop {
					return
				}
			}
		}()
	}
	wg.Wait()
	return y
}

// audit compares a tally with what the server has.
func (y *tally) audit(c *client, n int) {
	c.t.Helper()
	there := map[string]bool{}
	for i := range n {
		key := "w" + strconv.Itoa(i)
		last := -1
		for _, e := range c.do("XRANGE", key, "-", "+").Elems {
			seq, _ := strconv.Atoi(string(e.Elems[1].Elems[1].Text))
			if seq != last+1 {
				c.t.Errorf("%s: %d follows %d: a hole", key, seq, last)
			}
			last = seq
			there[key+" "+strconv.Itoa(seq)] = true
		}
	}
	for value := range y.done {
		if !there[value] {
			c.t.Errorf("%s was answered and is lost", value)
		}
	}
	for value := range y.refused {
		if there[value] {
			c.t.Errorf("%s was refused and is there", value)
		}
	}
	if len(y.unexpected) > 0 {
		c.t.Errorf("unexpected answers: %v", y.unexpected)
	}
	if len(y.done) == 0 {
		c.t.Error("nothing was written")
	}
}

// TestLogWriteFailsEverysec: a write of the log fails. From then on writes are refused with MISCONF while reads go on; what
// was answered is there after a restart; what was under way was answered INDOUBT, never OK (P-S4, P-E2).
func TestLogWriteFailsEverysec(t *testing.T) {
	p := startStreamd(t, binary, "--appendfsync", "everysec")
	reader, blocked := p.client(), p.client()
	reader.want("+OK", "SET", "before", "1")
	blocked.send("XREAD", "BLOCK", "0", "STREAMS", "never", "$")
	fileLimit(p, 300<<10)
	y := writers(p, 4)
	if len(y.inDoubt) == 0 || len(y.unanswered) > 0 {
		t.Errorf("%d in doubt, %d unanswered:\n%s", len(y.inDoubt), len(y.unanswered), p.log)
	}
	for range 3 {
		for _, words := range [][]string{{"SET", "a", "b"}, {"XADD", "never", "*", "f", "v"}, {"DEL", "before"}, {"PING"}} {
			if v := reader.do(words...); !strings.HasPrefix(string(v.Text), "MISCONF ") {
				t.Errorf("%v: %s, want MISCONF", words, v)
			}
		}
		reader.want(`"1"`, "GET", "before")
	}
	reader.want("+OK", "MULTI")
	if v := reader.do("SET", "a", "b"); !strings.HasPrefix(string(v.Text), "MISCONF ") {
		t.Errorf("SET in MULTI: %s", v)
	}
	if v := reader.do("EXEC"); !strings.HasPrefix(string(v.Text), "EXECABORT ") {
		t.Errorf("EXEC: %s", v)
	}
	if v := reader.do("BGREWRITEAOF"); v.Err() == nil {
		t.Errorf("BGREWRITEAOF on a failed log: %s", v)
	}
	if got := infoField(reader, "persistence", "aof_last_write_status"); got != "err" {
		t.Errorf("aof_last_write_status:%s", got)
	}
	if err := blocked.silent(); err != nil {
		t.Errorf("the blocked reader: %v", err)
	}
	if !strings.Contains(p.log.String(), "file too large") {
		t.Errorf("the log does not tell the reason:\n%s", p.log)
	}
	fileLimit(p, unix.RLIM_INFINITY)
	if v := reader.do("SET", "a", "b"); !strings.HasPrefix(string(v.Text), "MISCONF ") {
		t.Errorf("after the limit is lifted, without a restart: %s", v)
	}
	p.restart()
	c := p.client()
	y.audit(c, 4)
	c.want(`"1"`, "GET", "before")
	c.want("$-1", "GET", "a")
	c.want("+OK", "SET", "a", "b")
}

// TestLogWriteFailsAlways: the process ends, saying why, and nothing that was answered is lost.
func TestLogWriteFailsAlways(t *testing.T) {
	p := startStreamd(t, binary, "--appendfsync", "always")
	fileLimit(p, 300<<10)
	y := writers(p, 4)
	select {
	case <-p.done:
	case <-time.After(replyTimeout):
		t.Fatalf("the process goes on:\n%s", p.log)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{"appendfsync always", "file too large", ".log at offset"} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, p.log)
		}
	}
	p.start()
	y.audit(p.client(), 4)
}

// TestFullDisk fills a small file system. Writes are refused before anything is half done, and go on by themselves once there
// is room again (P-R2).
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		missing(t, "mounting a file system needs root")
	}
	dir := shortDir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("mount tmpfs: %v", err) // root of a container that may not mount
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	p := startStreamd(t, binary, "--dir", filepath.Join(dir, "data"))
	y := writers(p, 4)
	if len(y.refused) == 0 || len(y.inDoubt)+len(y.unanswered) > 0 {
		t.Errorf("%d refused, %d in doubt, %d unanswered:\n%s", len(y.refused), len(y.inDoubt), len(y.unanswered), p.log)
	}
	c := p.client()
	y.audit(c, 4)
	if err := unix.Mount("", dir, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(replyTimeout)
	for c.do("SET", "a", "b").Err() != nil {
		if time.Now().After(deadline) {
			t.Fatalf("writes are still refused:\n%s", p.log)
		}
		time.Sleep(50 * time.Millisecond) // it looks again once a second
	}
	p.restart()
	c = p.client()
	y.audit(c, 4)
	c.want(`"b"`, "GET", "a")
}

// runOnce runs streamd with arguments of its own and returns its exit code and output.
func runOnce(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// refusedStart tries to start a second server on a directory. It must refuse.
func refusedStart(t *testing.T, dir string) string {
	t.Helper()
	code, out := runOnce(t, "--port", "0", "--unixsocket", filepath.Join(shortDir(t), "s"), "--dir", dir)
	if code != 1 || strings.Contains(out, "goroutine ") {
		t.Errorf("exit code %d, want 1:\n%s", code, out)
	}
	return out
}

func TestSecondServerOnTheSameDirectory(t *testing.T) {
	p := startStreamd(t, binary)
	dir := filepath.Join(p.dir, "data")
	if out := refusedStart(t, dir); !strings.Contains(out, "in use by another process") || !strings.Contains(out, dir) {
		t.Errorf("the message is not clear:\n%s", out)
	}
	if code, out := runOnce(t, "check", dir); code == 0 || !strings.Contains(out, "in use by another process") {
		t.Errorf("check of a directory in use: %d\n%s", code, out)
	}
	p.client().want("+OK", "SET", "a", "b")
	if code := p.stop(); code != 0 {
		t.Fatal(code)
	}
	if code, out := runOnce(t, "check", dir); code != 0 || !strings.Contains(out, "no damage") {
		t.Errorf("check: %d\n%s", code, out)
	}
	p.start()
	p.client().want(`"b"`, "GET", "a")
}

// segments returns the log files of a directory in order.
func segments(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	slices.Sort(names)
	return names
}

// stoppedWith returns the directory of a server that wrote 200 values and stopped.
func stoppedWith(t *testing.T) (*process, string) {
	t.Helper()
	p := startStreamd(t, binary)
	c := p.client()
	for i := range 200 {
		c.want(":"+strconv.Itoa(i+1), "INCR", "n")
	}
	if code := p.stop(); code != 0 {
		t.Fatal(code)
	}
	return p, filepath.Join(p.dir, "data")
}

// TestDamagedLog flips a bit in the middle of the log. The start is refused with file and offset; check tells what a repair
// would drop and changes nothing; the repair drops that and no more, and the server starts with a prefix.
func TestDamagedLog(t *testing.T) {
	p, dir := stoppedWith(t)
	path := segments(t, dir)[0]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(b, "\x00"))
	b[used/2] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(regexp.QuoteMeta(filepath.Base(path)) + ` is damaged at offset (\d+): .*intact up to index (\d+)`)
	out := refusedStart(t, dir)
	m := said.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("the message is not clear:\n%s", out)
	}
	if offset, _ := strconv.Atoi(m[1]); offset > used/2 || offset < used/2-200 {
		t.Errorf("damaged at %d, said to be at %d", used/2, offset)
	}
	code, out := runOnce(t, "check", dir)
	if code != 1 || said.FindStringSubmatch(out) == nil || !strings.Contains(out, "a repair drops: "+filepath.Base(path)) {
		t.Errorf("check: %d\n%s", code, out)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, b) {
		t.Error("check changed the file")
	}
	if code, out = runOnce(t, "check", "--repair", dir); code != 0 || !strings.Contains(out, "dropped: ") {
		t.Errorf("check --repair: %d\n%s", code, out)
	}
	if code, out = runOnce(t, "check", dir); code != 0 || !strings.Contains(out, "no damage") {
		t.Errorf("check after the repair: %d\n%s", code, out)
	}
	p.start()
	c := p.client()
	n, _ := c.do("GET", "n").Int()
	// The first frames of a new log are the server's own, so the index is not the number of increments.
	if last, _ := strconv.ParseInt(m[2], 10, 64); n < 50 || n > 150 || n > last {
		t.Errorf("n is %d after the repair, the log was intact up to index %s", n, m[2])
	}
	c.want(fmt.Sprintf(":%d", n+1), "INCR", "n")
}

// TestTornEnd cuts the log as a crash may: the start removes the rest and reports it.
func TestTornEnd(t *testing.T) {
	p := startStreamd(t, binary, "--appendfsync", "no")
	c := p.client()
	for i := range 10 {
		c.want(":"+strconv.Itoa(i+1), "INCR", "n")
	}
	p.kill()
	path := segments(t, filepath.Join(p.dir, "data"))[0]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(b, "\x00"))
	clear(b[used-5:])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(p.sock)
	p.start()
	p.client().want(`"9"`, "GET", "n")
	if log := p.log.String(); !strings.Contains(log, "cut off") || !strings.Contains(log, filepath.Base(path)) {
		t.Errorf("the cut is not reported:\n%s", log)
	}
}

// TestRestoreFromSnapshot restores a backup as docs/operations.md says: the snapshot alone is refused, with advice; after the
// repair that is advised the server starts with everything in it.
func TestRestoreFromSnapshot(t *testing.T) {
	p := startStreamd(t, binary)
	c := p.client()
	c.want(`"1-1"`, "XADD", "s", "1-1", "f", "v")
	c.want("+OK", "SAVE")
	snaps, err := filepath.Glob(filepath.Join(p.dir, "data", "*.snap"))
	if err != nil || len(snaps) != 1 {
		t.Fatalf("%v snapshots: %v", snaps, err)
	}
	b, err := os.ReadFile(snaps[0])
	if err != nil {
		t.Fatal(err)
	}
	p.kill()
	dir := filepath.Join(p.dir, "data")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(snaps[0])), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := refusedStart(t, dir); !strings.Contains(out, "streamd check DIR --repair") {
		t.Errorf("no advice:\n%s", out)
	}
	if code, out := runOnce(t, "check", "--repair", dir); code != 0 {
		t.Errorf("check --repair: %d\n%s", code, out)
	}
	_ = os.Remove(p.sock)
	p.start()
	p.client().want(`*1[*2["1-1", *2["f", "v"]]]`, "XRANGE", "s", "-", "+")
}

func TestNewerFormatIsRefused(t *testing.T) {
	_, dir := stoppedWith(t)
	path := segments(t, dir)[0]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	little := bytesof.LittleEndian
	little.PutUint16(b[8:], 999)
	sum := crc32.Checksum(b[:12], crc32.MakeTable(crc32.Castagnoli))
	little.PutUint32(b[12:], crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), b[16:32]))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out := refusedStart(t, dir)
	if !strings.Contains(out, "newer version of streamd") || !strings.Contains(out, "999") {
		t.Errorf("the message is not clear:\n%s", out)
	}
	if code, out := runOnce(t, "check", "--repair", dir); code == 0 || !strings.Contains(out, "newer version") {
		t.Errorf("check --repair: %d\n%s", code, out)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, b) {
		t.Error("the file of a newer version was changed")
	}
}

func TestForeignDirectoryIsRefused(t *testing.T) {
	for _, name := range []string{"dump.rdb", "thesis.txt", "access.log", "appendonlydir/appendonly.aof.manifest"} {
		dir := shortDir(t)
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := refusedStart(t, dir); !strings.Contains(out, "not streamd's") || !strings.Contains(out, strings.Split(name, "/")[0]) {
			t.Errorf("%s: the message is not clear:\n%s", name, out)
		}
		if b, _ := os.ReadFile(path); string(b) != "precious" {
			t.Errorf("%s was touched", name)
		}
	}
}

// TestDrain stops the server under load, in each way an operator has. Exit code 0, and what was answered is there.
func TestDrain(t *testing.T) {
	for _, way := range []string{"SIGTERM", "SIGINT", "SHUTDOWN", "SHUTDOWN SAVE", "SHUTDOWN NOSAVE"} {
		for _, policy := range []string{"always", "everysec", "no"} {
			p := startStreamd(t, plainBinary, "--appendfsync", policy)
			admin := p.client()
			go func() {
				for n := int64(0); n < 2000; { // well under way
					n, _ = admin.do("XLEN", "w0").Int()
				}
				switch way {
				case "SIGTERM":
					_ = p.cmd.Process.Signal(syscall.SIGTERM)
				case "SIGINT":
					_ = p.cmd.Process.Signal(syscall.SIGINT)
				default:
					admin.send(strings.Fields(way)...)
				}
			}()
			y := writers(p, 4)
			select {
			case <-p.done:
			case <-time.After(replyTimeout):
				t.Fatalf("%s, %s: no end:\n%s", way, policy, p.log)
			}
			if code := p.cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(p.log.String(), "cut off") {
				t.Errorf("%s, %s: exit code %d:\n%s", way, policy, code, p.log)
			}
			if _, err := os.Stat(p.sock); err == nil {
				t.Errorf("%s: the socket is still there", way)
			}
			p.start()
			if log := p.log.String(); strings.Contains(log, "cut off") {
				t.Errorf("%s, %s: the end of the log was torn:\n%s", way, policy, log)
			}
			y.audit(p.client(), 4)
			p.kill()
		}
	}
}
