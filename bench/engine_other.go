//go:build !linux

package bench

import (
	"context"
	"errors"
	"time"
)

// conn and engine exist on Linux only.
type conn struct{ open bool }

type engine struct{}

var errLinux = errors.New("bench needs Linux: it drives its connections with epoll")

func newEngine(Target, *meter, []script, time.Duration) (*engine, error) { return nil, errLinux }

func (e *engine) run(context.Context) error { return errLinux }
func (e *engine) close()                    {}
func (e *engine) kick(*conn)                {}
func (e *engine) alarm(*conn, int64)        {}
