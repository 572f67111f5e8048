// Package resolvers translates between the graph and the use cases: it checks the bounds
// of pages, calls one use case and puts its result into the schema's shape. It has no
// rules of its own.
package resolvers

import (
	"parley/internal/desk/access"
	"parley/internal/desk/account"
	"parley/internal/desk/audit"
	"parley/internal/desk/bulk"
	"parley/internal/desk/composer"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmaction"
	"parley/internal/desk/crmsync"
	"parley/internal/desk/customer"
	"parley/internal/desk/directory"
	"parley/internal/desk/formula/trial"
	"parley/internal/desk/linking"
	"parley/internal/desk/live"
	"parley/internal/desk/merge"
	"parley/internal/desk/message"
	"parley/internal/desk/objecttype"
	"parley/internal/desk/organization"
	"parley/internal/desk/picture"
	"parley/internal/desk/quicktext"
	"parley/internal/desk/search"
	"parley/internal/desk/staff"
	"parley/internal/desk/switchboard"
	"parley/internal/ground/publicid"
)

// Resolver holds the use cases. All fields are required.
type Resolver struct {
	Directory           *directory.Directory
	IDs                 *publicid.Codec
	ConversationService *conversation.Service
	Messenger           *message.Messenger
	Bulk                *bulk.Service
	Live                *live.Streams
	Searcher            *search.Searcher
	Texts               *quicktext.Service
	Staff               *staff.Service
	Organization        *organization.Service
	Audit               *audit.Service
	Merger              *merge.Service
	Customers           *customer.Service
	Switchboard         *switchboard.Service
	Accounts            *account.Service
	Access              *access.Service
	ObjectTypes         *objecttype.Service
	Records             *crm.Service
	Formulas            *trial.Service
	Actions             *crmaction.Service
	Linking             *linking.Service
	Syncs               *crmsync.Service
	Composer            *composer.Service
	Pictures            *picture.Service
}

// isTrue reads an optional input that is false when it is left out or null.
func isTrue(b *bool) bool { return b != nil && *b }
