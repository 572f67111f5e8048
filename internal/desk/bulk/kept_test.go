package bulk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/quota"
)

// Beginning and cancelling without end does not fill the disk.
func TestEndedOperationsHoldSoMuchAtMost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(10, parleytest.Sales)
	amy, bo := b.Context("amy"), b.Context("bo")
	b.Bulk.SetKept(3*110, 0) // three operations of ten conversations
	other := b.begun(b.Bulk.MarkRead(bo, reading(all(nil))))
	_, err := b.Bulk.Cancel(bo, other.ID())
	require.NoError(t, err)
	var ids []string
	for range 8 {
		op := b.begun(b.Bulk.MarkRead(amy, reading(all(nil))))
		_, err := b.Bulk.Cancel(amy, op.ID())
		require.NoError(t, err)
		ids = append(ids, op.ID())
	}
	require.Equal(t, 3+1+1, b.number("SELECT COUNT(*) FROM bulk_operations"), "three, the one that ended since, and bo's")
	require.Equal(t, (3+1+1)*4, b.number("SELECT COUNT(*) FROM bulk_batches"), "with their batches of three")
	_, err = b.Bulk.Get(amy, ids[3])
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	_, err = b.Bulk.Get(amy, ids[4])
	require.NoError(t, err, "the newest stay")
	_, err = b.Bulk.Get(bo, other.ID())
	require.NoError(t, err, "and those of others")

	b.Bulk.SetKept(1, 0)
	open := b.begun(b.Bulk.MarkRead(amy, reading(all(nil))))
	b.begun(b.Bulk.MarkRead(amy, reading(all(nil))))
	_, err = b.Bulk.Get(amy, open.ID())
	require.NoError(t, err, "what has not ended is kept")

	b.Bulk.SetKept(0, 110)
	n, err := b.Bulk.Forget(b.System())
	require.NoError(t, err)
	require.Equal(t, 1, n, "of all agents', the oldest of the ended")
	_, err = b.Bulk.Get(bo, other.ID())
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

func TestAnAgentBeginsSoManyAtMost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(2, parleytest.Sales)
	amy := b.Context("amy")
	clk := clock.NewFake(parleytest.Start)
	b.Bulk.Begins = quota.New("begin", "bulk operations", 12, clk)
	first := reading(all(nil))
	b.begun(b.Bulk.MarkRead(amy, first))
	for range 5 {
		begun, err := b.Bulk.MarkRead(amy, bulk.MarkInput{Selection: all(nil), IdempotencyKey: "dry", DryRun: true})
		require.NoError(t, err)
		require.NotNil(t, begun.Preview, "a dry run keeps nothing")
		b.begun(b.Bulk.MarkRead(amy, first)) // nor does a repeat
		_, err = b.Bulk.MarkRead(amy, reading(&bulk.Selection{IDs: []string{"nonsense"}}))
		require.Equal(t, fault.BadInput, fault.CodeOf(err), "nor what is refused")
	}
	b.begun(b.Bulk.MarkRead(amy, reading(all(nil))))
	third := reading(all(nil))
	_, err := b.Bulk.MarkRead(amy, third)
	var f *fault.Error
	require.True(t, errors.As(err, &f))
	require.Equal(t, fault.LimitExceeded, f.Code)
	require.Equal(t, 5*time.Minute, f.RetryAfter)
	b.begun(b.Bulk.MarkRead(amy, first))
	b.begun(b.Bulk.MarkRead(b.Context("bo"), reading(all(nil))))
	clk.Advance(5 * time.Minute)
	b.begun(b.Bulk.MarkRead(amy, third))
}
