package misread

import (
	"context"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/message"
	"parley/internal/ground/store"
)

// mend examines a suspect under its lock and mends it. What was merged into another is
// left as it is.
func (m *Mender) mend(ctx context.Context, tx *store.Tx, s suspect) (*Finding, error) {
	row, err := m.Conversations.LoadCurrent(ctx, tx, s.key)
	if err != nil || row.Key != s.key {
		return nil, err
	}
	found, err := m.examine(ctx, tx.Query, s)
	if err != nil || found == nil {
		return nil, err
	}
	if found.Readdress != "" {
		if err := m.Conversations.Readdress(ctx, tx, row, found.Readdress, found.country); err != nil {
			return nil, err
		}
	}
	for _, text := range found.Notes {
		if err := m.note(ctx, tx, row, text); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (m *Mender) note(ctx context.Context, tx *store.Tx, row *conversation.Row, text string) error {
	return m.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
		note, err := m.Messenger.Insert(ctx, tx, row, message.New{Source: content.System, Content: content.NoteContent{Text: text}})
		return feed.Event{Cause: feed.MessageAdded, MessageID: note.Key}, err
	})
}
