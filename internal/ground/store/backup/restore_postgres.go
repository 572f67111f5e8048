package backup

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"parley/internal/ground/store"
	"parley/internal/ground/store/address"
	"parley/internal/ground/store/migrate"
)

// restorePostgres loads an archive into an empty database, under the lock that
// servers which start wait for. The rows, and what makes them a database of their
// own, are one transaction: nobody can ever serve them before.
func restorePostgres(ctx context.Context, o RestoreOptions) error {
	archive, err := zip.OpenReader(o.File)
	if err != nil {
		return fmt.Errorf("%s is not a complete backup: %w", o.File, err)
	}
	defer func() { _ = archive.Close() }()
	m, err := readManifest(archive)
	if err != nil {
		return fmt.Errorf("%s is not a complete backup: %w", o.File, err)
	}
	pool, err := store.ConnectPostgres(ctx, o.URL)
	if err != nil {
		return address.Explain(o.URL, err)
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	return migrate.Alone(ctx, migrate.Database{DB: db, Pool: pool}, func(to *migrate.Migrator) error {
		if err := knows(to, m.Migration); err != nil {
			return err
		}
		if err := requireEmpty(ctx, pool); err != nil {
			return err
		}
		// Later migrations may change rows, so that they come after them.
		if err := to.UpTo(ctx, m.Migration); err != nil {
			return err
		}
		load := &loader{archive: archive, progress: o.Progress}
		for _, t := range m.Tables {
			load.total += load.size(t)
		}
		if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return load.all(ctx, tx, m, o.Settle) }); err != nil {
			return err
		}
		if err := to.Up(ctx); err != nil {
			return err
		}
		_, err := pool.Exec(ctx, "ANALYZE")
		return err
	})
}

func readManifest(archive *zip.ReadCloser) (m manifest, err error) {
	f, err := archive.Open(manifestEntry)
	if err != nil {
		return m, err
	}
	defer func() { _ = f.Close() }()
	if err := json.NewDecoder(f).Decode(&m); err != nil {
		return m, err
	}
	if m.Format != archiveFormat {
		return m, fmt.Errorf("it has format %d, but this program reads format %d", m.Format, archiveFormat)
	}
	return m, nil
}

// requireEmpty wants no tables, or those of a restore that failed.
func requireEmpty(ctx context.Context, pool *pgxpool.Pool) error {
	var tables, ours int
	var filled bool
	err := pool.QueryRow(ctx, `SELECT COUNT(*), COUNT(*) FILTER (WHERE tablename = 'log_heads')
		FROM pg_tables WHERE schemaname = current_schema()`).Scan(&tables, &ours)
	if err == nil && ours > 0 {
		err = pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM log_heads)").Scan(&filled)
	}
	if err != nil {
		return err
	}
	if filled || tables > 0 && ours == 0 {
		return fmt.Errorf("the database is not empty: create another one (createdb NAME) and restore into that, or stop the servers and drop this one first")
	}
	return nil
}

// loader reads an archive's tables.
type loader struct {
	archive     *zip.ReadCloser
	done, total int64
	progress    func(done, total int64)
}

func (l *loader) size(t archivedTable) int64 {
	for _, f := range l.archive.File {
		if f.Name == t.entry() {
			return int64(f.UncompressedSize64)
		}
	}
	return 0
}

func (l *loader) all(ctx context.Context, tx pgx.Tx, m manifest, rules []string) error {
	if _, err := tx.Exec(ctx, plainText); err != nil {
		return err
	}
	order, err := parentsFirst(ctx, tx)
	if err != nil {
		return err
	}
	slices.SortFunc(m.Tables, func(a, b archivedTable) int { return slices.Index(order, a.Name) - slices.Index(order, b.Name) })
	for _, t := range slices.Backward(m.Tables) { // of what migrations put there, the backup has its own
		if _, err := tx.Exec(ctx, "DELETE FROM "+pgx.Identifier{t.Name}.Sanitize()); err != nil {
			return fmt.Errorf("empty %s: %w", t.Name, err)
		}
	}
	for _, t := range m.Tables {
		if err := l.table(ctx, tx, t); err != nil {
			return err
		}
	}
	for _, text := range settling(rules, restartKeysPostgres()) {
		if _, err := tx.Exec(ctx, text); err != nil {
			return fmt.Errorf("settle what the backup cannot know: %w", err)
		}
	}
	return nil
}

func (l *loader) table(ctx context.Context, tx pgx.Tx, t archivedTable) error {
	f, err := l.archive.Open(t.entry())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	done, err := tx.Conn().PgConn().CopyFrom(ctx, io.TeeReader(f, l), t.copyText("FROM STDIN"))
	if err != nil {
		return fmt.Errorf("load %s: %w", t.Name, err)
	}
	if done.RowsAffected() != t.Rows {
		return fmt.Errorf("load %s: the backup speaks of %d rows and holds %d", t.Name, t.Rows, done.RowsAffected())
	}
	return nil
}

// Write counts what is loaded.
func (l *loader) Write(b []byte) (int, error) {
	l.done += int64(len(b))
	l.progress(l.done, l.total)
	return len(b), nil
}

// parentsFirst returns the tables so that each comes after those it refers to.
func parentsFirst(ctx context.Context, tx pgx.Tx) (order []string, err error) {
	rows, err := tx.Query(ctx, `SELECT c.relname, COALESCE(array_agg(p.relname::text) FILTER (WHERE p.oid <> c.oid), '{}')
		FROM pg_class c LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' LEFT JOIN pg_class p ON p.oid = k.confrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' GROUP BY c.oid, c.relname ORDER BY c.relname`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	parents := map[string][]string{}
	var names []string
	for rows.Next() {
		var name string
		var its []string
		if err := rows.Scan(&name, &its); err != nil {
			return nil, err
		}
		names, parents[name] = append(names, name), its
	}
	var add func(name string)
	add = func(name string) {
		its, waits := parents[name]
		if !waits {
			return
		}
		delete(parents, name) // so that a circle ends
		for _, parent := range its {
			add(parent)
		}
		order = append(order, name)
	}
	for _, name := range names {
		add(name)
	}
	return order, rows.Err()
}

// restartKeysPostgres moves the sequences of all tables that have one.
func restartKeysPostgres() string {
	return `SELECT setval(s.oid::regclass, ` + firstKey() + `) FROM pg_class s
		JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
		JOIN pg_class t ON t.oid = d.refobjid
		WHERE s.relkind = 'S' AND t.relnamespace = current_schema()::regnamespace AND t.relname NOT LIKE 'goose%'`
}
