package backup

import (
	"archive/zip"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// manifest is the last entry of an archive: without it, the archive is not whole.
type manifest struct {
	Format    int             `json:"format"` // of the archive: 1
	MadeAt    time.Time       `json:"madeAt"`
	Migration int64           `json:"migration"` // the schema's version
	Tables    []archivedTable `json:"tables"`
}

// archivedTable is one table, whose rows are the entry "tables/" and its name.
type archivedTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
}

const (
	archiveFormat = 1
	manifestEntry = "manifest.json"
)

func (t archivedTable) entry() string { return "tables/" + t.Name }

func (t archivedTable) copyText(direction string) string {
	quoted := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	return "COPY " + pgx.Identifier{t.Name}.Sanitize() + " (" + strings.Join(quoted, ", ") + ") " + direction
}

// plainText makes COPY write and read the same on every server.
const plainText = "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC'; SET LOCAL statement_timeout = 0"

// copyPostgres copies every table as one snapshot sees it.
func copyPostgres(ctx context.Context, pool *pgxpool.Pool, file string, progress func(done, total int64)) error {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(out)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, pool, snapshot, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, plainText); err != nil {
			return err
		}
		return archiveTables(ctx, tx, archive, progress)
	})
	return errors.Join(err, archive.Close(), out.Close())
}

func archiveTables(ctx context.Context, tx pgx.Tx, archive *zip.Writer, progress func(done, total int64)) error {
	m := manifest{Format: archiveFormat, MadeAt: time.Now().UTC()}
	if err := tx.QueryRow(ctx, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied").Scan(&m.Migration); err != nil {
		return fmt.Errorf("the database has no Parley tables (is it the right one?): %w", err)
	}
	var total int64
	var err error
	if m.Tables, total, err = tablesToArchive(ctx, tx); err != nil {
		return err
	}
	count := &counter{total: total, tell: progress}
	for i := range m.Tables {
		t := &m.Tables[i]
		entry, err := archive.Create(t.entry())
		if err != nil {
			return err
		}
		count.Writer = entry
		done, err := tx.Conn().PgConn().CopyTo(ctx, count, t.copyText("TO STDOUT"))
		if err != nil {
			return fmt.Errorf("copy %s: %w", t.Name, err)
		}
		t.Rows = done.RowsAffected()
	}
	entry, err := archive.Create(manifestEntry)
	if err != nil {
		return err
	}
	return json.NewEncoder(entry).Encode(m)
}

// notArchived are tables that restoring makes afresh.
const notArchived = `c.relname NOT IN ('goose_db_version', 'processes', 'lanes') AND (c.relname NOT LIKE 'river\_%' OR c.relname = 'river_job')`

// tablesToArchive returns the tables with their columns, and their size.
func tablesToArchive(ctx context.Context, tx pgx.Tx) (tables []archivedTable, size int64, err error) {
	rows, err := tx.Query(ctx, `SELECT c.relname, pg_relation_size(c.oid), array_agg(a.attname::text ORDER BY a.attnum)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND `+notArchived+`
		GROUP BY c.oid, c.relname ORDER BY c.relname`)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var t archivedTable
		var bytes int64
		if err := rows.Scan(&t.Name, &bytes, &t.Columns); err != nil {
			return nil, 0, err
		}
		tables, size = append(tables, t), size+bytes
	}
	return tables, size, rows.Err()
}

// counter tells how many bytes have passed.
type counter struct {
	io.Writer
	done, total int64
	tell        func(done, total int64)
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.done += int64(n)
	c.tell(min(c.done, c.total), c.total)
	return n, err
}
