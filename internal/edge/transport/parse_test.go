package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/answer"
	"parley/internal/edge/persisted"
)

// open is a gate that charges nothing for reading.
type open struct{ Gate }

func (open) Read(context.Context, int) error { return nil }

// FuzzRequest looks for panics in what reads a request, by body and by URL, and
// for requests let through that have nothing to run or are refused without a
// status and words of ours.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		`{"query":"{ me }","operationName":"a","variables":{"a":1},"extensions":{}}`, `{"documentId":"sha256:00"}`,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, `{"query":null} `, `[{}]`, `{"query":"\ud800"}`,
	} {
		f.Add([]byte(body), "application/json", url.Values{"query": {"{ me }"}, "variables": {body}}.Encode())
	}
	f.Add([]byte("{}"), "application/json; charset=utf-8; charset=x", "query=%ff&extensions=%7B%7D&documentId=a")
	f.Fuzz(func(t *testing.T, body []byte, contentType, query string) {
		post := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
		post.Header.Set("Content-Type", contentType)
		get := httptest.NewRequest(http.MethodGet, "/graphql", nil)
		get.URL.RawQuery = query
		for _, r := range []*http.Request{post, get} {
			params, refused := readParams(r, open{})
			if refused != nil {
				require.GreaterOrEqual(t, refused.status, 400)
				require.Less(t, refused.status, 500)
				require.NotEmpty(t, answer.Present(r.Context(), refused.err).Message)
				continue
			}
			require.True(t, strings.TrimSpace(params.Query) != "" || persisted.Names(params))
			r.Header.Set(LastEventID, "c1")
			resume(r, params)
			require.Equal(t, "c1", params.Variables["after"])
		}
	})
}

// FuzzAccept looks for panics, and for a media type that was not asked for.
func FuzzAccept(f *testing.F) {
	for _, accept := range []string{
		"", "*/*", "text/event-stream", "application/json;q=0.1, application/graphql-response+json", "text/event-stream;q=0, */*;q=1e400",
		`application/json; charset="utf-8"; q=NaN`, ",,;q", "application/*;q=-1",
	} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		a := negotiate([]string{accept})
		require.Contains(t, []string{"", answer.MediaJSON, mediaResponse, mediaEvents}, a.media)
		lower := strings.ToLower(accept)
		if a.media == mediaResponse || a.media == mediaEvents {
			require.True(t, strings.Contains(lower, a.media) || strings.Contains(lower, "*"))
		}
		if a.media == mediaEvents || a.events {
			require.Contains(t, lower, mediaEvents)
		}
		require.NotEqual(t, mediaEvents, a.refusals())
	})
}

// FuzzEvent looks for events that a reader of the stream would not take for one.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"a":{"cursor":"c1"}}`))
	f.Add([]byte("{\n\"a\":\r\n{\"cursor\":\"c\\n1\"}}"))
	f.Add([]byte(`{"a":{"cursor":"c1"},"b":{"cursor":"c2"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) || len(data) == 0 {
			return
		}
		w := httptest.NewRecorder()
		e := &eventStream{Endpoint: New(Options{WriteTimeout: time.Second}), w: w, control: http.NewResponseController(deadlineless{w})}
		require.Empty(t, e.next(&graphql.Response{Data: data}))
		text := w.Body.String()
		require.True(t, strings.HasSuffix(text, "\n\n"))
		lines := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n")
		require.Equal(t, "event: next", lines[0])
		payload, isData := strings.CutPrefix(lines[len(lines)-1], "data: ")
		require.True(t, isData)
		require.True(t, json.Valid([]byte(payload)))
		require.LessOrEqual(t, len(lines), 3)
		if len(lines) == 3 {
			require.True(t, strings.HasPrefix(lines[1], "id: "))
		}
		require.NotContains(t, text, "\r")
	})
}

// deadlineless stands for a connection that can always be written.
type deadlineless struct{ *httptest.ResponseRecorder }

func (deadlineless) SetWriteDeadline(time.Time) error { return nil }
