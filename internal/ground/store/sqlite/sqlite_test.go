package sqlite_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	_ "parley/internal/ground/store/sqlite"
)

// For a value that proves the index's condition, SQLite would compile another
// plan than for others.
func TestAPlanDoesNotDependOnValues(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite3", "file:plan?mode=memory&_stmt_cache_size=16")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), "CREATE TABLE t (a INTEGER, b TEXT); CREATE INDEX some ON t (a) WHERE a > 0")
	require.NoError(t, err)
	plan := func(condition string, args ...any) (detail string) {
		var id, parent, unused int
		require.NoError(t, db.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN SELECT b FROM t WHERE "+condition, args...).
			Scan(&id, &parent, &unused, &detail))
		return detail
	}
	require.Equal(t, "SCAN t", plan("a > ?", 0))
	require.Equal(t, "SCAN t", plan("a > ?", 0), "a kept statement is not compiled again")
	require.Equal(t, "SEARCH t USING INDEX some (a>?)", plan("a > 0"))
}
