package conventions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

//go:generate go run ./schemafile

// SchemaFile is the name of the committed public schema, under the root.
const SchemaFile = "schema.graphql"

// WriteSchema writes schema.graphql under root from schema/*.graphql. It leaves
// the old file alone and returns an error that lists the breaks when the new
// schema lacks something of the old one that was not deprecated with a removal
// date that has come.
func WriteSchema(root string, now time.Time) error {
	schema, err := LoadSchema(root)
	if err != nil {
		return err
	}
	file := filepath.Join(root, SchemaFile)
	if err := CompareSchema(root, file, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // no file is no break: this is the first one
	}
	return os.WriteFile(file, []byte(Canonical(schema)), 0o644) //nolint:gosec // a source file like any other
}

// CompareSchema holds schema/*.graphql under root against an older
// schema.graphql and returns an error that lists the breaks that were not
// announced in time.
func CompareSchema(root, file string, now time.Time) error {
	schema, err := LoadSchema(root)
	if err != nil {
		return err
	}
	old, err := parse(file)
	if err != nil {
		return err
	}
	return refuse(Diff(old, schema), now)
}

func refuse(breaks []Break, now time.Time) error {
	var lines []string
	for _, b := range breaks {
		if !b.Announced(now) {
			lines = append(lines, "  "+b.String())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("the schema only grows, and this change takes away from it:\n%s\n"+
		"Keep the element and deprecate it: @deprecated(reason: \"Use x instead. Since YYYY-MM-DD, removed after YYYY-MM-DD.\")", strings.Join(lines, "\n"))
}
