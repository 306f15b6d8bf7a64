package aof

import "io"

// FS is all this package asks of a file system: OS in production, crashfs in tests. Paths are as the operating system has
// them. A method that fails has changed nothing that later calls of this package rely on.
type FS interface {
	// Open opens an existing regular file and never follows a symbolic link.
	Open(path string, write bool) (File, error)
	// Create makes a new file, mode 0600, open for reading and writing; it fails if the name exists.
	Create(path string) (File, error)
	Rename(from, to string) error // replaces an existing file, atomically
	Remove(path string) error
	ReadDir(path string) ([]Entry, error) // sorted by name
	MkdirAll(path string) error           // mode 0700, and durable
	// SyncDir makes creations, renames and removals in the directory durable.
	SyncDir(path string) error
	// Lock takes an exclusive lock that ends with Close or with the process; ErrLocked if another has it.
	Lock(path string) (io.Closer, error)
}

// File is an open file. WriteAt and Sync may be called at the same time.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error // data and size, not times: fdatasync
	Size() (int64, error)
	// Allocate reserves blocks up to size and makes the file that long; what was not written reads as zero.
	Allocate(size int64) error
}

// Entry is one name in a directory.
type Entry struct {
	Name string
	Size int64
	Dir  bool
}
