package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"runtime"

	"entgo.io/ent/dialect"
	"github.com/mattn/go-sqlite3"
)

// connectSQLite opens one writing connection, which takes the write lock when a
// transaction begins, and a few that can only read.
func (s *Store) connectSQLite(ctx context.Context, path string) error {
	s.dialect, s.place = dialect.SQLite, &place{path: path}
	var err error
	writing := connector{url: sqliteURL(path, sqlitePragmas+"&_journal_mode=WAL&_txlock=immediate"), opened: s.place.guard}
	if s.db, err = openPool(ctx, writing, 1); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	reading := connector{url: sqliteURL(path, sqlitePragmas+"&_query_only=1"), opened: func(*sqlite3.SQLiteConn) error { return s.place.look() }}
	readers := max(2, runtime.NumCPU())
	s.shareReaders(readers)
	if s.reader, err = openPool(ctx, reading, readers); err != nil {
		_ = s.disconnect()
		return fmt.Errorf("open %s for reading: %w", path, err)
	}
	return nil
}

func openPool(ctx context.Context, c connector, most int) (*sql.DB, error) {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxLifetime(0)
	return db, db.PingContext(ctx)
}

// connector opens connections to a SQLite file and has each looked at before it is
// used.
type connector struct {
	url    string
	opened func(*sqlite3.SQLiteConn) error
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.url)
	if err != nil {
		return nil, err
	}
	lite, ok := conn.(*sqlite3.SQLiteConn)
	if !ok {
		err = fmt.Errorf("store: the driver connection is a %T", conn)
	} else {
		err = c.opened(lite)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func sqliteURL(path, query string) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query}).String()
}

// synchronous=FULL: what was acknowledged survives a power cut; group commits
// make it cheap. mutex=no: database/sql lets one goroutine at a time use a
// connection, so SQLite need not take a lock for each value it hands out. mode=rw:
// a file is made by layFile or not at all.
const sqlitePragmas = "mode=rw&_mutex=no&_synchronous=FULL&_busy_timeout=10000&_foreign_keys=1&_loc=UTC&_stmt_cache_size=256&_cache_size=-32000"
