package parleytest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent/migrate"
	"parley/internal/admin/seed"
	"parley/internal/ground/store"
	"parley/internal/ground/store/address"
)

// postgresURL is the server to test on; empty for SQLite.
func postgresURL() string { return os.Getenv("PARLEY_TEST_POSTGRES") }

// OnPostgres reports whether the suite runs on PostgreSQL.
func OnPostgres() bool { return postgresURL() != "" }

// Database returns a database of the test's own, up to date and holding the
// demo organisation: a SQLite file, or a PostgreSQL database when the suite runs
// there. It is gone when the test ends.
func Database(t testing.TB) string {
	if OnPostgres() {
		return postgresDatabase(t)
	}
	path := filepath.Join(t.TempDir(), "parley.db")
	template := sqliteTemplate(t)
	require.NoError(t, os.WriteFile(path, template, 0o600))
	return path
}

// Empty returns a database that holds nothing, gone when the test ends: a path
// where no file is, or an empty PostgreSQL database.
func Empty(t testing.TB) string {
	if !OnPostgres() {
		return filepath.Join(t.TempDir(), "empty.db")
	}
	admin := postgresAdmin(t)
	return createDatabase(t, admin, "template0")
}

// Copy returns a copy of a database that nobody has open, gone when the test ends.
func Copy(t testing.TB, database string) string {
	if !address.IsPostgres(database) {
		bytes, err := os.ReadFile(database)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "copy.db")
		require.NoError(t, os.WriteFile(path, bytes, 0o600))
		return path
	}
	base, _, _ := strings.Cut(database, "?")
	return createDatabase(t, postgresAdmin(t), base[strings.LastIndex(base, "/")+1:])
}

var templates struct {
	sqlite   sync.Once
	bytes    []byte
	postgres sync.Mutex
	name     string
	next     atomic.Int64
}

// sqliteTemplate is a prepared database file, made once per process.
func sqliteTemplate(t testing.TB) []byte {
	templates.sqlite.Do(func() {
		path := filepath.Join(t.TempDir(), "template.db")
		prepare(t, path)
		var err error
		templates.bytes, err = os.ReadFile(path)
		require.NoError(t, err)
	})
	return templates.bytes
}

// prepare migrates a database and fills it with the demo organisation.
func prepare(t testing.TB, url string) {
	ctx := context.Background()
	a, err := app.Open(ctx, app.Config{Database: url, Create: true})
	require.NoError(t, err)
	require.NoError(t, seed.Organisation(ctx, a.Directory, a.Store))
	require.NoError(t, a.Close())
}

func postgresDatabase(t testing.TB) string {
	templates.postgres.Lock() // a template must have no other user while it is copied
	defer templates.postgres.Unlock()
	admin := postgresAdmin(t)
	if templates.name == "" {
		dropLeftovers(t, admin)
		name := fmt.Sprintf("parley_test_%d_template", os.Getpid())
		exec(t, admin, `CREATE DATABASE "`+name+`"`)
		prepare(t, withDatabase(postgresURL(), name))
		templates.name = name
	}
	return createDatabase(t, admin, templates.name)
}

// createDatabase makes a copy of a template that is gone when the test ends.
func createDatabase(t testing.TB, admin *sql.DB, template string) (url string) {
	name := fmt.Sprintf("parley_test_%d_%d", os.Getpid(), templates.next.Add(1))
	exec(t, admin, `CREATE DATABASE "`+name+`" TEMPLATE "`+template+`"`)
	t.Cleanup(func() {
		exec(t, admin, `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`)
	})
	return withDatabase(postgresURL(), name)
}

// postgresAdmin is a connection to the server for as long as the test runs, its
// clean-ups included.
func postgresAdmin(t testing.TB) *sql.DB {
	admin, err := sql.Open("pgx", postgresURL())
	require.NoError(t, err)
	admin.SetMaxIdleConns(0) // a property has a database for each case until all have run
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	return admin
}

func exec(t testing.TB, db *sql.DB, statement string) {
	_, err := db.ExecContext(context.Background(), statement)
	require.NoError(t, err)
}

func withDatabase(url, name string) string {
	base, query, _ := strings.Cut(url, "?")
	i := strings.LastIndex(base, "/")
	out := base[:i+1] + name
	if query != "" {
		out += "?" + query
	}
	return out
}

// dropLeftovers drops the databases of test processes that have ended.
func dropLeftovers(t testing.TB, admin *sql.DB) {
	rows, err := admin.QueryContext(context.Background(), `SELECT datname FROM pg_database WHERE datname LIKE 'parley\_test\_%'`)
	require.NoError(t, err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	for _, name := range names {
		pid, err := strconv.Atoi(strings.Split(name, "_")[2])
		if err != nil || syscall.Kill(pid, 0) == nil {
			continue
		}
		_, _ = admin.ExecContext(context.Background(), `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`) // another process may be first
	}
}

// Rows reads all rows of a statement as lines, their fields parted by bars.
func Rows(t testing.TB, s *store.Store, statement string) []string {
	t.Helper()
	var out []string
	err := s.Read(context.Background(), store.System("a test looks"), store.SQL(statement), func(r *sql.Rows) error {
		columns, err := r.Columns()
		if err != nil {
			return err
		}
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		err = r.Scan(into...)
		fields := make([]string, len(values))
		for i, v := range values {
			fields[i] = v.String
		}
		out = append(out, strings.Join(fields, "|"))
		return err
	})
	require.NoError(t, err)
	return out
}

// Columns returns the names of a table's columns, as ent has them.
func Columns(t testing.TB, table string) []string {
	t.Helper()
	at := slices.IndexFunc(migrate.Tables, func(s *schema.Table) bool { return s.Name == table })
	require.GreaterOrEqual(t, at, 0, table)
	var names []string
	for _, c := range migrate.Tables[at].Columns {
		names = append(names, c.Name)
	}
	return names
}
