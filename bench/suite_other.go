//go:build !linux

package bench

import (
	"context"
	"errors"
)

// Suite needs Linux: it starts servers and reads what they cost from /proc.
func Suite(context.Context, Options) (Report, error) {
	return Report{}, errors.New("the suite runs on Linux only")
}

// Scale needs Linux for the same reasons.
func Scale(context.Context, ScaleOptions) (ScaleReport, error) {
	return ScaleReport{}, errors.New("scale runs on Linux only")
}
