package transport

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/selection"
	"parley/internal/ground/allowance"
)

// retryFields sets Retry-After from errors of fields that the caller asked for too
// often.
func retryFields(w http.ResponseWriter, errs gqlerror.List) {
	for _, err := range errs {
		if wait, found := err.Extensions["retryAfter"].(int); found {
			w.Header().Set("Retry-After", strconv.Itoa(wait))
		}
	}
}

// write sends a response. parts, if there are any, are its data.
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

// writeData sends an answer of data alone without copying it.
func writeData(w http.ResponseWriter, status int, mediaType string, data [][]byte) {
	const head, tail = `{"data":`, `}`
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+length(data)+len(tail)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(head)) // an error means the caller has left
	for _, part := range data {
		_, _ = w.Write(part) //nolint:gosec // G705: JSON, served with nosniff
	}
	_, _ = w.Write([]byte(tail))
}

// fit replaces a response that is larger than the operation may take by a refusal.
func fit(ctx context.Context, response *graphql.Response) *graphql.Response {
	if response == nil {
		return nil
	}
	size := len(response.Data)
	if parts := selection.Parts(ctx); parts != nil {
		size = length(parts)
	}
	if err := allowance.FromContext(ctx).Fits(size); err != nil {
		return answer.Failed(ctx, err)
	}
	return response
}

func length(parts [][]byte) (n int) {
	for _, part := range parts {
		n += len(part)
	}
	return n
}
