package linking

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// WorkOff does the jobs that wait, in the order in which they came, as a worker would.
func (s *Service) WorkOff(ctx context.Context) error {
	ctx = viewer.AsSystem(ctx, "linking")
	type waiting struct {
		id         int64
		kind, args string
	}
	var all []waiting
	args := "json(args)" // SQLite keeps them as bytes
	if s.Store.Dialect() == dialect.Postgres {
		args = "args"
	}
	q := store.SQL("SELECT id, kind, " + args + " FROM river_job WHERE kind IN ('link_conversations', 'link_records') AND state = 'available' ORDER BY id")
	err := s.Store.Read(ctx, access, q, func(rows *sql.Rows) error {
		var w waiting
		var args []byte
		err := rows.Scan(&w.id, &w.kind, &args)
		w.args = string(args)
		all = append(all, w)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range all {
		if err := s.work(ctx, w.kind, w.args); err != nil {
			return fmt.Errorf("%s %s: %w", w.kind, w.args, err)
		}
		err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, tx.Builder().Delete("river_job").Where(entsql.EQ("id", w.id)))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) work(ctx context.Context, kind, args string) error {
	if kind == (linkRecords{}).Kind() {
		var of linkRecords
		if err := json.Unmarshal([]byte(args), &of); err != nil {
			return err
		}
		return s.linkRecords(ctx, of)
	}
	var of linkConversations
	if err := json.Unmarshal([]byte(args), &of); err != nil {
		return err
	}
	return s.linkAll(ctx, of.Conversations)
}
