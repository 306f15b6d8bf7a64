//go:build race

package resp

// slowdown is how much longer than usual tests may take.
const slowdown = 100
