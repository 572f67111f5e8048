package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// npmPart lists the packages that the lock file names. Where they are not installed it
// is the old file's part, if that was made from the same lock file.
func npmPart(folder, old string) (string, error) {
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return "", err
	}
	title := fmt.Sprintf("npm packages of the playground (package-lock.json is %.12x)", sha256.Sum256(lock))
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); errors.Is(err, os.ErrNotExist) {
		if at := strings.Index(old, "\n"+title+"\n"); at >= 0 {
			return old[at:], nil
		}
		return "", errors.New("the playground's packages changed and are not installed: run make web where npm is, then make licences")
	}
	components, err := npmParts(folder, lock)
	if err != nil {
		return "", err
	}
	return part(title, components)
}

func npmParts(folder string, lock []byte) (out []component, err error) {
	var locked struct {
		Packages map[string]struct{ Version, License string }
	}
	if err := json.Unmarshal(lock, &locked); err != nil {
		return nil, err
	}
	delete(locked.Packages, "") // the playground itself
	abouts, lent := []described{}, map[string][]string{}
	for _, path := range slices.Sorted(maps.Keys(locked.Packages)) {
		p := locked.Packages[path]
		c := component{name: path[strings.LastIndex(path, "node_modules/")+len("node_modules/"):], version: p.Version, licences: []string{p.License}}
		about, err := describe(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		if c.texts, err = textsIn(filepath.Join(folder, path)); err != nil {
			return nil, err
		}
		if len(c.texts) > 0 && lent[about.repository] == nil {
			lent[about.repository] = c.texts
		}
		out, abouts = append(out, c), append(abouts, about)
	}
	for i := range out {
		out[i].borrow(abouts[i], lent)
	}
	return out, nil
}

// borrow gives a package that comes without its licence's words those of its
// repository's other packages, or of the licence that it names.
func (c *component) borrow(about described, lent map[string][]string) {
	switch {
	case len(c.texts) > 0:
	case lent[about.repository] != nil:
		c.texts = lent[about.repository]
	case about.author != "" && slices.Equal(c.licences, []string{"MIT"}):
		c.texts = []string{fmt.Sprintf(mit, about.author)}
	}
}

// described is what a package says of itself.
type described struct{ repository, author string }

func describe(folder string) (described, error) {
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		return described{}, fmt.Errorf("%w: run make web", err)
	}
	var p struct{ Repository, Author json.RawMessage }
	if err := json.Unmarshal(text, &p); err != nil {
		return described{}, fmt.Errorf("%s: %w", folder, err)
	}
	repository := strings.TrimSuffix(strings.TrimPrefix(plain(p.Repository), "git+"), ".git")
	return described{cmp.Or(repository, folder), plain(p.Author)}, nil
}

// plain reads what is given as a text, or as an object with a url or name.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var object struct{ URL, Name string }
	_ = json.Unmarshal(value, &object) // neither: it says nothing
	return cmp.Or(object.URL, object.Name)
}

// mit is the licence of a package that names it and its author and has the words
// nowhere.
const mit = `MIT License (named in package.json, which comes without these words)

Copyright (c) %s

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`
