package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/desk/conversation"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/store/address"
	"parley/internal/ground/viewer"
)

const countsQuery = `query Counts { viewer { inboxes { nodes { kind title counts { total unread new } } } } }`

// few is an agent who sees ten conversations, however many there are.
const few, fewSeen = "few", 10

// scale compares the same questions to organisations of several sizes: the newest
// 50 of all, and what an agent asks who sees ten.
func (s *settings) scale(ctx context.Context, r *report) (err error) {
	var worlds []*app.App
	var ends []func() error
	defer func() {
		for _, end := range slices.Backward(ends) {
			err = errors.Join(err, end())
		}
	}()
	for _, size := range s.Scale {
		database, drop, err := s.own(ctx)
		if err != nil {
			return err
		}
		ends = append(ends, drop)
		a, err := s.open(ctx, database)
		if err != nil {
			return err
		}
		ends = append(ends, a.Close)
		if err := s.populate(ctx, r, a, size); err != nil {
			return err
		}
		worlds = append(worlds, a)
	}
	for _, asked := range []struct{ what, by, query string }{
		{"desk page, 50 rows", "ada", deskPage},
		{fmt.Sprintf("page of an agent who sees %d", fewSeen), few, deskPage},
		{fmt.Sprintf("counts of an agent who sees %d", fewSeen), few, countsQuery},
	} {
		c := comparison{group: asked.what, clients: readers}
		for i, a := range worlds {
			by, err := newCaller(a, asked.by, readers)
			if err != nil {
				return err
			}
			one, err := by.repeated(fmt.Sprintf("of %d conversations, %d messages", s.Scale[i], s.Scale[i]*s.ScaleMessages), asked.query, nil)
			if err != nil {
				return err
			}
			c.contenders = append(c.contenders, one)
		}
		if err := s.compare(ctx, r, c); err != nil {
			return err
		}
	}
	return nil
}

// own makes a database of the kind that --database is of.
func (s *settings) own(ctx context.Context) (database string, drop func() error, err error) {
	if address.IsPostgres(s.Database) {
		return s.ownPostgres(ctx)
	}
	return ownSQLite(ctx)
}

func (s *settings) populate(ctx context.Context, r *report, a *app.App, size int) error {
	began := time.Now()
	err := seed.Fill(ctx, a.Directory, a.Store, seed.Options{
		Conversations: size, Messages: size * s.ScaleMessages, Seed: 1, Progress: os.Stderr,
	})
	if err != nil {
		return err
	}
	r.add(figure{
		Group: "seed", Name: fmt.Sprintf("%d conversations, %d messages", size, size*s.ScaleMessages), Clients: 1,
		PerSecond: float64(size*s.ScaleMessages) / time.Since(began).Seconds(), Note: "messages a second",
	})
	return addFew(ctx, a)
}

// addFew makes the agent who sees ten conversations, among the newest of all.
func addFew(ctx context.Context, a *app.App) error {
	err := a.Directory.Change(viewer.AsSystem(ctx, "bench"), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Create().SetUsername(few).SetName("Few").SetRole(viewer.Standard).SetCreatedAt(tx.Now).Exec(ctx)
	})
	if err != nil {
		return err
	}
	ada, err := a.Directory.Viewer("ada")
	if err != nil {
		return err
	}
	ctx = viewer.NewContext(ctx, ada)
	page, err := a.Conversations.List(ctx, conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: fewSeen}, conversation.Selected{})
	if err != nil {
		return err
	}
	var ids []string
	for _, row := range page.Nodes {
		ids = append(ids, row.ID())
	}
	to := a.Conversations.IDs.Encode(publicid.Agent, a.Directory.AgentNamed(few).Key)
	results, err := a.Conversations.Assign(ctx, ids, &to)
	for _, result := range results {
		if result.Error != nil {
			err = errors.Join(err, result.Error)
		}
	}
	return err
}
