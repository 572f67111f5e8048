package answer

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/ground/fault"
)

// MediaJSON is the media type of refusals, and of answers to callers who ask for no
// other.
const MediaJSON = "application/json"

// maxErrors bounds the errors of one answer; one bad document can have as many
// as it has fields.
const maxErrors = 5

// Errors returns the JSON of the first five errors.
func Errors(errs gqlerror.List) ([]byte, error) {
	return json.Marshal(errs[:min(len(errs), maxErrors)])
}

// Append appends the JSON of a GraphQL response to b. Data is absent, not null, if
// the operation did not run. The data is copied as the executor made it, without
// the pass over its bytes that encoding/json would take. It fails only on errors or
// extensions that encoding/json cannot write.
func Append(b []byte, response *graphql.Response) ([]byte, error) {
	separator := byte('{')
	member := func(name string, value []byte) {
		b = append(b, separator)
		b = append(append(b, `"`+name+`":`...), value...)
		separator = ','
	}
	if len(response.Errors) > 0 {
		encoded, err := Errors(response.Errors)
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

// Write sends a response with a status and a media type.
func Write(w http.ResponseWriter, status int, mediaType string, response *graphql.Response) {
	body, err := Append(nil, response)
	if err != nil {
		panic(err) // extensions hold plain values only
	}
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means the caller has left
}

// Refuse answers a request that runs no operation, with a status and err as Present
// shows it.
func Refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	RefuseAs(w, r, status, MediaJSON, err)
}

// RefuseAs is Refuse with a media type other than MediaJSON.
func RefuseAs(w http.ResponseWriter, r *http.Request, status int, mediaType string, err error) {
	RetryAfter(w, err)
	Write(w, status, mediaType, Failed(r.Context(), err))
}

// RetryAfter sets the header Retry-After if err says how long to wait.
func RetryAfter(w http.ResponseWriter, err error) {
	var f *fault.Error
	if errors.As(err, &f) && f.RetrySeconds() != nil {
		w.Header().Set("Retry-After", strconv.Itoa(*f.RetrySeconds()))
	}
}

// StatusOf returns the HTTP status for a request that err stopped.
func StatusOf(err error) int {
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

// ForStatus returns the error to show in place of a library's plain text with this
// status.
func ForStatus(status int) *fault.Error {
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

// TooLarge returns the error for a body of more than most bytes.
func TooLarge(most int64) error {
	return fault.New(fault.LimitExceeded, "The body may have at most %d bytes. Send less.", most)
}
