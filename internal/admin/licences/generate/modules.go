package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// systems are those whose programs the list is good for.
var systems = []string{"linux", "darwin", "windows"}

// listed is a package as the go tool lists it.
type listed struct {
	Dir      string
	Standard bool
	Module   *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// goParts are the modules that are linked into the program, by name, and the standard
// library. A module's texts are those of its root and of the folders between that and
// each package: some carry code of others.
func goParts(root string) ([]component, error) {
	modules, folders := map[string]component{}, map[string]map[string]bool{}
	for _, system := range systems {
		packages, err := list(root, system)
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			if p.Standard || p.Module == nil || p.Module.Main {
				continue
			}
			m := p.Module
			if folders[m.Path] == nil {
				modules[m.Path], folders[m.Path] = component{name: m.Path, version: m.Version}, map[string]bool{}
			}
			for folder := p.Dir; strings.HasPrefix(folder, m.Dir); folder = filepath.Dir(folder) {
				folders[m.Path][folder] = true
			}
		}
	}
	return withTexts(modules, folders)
}

// withTexts are the standard library and the modules, with the texts in their folders.
func withTexts(modules map[string]component, folders map[string]map[string]bool) ([]component, error) {
	standard, err := standardLibrary()
	out := []component{standard}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		c := modules[path]
		for _, folder := range slices.Sorted(maps.Keys(folders[path])) {
			texts, err := textsIn(folder)
			if err != nil {
				return nil, err
			}
			c.texts = append(c.texts, texts...)
		}
		out = append(out, c)
	}
	return out, err
}

func list(root, system string) (packages []listed, err error) {
	command := exec.Command("go", "list", "-deps", "-tags", "sqlite_fts5", "-json=Dir,Standard,Module", "./cmd/parley") //nolint:noctx // it ends by itself
	command.Dir, command.Stderr = root, os.Stderr
	command.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=1")
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages on %s: %w", system, err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// standardLibrary has no version here: the licence is the same for all, and the list
// must not change with whoever makes it.
func standardLibrary() (component, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output() //nolint:noctx // it ends by itself
	if err != nil {
		return component{}, err
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "LICENSE"))
	if err != nil {
		return component{}, fmt.Errorf("the licence of Go's standard library; use a Go toolchain as go.dev has it: %w", err)
	}
	return component{name: "Go's standard library and runtime", texts: []string{tidy(string(text))}}, nil
}
