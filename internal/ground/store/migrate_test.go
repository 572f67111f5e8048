package store_test

import (
	"database/sql"
	"io/fs"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/ent/migrate"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// A database made by the migrations is what the ent schema makes, table by table.
// (River's and goose's tables are not ours.)
func TestMigrationsMakeTheSchema(t *testing.T) {
	t.Parallel()
	migratedAt, createdAt := parleytest.Empty(t), parleytest.Empty(t)
	require.NoError(t, open(t, migratedAt, func(o *store.Options) { o.Create = true }).Close())
	migrated, created := admin(t, migratedAt), admin(t, createdAt)
	require.NoError(t, createSchema(t, createdAt))
	for _, table := range migrate.Tables {
		want := structure(t, created, table.Name)
		require.NotEmpty(t, want, table.Name)
		require.Equal(t, want, structure(t, migrated, table.Name), "%s: run go run -mod=mod ent/migrate/diff.go NAME", table.Name)
	}
}

// createSchema makes the tables of the ent schema without migrations.
func createSchema(t testing.TB, url string) error {
	t.Helper()
	if parleytest.OnPostgres() {
		return migrate.NewSchema(entsql.OpenDB(dialect.Postgres, admin(t, url))).Create(t.Context())
	}
	return migrate.NewSchema(entsql.OpenDB(dialect.SQLite, admin(t, url+"?_fk=1"))).Create(t.Context())
}

// Many processes may start at once on a database that is empty: one migrates,
// the others wait, and all find the same.
func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	const processes = 6
	url := parleytest.Empty(t)
	var starting sync.WaitGroup
	epochs, failed := make(chan int64, processes), make(chan error, processes)
	for range processes {
		starting.Go(func() {
			s, err := store.Open(t.Context(), store.Options{URL: url, Create: true})
			if err != nil {
				failed <- err
				return
			}
			epochs <- s.Epoch
			failed <- s.Close()
		})
	}
	starting.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	first := <-epochs
	for range processes - 1 {
		require.Equal(t, first, <-epochs)
	}
	s := open(t, url)
	folder := map[string]string{dialect.Postgres: "postgres", dialect.SQLite: "sqlite"}[s.Dialect()]
	files, err := fs.Glob(migrate.Files, folder+"/*.sql")
	require.NoError(t, err)
	require.EqualValues(t, len(files), number(t, s, "SELECT COUNT(*) FROM goose_db_version WHERE version_id > 0"), "each was applied once")
}

func TestMigratingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	db := admin(t, url)
	before := structure(t, db, "")
	first := open(t, url)
	require.NoError(t, first.Close())
	second := open(t, url)
	require.Equal(t, before, structure(t, db, ""))
	require.Equal(t, first.Epoch, second.Epoch)
}

// structure is the text of every column, index and foreign key, of one table or
// ("") of all.
func structure(t testing.TB, db *sql.DB, table string) (out []string) {
	t.Helper()
	// Column by column: one that was added later stands last.
	text := `SELECT concat_ws(' ', t.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, t.sql LIKE '%AUTOINCREMENT%')
				FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND ?1 IN ('', t.name)
			UNION SELECT concat_ws(' ', t.name, k."from", k."table", k."to", k.on_delete)
				FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) k WHERE t.type = 'table' AND ?1 IN ('', t.name)
			UNION SELECT concat_ws(' ', type, name, sql) FROM sqlite_master WHERE type <> 'table' AND ?1 IN ('', tbl_name) ORDER BY 1`
	if parleytest.OnPostgres() {
		text = `SELECT concat_ws(' ', column_name, data_type, is_nullable, column_default, is_identity) FROM information_schema.columns
				WHERE table_schema = 'public' AND $1::text IN ('', table_name)
			UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND $1::text IN ('', tablename)
			UNION SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
				WHERE connamespace = 'public'::regnamespace AND ($1::text = '' OR conrelid = to_regclass('public.' || $1::text)) ORDER BY 1`
	}
	rows, err := db.QueryContext(t.Context(), text, table)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		out = append(out, line)
	}
	require.NoError(t, rows.Err())
	return out
}

// notIndexed are foreign keys that need no index, with the reason.
var notIndexed = map[string]string{
	"agent_permission_sets.permission_set_id": inDirectory,
	"channel_members.agent_id":                inDirectory,
	"queue_members.agent_id":                  inDirectory,
	"messages.author_id":                      "agents are switched off, never deleted, and nothing reads messages by author",
}

const inDirectory = "the directory reads the whole table, which is small"

// Neither ent nor the databases index a foreign key by themselves: without one,
// deleting or joining from the other side reads the whole table.
func TestEveryForeignKeyIsIndexed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, table := range migrate.Tables {
		leading := map[string]bool{table.PrimaryKey[0].Name: true}
		for _, c := range table.Columns {
			leading[c.Name] = leading[c.Name] || c.Unique
		}
		for _, index := range table.Indexes {
			leading[index.Columns[0].Name] = true
		}
		for _, key := range table.ForeignKeys {
			name := table.Name + "." + key.Columns[0].Name
			if notIndexed[name] != "" {
				used[name] = true
				continue
			}
			require.True(t, leading[key.Columns[0].Name], "%s has no index that begins with it", name)
		}
	}
	require.Len(t, used, len(notIndexed), "an exception that is needed no more")
}
