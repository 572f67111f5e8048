package transport

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/ground/stream"
	"parley/internal/ground/viewer"
)

// operation is one live id of a socket. An id may be used again as soon as it is
// complete, so operations are compared by pointer.
type operation struct {
	id     string
	cancel context.CancelFunc

	// These belong to the operation's goroutine.
	ctx      context.Context
	began    time.Time
	executed *graphql.OperationContext
	next     graphql.ResponseHandler
	end      *stream.End
	streams  bool
	frames   *frames     // of a stream
	settled  *time.Timer // wakes a stream that waited for its viewer's debt

	rest atomic.Int32 // running, resting or woken
}

// States of an operation. One whose stream has no frame yet rests, without a
// goroutine, until it is woken.
const (
	running = iota
	resting
	woken // while running: it checks once more
)

// subscribe starts an operation.
func (s *socket) subscribe(m message) closing {
	v, err := s.guest.Viewer(s.ctx)
	if err != nil {
		return s.rejected(err)
	}
	ctx := viewer.NewContext(s.ctx, v)
	if err := s.options.Gate.Read(ctx, len(m.Payload)); err != nil {
		s.send(errorFrame(m.ID, gqlerror.List{answer.Present(s.ctx, err)}))
		return closing{}
	}
	params, c := parseSubscribe(m.Payload)
	if c != (closing{}) {
		return c
	}
	params.ReadTime = graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}
	op := &operation{id: m.ID, began: time.Now()}
	op.ctx, op.cancel = context.WithCancel(graphql.StartOperationTrace(ctx))
	op.ctx, op.end = stream.NewContext(op.ctx, func() { s.wake(op) })
	live, taken := s.start(op)
	switch {
	case taken:
		op.cancel()
		return subscriberExists(m.ID)
	case !live:
		op.cancel()
		s.send(errorFrame(m.ID, gqlerror.List{answer.Present(s.ctx, errOperations(s.options.Operations))}))
		return closing{}
	}
	go s.run(op, params)
	return closing{}
}

// start makes op live, unless its id is taken or the socket has enough.
func (s *socket) start(op *operation) (live, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[op.id] != nil {
		return false, true
	}
	if len(s.operations) >= s.options.Operations {
		return false, false
	}
	s.operations[op.id] = op
	s.running.Add(1)
	return true, false
}

// complete ends an operation that the client has completed; there is no reply.
func (s *socket) complete(id string) {
	s.mu.Lock()
	op := s.operations[id]
	delete(s.operations, id)
	s.mu.Unlock()
	if op != nil {
		op.cancel()
		s.wake(op)
	}
}

// run executes an operation and sends how it ended: error or complete, never both.
func (s *socket) run(op *operation, params *graphql.RawParams) {
	defer s.contain()
	more, errs := s.execute(op, params)
	s.proceed(op, more, errs)
}

// proceed runs an operation until it is over or has to rest.
func (s *socket) proceed(op *operation, more bool, errs gqlerror.List) {
	idle := false
	for more {
		if idle && op.rests() {
			return
		}
		more, idle, errs = s.step(op)
	}
	s.finish(op, errs)
}

// rests reports whether the operation rests from now on.
func (op *operation) rests() bool {
	if op.rest.CompareAndSwap(running, resting) {
		return true
	}
	op.rest.Store(running)
	return false
}

// wake resumes a resting operation.
func (s *socket) wake(op *operation) {
	for {
		switch state := op.rest.Load(); {
		case state == woken, state == running && op.rest.CompareAndSwap(running, woken):
			return
		case state == resting && op.rest.CompareAndSwap(resting, running):
			go func() {
				defer s.contain()
				s.proceed(op, true, nil)
			}()
			return
		}
	}
}

// finish counts an operation and sends its end, if the caller still waits.
func (s *socket) finish(op *operation, errs gqlerror.List) {
	defer s.running.Done()
	op.cancel()
	op.end.Close()
	if op.settled != nil {
		op.settled.Stop()
	}
	if op.streams {
		s.options.Observer.Unsubscribed()
	}
	s.options.Observer.Operation(op.executed, errs, op.began)
	switch {
	case !s.retire(op):
	case len(errs) > 0:
		s.send(errorFrame(op.id, errs))
	default:
		s.send(frame(op.id, typeComplete, nil))
	}
}

// retire frees the id before the end is sent: the caller may use it again at once. It
// reports whether the caller still waits.
func (s *socket) retire(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[op.id] != op {
		return false
	}
	delete(s.operations, op.id)
	return s.ctx.Err() == nil
}

// execute starts an operation. A query or mutation is over when it returns; a stream
// has more frames.
func (s *socket) execute(op *operation, params *graphql.RawParams) (more bool, errs gqlerror.List) {
	defer op.catch(&more, &errs)
	op.executed, errs = s.prepare(op.ctx, params)
	op.ctx = graphql.WithOperationContext(op.ctx, op.executed)
	if errs != nil {
		return false, s.options.Executor.DispatchError(op.ctx, errs).Errors
	}
	if op.streams = op.executed.Operation.Operation == ast.Subscription; op.streams {
		s.options.Observer.Subscribed()
		op.next, op.ctx = s.options.Executor.DispatchOperation(op.ctx, op.executed)
		op.frames = s.frames(op.ctx, op.executed)
		return true, nil
	}
	leave, err := s.options.Gate.Board(op.ctx)
	if err != nil {
		return false, gqlerror.List{answer.Present(op.ctx, err)}
	}
	defer leave()
	ctx, cancel := context.WithTimeout(op.ctx, s.options.RequestTimeout)
	defer cancel()
	ctx, allowed := s.options.Answers.NewContext(ctx)
	defer allowed.Close()
	op.next, op.ctx = s.options.Executor.DispatchOperation(ctx, op.executed)
	_, _, errs = s.step(op)
	return false, errs
}

// catch turns a resolver's panic into the operation's end.
func (op *operation) catch(more *bool, errs *gqlerror.List) {
	if p := recover(); p != nil {
		*more, *errs = false, gqlerror.List{answer.Present(op.ctx, answer.Recovered(op.ctx, p))}
	}
}

// step sends an operation's next response. idle means that there is none yet.
func (s *socket) step(op *operation) (more, idle bool, errs gqlerror.List) {
	defer op.catch(&more, &errs)
	if s.owes(op) || !op.end.Ready() {
		return true, true, nil
	}
	if op.streams {
		defer op.frames.allowed.Close()
	}
	if response := s.respond(op); response != nil {
		more, errs = s.answer(op, response)
		return more, false, errs
	}
	err := op.end.Err()
	if !op.streams {
		err = context.Cause(op.ctx)
	}
	if err == nil {
		return false, false, nil
	}
	return false, false, gqlerror.List{answer.Present(op.ctx, err)}
}

// owes reports whether a stream's viewer is in debt. The stream then rests, without
// making its next frame, and is woken when the debt is over.
func (s *socket) owes(op *operation) bool {
	if !op.streams || op.ctx.Err() != nil {
		return false
	}
	debt := op.frames.Debt()
	switch {
	case debt == 0:
		return false
	case op.settled == nil:
		op.settled = time.AfterFunc(debt, func() { s.wake(op) })
	default:
		op.settled.Reset(debt)
	}
	return true
}

func (s *socket) respond(op *operation) *graphql.Response {
	if op.streams {
		return op.frames.next(op.next, op.end.Passed)
	}
	return fit(op.ctx, op.next(op.ctx))
}

func (s *socket) answer(op *operation, response *graphql.Response) (more bool, errs gqlerror.List) {
	if response.Data == nil && len(response.Errors) > 0 {
		return false, response.Errors
	}
	payload, err := answer.Append(nil, response)
	if err != nil {
		return false, gqlerror.List{answer.Present(op.ctx, err)}
	}
	if !s.isLive(op) {
		return false, nil
	}
	s.send(frame(op.id, typeNext, payload))
	return true, nil
}

func (s *socket) isLive(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.operations[op.id] == op && s.ctx.Err() == nil
}
