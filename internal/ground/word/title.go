package word

import (
	"cmp"
	"strings"
)

// Title returns the form of a title by which lists are ordered and searched: its words,
// as search finds them, separated by blanks. A title without words stays as it is.
func Title(s string) string {
	var words []string
	for _, p := range pieces(s) {
		if p.kind != part {
			words = append(words, p.text)
		}
	}
	return cmp.Or(strings.Join(words, " "), s)
}
