package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
)

func inspectCommand() *cobra.Command {
	var databases int
	inspect := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show a log segment or a snapshot as text",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.HasSuffix(args[0], ".snap") {
				return inspectSnapshot(cmd.OutOrStdout(), args[0], databases)
			}
			return inspectLog(cmd.OutOrStdout(), args[0])
		},
	}
	inspect.Flags().IntVar(&databases, "databases", 16, "number of databases in a snapshot")
	return inspect
}

// inspectLog shows one line for each frame and each op in it.
func inspectLog(w io.Writer, path string) error {
	var op machine.Op
	bad := 0
	err := aof.ReadSegment(aof.OS(), path, func(r aof.Record) error {
		if r.Bad != "" {
			bad++
			_, err := fmt.Fprintf(w, "offset %d: %s\n", r.Offset, r.Bad)
			return err
		}
		if _, err := fmt.Fprintf(w, "%d offset %d %s, %d bytes, synced up to %d\n", r.Header.Index, r.Offset, r.Header.Type, len(r.Payload), r.Header.Synced); err != nil {
			return err
		}
		if r.Header.Type != aof.FrameOps {
			return nil
		}
		for rest := r.Payload; len(rest) > 0; {
			var err error
			if rest, err = machine.DecodeOp(rest, &op); err != nil {
				bad++
				_, err = fmt.Fprintf(w, "    %v\n", err)
				return err
			}
			if _, err = fmt.Fprintf(w, "    %s\n", opText(&op)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d places are not what was written", bad)
	}
	return err
}

// opText shows the fields of an op that say something.
func opText(op *machine.Op) string {
	name, ok := kindNames()[op.Kind]
	if !ok {
		name = fmt.Sprintf("kind %d", op.Kind)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s db %d at %d", name, op.DB, op.AtMS)
	for _, field := range []struct {
		label string
		value []byte
	}{{"key", op.Key}, {"group", op.Group}, {"consumer", op.Consumer}} {
		if len(field.value) > 0 {
			b.WriteString(" " + field.label + " " + resp.Quote(field.value))
		}
	}
	for _, id := range op.IDs {
		fmt.Fprintf(&b, " %s", id)
	}
	for _, arg := range op.Args {
		b.WriteString(" " + resp.Quote(arg))
	}
	if op.N != [4]int64{} {
		fmt.Fprintf(&b, " n %d", op.N)
	}
	if op.Flags != 0 {
		fmt.Fprintf(&b, " flags %#x", uint32(op.Flags))
	}
	return b.String()
}

// kindNames are the commands that ops come from.
func kindNames() map[machine.Kind]string {
	return map[machine.Kind]string{
		machine.XAdd: "XADD", machine.XTrim: "XTRIM", machine.XDel: "XDEL", machine.XDelEx: "XDELEX", machine.XSetID: "XSETID",
		machine.XAck: "XACK", machine.XAckDel: "XACKDEL", machine.XNack: "XNACK", machine.XReadGroup: "XREADGROUP", machine.XClaim: "XCLAIM",
		machine.XAutoClaim: "XAUTOCLAIM", machine.XGroupCreate: "XGROUP CREATE", machine.XGroupSetID: "XGROUP SETID",
		machine.XGroupDestroy: "XGROUP DESTROY", machine.XGroupAddCons: "XGROUP CREATECONSUMER", machine.XGroupDelCons: "XGROUP DELCONSUMER",
		machine.XCfgSet: "XCFGSET", machine.XIdmpRecord: "XIDMPRECORD", machine.Set: "SET", machine.GetDel: "GETDEL", machine.GetEx: "GETEX",
		machine.MSet: "MSET", machine.Append: "APPEND", machine.IncrBy: "INCRBY", machine.IncrByFloat: "INCRBYFLOAT",
		machine.SetRange: "SETRANGE", machine.Del: "DEL", machine.Rename: "RENAME", machine.Copy: "COPY", machine.Move: "MOVE",
		machine.ExpireAt: "PEXPIREAT", machine.Persist: "PERSIST", machine.FlushDB: "FLUSHDB", machine.FlushAll: "FLUSHALL",
		machine.SwapDB: "SWAPDB", machine.Expire: "expired", machine.SetParams: "parameters",
	}
}

// inspectSnapshot shows every key: a string with its value, a stream as XINFO STREAM FULL shows it.
func inspectSnapshot(w io.Writer, path string, databases int) error {
	if databases < 1 {
		return usageError{errors.New("--databases must be at least 1")}
	}
	snapshot, err := aof.OpenSnapshot(aof.OS(), path)
	if err != nil {
		return err
	}
	defer func() { _ = snapshot.Close() }() // it was only read
	info := snapshot.Info()
	if _, err := fmt.Fprintf(w, "snapshot index %d, written %s\n", info.Index, info.Created().UTC().Format("2006-01-02 15:04:05 UTC")); err != nil {
		return err
	}
	m := machine.New(databases)
	if err := m.Restore(snapshot); err != nil {
		return err
	}
	for db := range m.Databases() {
		keys, err := ask(m, &machine.Op{Kind: machine.Keys, DB: db, Args: [][]byte{[]byte("*")}})
		if err != nil {
			return err
		}
		for _, key := range keys.Elems {
			if err := inspectKey(w, m, db, key.Text); err != nil {
				return err
			}
		}
	}
	return nil
}

func inspectKey(w io.Writer, m *machine.Machine, db int, key []byte) error {
	op := machine.Op{Kind: machine.Get, DB: db, Key: key}
	kind, err := ask(m, &machine.Op{Kind: machine.Type, DB: db, Key: key})
	if err != nil {
		return err
	}
	if string(kind.Text) == "stream" {
		op.Kind, op.Flags = machine.XInfoStream, machine.FlagFull
	}
	value, err := ask(m, &op)
	if err != nil {
		return err
	}
	expiry := ""
	if ms, ok := m.Deadline(db, key); ok {
		expiry = fmt.Sprintf(" expires at %d", ms)
	}
	_, err = fmt.Fprintf(w, "db %d %s %s%s %s\n", db, kind.Text, resp.Quote(key), expiry, value)
	return err
}

// ask carries out a query at the time of the last op, when no key that is there has expired.
func ask(m *machine.Machine, op *machine.Op) (resp.Value, error) {
	w := resp.Writer{RESP3: true}
	m.Query(op, &w, m.LastMS())
	return resp.NewReader(bytes.NewReader(w.Buf)).Read()
}
