// Package resolvers translates between the graph and the use cases: it checks
// the bounds of pages, calls one use case and gives its answer the schema's
// shape. It holds no rules of its own.
package resolvers

import (
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/desk/live"
	"parley/internal/desk/message"
	"parley/internal/desk/quicktext"
	"parley/internal/desk/search"
	"parley/internal/desk/staff"
)

// Resolver holds the use cases. All fields are required.
type Resolver struct {
	ConversationService *conversation.Service
	Messenger           *message.Messenger
	Bulk                *bulk.Service
	Live                *live.Streams
	Search              *search.Searcher
	Texts               *quicktext.Service
	Staff               *staff.Service
}

// isTrue reads an optional input that is false when it is left out or null.
func isTrue(b *bool) bool { return b != nil && *b }
