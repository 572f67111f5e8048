package main

import (
	"io"

	"parley/internal/admin/licences"
)

// licencesCmd prints what most licences ask to be passed on with a program.
type licencesCmd struct{}

// Run implements the command.
func (licencesCmd) Run(out io.Writer) error {
	_, err := io.WriteString(out, licences.Text)
	return err
}
