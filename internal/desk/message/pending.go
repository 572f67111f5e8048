package message

import (
	"context"
	"database/sql"
	"encoding/json"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Receipts that came before their message's provider id was known are raw
// entries with the state PENDING, kept as channel.Kept.

func pending(account int64, providerID string) *entsql.Predicate {
	return entsql.And(entsql.EQ("provider_account_id", account), entsql.EQ("provider_id", providerID), isPending(""))
}

// isPending is the condition of the partial index raw_inbound_pending, spelled out.
func isPending(table string) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) { b.WriteString(table + "state = 'PENDING'") })
}

// applyPending applies the kept receipts of a message whose provider id has just
// become known, in the order they came.
func (m *Messenger) applyPending(ctx context.Context, tx *store.Tx, account int64, providerID string) error {
	var entries []any
	var receipts []channel.Receipt
	q := tx.Builder().Select("id", "payload").From(entsql.Table("raw_inbounds")).Where(pending(account, providerID)).OrderBy("id")
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var id int64
		var payload []byte
		err := rows.Scan(&id, &payload)
		if receipt := keptReceipt(payload); receipt != nil {
			entries, receipts = append(entries, id), append(receipts, *receipt)
		}
		return err
	})
	if err != nil || len(entries) == 0 {
		return err
	}
	for _, receipt := range receipts {
		if _, err := m.ApplyReceipt(ctx, tx, account, receipt); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, tx.Builder().Update("raw_inbounds").Set("state", "DONE").Where(entsql.In("id", entries...)))
	return err
}

// keptReceipt reads an entry; nil for what only a newer version can read or apply,
// and which is left to it.
func keptReceipt(payload []byte) *channel.Receipt {
	var kept channel.Kept
	if err := json.Unmarshal(payload, &kept); err != nil || kept.Receipt == nil || kept.Receipt.Status.Shown() != kept.Receipt.Status {
		return nil
	}
	return kept.Receipt
}

// SweepReceipts applies kept receipts whose message is known by now: a receipt
// and the answer to its send that commit at the same moment in two processes do
// not see each other. It tells for how many messages.
func (m *Messenger) SweepReceipts(ctx context.Context) (n int, err error) {
	ctx = viewer.AsSystem(ctx, "receipts")
	type missed struct {
		account    int64
		providerID string
	}
	var all []missed
	r, a := entsql.Table("raw_inbounds").As("r"), entsql.Table("attempts").As("a")
	q := m.Store.Builder().Select(r.C("provider_account_id"), r.C("provider_id")).Distinct().From(r).Join(a).
		OnP(entsql.And(entsql.ColumnsEQ(r.C("provider_account_id"), a.C("provider_account_id")),
			entsql.ColumnsEQ(r.C("provider_id"), a.C("provider_id")))).
		Where(isPending("r.")).Limit(1000)
	err = m.Store.Read(ctx, atWork, q, func(rows *sql.Rows) error {
		var one missed
		err := rows.Scan(&one.account, &one.providerID)
		all = append(all, one)
		return err
	})
	for _, one := range all {
		if err != nil {
			break
		}
		err = m.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			return m.applyPending(ctx, tx, one.account, one.providerID)
		})
	}
	return len(all), err
}
