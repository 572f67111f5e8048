package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/version"
)

// open opens the database for reading, and reports whether it holds a Parley.
func (e *examination) open(ctx context.Context) bool {
	var holds bool
	e.check(ctx, "database", func(ctx context.Context) (f Finding, err error) {
		e.store, err = store.OpenToRead(ctx, store.Options{URL: e.Database})
		switch {
		case errors.Is(err, store.ErrNoDatabase):
			return fail("Give --database the server's value, and check that its disk is mounted; for a first start run parley setup, parley migrate, or parley serve --create.", "There is no database at %s.", e.Database), nil
		case err != nil:
			return fail("Check the URL or path in --database, whether the database is running, and its access rights.", "The database cannot be opened: %v.", err), nil
		}
		about, version := "SELECT sqlite_version()", ""
		if e.store.Pool() != nil {
			about = "SHOW server_version"
		}
		if err := e.row(ctx, about, &version); err != nil {
			return f, err
		}
		if holds, err = e.store.HoldsParley(ctx); err != nil {
			return f, err
		}
		if !holds {
			return fail("Is it the right one? Give --database the server's value; for a first start run parley setup, parley migrate, or parley serve --create.", "The database (%s %s) has no Parley tables.", e.store.Dialect(), version), nil
		}
		return ok("The database answers: %s %s.", e.store.Dialect(), version), nil
	})
	return holds
}

func (e *examination) migrations(ctx context.Context) (Finding, error) {
	c, err := e.store.Schema(ctx)
	e.pending = c.Pending > 0
	switch {
	case err != nil:
		return Finding{}, err
	case c.Pending > 0:
		return warn("Start the server with this program, or run parley migrate; servers may keep running.",
			"%d migrations are pending: the tables are at %d, this program (%s) knows %d.", c.Pending, c.Version, version.String(), c.Known), nil
	case c.Version > c.Known:
		return warn("Nothing to do during an update; afterwards update this program too: parley version says which it is.",
			"A newer program migrated the tables: they are at %d and this one (%s) knows %d. Migrations only add, so it works.", c.Version, version.String(), c.Known), nil
	}
	return ok("The tables are up to date (%d).", c.Version), nil
}

// integrity has SQLite look at its pages.
func (e *examination) integrity(ctx context.Context) (Finding, error) {
	pragma, said := "PRAGMA quick_check(1)", ""
	if e.Deep {
		pragma = "PRAGMA integrity_check(1)"
	}
	if err := e.row(ctx, pragma, &said); err != nil {
		return Finding{}, err
	}
	if said != "ok" {
		return fail("Stop the server, restore the last intact backup with parley restore, and check the disk.", "The database file is damaged: %s.", said), nil
	}
	return ok("The database file is intact."), nil
}

// mostWAL is how long a -wal file may be before somebody must be holding it.
const mostWAL = 256 << 20

func (e *examination) sqlite(ctx context.Context) (Finding, error) {
	var mode string
	var fts bool
	if err := e.row(ctx, "SELECT journal_mode, sqlite_compileoption_used('ENABLE_FTS5') FROM pragma_journal_mode", &mode, &fts); err != nil {
		return Finding{}, err
	}
	var wal int64
	if info, err := os.Stat(e.Database + "-wal"); err == nil {
		wal = info.Size()
	}
	switch {
	case !fts:
		return fail("Build with -tags sqlite_fts5.", "This program's SQLite has no full-text search."), nil
	case mode != "wal":
		return warn("Start the server on it once, with parley serve: it sets the mode.", "The journal mode is %s: readers and the writer wait for each other.", mode), nil
	case wal > mostWAL:
		return warn("Find a backup or another program that has been reading the file for a long time, and end it.",
			"The -wal file has %d MB that could not be moved into the database.", wal>>20), nil
	}
	return ok("The journal is a -wal file of %d kB; full-text search is available.", wal>>10), nil
}

// disk looks at the room beside a SQLite file.
func (e *examination) disk(context.Context) (Finding, error) {
	const little, few = 1 << 30, 100 << 20
	free, known := freeBytes(e.Database)
	switch {
	case !known:
		return ok("The free disk space cannot be determined on this system."), nil
	case free < few:
		return fail("Free some space now: without it no message can be stored.", "The disk has %d MB left.", free>>20), nil
	case free < little:
		return warn("Free some space.", "The disk has %d MB left.", free>>20), nil
	}
	return ok("The disk has %d GB left.", free>>30), nil
}

// postgres looks at the server's settings that matter.
func (e *examination) postgres(ctx context.Context) (Finding, error) {
	var version int
	var commit, fsync, zone string
	err := e.row(ctx, `SELECT current_setting('server_version_num')::int, current_setting('synchronous_commit'),
		current_setting('fsync'), current_setting('TimeZone')`, &version, &commit, &fsync, &zone)
	switch {
	case err != nil:
		return Finding{}, err
	case fsync == "off":
		return fail("Set fsync = on.", "PostgreSQL does not flush (fsync is off): a power failure can damage the database."), nil
	case commit == "off":
		return warn("Set synchronous_commit = on for this database.", "synchronous_commit is off: a PostgreSQL crash loses acknowledged messages."), nil
	case zone != "UTC":
		return warn("Connect without a pooler that drops session settings, or configure it to pass them: --database is where Parley connects.", "The session's time zone is %s instead of the requested UTC.", zone), nil
	case version < 140000:
		return warn("Move to PostgreSQL 14 or newer.", "PostgreSQL %d is older than the versions Parley is tested with.", version/10000), nil
	}
	return ok("PostgreSQL flushes what it acknowledges (synchronous_commit is %s).", commit), nil
}

func (e *examination) connections(ctx context.Context) (Finding, error) {
	var most, used int
	err := e.row(ctx, `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
		(SELECT COUNT(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend')`, &most, &used)
	if err != nil {
		return Finding{}, err
	}
	living, err := e.living(ctx)
	if err != nil {
		return Finding{}, err
	}
	pool := int(e.store.Pool().Config().MaxConns)
	if want := pool * max(1, len(living)); want > most {
		return warn("Raise max_connections, or lower pool_max_conns in the URL of --database.",
			"%d processes with up to %d connections each need %d, but PostgreSQL allows %d.", max(1, len(living)), pool, want, most), nil
	}
	return ok("PostgreSQL allows %d connections, of which %d are in use; each process uses up to %d.", most, used, pool), nil
}

// mostSkew is how far two clocks may be apart before it shows.
const mostSkew = 2 * time.Second

func (e *examination) postgresClock(ctx context.Context) (Finding, error) {
	var theirs int64
	before := clock.Real{}.Now()
	if err := e.row(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", &theirs); err != nil {
		return Finding{}, err
	}
	after := clock.Real{}.Now()
	skew := max(before.Sub(clock.Time(theirs)), clock.Time(theirs).Sub(after), 0)
	if skew > mostSkew {
		return warn("Synchronise both machines' clocks with NTP.", "This machine's clock and PostgreSQL's are %s apart.", skew.Round(time.Millisecond)), nil
	}
	return e.eventClock(ctx)
}

// eventClock looks for events of the future.
func (e *examination) eventClock(ctx context.Context) (Finding, error) {
	var last clock.Time
	if err := e.row(ctx, "SELECT created_at FROM events ORDER BY id DESC LIMIT 1", &last); err != nil {
		return Finding{}, err
	}
	if ahead := last.Sub(clock.Real{}.Now()); ahead > mostSkew {
		return warn("Synchronise every machine's clock with NTP.", "The newest event is %s ahead of this machine's clock.", ahead.Round(time.Second)), nil
	}
	return ok("Clocks agree."), nil
}

// count names n things.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
