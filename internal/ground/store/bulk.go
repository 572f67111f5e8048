package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Bulk loading: keys given before the rows are written, and rows written many to
// a statement. It goes through Write like everything else, so that counts,
// events and positions stay true.

// ReserveKeys takes n keys of a table that no other write will be given, in
// ascending order. On PostgreSQL they may have gaps.
func (tx *Tx) ReserveKeys(ctx context.Context, table string, n int) ([]int64, error) {
	keys := make([]int64, 0, n)
	if tx.Locks() {
		q := statement{"SELECT nextval(pg_get_serial_sequence($1, 'id')) FROM generate_series(1, $2)", []any{table, n}}
		err := tx.Query(ctx, q, func(rows *sql.Rows) error {
			var key int64
			err := rows.Scan(&key)
			keys = append(keys, key)
			return err
		})
		return keys, err
	}
	// The one writer holds the lock, and inserting rows with these keys moves the
	// sequence past them.
	var last int64
	q := statement{"SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?", []any{table}}
	err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&last) })
	for i := range n {
		keys = append(keys, last+1+int64(i))
	}
	return keys, err
}

// mostBulkRows is how many rows a SQLite statement inserts; more gain nothing.
const mostBulkRows = 250

// InsertRows inserts rows whose values stand in the order of columns: by COPY on
// PostgreSQL, many to a statement on SQLite. Values are of Go's plain types or
// nil. Table and columns are written into the statement as they are.
func (tx *Tx) InsertRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.group.store.dialect == dialect.Postgres {
		return tx.copyRows(ctx, table, columns, rows)
	}
	args := make([]any, 0, mostBulkRows*len(columns))
	for start := 0; start < len(rows); start += mostBulkRows {
		chunk := rows[start:min(start+mostBulkRows, len(rows))]
		args = args[:0]
		for _, row := range chunk {
			args = append(args, row...)
		}
		if _, err := tx.Exec(ctx, statement{insertText(table, columns, len(chunk)), args}); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
	}
	return nil
}

// Insert makes a Text that inserts so many rows. Table and columns are written into it
// as they are.
func Insert(table string, columns []string, rows int) Text {
	return Fixed(insertText(table, columns, rows))
}

func insertText(table string, columns []string, rows int) string {
	one := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + one + strings.Repeat(", "+one, rows-1)
}

func (tx *Tx) copyRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	done := tx.group.store.note(ctx, "COPY "+table)
	err := tx.group.conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("store: the driver connection is a %T", driverConn)
		}
		if _, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows)); err != nil {
			return fmt.Errorf("copy into %s: %w", table, err)
		}
		return nil
	})
	done(err)
	return err
}

// statement is a statement written by hand.
type statement struct {
	text string
	args []any
}

// Query implements Query.
func (s statement) Query() (string, []any) { return s.text, s.args }

// Analyze tells PostgreSQL's planner how the tables have grown after a bulk load;
// SQLite's plans do not depend on it.
func (s *Store) Analyze(ctx context.Context, tables ...string) error {
	if s.dialect != dialect.Postgres {
		return nil
	}
	_, err := s.db.ExecContext(ctx, "ANALYZE "+strings.Join(tables, ", "))
	return err
}
