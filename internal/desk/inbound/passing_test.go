package inbound_test

import (
	"context"
	"database/sql"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

func run(t testing.TB, p *parleytest.Parley, statements ...store.SQL) {
	t.Helper()
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}))
}

// trouble makes messages impossible to store for the moment, and returns what
// ends it: on PostgreSQL conversations lose every race while raw entries could
// still be kept, on SQLite another process holds the write lock.
func trouble(t testing.TB, p *parleytest.Parley, database string) (over func()) {
	t.Helper()
	if parleytest.OnPostgres() {
		run(t, p, `CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`,
			`CREATE TRIGGER lose BEFORE INSERT ON conversations FOR EACH ROW EXECUTE FUNCTION lose()`)
		return func() { run(t, p, "DROP TRIGGER lose ON conversations") }
	}
	run(t, p, "PRAGMA busy_timeout = 1")
	other, err := sql.Open("sqlite3", "file:"+database+"?_txlock=immediate")
	require.NoError(t, err)
	tx, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	return func() {
		require.NoError(t, tx.Rollback())
		require.NoError(t, other.Close())
	}
}

// What only fails for the moment is for the carrier to post again: kept raw, it
// would wait for an operator.
func TestAMessageThatFailsForTheMomentIsPostedAgain(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	over := trouble(t, p, database)
	answer := p.Answer(compose(t, p, said("m1", "Hello")))
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.NotEmpty(t, answer.Header().Get("Retry-After"))
	over()
	require.Zero(t, count(t, p, "raw_inbounds", nil))
	p.Post(compose(t, p, said("m1", "Hello")))
	require.Equal(t, 1, count(t, p, "messages", nil))
	require.Zero(t, count(t, p, "raw_inbounds", state("FAILED")))
}
