package bulk

import (
	"context"

	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Pause keeps an operation from going on, after the batch it is at. One that is
// paused stays so; one that has ended is a CONFLICT.
func (f *Service) Pause(ctx context.Context, id string) (*Row, error) {
	return f.control(ctx, id, func(ctx context.Context, tx *store.Tx, op *Row) error {
		if op.State == Paused {
			return nil
		}
		op.State, op.holder = Paused, 0
		return op.save(ctx, tx)
	})
}

// Resume lets a paused operation go on. One that is not paused goes on as it
// does; one that has ended is a CONFLICT.
func (f *Service) Resume(ctx context.Context, id string) (*Row, error) {
	return f.control(ctx, id, func(ctx context.Context, tx *store.Tx, op *Row) error {
		if op.State != Paused {
			return nil
		}
		op.State, op.holder, op.heldUntil = Pending, 0, tx.Now.Add(f.lease())
		enqueue(tx, op.Key)
		return op.save(ctx, tx)
	})
}

// Cancel ends an operation after the batch it is at; what is done stays done. One
// that is cancelled stays so; one that has ended otherwise is a CONFLICT.
func (f *Service) Cancel(ctx context.Context, id string) (*Row, error) {
	return f.control(ctx, id, func(ctx context.Context, tx *store.Tx, op *Row) error {
		if op.State == Cancelled {
			return nil
		}
		return op.end(ctx, tx, Cancelled)
	})
}

// control changes the state of an operation that the viewer of ctx may see.
func (f *Service) control(ctx context.Context, id string, change func(context.Context, *store.Tx, *Row) error) (op *Row, err error) {
	key, ok := f.IDs.Decode(publicid.BulkOperation, id)
	if !ok {
		return nil, fault.Missing("bulk operation")
	}
	err = f.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if op, err = f.load(ctx, tx, key); err != nil {
			return err
		}
		if op == nil {
			return fault.Missing("bulk operation")
		}
		if op.State == Done || op.State == Stopped {
			return fault.New(fault.Conflict, "This bulk operation has ended. Begin another.")
		}
		if !op.isKnown() {
			return fault.New(fault.Conflict, "Only a newer version of Parley can control this bulk operation. Try again when every server is upgraded.")
		}
		return change(ctx, tx, op)
	})
	if err != nil {
		return nil, err
	}
	return op, nil
}
