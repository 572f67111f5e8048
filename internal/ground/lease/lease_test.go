package lease_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
	"parley/internal/ground/lease"
	"parley/internal/ground/store"
)

func TestTokensArePositiveAndDiffer(t *testing.T) {
	t.Parallel()
	had := map[int64]bool{}
	for range 1000 {
		token := lease.Token()
		require.Positive(t, token)
		require.False(t, had[token])
		had[token] = true
	}
}

// Both forms agree at every edge.
func TestAHoldIsOver(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	now := clock.Of(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC))
	const reach = 30 * time.Second
	for until, want := range map[clock.Time]bool{
		0: true, now - 1: true, now: true, now + 1: false, now.Add(reach): false, now.Add(reach) + 1: true, now.Add(time.Hour): true,
	} {
		require.Equal(t, want, lease.Over(until, now, reach), until)
		q := p.Store.Builder().SelectExpr(lease.IsOver(fmt.Sprint("CAST(", int64(until), " AS BIGINT)"), now, reach))
		var got bool
		require.NoError(t, p.Store.Read(t.Context(), store.System("a test looks"), q, func(rows *sql.Rows) error { return rows.Scan(&got) }))
		require.Equal(t, want, got, until)
	}
}
