// Package licences holds the licences of everything that the program is built from,
// as most of them ask for. The text is written by "make licences".
package licences

import _ "embed" // the text

// Text lists each part with its version and licence, and then gives the licences'
// own words.
//
//go:embed licences.txt
var Text string
