package server

import (
	"context"
	"errors"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"parley/internal/edge/answer"
	"parley/internal/edge/limit"
	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// frameBytes is how much of a frame costs one.
const frameBytes = 1 << 10

// meter is what the frames of one stream may take, and what they cost whom.
type meter struct {
	rate    *rate
	viewer  string
	cost    int             // of each, beside its bytes
	ctx     context.Context //nolint:containedctx // what the stream's frames are made under
	allowed *allowance.Allowance
}

// meter is that of the stream op.
func (s *Server) meter(ctx context.Context, op *graphql.OperationContext) *meter {
	m := &meter{rate: s.rate}
	m.ctx, m.allowed = s.answers.NewContext(ctx)
	if s.rate.callers != nil {
		m.viewer = viewerKey(viewer.FromContext(ctx))
		m.cost = limit.CostIn(op)
	}
	return m
}

// debt is how long the stream has to wait until its next frame is made. So what
// waits takes no room, nothing is lost, and what is not taken in time is given up
// by the stream itself.
func (m *meter) debt() time.Duration { return m.rate.callers.Charge(m.viewer, 0) }

// frame makes the next frame, and takes what it costs. What it refuses ends the
// stream, with the cursor to go on from. Close what is allowed when the frame was
// sent.
func (m *meter) frame(next graphql.ResponseHandler, passed func() string) *graphql.Response {
	response := next(m.ctx)
	if response == nil {
		return nil
	}
	m.rate.callers.Charge(m.viewer, float64(m.cost+len(response.Data)/frameBytes))
	if err := m.allowed.Fits(len(response.Data)); err != nil {
		return answer.Failed(m.ctx, resumable(err, passed()))
	}
	return response
}

// resumable is err with the cursor of a stream, if that has one.
func resumable(err error, cursor string) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	with := *f
	with.Cursor = cursor
	return &with
}

// settle waits until the debt is over, no longer than the stream lives.
func (m *meter) settle(ctx context.Context) {
	for debt := m.debt(); debt > 0 && ctx.Err() == nil; debt = m.debt() {
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
