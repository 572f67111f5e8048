package main

import (
	"fmt"
	"io"
	"runtime"

	"parley/internal/ground/version"
)

// versionCmd prints which program this is.
type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run(out io.Writer) error {
	_, err := fmt.Fprintf(out, "parley %s (%s, %s/%s)\n", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
