package server

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/stream"
)

// operation is one live id of a socket. The same id may be used again as soon
// as it is complete, so operations are told apart by pointer.
type operation struct {
	id     string
	cancel context.CancelFunc
}

// subscribe starts an operation.
func (s *socket) subscribe(m message) closing {
	params, c := parseSubscribe(m.Payload)
	if c != (closing{}) {
		return c
	}
	who, c := s.vouched(s.token)
	if c != (closing{}) {
		return c
	}
	params.Headers = s.header
	params.ReadTime = graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}
	ctx, cancel := context.WithCancel(s.as(s.ctx, who))
	op := &operation{id: m.ID, cancel: cancel}
	live, taken := s.start(op)
	switch {
	case taken:
		cancel()
		return subscriberExists(m.ID)
	case !live:
		cancel()
		s.send(errorFrame(m.ID, gqlerror.List{Present(s.ctx, errOperations(s.options.Operations))}))
		return closing{}
	}
	go s.run(ctx, op, params)
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

// complete ends an operation at the caller's wish, who gets no answer.
func (s *socket) complete(id string) {
	s.mu.Lock()
	op := s.operations[id]
	delete(s.operations, id)
	s.mu.Unlock()
	if op != nil {
		op.cancel()
	}
}

// run executes an operation and tells the caller how it ended: by error or
// complete, never both.
func (s *socket) run(ctx context.Context, op *operation, params *graphql.RawParams) {
	defer s.running.Done()
	defer op.cancel()
	if errs := s.execute(ctx, op, params); s.retire(op) {
		if len(errs) > 0 {
			s.send(errorFrame(op.id, errs))
			return
		}
		s.send(frame(op.id, typeComplete, nil))
	}
}

// retire frees the id before the caller is told, who may use it again at once.
// It reports whether the caller still waits.
func (s *socket) retire(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[op.id] != op {
		return false
	}
	delete(s.operations, op.id)
	return s.ctx.Err() == nil
}

// execute runs an operation to its end and returns the errors it ended with.
func (s *socket) execute(ctx context.Context, op *operation, params *graphql.RawParams) (errs gqlerror.List) {
	start := time.Now()
	ctx, end := stream.NewContext(graphql.StartOperationTrace(ctx))
	var oc *graphql.OperationContext
	defer func() {
		if p := recover(); p != nil {
			errs = gqlerror.List{Present(ctx, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))}
		}
		s.metrics.operation(kindOf(oc), outcome(errs), time.Since(start))
	}()
	oc, refused := s.exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, oc)
	if refused != nil {
		return s.exec.DispatchError(ctx, refused).Errors
	}
	if oc.Operation.Operation == ast.Subscription {
		s.metrics.subscriptions.Inc()
		defer s.metrics.subscriptions.Dec()
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Server.options.RequestTimeout)
		defer cancel()
	}
	if errs := s.deliver(ctx, op, oc); len(errs) > 0 {
		return errs
	}
	if err := end.Err(); err != nil {
		return gqlerror.List{Present(ctx, err)}
	}
	return nil
}

// deliver sends an operation's responses until there are no more.
func (s *socket) deliver(ctx context.Context, op *operation, oc *graphql.OperationContext) gqlerror.List {
	responses, ctx := s.exec.DispatchOperation(ctx, oc)
	for sent := 0; ; sent++ {
		response := responses(ctx)
		switch {
		case response == nil && sent == 0 && oc.Operation.Operation != ast.Subscription:
			return gqlerror.List{Present(ctx, context.Cause(ctx))}
		case response == nil:
			return nil
		case response.HasNext != nil && *response.HasNext:
			return gqlerror.List{Present(ctx, errDefer)}
		case response.Data == nil && len(response.Errors) > 0:
			return response.Errors
		}
		payload, err := appendAnswer(nil, response)
		if err != nil {
			return gqlerror.List{Present(ctx, err)}
		}
		if !s.isLive(op) {
			return nil
		}
		s.send(frame(op.id, typeNext, payload))
	}
}

func (s *socket) isLive(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.operations[op.id] == op && s.ctx.Err() == nil
}

// bareToken strips the scheme that connection_init may carry or leave out.
func bareToken(authorization string) string {
	if scheme, token, found := strings.Cut(authorization, " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return strings.TrimSpace(authorization)
}
