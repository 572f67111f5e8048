// Package version names the build that runs.
package version

import "runtime/debug"

// stamp is set by the linker by make build and make package (-X parley/internal/ground/version.stamp=…).
var stamp string

// String is what packages are stamped with, else the module's version, else the
// commit that the program was built from.
func String() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	return of(info)
}

const unknown = "unknown"

func of(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	return unknown
}
