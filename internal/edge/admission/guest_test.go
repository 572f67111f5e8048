package admission_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/admission"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// gate has two places for an agent and one for a stranger; tokens are names.
func gate(t *testing.T) *admission.Gate {
	t.Helper()
	g, err := admission.New(admission.Options{
		Authenticate: func(_ context.Context, token string) (*viewer.Viewer, time.Time, error) {
			return &viewer.Viewer{Username: token}, time.Time{}, nil
		},
		AuthenticateTimeout: time.Minute,
		Rate:                -1, InFlight: 1, Attempts: -1, PerViewer: 2, Total: 3, Strangers: 1, StrangersPerAddress: 1,
		Clock: clock.Real{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	require.NoError(t, err)
	return g
}

// enter lets a stranger in; gone is closed when the gate has stopped or dropped them.
func enter(t *testing.T, g *admission.Gate) (guest *admission.Guest, gone chan struct{}) {
	t.Helper()
	guest, err := g.Knock(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql", nil))
	require.NoError(t, err)
	gone = make(chan struct{})
	end := func() { close(gone) }
	require.NoError(t, guest.Enter(end, func(error) {}, end))
	return guest, gone
}

func TestAStrangerGivesWayAndAnAgentStays(t *testing.T) {
	t.Parallel()
	g := gate(t)
	agent, stays := enter(t, g)
	_, err := agent.SignIn(t.Context(), "Bearer amy")
	require.NoError(t, err)
	v, err := agent.Viewer(t.Context())
	require.NoError(t, err)
	require.Equal(t, "amy", v.Username)

	_, dropped := enter(t, g)
	enter(t, g)
	<-dropped
	select {
	case <-stays:
		t.Fatal("the agent had to go")
	default:
	}
}

func TestAnAgentHasSoManyPlaces(t *testing.T) {
	t.Parallel()
	g := gate(t)
	ctx := viewer.NewContext(t.Context(), &viewer.Viewer{Username: "amy"})
	leave, err := g.Stream(ctx, func() {}, func(error) {})
	require.NoError(t, err)
	_, err = g.Stream(ctx, func() {}, func(error) {})
	require.NoError(t, err)
	guest, _ := enter(t, g)
	_, err = guest.SignIn(t.Context(), "amy")
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
	leave()
	_, err = guest.SignIn(t.Context(), "amy")
	require.NoError(t, err)
}

func TestTheStopWaitsForEveryGuest(t *testing.T) {
	t.Parallel()
	g := gate(t)
	guest, gone := enter(t, g)
	closed := make(chan struct{})
	go func() { defer close(closed); g.CloseAll(t.Context()) }()
	<-gone
	_, err := g.Knock(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql", nil))
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
	select {
	case <-closed:
		t.Fatal("the guest has not left")
	default:
	}
	guest.Leave()
	<-closed
}
