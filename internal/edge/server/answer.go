package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/ground/fault"
)

// appendAnswer appends a GraphQL response. Data is absent, not null, when the
// operation did not run. The data is written as the executor made it, without
// the pass over its bytes that encoding/json would take.
func appendAnswer(b []byte, response *graphql.Response) ([]byte, error) {
	separator := byte('{')
	member := func(name string, value []byte) {
		b = append(b, separator)
		b = append(append(b, `"`+name+`":`...), value...)
		separator = ','
	}
	if len(response.Errors) > 0 {
		encoded, err := json.Marshal(response.Errors[:min(len(response.Errors), maxErrors)])
		if err != nil {
			return nil, err
		}
		member("errors", encoded)
	}
	if response.Data != nil {
		member("data", response.Data)
	}
	if len(response.Extensions) > 0 {
		encoded, err := json.Marshal(response.Extensions)
		if err != nil {
			return nil, err
		}
		member("extensions", encoded)
	}
	if separator == '{' {
		b = append(b, '{')
	}
	return append(b, '}'), nil
}

// refuse answers with one error outside of any operation.
func refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	refuseAs(w, r, status, mediaJSON, err)
}

func refuseAs(w http.ResponseWriter, r *http.Request, status int, mediaType string, err error) {
	retryAfter(w, err)
	write(w, status, mediaType, &graphql.Response{Errors: gqlerror.List{Present(r.Context(), err)}})
}

// retryAfter tells by header too when to try again.
func retryAfter(w http.ResponseWriter, err error) {
	var f *fault.Error
	if errors.As(err, &f) && f.RetrySeconds() != nil {
		w.Header().Set("Retry-After", strconv.Itoa(*f.RetrySeconds()))
	}
}

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
	body, err := appendAnswer(nil, response)
	if err != nil {
		panic(err) // extensions hold plain values only
	}
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means the caller has left
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

// statusOf is the HTTP status of a fault that is no part of an answer.
func statusOf(err error) int {
	switch fault.CodeOf(err) {
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Timeout:
		return http.StatusGatewayTimeout
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// faultFor stands for a plain-text error that a library has written.
func faultFor(status int) *fault.Error {
	switch status {
	case http.StatusUnauthorized:
		return fault.New(fault.Unauthenticated, "A token is required. Send it as Authorization: Bearer TOKEN.")
	case http.StatusForbidden:
		return fault.New(fault.Forbidden, "You may not access this.")
	case http.StatusNotFound:
		return fault.Missing("page")
	case http.StatusRequestEntityTooLarge:
		return fault.New(fault.LimitExceeded, "The request is too large. Send less.")
	case http.StatusServiceUnavailable:
		return fault.New(fault.Unavailable, "This is unavailable. Try again shortly.")
	}
	if status >= http.StatusInternalServerError {
		return internal()
	}
	return fault.New(fault.BadInput, "The request was refused: %s.", http.StatusText(status))
}
