// Package conversation has the use cases on conversations: views, counts, read state and
// assignment, and the one door through which every change of a conversation passes.
//
// The door (Service.Change) loads the row under the viewer's rights, lets a pure method
// of Row change it, saves the columns that differ, and records one event with the facts
// before and after. Counts and streams follow from those facts alone.
package conversation

import (
	"context"

	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Service holds what the use cases work with. All fields are required.
type Service struct {
	Store     *store.Store
	Directory *directory.Directory
	IDs       *publicid.Codec
	Cursors   *feed.Cursors
	// KeepOptOut opts the customer of a locked conversation out, because its record had
	// opted out, and was deleted or merged. Required to follow records.
	KeepOptOut func(ctx context.Context, tx *store.Tx, row *Row) error
}
