package app_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Whoever stops a server that is still starting is told of no failure.
func TestAStopWhileStartingIsNoFailure(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, p.App.Run(ctx))
}
