// Package crashfs is an in-memory file system for tests: it forgets what was not synced, fails on request, and counts every
// operation that changes something, so that a test can stop the world before each of them in turn.
package crashfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/streamd/streamd/aof"
)

// ErrCrashed is returned by every operation from the crash on.
var ErrCrashed = errors.New("crashfs: crashed")

// Kind is what an operation does.
type Kind string

// The operations that count. Reading does not.
const (
	Create   Kind = "create"
	Write    Kind = "write"
	Sync     Kind = "sync"
	Allocate Kind = "allocate"
	Rename   Kind = "rename"
	Remove   Kind = "remove"
	SyncDir  Kind = "syncdir"
	Mkdir    Kind = "mkdir"
	Read     Kind = "read"
)

// Op is one operation, about to be done.
type Op struct {
	N    int // counts from 1; 0 for reads
	Kind Kind
	Name string // base name of the file
	Len  int    // bytes to write or read
}

func (o Op) String() string { return fmt.Sprintf("%d %s %s %d", o.N, o.Kind, o.Name, o.Len) }

// FS is the file system. It may be used from several goroutines.
type FS struct {
	mu    sync.Mutex
	dirs  map[string]*directory
	locks map[string]bool
	hook  func(Op) error
	ops   int
	dead  bool
	space int64 // bytes all files together may have; 0: no limit
}

// directory keeps its names as the process sees them, and as the disk has them.
type directory struct {
	now     map[string]*inode
	durable map[string]*inode
	pending []change
}

// change is one unsynced change of a directory: names to set, or to remove when nil. It happens as a whole or not at all.
type change map[string]*inode

type inode struct {
	now     []byte
	durable []byte
	pending []write // unsynced, in order
}

type write struct {
	off  int64
	data []byte // nil: the file grew to off
}

// New makes an empty file system.
func New() *FS {
	return &FS{dirs: map[string]*directory{}, locks: map[string]bool{}}
}

// SetHook has f asked before each operation; an error makes that operation fail, and it may block. When the sync
// of a file fails, what it should have written is gone from the disk while reads still see it, as on Linux.
func (s *FS) SetHook(f func(Op) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

// CrashAt stops the world before operation n counted from the beginning; of a write, the first half is still done.
func (s *FS) CrashAt(n int) {
	s.SetHook(func(op Op) error {
		if op.N >= n {
			return ErrCrashed
		}
		return nil
	})
}

// FailAt makes operation n fail with err, once.
func (s *FS) FailAt(n int, err error) {
	s.SetHook(func(op Op) error {
		if op.N == n {
			return err
		}
		return nil
	})
}

// SetSpace limits the bytes of all files together, 0: no limit.
func (s *FS) SetSpace(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.space = n
}

// Ops is how many operations were counted so far.
func (s *FS) Ops() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ops
}

// Crash ends the process: every later operation, also on open files, fails.
func (s *FS) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

// ask counts and asks. Called with mu held, which it gives up meanwhile.
func (s *FS) ask(kind Kind, path string, n int) error {
	op := Op{Kind: kind, Name: filepath.Base(path), Len: n}
	if kind != Read {
		s.ops++
		op.N = s.ops
	}
	if s.dead {
		return ErrCrashed
	}
	if s.hook == nil {
		return nil
	}
	hook := s.hook
	s.mu.Unlock() // it may block, and only the operation itself is to wait for that
	err := hook(op)
	s.mu.Lock()
	if errors.Is(err, ErrCrashed) {
		s.dead = true
	}
	if err != nil {
		return &fs.PathError{Op: string(kind), Path: path, Err: err}
	}
	return nil
}

func (s *FS) lookup(path string) (*directory, *inode) {
	d := s.dirs[filepath.Dir(path)]
	if d == nil {
		return nil, nil
	}
	return d, d.now[filepath.Base(path)]
}

// Open implements aof.FS.
func (s *FS) Open(path string, write bool) (aof.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil, ErrCrashed
	}
	_, n := s.lookup(path)
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return &file{fs: s, node: n, path: path, write: write}, nil
}

// Create implements aof.FS.
func (s *FS) Create(path string) (aof.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ask(Create, path, 0); err != nil {
		return nil, err
	}
	d, n := s.lookup(path)
	if d == nil || n != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	n = &inode{}
	d.apply(change{filepath.Base(path): n})
	return &file{fs: s, node: n, path: path, write: true}, nil
}

func (d *directory) apply(c change) {
	d.pending = append(d.pending, c)
	c.on(d.now)
}

func (c change) on(names map[string]*inode) {
	for name, n := range c {
		if n == nil {
			delete(names, name)
		} else {
			names[name] = n
		}
	}
}

// Rename implements aof.FS, inside one directory.
func (s *FS) Rename(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ask(Rename, to, 0); err != nil {
		return err
	}
	d, n := s.lookup(from)
	if n == nil || filepath.Dir(from) != filepath.Dir(to) {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	d.apply(change{filepath.Base(from): nil, filepath.Base(to): n})
	return nil
}

// Remove implements aof.FS.
func (s *FS) Remove(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ask(Remove, path, 0); err != nil {
		return err
	}
	d, n := s.lookup(path)
	if n == nil {
		return &fs.PathError{Op: "remove", Path: path, Err: fs.ErrNotExist}
	}
	d.apply(change{filepath.Base(path): nil})
	return nil
}

// ReadDir implements aof.FS.
func (s *FS) ReadDir(path string) ([]aof.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil, ErrCrashed
	}
	d := s.dirs[filepath.Clean(path)]
	if d == nil {
		return nil, &fs.PathError{Op: "readdir", Path: path, Err: fs.ErrNotExist}
	}
	list := make([]aof.Entry, 0, len(d.now))
	for name, n := range d.now {
		list = append(list, aof.Entry{Name: name, Size: int64(len(n.now))})
	}
	slices.SortFunc(list, func(a, b aof.Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// MkdirAll implements aof.FS. Directories themselves are durable at once.
func (s *FS) MkdirAll(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	path = filepath.Clean(path)
	if s.dirs[path] != nil {
		return nil
	}
	if err := s.ask(Mkdir, path, 0); err != nil {
		return err
	}
	s.dirs[path] = &directory{now: map[string]*inode{}, durable: map[string]*inode{}}
	return nil
}

// SyncDir implements aof.FS.
func (s *FS) SyncDir(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.ask(SyncDir, path, 0)
	d := s.dirs[filepath.Clean(path)]
	if d == nil {
		return &fs.PathError{Op: "syncdir", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return err
	}
	for _, c := range d.pending {
		c.on(d.durable)
	}
	d.pending = nil
	return nil
}

// Lock implements aof.FS. The lock ends with the process: a restarted file system has none.
func (s *FS) Lock(path string) (io.Closer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil, ErrCrashed
	}
	if s.locks[path] {
		return nil, fmt.Errorf("%w (%s is locked)", aof.ErrLocked, path)
	}
	s.locks[path] = true
	return &lock{s, path}, nil
}

type lock struct {
	fs   *FS
	path string
}

func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	delete(l.fs.locks, l.path)
	return nil
}

// grow checks the space for a file to get n bytes long, and returns how long it may get.
func (s *FS) grow(node *inode, n int64) (int64, error) {
	if s.space == 0 || n <= int64(len(node.now)) {
		return n, nil
	}
	used := int64(0)
	seen := map[*inode]bool{}
	for _, d := range s.dirs {
		for _, other := range d.now {
			if !seen[other] && other != node {
				seen[other] = true
				used += int64(len(other.now))
			}
		}
	}
	if used+n > s.space {
		return max(s.space-used, int64(len(node.now))), syscall.ENOSPC
	}
	return n, nil
}
