// Package crm keeps the records of the CRM: it takes them in by external id, hands out
// their fields as far as the viewer may read them, and has conversations follow them.
package crm

import (
	"context"

	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/object"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Definitions say what object types there are, and what of them agents may read and
// write. The directory does.
type Definitions interface {
	ObjectType(name string) *directory.ObjectType
	RecordRights(v *viewer.Viewer) *object.Rights
	Refresh(ctx context.Context) error
}

// Service is the use cases of records.
type Service struct {
	Store         *store.Store
	IDs           *publicid.Codec
	Cursors       *feed.Cursors
	Definitions   Definitions
	Conversations *conversation.Service

	// Changed hears, inside the write, of records of an object type that came or changed;
	// nil for nobody.
	Changed func(ctx context.Context, tx *store.Tx, objectType string, keys []int64) error
	// Numbered hears, inside the write, of records of an object type that have other phone
	// numbers than before and, if Conditional says so, of those with numbers that changed
	// otherwise; nil for nobody.
	Numbered func(ctx context.Context, tx *store.Tx, objectType string, keys []int64)
	// Conditional reports whether what records of an object type hold decides whom they are
	// linked to; nil for never.
	Conditional func(objectType string) bool
}

// slot is how tables name a field: its object type's key, and its number there.
func slot(objectType int64, number int) int64 { return objectType<<16 | int64(number) }
