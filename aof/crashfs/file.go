package crashfs

import (
	"io"
	"io/fs"
)

// file is an open file.
type file struct {
	fs     *FS
	node   *inode
	path   string
	write  bool
	closed bool
}

func (f *file) fault(kind Kind, n int) error {
	if f.closed {
		return &fs.PathError{Op: string(kind), Path: f.path, Err: fs.ErrClosed}
	}
	return f.fs.ask(kind, f.path, n)
}

func (f *file) ReadAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fault(Read, len(b)); err != nil {
		return 0, err
	}
	if off >= int64(len(f.node.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.now[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if !f.write {
		return 0, &fs.PathError{Op: "write", Path: f.path, Err: fs.ErrPermission}
	}
	if f.fs.dead || f.closed {
		return 0, f.fault(Write, len(b))
	}
	err := f.fault(Write, len(b))
	if err != nil {
		b = b[:len(b)/2] // a failed write may have done a part
	}
	end, full := f.fs.grow(f.node, off+int64(len(b)))
	b = b[:max(0, end-off)]
	if len(b) > 0 {
		f.node.put(write{off, append([]byte(nil), b...)})
	}
	if err == nil && full != nil {
		err = &fs.PathError{Op: "write", Path: f.path, Err: full}
	}
	return len(b), err
}

func (f *file) Allocate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fault(Allocate, int(size)); err != nil {
		return err
	}
	if _, err := f.fs.grow(f.node, size); err != nil {
		return &fs.PathError{Op: "allocate", Path: f.path, Err: err}
	}
	f.node.put(write{off: size})
	return nil
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n := len(f.node.pending) // what is written while it waits is not promised
	err := f.fault(Sync, 0)
	if err != nil && (f.fs.dead || f.closed) {
		return err
	}
	n = min(n, len(f.node.pending))
	if err == nil {
		for _, w := range f.node.pending[:n] {
			f.node.durable = w.on(f.node.durable)
		}
	} // else the kernel counts those pages as clean now
	f.node.pending = f.node.pending[n:]
	return err
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.dead {
		return 0, ErrCrashed
	}
	return int64(len(f.node.now)), nil
}

func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return &fs.PathError{Op: "close", Path: f.path, Err: fs.ErrClosed}
	}
	f.closed = true
	return nil
}

func (n *inode) put(w write) {
	n.pending = append(n.pending, w)
	n.now = w.on(n.now)
}

// on carries the write out.
func (w write) on(b []byte) []byte {
	if end := int(w.off) + len(w.data); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[w.off:], w.data)
	return b
}
