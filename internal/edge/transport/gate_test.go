package transport

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/fault"
)

// refusing is a gate that refuses operations in flight.
type refusing struct {
	Gate
	err error
}

func (g refusing) Board(context.Context) (leave func(), err error) { return nil, g.err }

// What a gate or a guest refuses is answered with a status and says when to come back.
func TestRefusalsOfTheGate(t *testing.T) {
	t.Parallel()
	busy := &fault.Error{Code: fault.LimitExceeded, RetryAfter: 3 * time.Second, Message: "Wait."}
	full := &fault.Error{Code: fault.Unavailable, RetryAfter: time.Second, Message: "Full."}
	ask := func(serve http.HandlerFunc) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		serve(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql", nil))
		return w
	}
	w := ask(New(Options{Gate: refusing{err: busy}}).ServeHTTP)
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "3", w.Header().Get("Retry-After"))

	for err, status := range map[error]int{busy: http.StatusTooManyRequests, full: http.StatusServiceUnavailable} {
		w = ask(New(Options{Knock: func(*http.Request) (Guest, error) { return nil, err }}).ServeSocket)
		require.Equal(t, status, w.Code)
		require.Contains(t, w.Body.String(), string(fault.CodeOf(err)))
	}
}

func TestHowARejectedGuestsSocketEnds(t *testing.T) {
	t.Parallel()
	s := &socket{ctx: t.Context()}
	for err, code := range map[error]int{
		fault.New(fault.Unauthenticated, "a"): 4403, fault.New(fault.Forbidden, "b"): 4403,
		fault.New(fault.Unavailable, "c"): 1013, fault.New(fault.LimitExceeded, "d"): 1013,
		errors.New("e"): 1011,
	} {
		require.EqualValues(t, code, s.rejected(err).code, err)
	}
}
