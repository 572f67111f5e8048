package component

import (
	"strconv"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/ground/cursor"
)

// Answers is for how long a typed text may answer the last question that was sent as text.
const Answers = 24 * time.Hour

const tapped cursor.Kind = "component option"

// Tokens gives each option the token that comes back when it is tapped: it says, to whoever
// has the key, which message and which option.
func Tokens(s *cursor.Sealer, message int64, options []channel.Option) {
	for i := range options {
		options[i].Token = s.Seal(tapped, message, int64(i+1))
	}
}

// ReadToken is the message and the option, from 1, that a token stands for; false for one
// that Tokens did not make.
func ReadToken(s *cursor.Sealer, token string) (message int64, option int, ok bool) {
	var n int64
	ok = s.Open(tapped, token, &message, &n)
	return message, int(n), ok
}

// Typed is the option, from 1, that a text names by its number or its title; 0 for none.
func Typed(text string, titles []string) int {
	text = strings.TrimSpace(text)
	for i, title := range titles {
		if strings.EqualFold(text, strings.TrimSpace(title)) {
			return i + 1
		}
	}
	if n, err := strconv.Atoi(strings.TrimRight(text, ".)")); err == nil && n >= 1 && n <= len(titles) {
		return n
	}
	return 0
}
