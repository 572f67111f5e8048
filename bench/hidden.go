package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parley/app"
	"parley/ent"
	"parley/internal/admin/importer"
	"parley/internal/admin/seed"
	"parley/internal/desk/directory"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// What nobody but those who see everything sees: so many messages with one word, on
// a sender ID of its own.
const (
	hiddenWord     = "krakatoa"
	hiddenMessages = 25_000
	hiddenSender   = "+12025559998"
)

// lookers are agents who see ever more, by name.
var lookers = []struct{ username, sees string }{
	{few, "ten threads"}, {"one", "one channel"}, {"half", "half of the channels"}, {"over", "all that anybody owns (supervisor)"},
}

// hidden compares the word that is in hidden messages alone to a word that is nowhere:
// were it slower, the time would say that it is there.
func (s *settings) hidden(ctx context.Context, r *report) (err error) {
	database, drop, err := s.own(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	a, err := s.open(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := s.hide(ctx, a); err != nil {
		return err
	}
	for _, l := range lookers {
		by, err := newCaller(a, l.username, searchers)
		if err != nil {
			return err
		}
		c := comparison{group: "search by an agent who sees " + l.sees, clients: searchers}
		for _, one := range [][2]string{{"a word that is nowhere", "zzzzzzzz"}, {fmt.Sprintf("a word in %d hidden messages", hiddenMessages), hiddenWord}} {
			asked, err := by.repeated(one[0], searchQuery, map[string]any{"query": one[1]})
			if err != nil {
				return err
			}
			c.contenders = append(c.contenders, asked)
		}
		if err := s.compare(ctx, r, c); err != nil {
			return err
		}
	}
	return nil
}

// hide makes the lookers, in an organisation of some teams, and what they do not see.
func (s *settings) hide(ctx context.Context, a *app.App) error {
	if err := seed.Fill(ctx, a.Directory, a.Store, seed.Options{Conversations: s.Conversations, Messages: s.Messages, Seed: 1, Progress: os.Stderr}); err != nil {
		return err
	}
	if err := addFew(ctx, a); err != nil {
		return err
	}
	channels := a.Directory.Channels()
	err := a.Directory.Change(viewer.AsSystem(ctx, "bench"), func(ctx context.Context, tx *store.Tx) error {
		for _, add := range []struct {
			username string
			role     viewer.Role
			channels []*directory.Channel
		}{{"one", viewer.Standard, channels[:1]}, {"half", viewer.Standard, channels[:len(channels)/2]}, {"over", viewer.Supervisor, nil}} {
			agent, err := tx.Ent.Agent.Create().SetUsername(add.username).SetName(add.username).SetRole(add.role).SetCreatedAt(tx.Now).Save(ctx)
			if err != nil {
				return err
			}
			if err := share(ctx, tx, agent, add.channels); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return importHidden(ctx, a)
}

func share(ctx context.Context, tx *store.Tx, agent *ent.Agent, channels []*directory.Channel) error {
	for _, c := range channels {
		if err := tx.Ent.Channel.UpdateOneID(c.Key).AddMembers(agent).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// importHidden imports the hidden messages, a hundred to a conversation.
func importHidden(ctx context.Context, a *app.App) (err error) {
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "hidden.csv")
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	_, _ = fmt.Fprintln(w, "Id,FromNumber,SenderId,Text,ReceivedAt") // an error comes back from Flush
	at := time.Now().Add(-30 * 24 * time.Hour)
	for i := range hiddenMessages {
		_, _ = fmt.Fprintf(w, "H%d,%s,%s,\"news of %s, %d\",%s\n", i, customerNumber(i/100), hiddenSender, hiddenWord, i, at.Add(time.Duration(i)*time.Second).UTC().Format(time.RFC3339))
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	legacy := &importer.Importer{Store: a.Store, Directory: a.Directory, Conversations: a.Conversations, Records: a.Schema.Records}
	report, err := legacy.Run(ctx, importer.Options{Incoming: file, Staging: dir, Region: "US"})
	if err == nil && report.Incoming != hiddenMessages {
		err = fmt.Errorf("%d of %d hidden messages came in", report.Incoming, hiddenMessages)
	}
	return err
}
