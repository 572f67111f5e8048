// Command generate writes internal/admin/licences/licences.txt: the Go modules that are
// linked into the program on any system, the standard library, and the npm packages
// of the playground, each with the licences and notices that came with it. It is run
// by "make licences".
//
// It needs the module cache alone. Where the playground's packages are not installed
// their part of the file stays, as long as web/package-lock.json is what it was made
// from.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"parley/internal/check/conventions"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	root, err := conventions.Root()
	if err != nil {
		return err
	}
	file := filepath.Join(root, "internal", "admin", "licences", "licences.txt")
	old, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	modules, err := goParts(root)
	if err != nil {
		return err
	}
	web, err := npmPart(filepath.Join(root, "web"), string(old))
	if err != nil {
		return err
	}
	text, err := part(goTitle, modules)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(preface+text+web), 0o644) //nolint:gosec // a source file, for everybody
}

const preface = `Parley is built from the software below. First comes a list with each part's version
and licence, then the licences' own words, each once with the parts that it came with.
This file is written by "make licences" and printed by "parley licences".

SQLite, which github.com/mattn/go-sqlite3 brings, is in the public domain.
`

const goTitle = "Go modules, and Go's standard library"
