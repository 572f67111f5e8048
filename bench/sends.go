package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	entsql "entgo.io/ent/dialect/sql"

	"parley/app"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

const sendQuery = `mutation Send($id: ID!, $key: String!) {
	sendMessage(input: {conversationId: $id, text: "Thank you, we will be there on Tuesday.", idempotencyKey: $key}) {
		message { id status } errors { code message } } }`

// sends compares sendMessage to raw SQL that writes the same rows. No job worker
// runs: what is measured is what the agent waits for.
func (s *settings) sends(ctx context.Context, r *report) error {
	return s.withBoth(ctx, func(ctx context.Context, a, single *app.App) error {
		amy := a.Directory.AgentNamed("amy").Key
		keys, err := sendable(ctx, a, amy)
		if err != nil {
			return err
		}
		for _, clients := range []int{1, 64} {
			graph, err := graphSend(a, keys, clients)
			if err != nil {
				return err
			}
			one, err := graphSend(single, keys, clients)
			if err != nil {
				return err
			}
			raw, err := openRawSender(ctx, s.Database, clients, amy, keys)
			if err != nil {
				return err
			}
			err = s.compareWrites(ctx, r, comparison{group: fmt.Sprintf("sends, %d at once", clients), clients: clients}, raw, graph, one)
			if err := errors.Join(err, raw.close()); err != nil {
				return err
			}
		}
		return nil
	})
}

// withBoth opens Parley twice on the database: as it comes, and with groups of
// one write.
func (s *settings) withBoth(ctx context.Context, fn func(ctx context.Context, a, single *app.App) error) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		single, err := s.open(ctx, s.Database, func(c *app.Config) { c.GroupSize = 1 })
		if err != nil {
			return err
		}
		return errors.Join(fn(ctx, a, single), single.Close())
	})
}

// compareWrites compares Parley, as it comes and with groups of one write, to raw
// SQL in both manners.
func (s *settings) compareWrites(ctx context.Context, r *report, c comparison, raw *rawWriter, graph, single contender) error {
	single.name = "Parley, a transaction each"
	c.contenders = []contender{
		{"raw SQL, grouped commits", raw.grouped}, {"raw SQL, a transaction each", raw.alone}, graph, single,
	}
	turns, err := s.takeTurns(ctx, c)
	if err != nil {
		return err
	}
	for i, contender := range c.contenders {
		r.add(summary(c, contender.name, turns[i], turns[0]))
	}
	if c.clients == 1 {
		return nil // nobody to share with
	}
	c.group += ", what grouping brings"
	r.add(summary(c, single.name, turns[3], turns[3]))
	r.add(summary(c, graph.name, turns[2], turns[3]))
	return nil
}

// sendable are conversations of the agent's in which nothing stands against a
// send, so that a send changes no rights and no lists of participants.
func sendable(ctx context.Context, a *app.App, agent int64) ([]int64, error) {
	c, p := entsql.Table("conversations").As("c"), entsql.Table("participants").As("p")
	u := entsql.Table("messaging_users").As("u")
	q := a.Store.Builder().Select(c.C("id")).From(c).Join(p).On(p.C("conversation_id"), c.C("id")).
		Join(u).On(u.C("id"), c.C("messaging_user_id")).
		Where(entsql.And(entsql.EQ(c.C("owner_id"), agent), entsql.EQ(p.C("agent_id"), agent), entsql.NEQ(u.C("consent_status"), "OPT_OUT"))).
		OrderBy(c.C("id")).Limit(2000)
	var keys []int64
	err := a.Store.Read(ctx, store.System("a measurement"), q, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	if err == nil && len(keys) < 64 {
		err = fmt.Errorf("amy owns %d conversations to send in; seed more", len(keys))
	}
	return keys, err
}

func graphSend(a *app.App, keys []int64, clients int) (contender, error) {
	amy, err := newCaller(a, "amy", clients)
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = a.Conversations.IDs.Encode(publicid.Conversation, key)
	}
	var next atomic.Int64
	return contender{"Parley", func(ctx context.Context, client int) error {
		body, err := request(sendQuery, map[string]any{"id": ids[int(next.Add(1))%len(ids)], "key": rand.Text()})
		if err != nil {
			return err
		}
		_, err = amy.post(ctx, client, body)
		return err
	}}, err
}
