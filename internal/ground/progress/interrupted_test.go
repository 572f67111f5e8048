package progress_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/progress"
)

func TestAnInterruptionSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	failed := errors.New("no such file")
	require.Equal(t, failed, progress.Interrupted(ctx, failed, "while reading"), "a failure is no interruption")
	cancel()
	require.NoError(t, progress.Interrupted(ctx, nil, "while reading"))
	inner := progress.Interrupted(ctx, fmt.Errorf("line 7: %w", ctx.Err()), "while reading; run it again to continue")
	require.EqualError(t, inner, "interrupted while reading; run it again to continue")
	require.ErrorIs(t, inner, context.Canceled)
	require.EqualError(t, progress.Interrupted(ctx, fmt.Errorf("prepare: %w", inner), "somewhere"), inner.Error(), "the inmost knows best")
}
