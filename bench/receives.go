package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	entsql "entgo.io/ent/dialect/sql"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/ground/store"
)

// receives compares webhooks with a customer's message to raw SQL that writes the
// same rows.
func (s *settings) receives(ctx context.Context, r *report) error {
	return s.withBoth(ctx, func(ctx context.Context, a, single *app.App) error {
		keys, customers, err := knownCustomers(ctx, a)
		if err != nil {
			return err
		}
		for _, clients := range []int{1, 64} {
			raw, err := openRawReceiver(ctx, s.Database, clients, keys, customers)
			if err != nil {
				return err
			}
			err = s.compareWrites(ctx, r, comparison{group: fmt.Sprintf("inbound webhooks, %d at once", clients), clients: clients}, raw,
				webhooks(a, keys, customers, clients), webhooks(single, keys, customers, clients))
			if err := errors.Join(err, raw.close()); err != nil {
				return err
			}
		}
		return nil
	})
}

// knownCustomers are those of the demo account, by their conversations.
func knownCustomers(ctx context.Context, a *app.App) (keys []int64, by map[int64]customer, err error) {
	c, u, h := entsql.Table("conversations").As("c"), entsql.Table("messaging_users").As("u"), entsql.Table("channels").As("h")
	account := a.Directory.Account("demo").ID
	q := a.Store.Builder().Select(c.C("id"), u.C("address"), h.C("address"), h.C("id")).From(c).
		Join(u).On(u.C("id"), c.C("messaging_user_id")).Join(h).On(h.C("id"), c.C("channel_id")).
		Where(entsql.EQ(h.C("provider_account_id"), account)).OrderBy(c.C("id")).Limit(2000)
	by = map[int64]customer{}
	err = a.Store.Read(ctx, store.System("a measurement"), q, func(rows *sql.Rows) error {
		var key int64
		one := customer{account: account}
		err := rows.Scan(&key, &one.address, &one.to, &one.channel)
		keys, by[key] = append(keys, key), one
		return err
	})
	if err == nil && len(keys) < 64 {
		err = fmt.Errorf("only %d customers write to the demo account; seed more", len(keys))
	}
	return keys, by, err
}

// webhooks posts to Parley's whole handler, in this process; signing is part of
// what is measured.
func webhooks(a *app.App, keys []int64, customers map[int64]customer, clients int) contender {
	handler, out := a.Server.Handler(), sinks(clients)
	var next atomic.Int64
	return contender{"Parley", func(ctx context.Context, client int) error {
		from := customers[keys[int(next.Add(1))%len(keys)]]
		req, err := composed(a, channel.Inbound{From: from.address, To: from.to, Text: rawText})
		if err != nil {
			return err
		}
		out[client].reset()
		handler.ServeHTTP(out[client], req.WithContext(ctx))
		if out[client].status != http.StatusOK {
			return fmt.Errorf("the webhook was answered %d: %s", out[client].status, out[client].body.String())
		}
		return nil
	}}
}
