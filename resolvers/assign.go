package resolvers

import (
	"context"

	"parley/graph"
	"parley/internal/desk/conversation"
	"parley/internal/ground/fault"
)

// assign assigns conversations that are named in one of two ways.
func (r *Resolver) assign(ctx context.Context, input graph.AssignConversationsInput) ([]*conversation.Result, error) {
	switch {
	case (input.Ids == nil) == (input.Conversations == nil):
		return nil, fault.Input("input.ids", "Give either ids or conversations, not both.")
	case input.Ids != nil:
		return r.ConversationService.Assign(ctx, input.Ids, input.AgentID)
	}
	items := make([]conversation.AssignItem, len(input.Conversations))
	for i, it := range input.Conversations {
		owner, expects := it.ExpectedOwner.ValueOK()
		items[i] = conversation.AssignItem{ID: it.ID, Expects: expects, ExpectedOwner: owner}
	}
	return r.ConversationService.AssignExpected(ctx, items, input.AgentID)
}
