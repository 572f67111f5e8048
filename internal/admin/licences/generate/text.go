package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// component is one thing that the program is built from.
type component struct {
	name, version string
	licences      []string // SPDX's names; found in the texts when empty
	texts         []string // licences and notices, whole
}

func (c component) String() string { return strings.TrimSpace(c.name + " " + c.version) }

// part writes a part of the file: the list, then the texts, each once.
func part(title string, components []component) (string, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s\n%s\n\n", title, strings.Repeat("=", len(title)))
	carriers := map[string][]string{} // by text
	var order []string
	for _, c := range components {
		if len(c.texts) == 0 {
			return "", fmt.Errorf("%s comes without a licence: look for it, and for another part if there is none", c)
		}
		names, err := c.names()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "  %s: %s\n", c, strings.Join(names, ", "))
		for _, text := range c.texts {
			if carriers[text] == nil {
				order = append(order, text)
			}
			carriers[text] = append(carriers[text], c.String())
		}
	}
	for _, text := range order {
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s\n", strings.Repeat("-", 80), strings.Join(slices.Compact(carriers[text]), "\n"), text)
	}
	return out.String(), nil
}

// agreeable are the licences that somebody has looked at: they let a program be
// passed on in any form, with their words, or, as GooglePatentsFile, grant more. MPL-2.0 asks besides for the source of the
// files that are under it, which stand unchanged in the module proxy.
var agreeable = []string{
	"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "GooglePatentsFile", "ISC", "MIT", "MIT-0", "MPL-2.0", "Python-2.0", "Unicode-DFS-2016", "Unlicense", "CC0-1.0",
}

// names are SPDX's names of the component's licences.
func (c component) names() ([]string, error) {
	names := slices.Clone(c.licences)
	if len(names) == 0 {
		for _, text := range c.texts {
			for _, m := range licensecheck.Scan([]byte(text)).Match {
				if !m.IsURL {
					names = append(names, m.ID)
				}
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil, fmt.Errorf("the licence of %s is not known by its words: look at it", c)
	}
	for _, name := range names {
		if !slices.Contains(agreeable, name) {
			return nil, fmt.Errorf("%s is under %s, which nobody has looked at: may it be in the program?", c, name)
		}
	}
	return names, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents|unlicense)s?([.-].*)?$`)

// textsIn reads the licences and notices in a folder.
func textsIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, tidy(string(b)))
	}
	return texts, nil
}

// tidy makes texts equal that differ by ends of lines alone.
func tidy(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
