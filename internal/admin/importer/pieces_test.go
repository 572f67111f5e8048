package importer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A database that takes a few rows at a time gets them all, in order and each once.
func TestWritesShrinkUntilTheyPassAndGrowAgain(t *testing.T) {
	t.Parallel()
	part := make([]int, 10_000)
	for i := range part {
		part[i] = i
	}
	m := &importing{options: &Options{}, fresh: true}
	var took []int
	slow, largest := true, 0
	err := inPieces(t.Context(), m, part, func(piece []int) error {
		if slow && len(piece) > 100 {
			return fmt.Errorf("timeout: %w", context.DeadlineExceeded)
		}
		took, largest = append(took, piece...), max(largest, len(piece))
		slow = len(took) < 1_000
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, part, took)
	require.False(t, m.fresh, "what ran out of time may be there")
	require.Greater(t, largest, 400, "writes grow again")
}

func TestAWriteThatNeverPassesEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	part, broken := make([]int, 1_000), errors.New("no such column")
	m := func() *importing { return &importing{options: &Options{}, pauses: []time.Duration{0, 0}} }
	calls := 0
	err := inPieces(ctx, m(), part, func([]int) error { calls++; return context.DeadlineExceeded })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "run it again to continue")
	require.Equal(t, 5+1+2, calls, "500, 250, 125, 62 and 50 after the first, and two pauses")
	require.Equal(t, broken, inPieces(ctx, m(), part, func([]int) error { return broken }), "what is wrong is not tried again")
	err = inPieces(ctx, m(), part, func([]int) error { cancel(); return context.DeadlineExceeded })
	require.Equal(t, context.DeadlineExceeded, err, "nor when nobody waits for it")
}
