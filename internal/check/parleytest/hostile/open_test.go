package hostile_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/cursor"
)

// opened is an answer in which each cursor is replaced by what it holds: two
// answers tell the same when they are equal so.
func (w *world) opened(body string) string {
	w.t.Helper()
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	var v any
	require.NoError(w.t, d.Decode(&v), body)
	out, err := json.Marshal(w.open(v))
	require.NoError(w.t, err)
	return requestID.ReplaceAllString(string(out), "")
}

// requestID differs with each request.
var requestID = regexp.MustCompile(`"requestId":"[^"]*",?`)

func (w *world) open(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			v[name] = w.open(value)
		}
	case []any:
		for i, value := range v {
			v[i] = w.open(value)
		}
	case string:
		return w.place(v)
	}
	return v
}

// place is what a cursor holds, and how long it is; any other text is itself.
func (w *world) place(text string) string {
	for _, kind := range []cursor.Kind{cursor.Feed, cursor.Conversations, cursor.Messages, cursor.Search, cursor.Operations, cursor.Results} {
		var n [3]int64
		into := []*int64{&n[0], &n[1], &n[2]}
		for most := range len(into) + 1 {
			if w.cursors.Open(kind, text, into[:most]...) {
				return fmt.Sprint(len(text), " characters of ", kind, " at ", n[:most])
			}
		}
	}
	return text
}

// objects are the ids that an answer shows.
func objects(body string) []string { return anID.FindAllString(body, -1) }

var anID = regexp.MustCompile(`\b(cnv|msg|usr|rec|blk)_[0-9a-z]+`)
