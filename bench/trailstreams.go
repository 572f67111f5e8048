package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/app"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

const (
	// accounts have trails that streams follow, each with as many contacts.
	accounts       = 100
	contactsOfEach = 10
	// followers are the streams of trails.
	followers = 1_000
)

// turnover is a contact who moves from one account to another and back, and the streams
// of the trails that they come onto and leave.
type turnover struct {
	*app.App
	ada    context.Context
	ids    []string // of the accounts
	at     int      // whose contact they are
	frames []<-chan *live.Change
}

// trailStreams compares a change of a lookup that concerns ten streams of ten to one that
// concerns ten of a thousand, and to one that concerns all thousand: from the write until
// the last stream has the conversation that came or went.
func (s *settings) trailStreams(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		return running(ctx, a, func() error {
			t := &turnover{App: a}
			if err := t.prepare(ctx); err != nil {
				return err
			}
			c := comparison{group: "a contact moves to another account", clients: 1}
			var turns [3][]turn
			crowds := [3][2]int{{concerned, 0}, {concerned, followers - concerned}, {followers, 0}}
			for round := range s.Rounds {
				for i, crowd := range crowds {
					took, err := s.followed(ctx, t, c, crowd, round)
					if err != nil {
						return err
					}
					turns[i] = append(turns[i], took)
				}
			}
			for i, crowd := range crowds {
				r.add(summary(c, fmt.Sprintf("concerns %d of %d streams of trails", crowd[0], crowd[0]+crowd[1]), turns[i], turns[0]))
			}
			return nil
		})
	})
}

// followed is a turn with streams of the first account's trail, and others of the other
// accounts' but for the second.
func (s *settings) followed(ctx context.Context, t *turnover, c comparison, crowd [2]int, round int) (turn, error) {
	streaming, leave := context.WithCancel(t.ada)
	defer leave()
	t.frames = t.frames[:0]
	for range crowd[0] {
		frames, err := t.follow(streaming, t.ids[0])
		if err != nil {
			return turn{}, err
		}
		t.frames = append(t.frames, frames)
	}
	for i := range crowd[1] {
		if _, err := t.follow(streaming, t.ids[2+i%(accounts-2)]); err != nil {
			return turn{}, err
		}
	}
	return s.turn(ctx, c, contender{fmt.Sprint(crowd), t.move}, round)
}

func (t *turnover) follow(ctx context.Context, account string) (<-chan *live.Change, error) {
	view := conversation.View{Kind: conversation.RecordTrail, Subject: &account}
	frames, err := t.Schema.Live.Conversations(ctx, view, nil, nil, func(error) {})
	return frames, opened(frames, err)
}

// move gives the contact to the other of the first two accounts, and waits until every
// stream of the first has told of it.
func (t *turnover) move(ctx context.Context, _ int) error {
	t.at = 1 - t.at
	if err := t.save(contactOf("mover", t.at)); err != nil {
		return err
	}
	want := [2]feed.StreamKind{feed.Enter, feed.Leave}[t.at]
	for _, frames := range t.frames {
		for told := false; !told; {
			select {
			case frame, open := <-frames:
				if !open {
					return errors.New("a stream ended")
				}
				told = frame.Kind == want
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

func account(n int) string { return fmt.Sprintf("bench-%d", n) }

func contactOf(id string, n int) *crm.RecordInput {
	name, parent := "Contact "+id, "Account/"+account(n)
	return &crm.RecordInput{ObjectType: "Contact", ExternalID: "bench-" + id, Fields: []*crm.FieldInput{{Name: "LastName", Text: &name}, {Name: "AccountId", Text: &parent}}}
}

func (t *turnover) save(records ...*crm.RecordInput) error {
	for batch := range slices.Chunk(records, crm.MostPerCall) {
		results, err := t.Schema.Records.Upsert(t.ada, batch)
		if err != nil {
			return err
		}
		for _, result := range results {
			if result.Error != nil {
				return result.Error
			}
		}
	}
	return nil
}

// prepare makes the accounts with their contacts, and a conversation of the one who moves.
func (t *turnover) prepare(ctx context.Context) error {
	v, err := t.Directory.Viewer("ada")
	if err != nil {
		return err
	}
	t.ada = viewer.NewContext(ctx, v)
	records := []*crm.RecordInput{contactOf("mover", 0)}
	for n := range accounts {
		name := "Account " + account(n)
		records = append(records, &crm.RecordInput{ObjectType: "Account", ExternalID: account(n), Fields: []*crm.FieldInput{{Name: "Name", Text: &name}}})
		for i := range contactsOfEach {
			records = append(records, contactOf(fmt.Sprint(n, "-", i), n))
		}
	}
	if err := t.save(records...); err != nil {
		return err
	}
	for n := range accounts {
		found, err := t.Conversations.RecordNamed(t.ada, "Account", account(n))
		if err != nil {
			return err
		}
		t.ids = append(t.ids, found.ID())
	}
	mover, err := t.Conversations.RecordNamed(t.ada, "Contact", "bench-mover")
	if err != nil {
		return err
	}
	return t.anchor(ctx, mover.ID())
}

// anchor has one conversation be of a record.
func (t *turnover) anchor(ctx context.Context, record string) error {
	key, _ := t.Conversations.IDs.Decode(publicid.Record, record)
	return t.Store.Write(viewer.AsSystem(ctx, "bench"), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Update("conversations").Set("record_id", key).Set("object_type", "Contact").
			Where(entsql.EQ("id", entsql.Raw("(SELECT MAX(id) FROM conversations)"))))
		return err
	})
}
