package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// staging holds the rows of an export while they are sorted out: a SQLite file of
// its own, so that neither memory nor the database imported into has to hold them.
// On Unix its name is gone as soon as it is open: nothing stays after a kill.
type staging struct {
	path string
	db   *sql.DB
	tx   *sql.Tx // everything happens in it; nothing is ever committed to last

	parties map[party]int64
	agents  map[string]int64
}

// party is a sender ID and a customer's number, both as the export writes them.
type party struct{ sender, written string }

// mostInterned bounds how many keys are remembered beside the file.
const mostInterned = 50_000

const stagingTables = `
CREATE TABLE parties (id INTEGER PRIMARY KEY, sender TEXT NOT NULL, written TEXT NOT NULL, conversation INTEGER, problem TEXT,
	UNIQUE (sender, written));
CREATE TABLE conversations (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, address TEXT NOT NULL, country TEXT NOT NULL,
	inbound_only INTEGER NOT NULL DEFAULT 0, first_at INTEGER NOT NULL DEFAULT 0, first_side INTEGER NOT NULL DEFAULT 9, first_line INTEGER NOT NULL DEFAULT 0, last_at INTEGER NOT NULL DEFAULT 0, UNIQUE (channel, address));
CREATE TABLE agents (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE);
CREATE TABLE messages (id INTEGER PRIMARY KEY, side INTEGER NOT NULL, line INTEGER NOT NULL, source TEXT NOT NULL, print INTEGER NOT NULL,
	party INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, status TEXT NOT NULL, agent INTEGER NOT NULL,
	object_type TEXT NOT NULL, external_id TEXT NOT NULL, UNIQUE (side, source));
CREATE TABLE records (id INTEGER PRIMARY KEY, line INTEGER NOT NULL, object_type TEXT NOT NULL, external_id TEXT NOT NULL,
	name TEXT NOT NULL, mobile TEXT NOT NULL, opted_out INTEGER, at INTEGER NOT NULL,
	parent_type TEXT NOT NULL, parent_id TEXT NOT NULL, UNIQUE (object_type, external_id));
CREATE TABLE refused (file INTEGER NOT NULL, line INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL);`

// openStaging makes an empty staging in a folder.
func openStaging(ctx context.Context, dir string) (s *staging, err error) {
	f, err := os.CreateTemp(dir, "parley-import-*.db")
	if err != nil {
		return nil, fmt.Errorf("create the staging file; use --staging to name a folder with enough space for the export: %w", err)
	}
	s = &staging{path: f.Name(), parties: map[party]int64{}, agents: map[string]int64{}}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	if err := f.Close(); err != nil {
		return nil, err
	}
	if s.db, err = sql.Open("sqlite3", "file:"+filepath.ToSlash(s.path)+"?_journal_mode=OFF&_locking_mode=EXCLUSIVE&_synchronous=OFF&_cache_size=-32000&_stmt_cache_size=64"); err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	// Sorts spill into files, not into memory, however SQLite was built.
	if _, err := s.db.ExecContext(ctx, "PRAGMA temp_store = FILE;"+stagingTables); err != nil {
		return nil, err
	}
	_ = os.Remove(s.path) // where the system has it stay while it is open, close removes it
	s.tx, err = s.db.BeginTx(context.WithoutCancel(ctx), nil)
	return s, err
}

func (s *staging) close() error {
	var errs []error
	if s.tx != nil {
		errs = append(errs, s.tx.Rollback())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// exec runs a statement and tells how many rows it changed.
func (s *staging) exec(ctx context.Context, text string, args ...any) (int64, error) {
	result, err := s.tx.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// one reads the one row of a statement.
func (s *staging) one(ctx context.Context, into []any, text string, args ...any) error {
	return s.tx.QueryRowContext(ctx, text, args...).Scan(into...)
}

// each calls scan for every row of a statement, which may read more, but change
// nothing that the statement goes through.
func (s *staging) each(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := s.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// party gives the key of a sender ID and a number.
func (s *staging) party(ctx context.Context, p party) (id int64, err error) {
	if id, ok := s.parties[p]; ok {
		return id, nil
	}
	if len(s.parties) >= mostInterned {
		clear(s.parties)
	}
	err = s.one(ctx, []any{&id}, `INSERT INTO parties (sender, written) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET sender = excluded.sender RETURNING id`, p.sender, p.written)
	s.parties[p] = id
	return id, err
}

// agent gives the key of a username, 0 for none.
func (s *staging) agent(ctx context.Context, username string) (id int64, err error) {
	if username == "" {
		return 0, nil
	}
	if id, ok := s.agents[username]; ok {
		return id, nil
	}
	if len(s.agents) >= mostInterned {
		clear(s.agents)
	}
	err = s.one(ctx, []any{&id}, `INSERT INTO agents (username) VALUES (?)
		ON CONFLICT DO UPDATE SET username = excluded.username RETURNING id`, username)
	s.agents[username] = id
	return id, err
}

// which is a file of the export.
type which int

// The files. The two of messages are also a message's side.
const (
	outgoing which = iota
	incoming
	records
)

// String is the word for it in reports.
func (w which) String() string { return [...]string{"outgoing", "incoming", "records"}[w] }

// refuse notes that a row is not taken.
func (s *staging) refuse(ctx context.Context, w which, line int, source, reason string) error {
	_, err := s.exec(ctx, "INSERT INTO refused (file, line, source, reason) VALUES (?, ?, ?, ?)", int(w), line, source, reason)
	return err
}
