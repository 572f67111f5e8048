// Package backup copies a database, which may be in use, to a file, and creates a
// database from such a file.
package backup

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"

	"parley/internal/ground/store"
	"parley/internal/ground/store/sqlite"
)

// Options say what to back up, and where to.
type Options struct {
	// URL is the database, as in store.Options.
	URL string
	// File is where the backup goes: readable by its owner alone, since it holds the
	// keys. It appears when it is whole and on the disk.
	File string
	// Overwrite replaces a file that is there.
	Overwrite bool
	// Progress is told how far the work is, in bytes; total is an estimate on
	// PostgreSQL. Nil for nobody.
	Progress func(done, total int64)
}

// Write copies a database that may be in use, as it is at one moment: what was
// committed before the call is in it. Nobody waits for it. While it runs SQLite's
// -wal file grows by what is written.
//
// The backup of a SQLite file is a SQLite file; that of a PostgreSQL database is a
// zip archive with each table in PostgreSQL's COPY text format. Restore takes both.
func Write(ctx context.Context, o Options) error {
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	s, err := store.OpenToRead(ctx, store.Options{URL: o.URL})
	defer func() { _ = s.Close() }()
	if err != nil {
		return err
	}
	if err := s.RequireParley(ctx); err != nil {
		return err
	}
	if err := o.mayWrite(); err != nil {
		return err
	}
	return atomically(o.File, func(partial string) error {
		if pool := s.Pool(); pool != nil {
			return copyPostgres(ctx, pool, partial, o.Progress)
		}
		return copySQLite(ctx, o.URL, partial, o.Progress)
	})
}

// mayWrite keeps a backup from taking the place of something else.
func (o Options) mayWrite() error {
	there, err := os.Stat(o.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	database, _ := os.Stat(o.URL)
	switch {
	case !there.Mode().IsRegular(), os.SameFile(there, database):
		return fmt.Errorf("%s cannot hold the backup: give a separate file", o.File)
	case !o.Overwrite:
		return fmt.Errorf("%s already exists: give another name, or --overwrite", o.File)
	}
	return nil
}

// atomically has make write a file beside the one named, brings it to the disk
// and only then gives it its name.
func atomically(file string, make func(partial string) error) (err error) {
	placeholder, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.partial")
	if err != nil {
		return err
	}
	partial := placeholder.Name()
	defer func() {
		for _, beside := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
			_ = os.Remove(partial + beside) // what is left of it when it failed
		}
	}()
	err = errors.Join(placeholder.Close(), make(partial))
	if err == nil {
		err = flush(partial)
	}
	if err == nil {
		err = os.Rename(partial, file)
	}
	if err == nil {
		err = flush(filepath.Dir(file))
	}
	return err
}

func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// pagesPerStep is how many pages are copied between two looks at the context.
const pagesPerStep = 1024

// copySQLite copies page by page. The open transaction keeps the moment it
// began in: without it, every write of another process would start the copy anew.
func copySQLite(ctx context.Context, from, to string, progress func(done, total int64)) error {
	err := between(ctx, from, to, func(source, target *sqlite3.SQLiteConn) error {
		if _, err := source.ExecContext(ctx, "BEGIN; SELECT COUNT(*) FROM sqlite_master", nil); err != nil {
			return err
		}
		backup, err := target.Backup("main", source, "main")
		if err != nil {
			return err
		}
		for done := false; !done && err == nil; {
			if done, err = backup.Step(pagesPerStep); err == nil {
				err = ctx.Err()
			}
			size := int64(backup.PageCount()) * sqlitePage
			progress(size-int64(backup.Remaining())*sqlitePage, size)
		}
		return errors.Join(err, backup.Finish())
	})
	if err != nil {
		return err
	}
	// A file that is not in WAL mode needs none beside it to be read.
	return withSQLite(ctx, sqlite.URL(to, "_journal_mode=DELETE"), func(target *sqlite3.SQLiteConn) error {
		return quickCheck(ctx, target)
	})
}

// sqlitePage is the size of our pages, SQLite's default.
const sqlitePage = 4096

// between opens two SQLite files, the first for reading, and calls fn with the
// drivers' connections.
func between(ctx context.Context, from, to string, fn func(source, target *sqlite3.SQLiteConn) error) error {
	return withSQLite(ctx, sqlite.URL(from, "mode=ro&_busy_timeout=10000"), func(source *sqlite3.SQLiteConn) error {
		return withSQLite(ctx, sqlite.URL(to, "_journal_mode=OFF&_synchronous=OFF"), func(target *sqlite3.SQLiteConn) error {
			return fn(source, target)
		})
	})
}

func withSQLite(ctx context.Context, url string, fn func(*sqlite3.SQLiteConn) error) error {
	db, err := sql.Open("sqlite3", url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("store: the driver connection is a %T", driverConn)
		}
		return fn(c)
	})
}

// errDamaged is what quickCheck answers of a file that is not whole.
var errDamaged = errors.New("the database is damaged")

// quickCheck has SQLite look at every page.
func quickCheck(ctx context.Context, c *sqlite3.SQLiteConn) error {
	rows, err := c.QueryContext(ctx, "PRAGMA quick_check(1)", nil)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	said := make([]driver.Value, 1)
	if err := rows.Next(said); err != nil {
		return err
	}
	if said[0] != "ok" {
		return fmt.Errorf("%w: %v; restore an older backup, and see https://www.sqlite.org/recovery.html", errDamaged, said[0])
	}
	return nil
}

// isSQLite reports whether a backup is a SQLite file, and fails when it is one that
// was cut: SQLite itself takes a last page that was cut for one that ends in zeros.
func isSQLite(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	head := make([]byte, 32)
	n, err := io.ReadFull(f, head)
	lite := bytes.HasPrefix(head, []byte("SQLite format 3\x00"))
	pages := int64(binary.BigEndian.Uint32(head[28:]))
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return false, fmt.Errorf("%s is not a complete backup: it is empty", file)
	case lite && (n < len(head) || info.Size() < pages*sqlitePage):
		return true, fmt.Errorf("%s is not a complete backup: it ends before its last page", file)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, err
	}
	return lite, nil
}
