package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"runtime"

	"entgo.io/ent/dialect"
	"github.com/mattn/go-sqlite3"

	"parley/internal/ground/store/sqlite"
)

// connectSQLite opens one writing connection, which takes the write lock when a
// transaction begins, and a few that can only read.
func (s *Store) connectSQLite(ctx context.Context, path string) error {
	s.dialect, s.place = dialect.SQLite, &place{path: path}
	var err error
	writing := connector{url: sqlite.WriterURL(path), opened: s.place.guard}
	if s.db, err = openPool(ctx, writing, 1); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	reading := connector{url: sqlite.ReaderURL(path), opened: func(*sqlite3.SQLiteConn) error { return s.place.look() }}
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
