package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	address := strings.TrimPrefix(serve(t, "--database", parleytest.Database(t)), "http://")
	printed, err := command(t, "health", "--addr", address)
	require.NoError(t, err)
	require.Equal(t, "The server is ready.\n", printed)
	_, port, _ := strings.Cut(address, ":")
	_, err = command(t, "health", "--addr", "0.0.0.0:"+port)
	require.NoError(t, err, "what listens everywhere is asked here")
	_, err = command(t, "health", "--addr", "127.0.0.1:1")
	require.ErrorContains(t, err, "no server answers")
	_, err = command(t, "health", "--addr", "nowhere")
	require.ErrorContains(t, err, "host:port")
}
