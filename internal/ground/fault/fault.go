// Package fault is Parley's one domain error: a code from a fixed list, a
// sentence that is safe to show to a caller and says what to do next, and the
// input field at fault.
//
// Use cases return a *fault.Error for everything a caller can act on. Any other
// error is internal: it is logged whole and reaches callers as INTERNAL with a
// request id, never with SQL, paths or stacks.
package fault

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Code names a kind of failure. Codes are part of the public contract: they
// appear as extensions.code of top-level errors and as code of payload errors.
type Code string

// The codes a caller can meet. Keep Descriptions in step.
const (
	BadInput            Code = "BAD_INPUT"
	Unauthenticated     Code = "UNAUTHENTICATED"
	Forbidden           Code = "FORBIDDEN"
	NotFound            Code = "NOT_FOUND"
	IdempotencyConflict Code = "IDEMPOTENCY_CONFLICT"
	ConfirmationNeeded  Code = "CONFIRMATION_REQUIRED"
	Refused             Code = "SEND_REFUSED"
	Conflict            Code = "CONFLICT"
	ResyncRequired      Code = "RESYNC_REQUIRED"
	LimitExceeded       Code = "LIMIT_EXCEEDED"
	Timeout             Code = "TIMEOUT"
	Unavailable         Code = "UNAVAILABLE"
	Internal            Code = "INTERNAL"
	ParseFailed         Code = "GRAPHQL_PARSE_FAILED"
	ValidationFailed    Code = "GRAPHQL_VALIDATION_FAILED"
	PersistedNotFound   Code = "PERSISTED_QUERY_NOT_FOUND"
)

// Descriptions tells, for every code, what it means and what a caller does
// next. docs/errors.md is written from it.
var Descriptions = map[Code]string{
	BadInput:            "An argument or input field is wrong; `field` names it and the message states the limit. Correct it and call again.",
	Unauthenticated:     "The token is missing, expired or invalid. Get a new one and call again.",
	Forbidden:           "You may see this, but you lack the permission the message names. Ask an administrator.",
	NotFound:            "There is no such object, or you may not see it; both get the same answer.",
	IdempotencyConflict: "The idempotency key was already used with different input. Use a new key for a new request.",
	ConfirmationNeeded:  "The change would alter a colleague's read state. Repeat it with `confirmForOwner: true` if you intend that.",
	Refused:             "The message cannot be sent; `refusals` lists every reason together.",
	Conflict:            "The object's state does not allow this. Read it again, then decide.",
	ResyncRequired:      "The stream cannot continue from this cursor. Run the query again and subscribe from its `feedCursor`.",
	LimitExceeded:       "The request exceeds the size or cost limit stated in the message: ask for less. With `retryAfter`, requests come too often or too many of this kind are in flight: wait that many seconds and repeat it with the same idempotency key. A stream ends if a frame is too large: resume from `cursor`, asking for less.",
	Timeout:             "The request did not finish in time and its work was stopped. Ask for less, or try again.",
	Unavailable:         "A service this request needs is unavailable. Try again shortly.",
	Internal:            "Something failed on the server. Report the request id; the log has the full cause.",
	ParseFailed:         "The document is not valid GraphQL. The message gives line and column.",
	PersistedNotFound:   "No document with this hash or id is known. Send the text together with the hash once.",
	ValidationFailed:    "The document does not match the schema. The message says where.",
}

// Error is a failure a caller can act on.
type Error struct {
	Code    Code
	Message string // plain English, safe to show, says what to do next
	Field   string // input field at fault, as a dotted path; may be empty
	// RetryAfter is how long to wait before trying again; zero when unknown.
	RetryAfter time.Duration
	// Cursor is the last good cursor of a stream that ends with ResyncRequired, or
	// with a frame that is refused.
	Cursor string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s: %s", e.Code, e.Field, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// FieldPath is Field, nil when no single field is at fault.
func (e *Error) FieldPath() *string {
	if e.Field == "" {
		return nil
	}
	return &e.Field
}

// RetrySeconds is RetryAfter in whole seconds, rounded up; nil when it is unknown.
func (e *Error) RetrySeconds() *int {
	if e.RetryAfter <= 0 {
		return nil
	}
	seconds := int(math.Ceil(e.RetryAfter.Seconds()))
	return &seconds
}

// New makes an Error; the message is a format.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Input makes a BadInput error for a field; the message is a format.
func Input(field, format string, args ...any) *Error {
	return &Error{Code: BadInput, Field: field, Message: fmt.Sprintf(format, args...)}
}

// At is the fault in err with the field of the input that it is of; any other error
// as it is.
func At(field string, err error) error {
	var f *Error
	if !errors.As(err, &f) {
		return err
	}
	at := *f
	at.Field = field
	return &at
}

// Missing is the answer for what is not there or may not be seen: the two
// cannot be told apart.
func Missing(what string) *Error {
	return New(NotFound, "No such %s, or you may not see it.", what)
}

// CodeOf returns the code of err, Internal when it holds no *Error, and the
// empty code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
