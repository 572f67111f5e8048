package bulk

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/conversation"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/store"
)

// UndoInput names an operation to undo.
type UndoInput struct {
	ID             string
	IdempotencyKey string
}

// Undo begins to take back what an operation linked: what it changed and nobody has changed
// since. Each conversation brings the time at which it was changed, so that the operation
// itself may be gone by then.
func (f *Service) Undo(ctx context.Context, in UndoInput) (Begun, error) {
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return Begun{}, err
	}
	task := conversation.Task{Action: conversation.UndoingLinks}
	items, refused := []item(nil), f.Conversations.May(ctx, task)
	if refused == nil {
		items, refused = f.linked(ctx, in.ID)
	}
	return f.begun(ctx, request{mutation: "undoBulkOperation", key: in.IdempotencyKey, input: in}, task, items, refused)
}

// linked are the conversations that an operation has linked, which the viewer of ctx sees.
func (f *Service) linked(ctx context.Context, id string) (items []item, err error) {
	op, err := f.Get(ctx, id)
	switch {
	case err != nil:
		return nil, fault.At("input.id", err)
	case op.Task.Action != conversation.Linking:
		return nil, fault.At("input.id", fault.New(fault.Conflict, "Only an operation of the action LINK can be undone."))
	case !op.Ended():
		return nil, fault.At("input.id", fault.New(fault.Conflict, "This operation has not ended. Wait for its end, or cancel it, and try again."))
	}
	q := f.Store.Builder().Select("items", "outcomes", "decided_at").From(entsql.Table("bulk_batches")).
		Where(entsql.And(entsql.EQ("operation_id", op.Key), entsql.NotNull("outcomes"))).OrderBy("number")
	err = f.Store.Each(ctx, inHand, q, func(r *store.Row) error {
		of, err := unpack(r.Bytes(0))
		for i, outcome := range r.Bytes(1) {
			if verdictAt(outcome).outcome == Changed {
				items = append(items, item{of[i].key, r.Int(2)})
			}
		}
		return err
	})
	return items, err
}

func times(of []int64) []clock.Time {
	out := make([]clock.Time, len(of))
	for i, at := range of {
		out[i] = clock.Time(at)
	}
	return out
}
