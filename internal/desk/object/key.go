package object

import (
	"crypto/sha256"
	"strings"

	"golang.org/x/text/cases"
)

// mostKey is how many bytes of a text its key holds; longer ones end in a hash.
const mostKey = 300

// Keys are what an index holds of a value: bytes in the order of the kind's values, one
// for each choice. A blank value has none.
func (f *Field) Keys(v Value) [][]byte {
	if v.IsBlank() {
		return nil
	}
	if f.Kind == MultiPicklist {
		keys := make([][]byte, len(v.List))
		for i, c := range v.List {
			keys[i] = textKey(c)
		}
		return keys
	}
	switch f.Kind {
	case Number, Currency, Percent:
		d, _ := decimalOf(v.Text)
		return [][]byte{d.key()}
	}
	return [][]byte{textKey(v.Text)}
}

// Prefix is what the keys of all texts begin with that begin with s, ignoring case.
func Prefix(s string) []byte {
	folded := fold(s)
	return []byte(folded[:min(len(folded), mostKey-sha256.Size)])
}

func textKey(s string) []byte {
	folded := fold(s)
	if len(folded) <= mostKey {
		return []byte(folded)
	}
	sum := sha256.Sum256([]byte(folded))
	return append([]byte(folded[:mostKey-sha256.Size]), sum[:]...)
}

func fold(s string) string { return cases.Fold().String(strings.TrimSpace(s)) }
