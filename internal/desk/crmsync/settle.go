package crmsync

import (
	"context"
	"errors"
	"time"

	"parley/ent/recordwrite"
	"parley/internal/connector"
	"parley/internal/desk/action"
	"parley/internal/desk/crm"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
)

// reread takes what the CRM has of the record after a write or a refusal: it decides.
func (d *delivery) reread(ctx context.Context) error {
	row, got := d.find(ctx)
	switch {
	case row != nil:
		return d.settle(ctx, d.changes(d.mapped, *row))
	case got != nil && got.status == action.Pending:
		return d.later(ctx, max(rereadPause, min(got.after, mostBackOff)))
	}
	return d.close(ctx, nil)
}

// find reads the record in the CRM; nil if it has none, or with what came of it.
func (d *delivery) find(ctx context.Context) (*connector.Row, *outcome) {
	ctx, cancel := context.WithTimeout(ctx, rereadFor)
	defer cancel()
	if got := d.open(ctx); got != nil {
		return nil, got
	}
	of, got := d.target(ctx)
	if got != nil || of.id == "" {
		return nil, got
	}
	row, err := d.Find(ctx, d.mapped.object.Name, d.mapped.fields(), connector.Key{Field: "Id", Value: of.id})
	if err != nil && !errors.Is(err, connector.ErrRefused) { // which would say again that it knows no such id
		return nil, d.fault(err)
	}
	return row, nil
}

// rereadPause is the time between tries to read a record again.
const rereadPause = 5 * time.Minute

// later gives the hold back for a while.
func (d *delivery) later(ctx context.Context, pause time.Duration) error {
	return d.service.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := d.mine(ctx, tx)
		if err != nil {
			return err
		}
		return tx.Ent.RecordWrite.UpdateOne(row).SetDueAt(tx.Now.Add(pause)).SetHolder(0).SetHeldUntil(0).Exec(ctx)
	})
}

// close ends the work on the write, after what else is to be written with that.
func (d *delivery) close(ctx context.Context, also func(context.Context, *store.Tx) error) error {
	return d.service.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		row, err := d.mine(ctx, tx)
		if err != nil {
			return err
		}
		return tx.Ent.RecordWrite.UpdateOne(row).SetOpen(false).SetHolder(0).SetHeldUntil(0).Exec(ctx)
	})
}

// settle takes changes that the CRM's row says, the first by what was edited here.
func (d *delivery) settle(ctx context.Context, changes []*verdict) error {
	s, up := d.service, changes[0]
	rest := changes
	switch up.Operation {
	case Upsert:
		rest = changes[1:]
	case Delete: // also within the second of the version that was edited
		up.at = max(up.at, d.row.EditedAt)
	}
	if err := s.take(ctx, d.Connection, rest); err != nil {
		return err
	}
	if up.Operation != Upsert {
		return d.close(ctx, nil)
	}
	err := d.close(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := s.Records.Lock(ctx, tx); err != nil {
			return err
		}
		pending, err := pendingOf(ctx, tx.Ent, []int64{d.row.RecordID})
		if err != nil {
			return err
		}
		in := &crm.RecordInput{ObjectType: up.ObjectType, ExternalID: up.ExternalID, ModifiedAt: &up.at, Fields: without(up.fields, pending[d.row.RecordID])}
		if err := s.Records.Settle(ctx, tx, in, d.row.EditedAt); err != nil || d.status() != action.Delivered {
			return err
		}
		// What was changed on top of this write was changed on the version that it made.
		return tx.Ent.RecordWrite.Update().Where(recordwrite.RecordID(d.row.RecordID), recordwrite.Status(string(action.Pending)), recordwrite.IDGT(d.row.ID)).
			SetBase(up.at).Exec(ctx)
	})
	var refused *fault.Error
	if errors.As(err, &refused) { // the sync meets it too, and keeps it among what it rejects
		return d.close(ctx, nil)
	}
	return err
}
