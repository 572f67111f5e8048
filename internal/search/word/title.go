package word

import (
	"cmp"
	"strings"
)

// Title brings a title to the form in which lists of titles are ordered and searched:
// its words folded, with one blank between them. A title without words stays as it is.
func Title(s string) string {
	var words []string
	for _, w := range strings.Fields(s) {
		if w = Fold(w); w != "" {
			words = append(words, w)
		}
	}
	return cmp.Or(strings.Join(words, " "), s)
}
