package live

import (
	"cmp"
	"context"

	"parley/internal/desk/bulk"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// OperationChange is how far a bulk operation has come.
type OperationChange struct {
	Kind      feed.StreamKind
	Cursor    string
	Operation *bulk.Row
}

// BulkOperation streams how far an operation (its public id) has come, what
// changes within CountsEvery as one frame, and ends when it has ended.
func (d *Streams) BulkOperation(ctx context.Context, id string, after *string, end End) (<-chan *OperationChange, error) {
	v, err := d.Directory.Viewer(viewer.FromContext(ctx).Username)
	if err != nil {
		return nil, err
	}
	op, err := d.Bulk.Get(viewer.NewContext(ctx, v), id)
	if err != nil {
		return nil, err
	}
	f := &operationFold{desk: d, key: op.Key}
	return run(ctx, stream[*OperationChange]{
		desk: d, open: f.open, keys: f.keys, want: f.want, frame: f.frame,
		last: func(c *OperationChange) bool { return c.Operation.Ended() },
		pace: pace[*OperationChange]{cmp.Or(d.CountsEvery, countsEvery), func(_, next *OperationChange) *OperationChange { return next }},
	}, after, end)
}

// operationFold follows one operation. Every frame holds it whole.
type operationFold struct {
	desk *Streams
	key  int64
}

func (f *operationFold) read(ctx context.Context) (*bulk.Row, error) {
	rows, err := f.desk.Bulk.ByKey(ctx, []int64{f.key})
	if err == nil && rows[f.key] == nil {
		err = fault.Missing("bulk operation")
	}
	return rows[f.key], err
}

// open reads the position before the row: what the row holds beyond it is told
// again, never left out.
func (f *operationFold) open(ctx context.Context, _ *viewer.Viewer, kind feed.StreamKind, resumed *int64) (*OperationChange, int64, error) {
	position, err := f.desk.Store.Head(ctx)
	if err != nil {
		return nil, 0, err
	}
	op, err := f.read(ctx)
	return &OperationChange{Kind: kind, Cursor: f.desk.cursor(position, resumed), Operation: op}, position, err
}

func (f *operationFold) keys(*viewer.Viewer) []feed.Key {
	return []feed.Key{{Fact: feed.BySubject, ID: f.key, Name: string(publicid.BulkOperation)}}
}

func (f *operationFold) want(_ *viewer.Viewer, e *feed.Event) bool {
	return e.Subject.Is(publicid.BulkOperation, f.key)
}

func (f *operationFold) frame(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (*OperationChange, bool, error) {
	op, err := f.read(viewer.NewContext(ctx, v))
	return &OperationChange{Kind: feed.Update, Cursor: f.desk.Cursors.Encode(e.Position), Operation: op}, err == nil, err
}
