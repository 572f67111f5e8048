package journey_test

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// An EventSource that loses its connection goes on from the last event that it
// saw: it repeats its request with the id of that event.
func TestAnEventSourceGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	seen := p.As("amy").Do(`{ conversations(view: {kind: MY_INBOX}, first: 1) { feedCursor } }`, nil).Get("conversations", "feedCursor").String()
	open := func(lastEvent string) (next func() (id, data string), drop func()) {
		query := url.Values{"query": {`subscription($after: Cursor) { conversationsChanged(view: {kind: MY_INBOX}, after: $after) {
			kind cursor conversation { preview } } }`}, "variables": {`{"after":"` + seen + `"}`}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/graphql?"+query.Encode(), nil)
		require.NoError(t, err)
		token, err := p.Tokens.Mint("amy", time.Minute)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Last-Event-ID", lastEvent)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = response.Body.Close() })
		lines := bufio.NewScanner(response.Body)
		return func() (id, data string) {
			for lines.Scan() {
				name, value, _ := strings.Cut(lines.Text(), ": ")
				switch {
				case name == "id":
					id = value
				case name == "data":
					data = value
				case name == "" && data != "":
					return id, data
				}
			}
			require.Fail(t, "the stream ended", "%v", lines.Err())
			return "", ""
		}, func() { _ = response.Body.Close() }
	}
	next, drop := open("")
	_, data := next()
	require.Contains(t, data, `"OPEN"`)
	p.Say("+12025550177", parleytest.Direct, "one")
	id, data := next()
	require.Contains(t, data, `"preview":"one"`)
	drop()
	p.Say("+12025550177", parleytest.Direct, "two")

	next, _ = open(id)
	_, data = next()
	require.Contains(t, data, `"OPEN"`)
	_, data = next()
	require.Contains(t, data, `"preview":"two"`, "no event is lost and none comes twice")
}
