package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"parley/internal/ground/allowance"
)

// Row is a row of a result, whose columns are asked for by their place. NULL is
// the zero value. It holds until the next row is read; what it gave stays.
//
// It spares hot reads the conversions of database/sql, and on PostgreSQL all of
// its layers.
type Row struct {
	// On SQLite, and where the row came from database/sql:
	values []driver.Value
	// On PostgreSQL, as on the wire: numbers in its binary format.
	raw    [][]byte
	fields []pgconn.FieldDescription

	texts int // bytes of texts that were asked for
	err   error
}

// Each runs q like Read does, with a Row, and charges its texts to the answer that
// they are read for. Read charges nothing: it is for what has short columns, such as
// attempts, and for what does not reach the answer, such as the texts that search
// compares.
func (s *Store) Each(ctx context.Context, access Access, q Query, fn func(*Row) error) error {
	if !access.MayRead() {
		return nil
	}
	ctx, cancel := s.within(ctx, readTime)
	defer cancel()
	return s.inTurn(ctx, func() error {
		if s.binary {
			return s.eachRaw(ctx, q, fn)
		}
		if s.dialect == dialect.SQLite {
			return s.eachValue(ctx, q, fn)
		}
		allowed := allowance.FromContext(ctx)
		return s.each(ctx, s.reader, q, func(rows *sql.Rows) error {
			return ScanRow(rows, func(r *Row) error { return r.charge(ctx, allowed, fn) })
		})
	})
}

// ScanRow reads the present row of rows.
func ScanRow(rows *sql.Rows, fn func(*Row) error) error {
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range into {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	row := &Row{}
	for _, v := range values {
		row.values = append(row.values, v)
	}
	return row.give(fn)
}

// eachValue takes the driver's values as they are.
func (s *Store) eachValue(ctx context.Context, q Query, fn func(*Row) error) (err error) {
	text, args := s.words(q)
	done := s.note(ctx, text)
	defer func() { done(err) }()
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i].Ordinal = i + 1
		if named[i].Value, err = driver.DefaultParameterConverter.ConvertValue(arg); err != nil {
			return err
		}
	}
	conn, err := s.reader.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	return conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, text, named)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		row, allowed := &Row{values: make([]driver.Value, len(rows.Columns()))}, allowance.FromContext(ctx)
		for err = rows.Next(row.values); err == nil; err = rows.Next(row.values) {
			if err := row.charge(ctx, allowed, fn); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
}

func (s *Store) eachRaw(ctx context.Context, q Query, fn func(*Row) error) (err error) {
	text, args := s.words(q)
	done := s.note(ctx, text)
	defer func() { done(err) }()
	rows, err := s.query(ctx, text, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	row, allowed := &Row{fields: rows.FieldDescriptions()}, allowance.FromContext(ctx)
	for rows.Next() {
		row.raw = rows.RawValues()
		if err := row.charge(ctx, allowed, fn); err != nil {
			return err
		}
	}
	return rows.Err()
}

// query asks once more where the connection was lost before the statement went
// out, as database/sql does.
func (s *Store) query(ctx context.Context, text string, args []any) (pgx.Rows, error) {
	rows, err := s.pool.Query(ctx, text, args...)
	if err != nil && pgconn.SafeToRetry(err) && ctx.Err() == nil {
		return s.pool.Query(ctx, text, args...)
	}
	return rows, err
}

// charge gives the row, and takes its texts from what the operation may read.
func (r *Row) charge(ctx context.Context, allowed *allowance.Allowance, fn func(*Row) error) error {
	r.texts = 0
	if err := r.give(fn); err != nil {
		return err
	}
	return allowed.Read(ctx, r.texts)
}

func (r *Row) give(fn func(*Row) error) error {
	if err := fn(r); err != nil {
		return err
	}
	return r.err
}

// Null reports whether column i holds NULL.
func (r *Row) Null(i int) bool {
	if r.raw != nil {
		return r.raw[i] == nil
	}
	return r.values[i] == nil
}

// Int gives an integer column.
func (r *Row) Int(i int) int64 {
	if r.raw != nil {
		return r.rawInt(i)
	}
	switch v := r.values[i].(type) {
	case nil:
	case int64:
		return v
	default:
		r.wrong(i, v)
	}
	return 0
}

func (r *Row) rawInt(i int) int64 {
	b := r.raw[i]
	switch r.fields[i].DataTypeOID {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
	default:
		r.wrong(i, b)
	}
	switch len(b) {
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	}
	return 0
}

// Bool gives a Boolean column.
func (r *Row) Bool(i int) bool {
	if r.raw != nil {
		b := r.raw[i]
		return len(b) == 1 && b[0] == 1
	}
	switch v := r.values[i].(type) {
	case nil:
	case bool:
		return v
	case int64:
		return v != 0
	default:
		r.wrong(i, v)
	}
	return false
}

// Text gives a text column.
func (r *Row) Text(i int) string {
	if r.raw != nil {
		r.texts += len(r.raw[i])
		return string(r.raw[i])
	}
	switch v := r.values[i].(type) {
	case nil:
	case string:
		r.texts += len(v)
		return v
	case []byte:
		r.texts += len(v)
		return string(v)
	default:
		r.wrong(i, v)
	}
	return ""
}

// Bytes gives a column of bytes, or the text of one that holds JSON; good until
// the next row.
func (r *Row) Bytes(i int) []byte {
	if r.raw == nil {
		return []byte(r.Text(i))
	}
	b := r.raw[i]
	r.texts += len(b)
	if f := r.fields[i]; len(b) > 0 && f.DataTypeOID == pgtype.JSONBOID && f.Format == pgtype.BinaryFormatCode {
		return b[1:] // the version of the format
	}
	return b
}

// Keys gives a column that holds a list of keys as JSON.
func (r *Row) Keys(i int) (keys []int64) {
	if b := r.Bytes(i); len(b) > 0 {
		if err := json.Unmarshal(b, &keys); err != nil {
			r.wrong(i, keys)
		}
	}
	return keys
}

func (r *Row) wrong(i int, v any) {
	if r.err == nil {
		r.err = fmt.Errorf("store: column %d holds a %T where another type is expected", i, v)
	}
}
