package object

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed standard/*.json
var files embed.FS

// Standard are the object types that every organisation begins with: Account, Case,
// Contact, Lead and Opportunity, as most CRMs have them.
func Standard() []*Definition {
	entries, err := files.ReadDir("standard")
	if err != nil {
		panic(err) // the files are in the program
	}
	types := make([]*Definition, len(entries))
	for i, e := range entries {
		text, err := files.ReadFile("standard/" + e.Name())
		if err == nil {
			types[i], err = Parse(text)
		}
		if err != nil {
			panic(fmt.Errorf("%s: %w", e.Name(), err))
		}
	}
	return types
}

// Parse reads a definition from JSON, without checking it. A key that no definition has
// is an error: it is misspelt, or a newer version's.
func Parse(text []byte) (*Definition, error) {
	d := &Definition{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return d, decoder.Decode(d)
}
