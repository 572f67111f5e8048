package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"entgo.io/ent/dialect"
	"github.com/mattn/go-sqlite3"

	"parley/internal/ground/store/address"
	"parley/internal/ground/store/sqlite"
)

// ErrNoDatabase is what Open answers where no Parley's database is and none may be
// made, and OpenToRead where there is no SQLite file.
var ErrNoDatabase = errors.New("there is no database")

// whatToDo is said to whoever starts on a path or in a database where nothing is: a
// disk that is not mounted and a mistyped name look like a first start.
const whatToDo = "give --database the server's value and check that its disk is mounted; for a first start run parley setup, parley migrate, or parley serve --create"

// layFile makes an empty SQLite file where none is, for its owner alone whatever the
// umask, if it may; otherwise there must be one. PostgreSQL makes its own.
func layFile(path string, create bool) error {
	if err := address.Check(path); err != nil || address.IsPostgres(path) {
		return err
	}
	_, err := os.Stat(path)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("look for the database: %w", err)
	case !create:
		return fmt.Errorf("%w at %s: %s", ErrNoDatabase, path, whatToDo)
	}
	for _, beside := range []string{"-wal", "-journal"} {
		_, err := os.Stat(path + beside)
		if err == nil && !exists(path) { // SQLite would drop what it holds; another start may just have made both
			return fmt.Errorf("%s exists without its database: move the database back next to it, or move the file away", path+beside)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	_, err = sqlite.MakeEmpty(path)
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// RequireParley refuses a database without Parley's tables.
func (s *Store) RequireParley(ctx context.Context) error {
	holds, err := s.HoldsParley(ctx)
	if err == nil && !holds {
		err = fmt.Errorf("%w of Parley at this address, because its tables are missing: %s", ErrNoDatabase, whatToDo)
	}
	return err
}

// HoldsParley reports whether the database has Parley's tables.
func (s *Store) HoldsParley(ctx context.Context) (holds bool, err error) {
	q := SQL("SELECT COUNT(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = 'log_heads'")
	if s.dialect == dialect.Postgres {
		q = "SELECT to_regclass('log_heads') IS NOT NULL"
	}
	err = s.Read(ctx, own, q, func(rows *sql.Rows) error { return rows.Scan(&holds) })
	return holds, err
}

// isForeign reports whether what lies at the path is no database of this user's
// Parley: nobody else opens one there meanwhile.
func isForeign(err error) bool {
	var lite sqlite3.Error
	return errors.Is(err, ErrNoDatabase) || errors.As(err, &lite) && slices.Contains([]sqlite3.ErrNo{
		sqlite3.ErrNotADB, sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrPerm,
	}, lite.Code)
}
