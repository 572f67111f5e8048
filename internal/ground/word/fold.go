package word

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley/internal/ground/number"
)

// mostRunes is how long a token is at most; what is longer is cut, in the index
// and in a query alike.
const mostRunes = 64

// Fold brings a piece of text to the form in which words are compared: NFKC,
// full case folding, without the accents of Latin, Greek, Cyrillic, Arabic and
// Hebrew, with the letters that do not decompose (Ł, đ, ø, ß) as their plain
// neighbours and with every decimal digit as an ASCII one. Marks that make other
// letters, as in Japanese, Korean, Thai and the scripts of India, stay, and so
// does the one that makes й. What is no letter, mark, number or symbol is left
// out.
func Fold(s string) string {
	if plain, ok := foldASCII(s); ok {
		return plain
	}
	s = cases.Fold().String(norm.NFKC.String(s))
	var b strings.Builder
	last := rune(0)
	for _, r := range norm.NFD.String(s) {
		if accent(r) && (r != breve || last != 'и') {
			continue
		}
		last = r
		if plain, ok := plainly[r]; ok {
			b.WriteString(plain)
		} else if r = number.Digit(r); counts(r) {
			b.WriteRune(r)
		}
	}
	return cut(norm.NFKC.String(b.String()))
}

func foldASCII(s string) (string, bool) {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || len(s) > mostRunes || !counts(rune(s[i])) {
			return "", false
		}
	}
	return strings.ToLower(s), true
}

func cut(s string) string {
	if len(s) <= mostRunes {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > mostRunes {
			return s[:i]
		}
	}
	return s
}

// plainly are letters that have no decomposition, by what people type for them.
var plainly = map[rune]string{
	'ł': "l", 'đ': "d", 'ð': "d", 'ø': "o", 'ħ': "h", 'ŧ': "t", 'ı': "i", 'ŋ': "n", 'ĸ': "k",
	'æ': "ae", 'œ': "oe", 'þ': "th", 'ß': "ss",
	'ى': "ي", 'ک': "ك", 'ی': "ي",
}

const (
	breve   = '\u0306'
	tatweel = '\u0640'
)

// accents are marks that people leave out when they search, and tatweel, which
// only stretches a word.
var accents = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x0300, Hi: 0x036F, Stride: 1},
		{Lo: 0x0591, Hi: 0x05BD, Stride: 1},
		{Lo: 0x05BF, Hi: 0x05BF, Stride: 1},
		{Lo: 0x05C1, Hi: 0x05C2, Stride: 1},
		{Lo: 0x05C4, Hi: 0x05C5, Stride: 1},
		{Lo: 0x05C7, Hi: 0x05C7, Stride: 1},
		{Lo: 0x0610, Hi: 0x061A, Stride: 1},
		{Lo: tatweel, Hi: tatweel, Stride: 1},
		{Lo: 0x064B, Hi: 0x065F, Stride: 1},
		{Lo: 0x0670, Hi: 0x0670, Stride: 1},
		{Lo: 0x06D6, Hi: 0x06DC, Stride: 1},
		{Lo: 0x06DF, Hi: 0x06E8, Stride: 1},
		{Lo: 0x06EA, Hi: 0x06ED, Stride: 1},
		{Lo: 0x1AB0, Hi: 0x1AFF, Stride: 1},
		{Lo: 0x1DC0, Hi: 0x1DFF, Stride: 1},
		{Lo: 0x20D0, Hi: 0x20FF, Stride: 1},
		{Lo: 0xFE00, Hi: 0xFE0F, Stride: 1},
		{Lo: 0xFE20, Hi: 0xFE2F, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0xE0100, Hi: 0xE01EF, Stride: 1}},
}

func accent(r rune) bool { return r >= 0x300 && unicode.Is(accents, r) }

// counts reports whether a rune is part of words: a letter, mark, number or a
// symbol such as an emoji. Of ASCII only letters and digits are.
func counts(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	return r != utf8.RuneError && (unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.So) ||
		0x1F3FB <= r && r <= 0x1F3FF || r == joiner) && !apostrophe(r)
}

// joiner ties emoji together.
const joiner = '\u200D'
