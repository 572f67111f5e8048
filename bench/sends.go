package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/app"
	"parley/internal/publicid"
)

const sendQuery = `mutation Send($id: ID!, $key: String!) {
	sendMessage(input: {conversationId: $id, text: "Thank you, we will be there on Tuesday.", idempotencyKey: $key}) {
		message { id status } errors { code message } } }`

// sends compares sendMessage to raw SQL that writes the same rows. No job worker
// runs: what is measured is what the agent waits for.
func (s *settings) sends(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		for _, clients := range []int{1, 64} {
			if err := s.sendsBy(ctx, r, a, clients); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *settings) sendsBy(ctx context.Context, r *report, a *app.App, clients int) error {
	amy := a.Directory.AgentNamed("amy").Key
	keys, err := sendable(ctx, a, amy)
	if err != nil {
		return err
	}
	graph, err := graphSend(a, keys, clients)
	if err != nil {
		return err
	}
	db, err := openRaw(ctx, s.Database, true, clients)
	if err != nil {
		return err
	}
	raw := &rawSender{db: db, agent: amy, keys: keys, queue: make(chan rawItem)}
	if err := raw.prepare(ctx); err != nil {
		return errors.Join(err, db.Close())
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); raw.group() }()
	err = s.compare(ctx, r, comparison{fmt.Sprintf("sends, %d at once", clients), clients, []contender{
		{"raw SQL, a transaction each", raw.alone}, {"raw SQL, grouped commits", raw.grouped}, graph,
	}})
	close(raw.queue)
	<-stopped
	return errors.Join(err, db.Close())
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
	err := a.Store.Read(ctx, q, func(rows *sql.Rows) error {
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
		ids[i] = a.Desk.IDs.Encode(publicid.Conversation, key)
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
