package channel

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanText makes text from outside fit to be stored and shown: valid UTF-8
// (what is not becomes U+FFFD) without NUL, which PostgreSQL refuses.
func CleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// CleanName is CleanText for a name; one that shows nothing is none.
func CleanName(s string) string {
	if s = CleanText(s); IsBlank(s) {
		return ""
	}
	return s
}

// Files is "1 file", or how many files.
func Files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// IsBlank reports whether a text shows nothing: it is empty, or holds only spaces
// and characters that nobody sees by themselves, such as zero-width ones. An emoji
// that these join, or a letter that they shape, is text.
func IsBlank(s string) bool {
	return strings.IndexFunc(s, shows) < 0
}

// shows reports whether a character shows something by itself. Format characters
// that enclose or precede digits, as Arabic and Kaithi have them, are drawn.
func shows(r rune) bool {
	if unicode.Is(unicode.Prepended_Concatenation_Mark, r) {
		return true
	}
	return r != blankPattern && !unicode.In(r, unicode.White_Space, unicode.Z, unicode.Cc, unicode.Cf,
		unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// blankPattern is the Braille pattern without a dot: a symbol to Unicode, a space
// to whoever reads it.
const blankPattern = '\u2800'

// Bounds of what is kept of a text and of a name, in characters. MostText is beyond the
// largest inbound text of any channel.
const (
	MostText = 2_500_000
	MostName = 200
)

// Cut shortens s to at most n characters.
func Cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
