package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"
)

// Secret returns the key that all processes share under name, 32 random bytes
// made by whoever asks first.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	text, args := s.Builder().Insert("secrets").Columns("name", "value").Values(name, fresh).
		OnConflict(entsql.ConflictColumns("name"), entsql.DoNothing()).Query()
	if _, err := s.db.ExecContext(ctx, text, args...); err != nil {
		return nil, fmt.Errorf("keep the key %q: %w", name, err)
	}
	var value []byte
	q := s.Builder().Select("value").From(entsql.Table("secrets")).Where(entsql.EQ("name", name))
	err := s.each(ctx, s.db, q, func(rows *sql.Rows) error { return rows.Scan(&value) })
	return value, err
}
