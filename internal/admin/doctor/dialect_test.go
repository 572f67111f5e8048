package doctor_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
	"parley/internal/check/parleytest"
)

// What only one of the databases can have.
func TestFaultsOfTheDatabaseItself(t *testing.T) {
	t.Parallel()
	p := admit(t)
	o := p.options()
	if parleytest.OnPostgres() {
		p.do("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$")
		found, well := examine(t, o)
		require.True(t, well)
		require.Contains(t, found["PostgreSQL"][0].Means, "synchronous_commit is off")
		o.Database += "?pool_max_conns=100000"
		found, _ = examine(t, o)
		require.Equal(t, doctor.Warn, found["connections"][0].Level)
		return
	}
	p.Stop()
	db, err := sql.Open("sqlite3", o.Database)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "PRAGMA journal_mode = DELETE")
	require.NoError(t, err)
	var page int64
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_master WHERE name = 'message_conversation_id_seq'").Scan(&page))
	require.NoError(t, db.Close())
	found, _ := examine(t, o)
	require.Equal(t, doctor.Warn, found["SQLite"][0].Level)
	require.Contains(t, found["SQLite"][0].Means, "delete")

	file, err := os.OpenFile(o.Database, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = file.WriteAt(make([]byte, 4096), (page-1)*4096) // an index's first page
	require.NoError(t, err)
	require.NoError(t, file.Close())
	found, well := examine(t, o)
	require.False(t, well)
	require.Equal(t, doctor.Fail, found["integrity"][0].Level)
}
