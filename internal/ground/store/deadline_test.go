package store_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// endless is a statement that would run for minutes.
const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT COUNT(*) FROM n"

// A request's deadline reaches the database: the statement under way is stopped
// there, not just left alone.
func TestAReadersDeadlineStopsTheStatement(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		},
		"the caller leaves": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		ctx, cancel := end(t.Context())
		defer cancel()
		start := time.Now()
		err := s.Read(ctx, store.System("a test looks"), raw{text: endless}, func(rows *sql.Rows) error { return rows.Err() })
		require.Error(t, err, name)
		require.Error(t, ctx.Err())
		require.Less(t, time.Since(start), 5*time.Second, name)
	}
	if parleytest.OnPostgres() {
		eventually(t, func() bool {
			return number(t, s, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'WITH RECURSIVE n%'") == 0
		}, "the server works on it no more")
	}
	require.EqualValues(t, 4, number(t, s, "SELECT COUNT(*) FROM agents"), "the connections live on")
}

// The same holds for what ent reads.
func TestAnEntReadersDeadlineIsKept(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	ctx, cancel := context.WithCancel(viewer.AsSystem(t.Context(), "test"))
	cancel()
	_, err := s.Ent.Agent.Query().All(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
