// Package licences contains the licences of everything the program is built from, as
// most of them require. "make licences" writes the text.
package licences

import _ "embed" // the text

// Text lists each part with its version and licence, and then gives the licences'
// own words.
//
//go:embed licences.txt
var Text string
