//go:build unix && !linux

package aof

// Sync is os.File.Sync, which on macOS also empties the drive's cache.
func (f osFile) Sync() error { return f.File.Sync() }

func (f osFile) Allocate(size int64) error { return f.Truncate(size) }
