package stream_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/stream"
)

func TestTheFirstErrorStays(t *testing.T) {
	t.Parallel()
	ctx, end := stream.NewContext(context.Background())
	require.NoError(t, end.Err())
	stream.Fail(ctx, nil)
	require.NoError(t, end.Err())

	first := errors.New("first")
	stream.Fail(ctx, first)
	stream.Fail(ctx, errors.New("second"))
	require.Equal(t, first, end.Err())
}

func TestNoStreamNoHarm(t *testing.T) {
	t.Parallel()
	stream.Fail(context.Background(), errors.New("unheard"))
}
