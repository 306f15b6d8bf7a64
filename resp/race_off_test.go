//go:build !race

package resp

// slowdown is how much longer than usual tests may take; above 1 because machines that test are busy with other tests.
const slowdown = 4
