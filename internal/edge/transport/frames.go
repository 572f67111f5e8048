package transport

import (
	"context"
	"errors"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"parley/internal/edge/answer"
	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
)

// frames makes the frames of one stream, within its bytes, and charges for them.
type frames struct {
	Meter
	ctx     context.Context //nolint:containedctx // what the stream's frames are made under
	allowed *allowance.Allowance
}

func (e *Endpoint) frames(ctx context.Context, op *graphql.OperationContext) *frames {
	f := &frames{Meter: e.options.Meter(ctx, op)}
	f.ctx, f.allowed = e.options.Answers.NewContext(ctx)
	return f
}

// next makes the next frame and charges for it. A frame that is too large ends the
// stream, with the cursor to resume from. The caller closes f.allowed once the frame
// is sent.
func (f *frames) next(respond graphql.ResponseHandler, passed func() string) *graphql.Response {
	response := respond(f.ctx)
	if response == nil {
		return nil
	}
	f.Charge(len(response.Data))
	if err := f.allowed.Fits(len(response.Data)); err != nil {
		return answer.Failed(f.ctx, resumable(err, passed()))
	}
	return response
}

// resumable adds a stream's cursor to err.
func resumable(err error, cursor string) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	with := *f
	with.Cursor = cursor
	return &with
}

// settle waits until the debt is over, but no longer than the stream lives. The next
// frame is not made before, so what waits takes no room and loses nothing; a stream
// that waits too long gives up by itself.
func (f *frames) settle(ctx context.Context) {
	for debt := f.Debt(); debt > 0 && ctx.Err() == nil; debt = f.Debt() {
		pause(ctx, debt)
	}
}

// pause waits, no longer than the stream lives.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
