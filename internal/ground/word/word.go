// Package word turns text into the words that search knows: the same words for what is
// indexed, what is asked for, and what is highlighted.
//
// Words end where Unicode says (UAX 29), and are folded (Fold). A word with an
// apostrophe is known whole and by its parts: O'Neil is "oneil", "o" and "neil".
// Scripts without spaces (Chinese, Japanese, Korean, Thai and others) are known by pairs
// of neighbouring characters, and by the last character of a run alone, so that each
// single character is found as a beginning.
package word

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Version changes when the same text gives other words, so that an index made
// before is known to be old.
const Version = 1

// MostText is how many characters of a text are indexed. What lies beyond is not
// found.
const MostText = 16_384

// piece is a word of a text, where it stands in it (in bytes), and how it hangs
// together with its neighbours.
type piece struct {
	text       string
	start, end int
	kind       kind
}

type kind int

const (
	whole  kind = iota // a word
	part               // of a word with apostrophes, whose whole stands before it
	unit               // a character of a run
	ending             // the last character of a run
)

// pieces gives the words of a text in order, and the characters of its runs.
func pieces(text string) []piece {
	out := make([]piece, 0, len(text)/5+1)
	for at := 0; at < len(text); {
		if r, _ := utf8.DecodeRuneInString(text[at:]); unspaced(r) {
			out, at = run(out, text, at)
			continue
		}
		w, _, _ := uniseg.FirstWordInString(text[at:], -1)
		if i := strings.IndexFunc(w, unspaced); i > 0 {
			w = w[:i]
		}
		out = spaced(out, w, at)
		at += len(w)
	}
	return out
}

// run takes the characters from at on that are written without spaces.
func run(out []piece, text string, at int) ([]piece, int) {
	first := len(out)
	for at < len(text) {
		if r, _ := utf8.DecodeRuneInString(text[at:]); !unspaced(r) {
			break
		}
		c, _, _, _ := uniseg.FirstGraphemeClusterInString(text[at:], -1)
		if folded := Fold(c); folded != "" {
			out = append(out, piece{folded, at, at + len(c), unit})
		}
		at += len(c)
	}
	if len(out) > first {
		out[len(out)-1].kind = ending
	}
	return out, at
}

// spaced takes the words of one segment, which may hold several: a host name,
// say.
func spaced(out []piece, w string, at int) []piece {
	if plain, ok := foldASCII(w); ok {
		return append(out, piece{plain, at, at + len(w), whole})
	}
	for start := 0; start < len(w); {
		n := strings.IndexFunc(w[start:], func(r rune) bool { return !counts(r) && !apostrophe(r) })
		if n < 0 {
			n = len(w) - start
		}
		out = apostrophes(out, w[start:start+n], at+start)
		start += n
		_, size := utf8.DecodeRuneInString(w[start:])
		start += size
	}
	return out
}

func apostrophes(out []piece, w string, at int) []piece {
	inner := strings.TrimFunc(w, apostrophe)
	at += strings.Index(w, inner)
	if Fold(inner) == "" {
		return out
	}
	out = append(out, piece{Fold(inner), at, at + len(inner), whole})
	if strings.IndexFunc(inner, apostrophe) < 0 {
		return out
	}
	for start, p := range fields(inner) {
		if folded := Fold(p); folded != "" {
			out = append(out, piece{folded, at + start, at + start + len(p), part})
		}
	}
	return out
}

// fields are the parts between apostrophes, by where they begin.
func fields(w string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		start := 0
		for p := range strings.FieldsFuncSeq(w, apostrophe) {
			i := start + strings.Index(w[start:], p)
			if !yield(i, p) {
				return
			}
			start = i + len(p)
		}
	}
}

func apostrophe(r rune) bool {
	switch r {
	case '\'', '\u2018', '\u2019', '\u02BC', '\uFF07', '\u05F3':
		return true
	}
	return false
}

// unspaced reports whether r is of a script that writes words without spaces,
// or, as Korean, with so much in one that its pieces are searched for.
func unspaced(r rune) bool {
	if r < 0xE00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) ||
		r == 0x30FC || r == 0xFF70
}

// Index gives the different tokens by which a text is found.
func Index(text string) []string {
	all := pieces(Head(text))
	seen := make(map[string]bool, len(all))
	out := make([]string, 0, len(all))
	for i, p := range all {
		token := p.text
		if p.kind == unit {
			token = pair(p, all[i+1])
		}
		if !seen[token] {
			seen[token] = true
			out = append(out, token)
		}
	}
	return out
}

// pair is the token of two neighbouring characters of a run.
func pair(a, b piece) string { return cut(a.text + b.text) }

// Head is as much of a text as is indexed.
func Head(text string) string {
	if len(text) <= MostText {
		return text
	}
	n := 0
	for i := range text {
		if n++; n > MostText {
			return text[:i]
		}
	}
	return text
}
