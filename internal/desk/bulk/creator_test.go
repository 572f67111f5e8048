package bulk_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent/agent"
	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

func (b *bundle) change(username string, change func(ctx context.Context, tx *store.Tx, key int64) error) {
	b.T.Helper()
	key := b.Directory.AgentNamed(username).Key
	require.NoError(b.T, b.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error { return change(ctx, tx, key) }))
}

func (b *bundle) setActive(username string, active bool) {
	b.change(username, func(ctx context.Context, tx *store.Tx, key int64) error {
		return tx.Ent.Agent.Update().Where(agent.ID(key)).SetActive(active).Exec(ctx)
	})
}

func TestTheCreatorsPresentRightsDecide(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(12, parleytest.Sales)
	amy := b.Context("amy")
	bo := b.Conversations.IDs.Encode(publicid.Agent, b.Directory.AgentNamed("bo").Key)
	assign := func() *bulk.Row {
		return b.begun(b.Bulk.Assign(b.Context("sue"), bulk.AssignInput{
			Selection: &bulk.Selection{IDs: b.ids("ada")}, AgentID: &bo, IdempotencyKey: rand.Text(),
		}))
	}
	// The assignee leaves, and is back.
	op := assign()
	work := b.Bulk.Hold(op)
	b.setActive("bo", false)
	require.True(t, b.step(work))
	b.setActive("bo", true)
	// The permission goes, and so does what is left.
	b.change("sue", func(ctx context.Context, tx *store.Tx, key int64) error {
		return tx.Ent.Agent.Update().Where(agent.ID(key)).SetRole(viewer.Standard).Exec(ctx)
	})
	require.True(t, b.step(work))
	op = b.finish(b.now(op))
	require.Equal(t, bulk.Running, op.State, "another worker holds it")
	for b.step(work) {
	}
	op = b.now(op)
	require.Equal(t, bulk.Done, op.State)
	require.Equal(t, []*bulk.RefusalCount{{Code: fault.Conflict, Count: 3}, {Code: fault.Forbidden, Count: 9}}, op.Refusals())
	for _, r := range b.results(op, ptr(bulk.Refused)) {
		require.NotEmpty(t, r.Error().Message)
	}

	// The channel is taken away, and with it the sight of it.
	op = b.begun(b.Bulk.MarkRead(amy, reading(all(nil))))
	work = b.Bulk.Hold(op)
	require.True(t, b.step(work))
	b.change("amy", func(ctx context.Context, tx *store.Tx, key int64) error {
		return tx.Ent.Agent.UpdateOneID(key).ClearChannels().Exec(ctx)
	})
	require.True(t, b.step(work))
	op = b.now(op)
	require.EqualValues(t, 3, op.Changed)
	require.Equal(t, []*bulk.RefusalCount{{Code: fault.NotFound, Count: 3}}, op.Refusals())

	// The creator may no longer sign in.
	b.setActive("amy", false)
	require.False(t, b.step(work))
	op = b.now(op)
	require.Equal(t, bulk.Stopped, op.State)
	require.Equal(t, bulk.CreatorInactive, *op.StopReason())
	require.EqualValues(t, 6, op.Done)
}
