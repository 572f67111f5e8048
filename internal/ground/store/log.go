package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"
)

// startLog makes the head row with a random epoch on first start.
func (s *Store) startLog(ctx context.Context) error {
	insert := s.Builder().Insert("log_heads").Columns("id", "epoch", "position").Values(1, NewEpoch(), 0).
		OnConflict(entsql.ConflictColumns("id"), entsql.DoNothing())
	text, args := insert.Query()
	if _, err := s.db.ExecContext(ctx, text, args...); err != nil {
		return fmt.Errorf("start the event log: %w", err)
	}
	head := s.Builder().Select("epoch").From(entsql.Table("log_heads")).Where(entsql.EQ("id", 1))
	return s.Read(ctx, own, head, func(rows *sql.Rows) error { return rows.Scan(&s.Epoch) })
}

// NewEpoch returns a random name for a new event log.
func NewEpoch() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

// Head returns the log's last position.
func (s *Store) Head(ctx context.Context) (position int64, err error) {
	q := s.Builder().Select("position").From(entsql.Table("log_heads")).Where(entsql.EQ("id", 1))
	err = s.Read(ctx, own, q, func(rows *sql.Rows) error { return rows.Scan(&position) })
	return position, err
}
