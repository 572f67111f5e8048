package conversation

import (
	"context"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// TopicInput says what a conversation is about; nil for nothing.
type TopicInput struct {
	ConversationID string
	Topic          *string
}

// SetTopic says what a conversation is about, which whoever sees it may. Nothing happens
// when it is about that already.
func (d *Service) SetTopic(ctx context.Context, in TopicInput) (row *Row, err error) {
	topic, err := CleanTopic("input.topic", in.Topic)
	if err != nil {
		return nil, err
	}
	key, ok := d.IDs.Decode(publicid.Conversation, in.ConversationID)
	if !ok {
		return nil, fault.At("input.conversationId", fault.Missing("conversation"))
	}
	err = d.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = d.Change(ctx, tx, key, func(_ context.Context, row *Row) (feed.Event, error) {
			if row.About == topic {
				return feed.Event{}, nil
			}
			row.About = topic
			return feed.Event{Cause: feed.ConversationChanged}, nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

// CleanTopic makes a topic fit for storage; one that shows nothing is none.
func CleanTopic(field string, topic *string) (string, error) {
	if topic == nil || channel.IsBlank(*topic) {
		return "", nil
	}
	clean, err := administration.CleanName(field, *topic)
	return strings.TrimSpace(clean), err
}
