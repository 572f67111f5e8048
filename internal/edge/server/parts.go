package server

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
)

// retryFields tells a caller to wait who has asked for a field too often.
func retryFields(w http.ResponseWriter, errs gqlerror.List) {
	for _, err := range errs {
		if wait, found := err.Extensions["retryAfter"].(int); found {
			w.Header().Set("Retry-After", strconv.Itoa(wait))
		}
	}
}

// write answers by a response, whose data are the parts where there are any.
func write(w http.ResponseWriter, status int, mediaType string, response *graphql.Response, parts ...[]byte) {
	if response.Data != nil && len(response.Errors) == 0 && len(response.Extensions) == 0 {
		if parts == nil {
			parts = [][]byte{response.Data}
		}
		writeData(w, status, mediaType, parts)
		return
	}
	if response.Data != nil && parts != nil {
		response.Data = slices.Concat(parts...)
	}
	answer.Write(w, status, mediaType, response)
}

// writeData writes an answer of data alone without copying it.
func writeData(w http.ResponseWriter, status int, mediaType string, data [][]byte) {
	const head, tail = `{"data":`, `}`
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+length(data)+len(tail)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(head)) // an error means the caller has left
	for _, part := range data {
		_, _ = w.Write(part)
	}
	_, _ = w.Write([]byte(tail))
}
