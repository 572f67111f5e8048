package word

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Query is what somebody looks for: terms that must all be in a text, of which
// the last may be unfinished.
type Query struct{ terms []term }

// term is a word, or a run of characters that stand side by side.
type term struct {
	pieces []piece
	prefix bool // it may go on
}

// Ask reads a query. It holds no term when there is nothing in it to look for.
func Ask(text string) Query {
	var q Query
	var open bool // the last term is a run that goes on
	for _, p := range pieces(text) {
		switch {
		case p.kind == part:
			continue
		case open:
			last := &q.terms[len(q.terms)-1]
			last.pieces = append(last.pieces, p)
		default:
			q.terms = append(q.terms, term{pieces: []piece{p}})
		}
		open = p.kind == unit
	}
	if n := len(q.terms); n > 0 {
		q.terms[n-1].prefix = true
	}
	return q
}

// Len is how many terms the query has.
func (q Query) Len() int { return len(q.terms) }

// Token is one that a text must have, or one that begins so.
type Token struct {
	Text   string
	Prefix bool
}

// Tokens are what every text has that the query matches. A text that has them
// all need not match: Match decides.
func (q Query) Tokens() []Token {
	var out []Token
	for _, t := range q.terms {
		out = append(out, t.tokens()...)
	}
	return out
}

func (t term) tokens() []Token {
	n := len(t.pieces)
	if n == 1 { // a single character of a run begins its pair, or ends the run
		return []Token{{t.pieces[0].text, t.prefix || t.pieces[0].kind == ending}}
	}
	var out []Token
	for i := range n - 1 {
		out = append(out, Token{pair(t.pieces[i], t.pieces[i+1]), t.prefix && i == n-2})
	}
	return out
}

// Range is a part of a text, from Start up to but without End, counted in UTF-16
// code units as JavaScript counts.
type Range struct{ Start, End int }

// Match reports whether the query matches a text, and where: the words and runs
// that it found, in order and without overlap. A word whose beginning was asked
// for counts whole.
func (q Query) Match(text string) ([]Range, bool) {
	head := Head(text)
	all := pieces(head)
	var found []Range // in bytes
	for _, t := range q.terms {
		before := len(found)
		for i := range all {
			if end, ok := t.at(all[i:]); ok {
				found = append(found, Range{all[i].start, end})
			}
		}
		if len(found) == before {
			return nil, false
		}
	}
	return inUTF16(head, merge(found)), len(q.terms) > 0
}

// at reports whether the term stands at the first of the pieces, and where it
// ends.
func (t term) at(pieces []piece) (end int, ok bool) {
	n := len(t.pieces)
	if len(pieces) < n || (t.pieces[0].kind >= unit) != (pieces[0].kind >= unit) {
		return 0, false
	}
	for i, want := range t.pieces {
		have := pieces[i]
		if i < n-1 && (have.kind != unit || have.text != want.text) {
			return 0, false
		}
		if i == n-1 && have.text != want.text && (!t.prefix || !strings.HasPrefix(have.text, want.text)) {
			return 0, false
		}
	}
	return pieces[n-1].end, true
}

// merge sorts ranges and joins those that overlap.
func merge(ranges []Range) []Range {
	slices.SortFunc(ranges, func(a, b Range) int { return a.Start - b.Start })
	out := ranges[:0]
	for _, r := range ranges {
		if n := len(out); n > 0 && r.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}

// inUTF16 counts in UTF-16 code units what was counted in bytes.
func inUTF16(text string, ranges []Range) []Range {
	at, units := 0, 0
	count := func(to int) int {
		for at < to {
			r, size := utf8.DecodeRuneInString(text[at:])
			at += size
			if units++; r > 0xFFFF {
				units++
			}
		}
		return units
	}
	for i, r := range ranges {
		ranges[i].Start = count(r.Start)
		ranges[i].End = count(r.End)
	}
	return ranges
}
