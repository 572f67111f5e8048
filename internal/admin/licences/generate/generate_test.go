package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func terms(author string) string { return strings.ReplaceAll(mit, "%s", author) }

func TestEqualTextsAreGivenOnce(t *testing.T) {
	t.Parallel()
	crlf := tidy(strings.ReplaceAll(terms("Ada"), "\n", " \r\n"))
	text, err := part("Parts", []component{
		{name: "a", version: "v1", texts: []string{terms("Ada"), crlf}},
		{name: "b", version: "v2", texts: []string{crlf}},
		{name: "c", version: "v3", texts: []string{terms("Bo")}},
	})
	require.NoError(t, err)
	require.Contains(t, text, "Parts\n=====\n\n  a v1: MIT\n  b v2: MIT\n  c v3: MIT\n")
	require.Contains(t, text, "\na v1\nb v2\n\n"+terms("Ada"))
	require.Contains(t, text, "\nc v3\n\n"+terms("Bo"))
	require.Equal(t, 2, strings.Count(text, "Permission is hereby granted"))
}

// What may not be passed on, or is not known, is no line in a list.
func TestALicenceThatNobodyLookedAtFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of    component
		fails string
	}{
		"without a text":      {component{name: "a"}, "a comes without a licence"},
		"of words not known":  {component{name: "a", texts: []string{"All rights reserved."}}, "is not known by its words"},
		"named and not taken": {component{name: "a", licences: []string{"AGPL-3.0-only"}, texts: []string{terms("Ada")}}, "a is under AGPL-3.0-only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := part("Parts", []component{c.of})
			require.ErrorContains(t, err, c.fails)
		})
	}
}

// A package without its licence's words has those of its repository, or the words of
// the licence that it names.
func TestPackagesOfNpm(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	write("package-lock.json", `{"packages": {"": {}, "node_modules/@x/small": {"version": "1.0.0", "license": "MIT"},
		"node_modules/big": {"version": "2.0.0", "license": "MIT"}, "node_modules/big/node_modules/alone": {"version": "3.0.0", "license": "MIT"}}}`)
	_, err := npmPart(folder, "")
	require.ErrorContains(t, err, "run make web", "nothing is installed, and nothing was written before")

	write("node_modules/@x/small/package.json", `{"repository": {"url": "git+https://git.test/big.git"}}`)
	write("node_modules/big/package.json", `{"repository": "https://git.test/big"}`)
	write("node_modules/big/LICENSE.md", terms("Big")+"\r\n")
	write("node_modules/big/node_modules/alone/package.json", `{"author": {"name": "Sue"}}`)
	text, err := npmPart(folder, "")
	require.NoError(t, err)
	require.Contains(t, text, "  @x/small 1.0.0: MIT\n  big 2.0.0: MIT\n  alone 3.0.0: MIT\n")
	require.Contains(t, text, "\n@x/small 1.0.0\nbig 2.0.0\n\n"+terms("Big"))
	require.Contains(t, text, "\nalone 3.0.0\n\n"+terms("Sue"))

	require.NoError(t, os.RemoveAll(filepath.Join(folder, "node_modules")))
	kept, err := npmPart(folder, "what was before"+text)
	require.NoError(t, err)
	require.Equal(t, text, kept)
	write("package-lock.json", `{"packages": {}}`)
	_, err = npmPart(folder, text)
	require.ErrorContains(t, err, "packages changed")
}
