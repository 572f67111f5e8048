package importer

import (
	"context"
	"database/sql"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/textindex"
	"parley/internal/ground/store"
)

var setText = store.Fixed("UPDATE messages SET text = ? WHERE id = ?")

// repair puts the texts of the export in the place of those that are there.
func (c *chunk) repair(ctx context.Context) error {
	for i := range c.other {
		d := &c.other[i]
		if !d.repairable() {
			continue
		}
		row, err := c.desk.LoadCurrent(ctx, c.tx, d.there.conversation)
		if err != nil {
			return err
		}
		err = c.desk.Apply(ctx, c.tx, row, func(ctx context.Context, _ *conversation.Row) (feed.Event, error) {
			if row.LastMessageID == d.there.key {
				row.Preview = content.Preview(content.TextContent{Text: d.row.text})
			}
			_, err := c.tx.Exec(ctx, setText.With(d.row.text, d.there.key))
			return feed.Event{Cause: feed.MessageChanged, MessageID: d.there.key}, err
		})
		if err != nil {
			return err
		}
		textindex.AddMessages(c.tx, textindex.Message{
			ID: d.there.key, ConversationID: d.there.conversation, ChannelID: row.ChannelID, At: d.there.at, Text: d.row.text,
		})
	}
	return nil
}

// namedAfter are the conversations of a record that have its name. What the customers
// were called since is theirs.
var (
	namedAfter = store.Fixed("SELECT id FROM conversations WHERE record_id = ? AND name = ? AND merged_into IS NULL ORDER BY id")
	setName    = store.Fixed("UPDATE messaging_users SET name = ?, name_source = ? WHERE id = ? AND name = ?")
)

// rename gives conversations that are named after a record its new name.
func rename(ctx context.Context, desk *conversation.Service, tx *store.Tx, was *knownRecord, name string) error {
	var keys []int64
	err := tx.Query(ctx, namedAfter.With(was.Key, was.Name), func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		row, err := desk.Load(ctx, tx, key)
		if err != nil {
			return err
		}
		err = desk.Apply(ctx, tx, row, func(ctx context.Context, _ *conversation.Row) (feed.Event, error) {
			row.Title = name
			_, err := tx.Exec(ctx, setName.With(name, string(conversation.NamedByRecord.Of(name)), row.MessagingUserID, was.Name))
			return feed.Event{Cause: feed.ConversationChanged}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
