//go:build !linux

package bench

import "time"

// usage is measured on Linux only.
type usage int

func (usage) cpu() (time.Duration, error) { return 0, nil }
func (usage) rss() (int64, error)         { return 0, nil }
func threadCPU() time.Duration            { return 0 }
