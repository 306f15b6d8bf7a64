package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Scale measures what operations cost a server of ours as what it holds grows a hundredfold.
func Scale(ctx context.Context, o ScaleOptions) (ScaleReport, error) {
	host, err := NewHost(o.Dir)
	if err != nil {
		return ScaleReport{}, err
	}
	defer host.Close()
	report := ScaleReport{Began: time.Now(), Program: o.Own, Quick: o.Quick}
	if report.Machine, err = readMachine(host.dir); err != nil {
		return report, err
	}
	for _, d := range dimensions() {
		if o.Only != nil && !o.Only(d.name) {
			continue
		}
		table := ScaleDimension{Name: d.name}
		for _, times := range sizes() {
			table.Sizes = append(table.Sizes, d.size(shrunk(d.at(times), o.Quick)))
		}
		for at, times := range sizes() {
			m := &scaleRun{host: host, options: o, table: &table, at: at, long: d.long && at == len(sizes())-1, name: fmt.Sprintf("%s: %s", d.name, grouped(table.Sizes[at]))}
			if err := m.run(ctx, shrunk(d.at(times), o.Quick)); err != nil {
				return report, fmt.Errorf("%s: %w", m.name, err)
			}
		}
		report.Dimensions = append(report.Dimensions, table)
		report.Took = time.Since(report.Began)
	}
	return report, host.Close()
}

// shrunk is w, or for a quick run something small of the same form.
func shrunk(w world, quick bool) world {
	if !quick {
		return w
	}
	small := func(n int64) int64 { return min(n, 20+n/1000) }
	return world{small(w.streams), small(w.entries), small(w.groups), small(w.pending), small(w.idle)}
}

// scaleRun measures one size of one dimension, on a server of its own.
type scaleRun struct {
	host    *Host
	options ScaleOptions
	table   *ScaleDimension
	at      int  // which size
	long    bool // try the read of everything
	name    string
	server  *Server
}

func (m *scaleRun) tell(what string) {
	if m.options.Progress != nil {
		m.options.Progress(Progress{Target: m.name, Phase: what})
	}
}

func (m *scaleRun) run(ctx context.Context, w world) (err error) {
	if m.server, err = m.host.Start(ctx, Launch{Program: m.options.Own, Durability: Off}); err != nil {
		return err
	}
	defer m.server.Stop()
	stop := context.AfterFunc(ctx, m.server.Stop) // ends whatever waits for a reply
	defer stop()
	defer func() { err = errors.Join(ctx.Err(), err) }()
	p, err := dialPipe(m.server.Addr)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	m.tell("fill")
	c, err := newCrowd(w, p)
	if err != nil {
		return err
	}
	if err := m.operations(c); err != nil {
		return err
	}
	if m.long {
		m.tell("XRANGE of 10 million entries")
		if err := m.stall(c); err != nil {
			return err
		}
	}
	if err := m.busy(ctx, w.idle); err != nil {
		return err
	}
	return m.runtime()
}

// operations measures all operations while the idle connections are there.
func (m *scaleRun) operations(c *crowd) error {
	idle, err := m.open(c.idle)
	defer func() {
		for _, conn := range idle {
			conn.Close()
		}
	}()
	if err != nil {
		return err
	}
	for _, op := range operations() {
		if op.name == ackName && !c.ackable() {
			continue
		}
		m.tell(op.name)
		if err := m.operation(op, c); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
	}
	return nil
}

// busy measures XADD on as many connections as were idle before, all at once; 0: nothing.
func (m *scaleRun) busy(ctx context.Context, conns int64) error {
	if conns == 0 {
		return nil
	}
	m.tell("as many busy connections")
	spec := Spec{Load: "xadd", Conns: int(conns), Pipeline: 1}
	if m.options.Quick {
		spec.Warm, spec.Measure = 20*time.Millisecond, 50*time.Millisecond
	}
	r, err := Run(ctx, m.server.Target, spec, nil)
	m.table.put("XADD on as many busy connections", cpuUnit, m.at, r.CPUMicros)
	m.table.put("XADD on as many busy connections", "ops/s", m.at, r.OpsPerSec)
	return err
}

// open opens connections that say nothing.
func (m *scaleRun) open(n int64) (conns []net.Conn, err error) {
	for range n {
		conn, err := net.Dial("tcp", m.server.Addr)
		if err != nil {
			return conns, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

// operation measures the server's CPU for one operation, as the median of slices of time.
func (m *scaleRun) operation(op operation, c *crowd) error {
	var cpus []float64
	length := scaleSlice
	if m.options.Quick {
		length /= 20
	}
	for slice := range scaleSlices + 1 {
		before, err := usage(m.server.PID).cpu()
		if err != nil {
			return err
		}
		begin, n := time.Now(), 0
		for time.Since(begin) < length && (op.name != ackName || c.acked < c.pending-scaleBatch) {
			for range scaleBatch {
				op.do(c)
			}
			if err := c.p.flush(); err != nil {
				return err
			}
			n += scaleBatch
		}
		after, err := usage(m.server.PID).cpu()
		if err != nil {
			return err
		}
		if slice > 0 && n > 0 { // the first one warms the caches
			cpus = append(cpus, float64((after-before).Nanoseconds())/1e3/float64(n))
		}
	}
	if len(cpus) == 0 {
		return errors.New("nothing was measured")
	}
	m.table.put(op.name, cpuUnit, m.at, median(cpus))
	return nil
}

// runtime reads what the garbage collector did since the server started, and what the server holds.
func (m *scaleRun) runtime() error {
	a, err := dialAdmin(m.server.Target)
	if err != nil {
		return err
	}
	defer a.close()
	fields, err := a.info("runtime")
	if err != nil {
		return err
	}
	cpu, err := usage(m.server.PID).cpu()
	if err != nil {
		return err
	}
	rss, err := usage(m.server.PID).rss()
	if err != nil {
		return err
	}
	m.table.put("garbage collection, of all CPU", "%", m.at, 100*infoNumber(fields, "gc_cpu_seconds")/cpu.Seconds())
	m.table.put("longest pause for it", "µs", m.at, infoNumber(fields, "gc_pause_usec_max"))
	m.table.put("resident memory", "MiB", m.at, float64(rss)/(1<<20))
	return nil
}

// stall reads up to 10 million entries with one XRANGE while another connection sends a PING each millisecond, and takes the longest
// of their answers, from when each was due.
func (m *scaleRun) stall(c *crowd) error {
	conn, err := net.Dial("tcp", m.server.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	done := make(chan error, 1)
	go func() { done <- m.longRange(min(c.last[0], 10_000_000)) }()
	const every = time.Millisecond
	answer := make([]byte, len("+PONG\r\n"))
	longest := time.Duration(0)
	for due := time.Now(); ; due = due.Add(every) {
		time.Sleep(time.Until(due))
		_ = conn.SetDeadline(time.Now().Add(adminTimeout))
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return errors.Join(err, <-done)
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return errors.Join(err, <-done)
		}
		longest = max(longest, time.Since(due))
		select {
		case err := <-done:
			m.table.put("longest PING during an XRANGE of 10 million", "µs", m.at, float64(longest.Microseconds()))
			return err
		default:
		}
	}
}

// longRange reads n entries and throws them away; an ECHO behind them tells where they end.
func (m *scaleRun) longRange(n int64) error {
	conn, err := net.Dial("tcp", m.server.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	const mark = "the end of a long range"
	if _, err := fmt.Fprintf(conn, "XRANGE %s - %s\r\nECHO \"%s\"\r\n", crowdKey(0), crowdID(n), mark); err != nil {
		return err
	}
	buf, tail, total := make([]byte, 1<<20), []byte(nil), int64(0)
	for !bytes.HasSuffix(tail, []byte(mark+"\r\n")) {
		got, err := conn.Read(buf)
		if err != nil {
			return err
		}
		total += int64(got)
		tail = append(tail, buf[max(0, got-64):got]...)
		tail = tail[max(0, len(tail)-64):]
	}
	if total < 40*n {
		return fmt.Errorf("XRANGE of %d entries gave %d bytes", n, total)
	}
	return nil
}
