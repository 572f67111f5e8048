package memo_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/memo"
)

func TestTheSameIsReadOnce(t *testing.T) {
	t.Parallel()
	ctx := memo.NewContext(t.Context())
	var reads atomic.Int32
	read := func(ctx context.Context, name string) int {
		n, err := memo.Read(ctx, name, func() (int, error) { return int(reads.Add(1)), nil })
		require.NoError(t, err)
		return n
	}
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() { read(ctx, "a") })
	}
	all.Wait()
	require.Equal(t, 1, read(ctx, "a"))
	require.Equal(t, 2, read(ctx, "b"))
	require.Equal(t, 3, read(memo.NewContext(t.Context()), "a"), "another query reads anew")
	require.Equal(t, 4, read(t.Context(), "a"))
	require.Equal(t, 5, read(t.Context(), "a"), "outside a query nothing is remembered")
}

func TestAnErrorIsRemembered(t *testing.T) {
	t.Parallel()
	ctx, wrong := memo.NewContext(t.Context()), errors.New("wrong")
	reads := 0
	for range 2 {
		n, err := memo.Read(ctx, "a", func() (int, error) { reads++; return 0, wrong })
		require.ErrorIs(t, err, wrong)
		require.Zero(t, n)
	}
	require.Equal(t, 1, reads)
}
