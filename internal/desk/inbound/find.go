package inbound

import (
	"context"

	"parley/ent/message"
	"parley/internal/desk/directory"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// Arrived is where an inbound message is.
type Arrived struct {
	// ConversationID is the conversation's public id.
	ConversationID string
	// Owner is whose it is; nil for nobody.
	Owner *directory.Agent
	// Number is the message's number in the conversation, from 1.
	Number int64
}

// Find returns where a message that the provider named is; ent's not-found error when
// none was taken in.
func (r *Receiver) Find(ctx context.Context, account *directory.Account, providerID string) (Arrived, error) {
	ctx = viewer.AsSystem(ctx, "webhook")
	m, err := r.Store.Ent.Message.Query().
		Where(message.ProviderAccountID(account.ID), message.ProviderID(providerID)).WithConversation().Only(ctx)
	if err != nil {
		return Arrived{}, err
	}
	c := m.Edges.Conversation
	at := Arrived{ConversationID: r.IDs.Encode(publicid.Conversation, c.ID), Number: m.Seq}
	if c.OwnerID != nil {
		at.Owner = r.Directory.Agent(*c.OwnerID)
	}
	return at, nil
}
