package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mattn/go-sqlite3"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/store/address"
	"parley/internal/ground/store/migrate"
	"parley/internal/ground/store/sqlite"
)

// RestoreOptions say what to restore, and where to.
type RestoreOptions struct {
	// File is what Write made.
	File string
	// URL is a SQLite path where nothing is, or an empty PostgreSQL database.
	URL string
	// Settle are the caller's statements, in SQL that both databases understand, for
	// what was under way when the backup was made. They share the transaction that
	// makes the copy a database of its own. Required, though it may be empty: without
	// them work may be done twice.
	Settle []string
	// Progress is told how far the work is, in bytes. Nil for nobody.
	Progress func(done, total int64)
}

// Restore makes a database of a backup, of the same kind as the one the backup is
// of, and brings it up to date. It is ready to be served when Restore returns.
//
// What happened after the backup was made is not known to it, so that
//   - the event log gets a new epoch: cursors made before are answered with
//     RESYNC_REQUIRED;
//   - what was under way is settled by the caller's rules (see Settle), and jobs that
//     were running run again;
//   - new rows get ids that were never given out: a carrier may know those that
//     were given out after the backup.
//
// Keys are those of the backup, so that ids and tokens stay valid, and so are
// idempotency keys.
func Restore(ctx context.Context, o RestoreOptions) error {
	if o.Settle == nil {
		return errors.New("backup: Settle is missing")
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if err := address.Check(o.URL); err != nil {
		return err
	}
	lite, err := isSQLite(o.File)
	switch {
	case err != nil:
		return err
	case lite && address.IsPostgres(o.URL):
		return fmt.Errorf("%s is a backup of a SQLite database: give --database a file path", o.File)
	case lite:
		return restoreSQLite(ctx, o)
	case !address.IsPostgres(o.URL):
		return fmt.Errorf("%s is not a backup of a SQLite database: give --database a postgres:// URL, or the right file", o.File)
	}
	return restorePostgres(ctx, o)
}

func restoreSQLite(ctx context.Context, o RestoreOptions) (err error) {
	if info, err := os.Stat(o.File + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("%s is a database in use, not a backup: make one with parley backup", o.File)
	}
	if err := os.MkdirAll(filepath.Dir(o.URL), 0o700); err != nil {
		return address.Explain(o.URL, err)
	}
	unlock, err := sqlite.Lock(ctx, o.URL)
	if err != nil {
		return address.Explain(o.URL, err)
	}
	defer func() { unlock(err != nil) }()
	for _, beside := range []string{"", "-wal", "-journal"} {
		if _, err := os.Stat(o.URL + beside); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s already exists: stop the server and move the database away with its -wal and -shm, or restore to another path", o.URL+beside)
		}
	}
	return atomically(o.URL, func(partial string) error {
		if err := copySQLite(ctx, o.File, partial, o.Progress); err != nil {
			return notWhole(o.File, err)
		}
		return prepareRestored(ctx, partial, o.Settle)
	})
}

// notWhole says of a backup that SQLite cannot read that it was cut or damaged.
func notWhole(file string, err error) error {
	var lite sqlite3.Error
	if errors.Is(err, errDamaged) || errors.As(err, &lite) && (lite.Code == sqlite3.ErrCorrupt || lite.Code == sqlite3.ErrNotADB) {
		return fmt.Errorf("%s is not a complete backup: %w", file, err)
	}
	return err
}

// prepareRestored brings a copy of a backup up to date and makes it a database of
// its own.
func prepareRestored(ctx context.Context, path string, rules []string) error {
	db, err := sql.Open("sqlite3", sqlite.WriterURL(path))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = migrate.Alone(ctx, migrate.Database{DB: db}, func(m *migrate.Migrator) error {
		version, err := m.Version(ctx)
		if err != nil {
			return fmt.Errorf("read the backup's version: %w", err)
		}
		if err := knows(m, version); err != nil {
			return err
		}
		return m.Up(ctx)
	})
	if err == nil {
		err = settle(ctx, db, rules)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return errors.Join(err, db.Close())
}

func settle(ctx context.Context, db *sql.DB, rules []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, text := range settling(rules, restartKeysSQLite()) {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("settle what the backup cannot know: %w", err)
		}
	}
	return tx.Commit()
}

// knows refuses a backup that a newer program made.
func knows(m *migrate.Migrator, version int64) error {
	if newest := m.Newest(); version > newest {
		return fmt.Errorf("the backup has version %d, but this program knows versions up to %d: restore it with the program that made it, or a newer one", version, newest)
	}
	return nil
}

// firstKey is where ids go on after a restore: at its microsecond, so that none is
// given again that was given after the backup, or after an earlier restore of it. A
// carrier would take the message of a new attempt for one it has, and a late
// receipt would speak of the wrong one. Nobody gives a million ids a second.
func firstKey() string { return fmt.Sprint(int64(clock.Real{}.Now())) }

// restartKeysSQLite moves the sequences of all tables that have one.
func restartKeysSQLite() string {
	return `DELETE FROM sqlite_sequence;
		INSERT INTO sqlite_sequence (name, seq) SELECT name, ` + firstKey() + ` FROM sqlite_master
			WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'`
}

// settling are the statements that make a restored database a new one.
func settling(rules []string, restartKeys string) []string {
	return slices.Concat([]string{"UPDATE log_heads SET epoch = " + fmt.Sprint(store.NewEpoch())}, rules, []string{
		"UPDATE river_job SET state = 'available' WHERE state = 'running'",
		restartKeys,
	})
}
