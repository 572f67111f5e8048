package journey_test

import (
	"context"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/ent/agent"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// A socket outlives changes of rights: each of its operations has the rights of
// the moment, and an agent who is switched off has none.
func TestAnOpenSocketHasThePresentRights(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	bo := p.As("bo").Dial()
	permissions := func(id string) []parleytest.Tree {
		bo.Start(id, `{ viewer { permissions } }`, nil)
		got := bo.Next().Get("viewer", "permissions").List()
		done, err := bo.Read(5 * time.Second)
		require.NoError(t, err)
		require.Equal(t, "complete", done.Type)
		return got
	}
	before := len(permissions("1"))
	change(t, p, func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Update().Where(agent.Username("bo")).SetRole("SUPERVISOR").Exec(ctx)
	})
	require.Greater(t, len(permissions("2")), before)

	change(t, p, func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Update().Where(agent.Username("bo")).SetActive(false).Exec(ctx)
	})
	bo.Start("3", `{ viewer { permissions } }`, nil)
	_, err := bo.Read(5 * time.Second)
	require.EqualValues(t, 4403, websocket.CloseStatus(err), "%v", err)
}

func change(t *testing.T, p *parleytest.Parley, fn func(context.Context, *store.Tx) error) {
	t.Helper()
	require.NoError(t, p.Directory.Change(context.Background(), fn))
}
