package inbound

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/directory"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Rerun takes entries that are kept as FAILED in again, oldest first and at most
// so many: after the missing channel was made, or by a version that understands
// more. It tells how many it tried and how many went in; the others stay, with
// the reason of today.
func (r *Receiver) Rerun(ctx context.Context, most int) (tried, taken int, err error) {
	ctx = viewer.AsSystem(ctx, "webhook")
	ids, err := r.failedIDs(ctx, most)
	for _, id := range ids {
		if err != nil {
			break
		}
		var got outcome
		if got, err = r.rerun(ctx, id); err == nil && got.state != stateFailed {
			taken++
		}
		tried++
	}
	return tried, taken, err
}

func (r *Receiver) failedIDs(ctx context.Context, most int) (ids []int64, err error) {
	s := r.Store
	q := s.Builder().Select("id").From(entsql.Table("raw_inbounds")).Where(isFailed()).OrderBy("id").Limit(most)
	err = s.Read(ctx, brought, q, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// rerun takes one entry in again. One that cannot be stored stays as it is.
func (r *Receiver) rerun(ctx context.Context, id int64) (got outcome, err error) {
	err = r.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		e, account, err := r.load(ctx, tx, id)
		if err != nil || account == nil {
			got = failed("its account no longer exists")
			return err
		}
		if e.kept.Raw != nil {
			got, err = r.reparse(ctx, tx, account, e)
		} else {
			got, err = r.take(ctx, tx, account, e)
		}
		if err != nil {
			return err
		}
		return mark(ctx, tx, entsql.EQ("id", id), got)
	})
	if err != nil && ctx.Err() == nil {
		slog.WarnContext(ctx, "a raw entry could not be processed again", "entry", id, "error", err)
		return failed(err.Error()), nil
	}
	return got, err
}

// load reads a FAILED entry and locks it; no account when it is not FAILED any
// more or its account is gone.
func (r *Receiver) load(ctx context.Context, tx *store.Tx, id int64) (e entry, account *directory.Account, err error) {
	raw, p := entsql.Table("raw_inbounds").As("r"), entsql.Table("provider_accounts").As("p")
	q := tx.Builder().Select(raw.C("event_id"), raw.C("provider_id"), raw.C("payload"), p.C("key")).
		From(raw).Join(p).On(raw.C("provider_account_id"), p.C("id")).
		Where(entsql.And(entsql.EQ(raw.C("id"), id), entsql.EQ(raw.C("state"), stateFailed)))
	if tx.Locks() {
		q.ForUpdate()
	}
	err = tx.Query(ctx, q, func(rows *sql.Rows) error {
		var payload []byte
		var key string
		if err := rows.Scan(&e.eventID, &e.providerID, &payload, &key); err != nil {
			return err
		}
		account = r.Directory.Account(key)
		return json.Unmarshal(payload, &e.kept)
	})
	return e, account, err
}

// reparse reads again what was not understood. Its own entry stays FAILED while
// it is not.
func (r *Receiver) reparse(ctx context.Context, tx *store.Tx, account *directory.Account, e entry) (outcome, error) {
	adapter := r.Providers[account.Provider]
	if adapter == nil {
		return failed("its provider is unknown"), nil
	}
	w := e.kept.Raw.Webhook()
	for _, part := range entriesOf(adapter.Parse(account.Account, w), w) {
		if part.eventID == e.eventID && part.kept.Raw != nil {
			return failed(part.problem), nil
		}
		if _, err := r.store(ctx, tx, account, part); err != nil {
			return done, err
		}
	}
	return done, nil
}
