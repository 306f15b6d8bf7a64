package command

import "runtime/debug"

// Version is the version of streamd.
const Version = "0.1.0"

// Revision returns the first eight digits of the commit that the program was built from, zeros when unknown, and whether the
// tree had changes.
func Revision() (commit string, dirty bool) {
	commit = "00000000"
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return commit, false
	}
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 8:
			commit = s.Value[:8]
		case s.Key == "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	return commit, dirty
}
