package main

import (
	"context"
	"fmt"
	"runtime"

	entsql "entgo.io/ent/dialect/sql"

	"parley/app"
	"parley/ent/conversation"
	"parley/ent/objecttype"
	"parley/ent/record"
	"parley/internal/desk/object"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// relatives are the contacts of the account whose trail is measured, each of which has
// as many conversations.
const (
	relatives     = 200
	conversations = 10
)

const trailQuery = `query Trail($record: ID!) { conversations(view: {kind: RECORD_TRAIL, subject: $record}, first: 50) {
	nodes { id name preview isUnread newCount lastMessageAt owner { id name } lastMessage { id direction createdAt } }
	pageInfo { hasNextPage endCursor } } }`

// plainTrail is the same page as a plain handler reads it that knows its paths.
const plainTrail = `WITH RECURSIVE kin(id, depth) AS (
		SELECT CAST(? AS BIGINT), 0 UNION SELECT l.record_id, k.depth + 1 FROM kin k JOIN lookups l ON l.target_id = k.id AND l.field = 'AccountId' WHERE k.depth < 1)
	SELECT c.id, c.name, c.preview, c.is_unread, c.inbound_count - c.read_count, c.last_message_at,
	COALESCE(a.id, 0), COALESCE(a.name, ''), m.id, m.direction, m.created_at
	FROM conversations c LEFT JOIN agents a ON a.id = c.owner_id JOIN messages m ON m.id = c.last_message_id
	WHERE c.record_id IN (SELECT id FROM kin) ORDER BY c.last_message_at DESC, c.id DESC LIMIT 50`

// trails compares a page of the conversations related to a record to one recursive
// statement.
func (s *settings) trails(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		root, err := family(ctx, a)
		if err != nil {
			return err
		}
		ada, err := newCaller(a, "ada", readers)
		if err != nil {
			return err
		}
		variables := map[string]any{"record": a.Conversations.IDs.Encode(publicid.Record, root)}
		var page struct {
			Conversations struct{ Nodes []struct{ ID string } }
		}
		if err := ada.ask(ctx, &page, trailQuery, variables); err != nil {
			return err
		}
		if n := len(page.Conversations.Nodes); n != 50 {
			return fmt.Errorf("the trail's page holds %d conversations", n)
		}
		graph, err := ada.repeated("Parley", trailQuery, variables)
		if err != nil {
			return err
		}
		db, err := openRaw(ctx, s.Database, false, max(2, runtime.NumCPU()))
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		return s.compare(ctx, r, comparison{fmt.Sprintf("trail of %d records, %d conversations, 50 rows", relatives, relatives*conversations), readers, []contender{
			plainList(db, plainTrail, root), graph,
		}})
	})
}

// family writes an account with contacts that have conversations, and returns its key.
func family(ctx context.Context, a *app.App) (root int64, err error) {
	ctx = viewer.AsSystem(ctx, "bench")
	contacts, err := a.Store.Ent.Record.Query().Where(record.ObjectType("Contact")).Limit(relatives).IDs(ctx)
	if err != nil {
		return 0, err
	}
	threads, err := a.Store.Ent.Conversation.Query().Where(conversation.ObjectType("Contact"), conversation.MergedIntoIsNil()).Limit(relatives * conversations).IDs(ctx)
	if err != nil {
		return 0, err
	}
	if len(contacts) < relatives || len(threads) < relatives*conversations {
		return 0, fmt.Errorf("there are %d contacts with %d conversations; seed more", len(contacts), len(threads))
	}
	path := []object.Step{{Direction: object.Down, Object: "Contact", Field: "AccountId"}}
	return root, a.Directory.Change(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.Ent.ObjectType.Update().Where(objecttype.Name("Account")).SetRelated([]object.Mapping{{Label: "Contacts", Path: path}}).Exec(ctx)
		if err != nil {
			return err
		}
		account, err := tx.Ent.Record.Create().SetObjectType("Account").SetExternalID("family").SetName("Family").Save(ctx)
		if err != nil {
			return err
		}
		root = account.ID
		lookups := make([][]any, relatives)
		for i, key := range contacts {
			lookups[i] = []any{key, "AccountId", root}
			some := make([]any, conversations)
			for j := range some {
				some[j] = threads[i*conversations+j]
			}
			if _, err := tx.Exec(ctx, tx.Builder().Update("conversations").Set("record_id", key).Where(entsql.In("id", some...))); err != nil {
				return err
			}
		}
		return tx.InsertRows(ctx, "lookups", []string{"record_id", "field", "target_id"}, lookups)
	})
}
