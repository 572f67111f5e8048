package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"
	"github.com/mattn/go-sqlite3"

	"parley/internal/ground/store/sqlite"
)

// othersEach is how often a shared file is looked at.
const othersEach = 100 * time.Millisecond

// WatchOthers calls changed, until ctx ends, soon after another connection has written to
// a SQLite file, of this process or another. On PostgreSQL, whose processes tell each
// other, it returns at once.
func (s *Store) WatchOthers(ctx context.Context, changed func()) {
	if s.dialect != dialect.SQLite {
		return
	}
	own := connector{url: sqlite.ReaderURL(s.place.path), opened: func(*sqlite3.SQLiteConn) error { return s.place.look() }}
	db := sql.OpenDB(own)
	db.SetMaxOpenConns(1) // data_version is counted by connection
	defer func() { _ = db.Close() }()
	every := time.NewTicker(othersEach)
	defer every.Stop()
	last, failing := int64(-1), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		version := int64(0)
		err := db.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			slog.WarnContext(ctx, "cannot see what other processes write; it is looked for once a second", "error", err)
		case err == nil && version != last:
			last = version
			changed()
		}
		failing = err != nil
	}
}
