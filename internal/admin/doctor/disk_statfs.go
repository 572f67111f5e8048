//go:build linux || darwin

package doctor

import (
	"path/filepath"
	"syscall"
)

// freeBytes is how much may still be written beside a file.
func freeBytes(file string) (free uint64, known bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(file), &fs); err != nil {
		return 0, false
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), true //nolint:unconvert // the types differ between systems
}
