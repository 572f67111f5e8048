package formula

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind uint8

const (
	end kind = iota
	word
	digits
	quoted
	symbol
)

// token is a piece of an expression.
type token struct {
	kind kind
	text string // the word, the digits, the text without quotes, or the symbol
	at   place
}

// lexer cuts a source into tokens.
type lexer struct {
	source string
	offset int
	at     place
	token  token // the one in front
	err    *Error
}

// symbols, the longer ones first.
var symbols = []string{
	"&&", "||", "==", "<>", "!=", "<=", ">=",
	"+", "-", "*", "/", "^", "&", "=", "<", ">", "!", "(", ")", ",", "}", "[", "]",
}

// step goes past so many bytes.
func (l *lexer) step(n int) {
	for _, r := range l.source[l.offset : l.offset+n] {
		if r == '\n' {
			l.at = place{l.at.line + 1, 1}
		} else {
			l.at.column++
		}
	}
	l.offset += n
}

func (l *lexer) rest() string { return l.source[l.offset:] }

// next reads the next token. After an error every token is the end.
func (l *lexer) next() {
	l.blanks()
	if l.err != nil || l.rest() == "" {
		l.token = token{kind: end, at: l.at}
		return
	}
	first, _ := utf8.DecodeRuneInString(l.rest())
	switch {
	case first == '"' || first == '\'':
		l.quoted(first)
	case isDigit(first) || first == '.' && len(l.rest()) > 1 && isDigit(rune(l.rest()[1])):
		l.take(digits, strings.IndexFunc(l.rest(), func(r rune) bool { return !isDigit(r) && r != '.' }))
	case isStart(first):
		l.take(word, strings.IndexFunc(l.rest(), func(r rune) bool { return !isStart(r) && !unicode.IsDigit(r) && r != '.' && !unicode.IsMark(r) }))
	default:
		l.symbol(first)
	}
}

// take makes the next n bytes, or all if n is negative, a token.
func (l *lexer) take(k kind, n int) {
	if n < 0 {
		n = len(l.rest())
	}
	l.token = token{k, l.rest()[:n], l.at}
	l.step(n)
}

func (l *lexer) symbol(first rune) {
	for _, s := range symbols {
		if strings.HasPrefix(l.rest(), s) {
			l.take(symbol, len(s))
			return
		}
	}
	l.fail(l.at.errorf(Syntax, "The character %q has no meaning here.", first))
}

func (l *lexer) fail(err *Error) {
	if l.err == nil {
		l.err = err
	}
	l.token = token{kind: end, at: l.at}
}

// blanks goes past white space and comments.
func (l *lexer) blanks() {
	for l.err == nil {
		rest := strings.TrimLeftFunc(l.rest(), isBlank)
		l.step(len(l.rest()) - len(rest))
		if !strings.HasPrefix(rest, "/*") {
			return
		}
		length := strings.Index(rest[2:], "*/")
		if length < 0 {
			l.fail(l.at.errorf(Syntax, "The comment has no end: close it with */."))
			return
		}
		l.step(length + 4)
	}
}

// escapes are what may follow a backslash in a text.
var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '"': '"', '\'': '\''}

// quoted reads a text between quotes.
func (l *lexer) quoted(quote rune) {
	at, rest := l.at, l.rest()
	var text strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == byte(quote):
			l.step(i + 1)
			l.token = token{quoted, text.String(), at}
			return
		case rest[i] == '\\' && i+1 < len(rest):
			i++
			meant, known := escapes[rest[i]]
			if !known {
				l.step(i - 1)
				l.fail(l.at.errorf(Syntax, `A backslash in a text is followed by n, r, t, a quote or another backslash: write \\ for a backslash.`))
				return
			}
			text.WriteByte(meant)
		default:
			text.WriteByte(rest[i])
		}
	}
	l.fail(at.errorf(Syntax, "The text has no end: close it with %c.", quote))
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isStart(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }

// isBlank holds for white space, and for what pages and editors leave in a formula that
// is copied from them.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' }
