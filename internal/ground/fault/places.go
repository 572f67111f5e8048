package fault

// Place is where a code appears.
type Place struct {
	// Where names the kinds of place: payload (errors of a mutation's payload or
	// of one of its results), field (a top-level error with a path; the rest of
	// the answer stands), request (nothing ran), stream (a subscription ends).
	Where string
	// HTTP is the status where a request was refused before it was read as
	// GraphQL, and what else it comes with; empty for none of its own.
	HTTP string
}

// Places tells where each code appears. docs/errors.md is written from it.
var Places = map[Code]Place{
	BadInput:            {"payload, field, request, stream", "400; 405, 406 and 415 for wrong methods and media types"},
	Unauthenticated:     {"request, stream", "401; a socket is closed with 4403 when the token is refused, 4401 when it expires"},
	Forbidden:           {"payload, request", "403, for a WebSocket from an unlisted web origin; for other requests the browser withholds the answer from the page"},
	NotFound:            {"payload, field, stream", "404, for an unknown path"},
	IdempotencyConflict: {"payload", ""},
	ConfirmationNeeded:  {"payload", ""},
	Refused:             {"payload", ""},
	Conflict:            {"payload", ""},
	ResyncRequired:      {"stream", ""},
	LimitExceeded:       {"payload, field, request, stream", "413 for a body that is too large; 429 for too many streams, and with `retryAfter` for a whole request"},
	Timeout:             {"field, request", "504"},
	Unavailable:         {"field, request, stream", "503"},
	Internal:            {"field, request, stream", "500"},
	ParseFailed:         {"request", ""},
	ValidationFailed:    {"request", ""},
	PersistedNotFound:   {"request", ""},
}
