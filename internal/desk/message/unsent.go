package message

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
)

// Unsent are how many messages wait to be sent from each provider account or are at the
// carrier without an answer, by the account's key. An administrator is told of those of
// all conversations.
func (m *Messenger) Unsent(ctx context.Context) (map[int64]int64, error) {
	return unsent(ctx, m.Store.Builder(), m.Store.As(counted))
}

// UnsentIn is Unsent inside a write.
func (m *Messenger) UnsentIn(ctx context.Context, tx *store.Tx) (map[int64]int64, error) {
	return unsent(ctx, tx.Builder(), tx.Query)
}

func unsent(ctx context.Context, build *entsql.DialectBuilder, query func(context.Context, store.Query, func(*sql.Rows) error) error) (map[int64]int64, error) {
	a := entsql.Table("attempts").As("a")
	counts := map[int64]int64{}
	q := build.Select(a.C("provider_account_id"), entsql.Count("*")).From(a).Where(inLane(a)).GroupBy(a.C("provider_account_id"))
	err := query(ctx, q, func(rows *sql.Rows) error {
		var account, n int64
		err := rows.Scan(&account, &n)
		counts[account] = n
		return err
	})
	return counts, err
}
