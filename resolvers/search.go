package resolvers

import (
	"context"

	"parley/internal/desk/search"
)

// found searches, in turn with the viewer's other searches.
func (r *Resolver) found(ctx context.Context, in search.Input) (page *search.Page, err error) {
	err = r.ConversationService.Store.Walk(ctx, func(ctx context.Context) error {
		page, err = r.Search.Find(ctx, in)
		return err
	})
	return page, err
}
