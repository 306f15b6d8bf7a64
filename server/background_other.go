//go:build !linux

package server

// background runs f on a goroutine of its own.
func background(f func()) { go f() }
