package aof

import "fmt"

// Policy says when a frame counts as durable, in the words of Redis's appendfsync.
type Policy int32

const (
	// EverySec syncs once a second; a frame counts as durable once the kernel has it.
	EverySec Policy = iota
	// Always syncs before a frame counts as durable.
	Always
	// No leaves syncing to the kernel.
	No
)

func (p Policy) String() string {
	switch p {
	case EverySec:
		return "everysec"
	case Always:
		return "always"
	case No:
		return "no"
	}
	return fmt.Sprintf("Policy(%d)", int32(p))
}

// ParsePolicy reads what String writes.
func ParsePolicy(s string) (Policy, error) {
	for _, p := range [...]Policy{EverySec, Always, No} {
		if s == p.String() {
			return p, nil
		}
	}
	return 0, fmt.Errorf("unknown sync policy %q: want always, everysec or no", s)
}
