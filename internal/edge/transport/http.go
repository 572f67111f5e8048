package transport

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/selection"
	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
)

// ServeHTTP serves queries and mutations by the GraphQL over HTTP draft
// (https://graphql.github.io/graphql-over-http/draft/): application/json answers
// 200 to every well-formed request, application/graphql-response+json 400 if
// the operation did not run. A caller who accepts text/event-stream gets a stream.
// The request's context has its viewer.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	accepts := negotiate(r.Header.Values("Accept"))
	if accepts.media == "" {
		answer.Refuse(w, r, http.StatusNotAcceptable,
			fault.New(fault.BadInput, "Accept %s, %s or %s.", mediaResponse, answer.MediaJSON, mediaEvents))
		return
	}
	leave, err := e.options.Gate.Board(r.Context()) // before the body is read, because it takes memory
	if err != nil {
		answer.RefuseAs(w, r, http.StatusTooManyRequests, accepts.refusals(), err)
		return
	}
	defer func() { leave() }()
	start := graphql.Now()
	params, refused := readParams(r, e.options.Gate)
	if refused != nil {
		answer.RefuseAs(w, r, refused.status, accepts.refusals(), refused.err)
		return
	}
	if accepts.events {
		resume(r, params)
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	r = r.WithContext(graphql.StartOperationTrace(r.Context()))
	op, errs := e.prepare(r.Context(), params)
	switch {
	case rateLimited(first(errs)) != nil:
		e.refuse(w, r, op, accepts, refusal{http.StatusTooManyRequests, rateLimited(first(errs))})
	case errs == nil && op.Operation.Operation == ast.Mutation && r.Method == http.MethodGet:
		w.Header().Set("Allow", http.MethodPost)
		e.refuse(w, r, op, accepts, refusal{http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Send mutations by POST.")})
	case accepts.media == mediaEvents, errs == nil && accepts.events && op.Operation.Operation == ast.Subscription:
		leave() // streams have bounds of their own, and a query in one boards again
		leave = func() {}
		e.serveEvents(w, r, op, errs)
	default:
		e.serveOne(w, r, accepts.media, op, errs)
	}
}

// refuse answers an operation that must not run, with a status, before any stream.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, op *graphql.OperationContext, a accepted, refused refusal) {
	answer.RetryAfter(w, refused.err)
	response := answer.Failed(r.Context(), refused.err)
	e.options.Observer.Ran(r.Context(), op, response.Errors)
	write(w, refused.status, a.refusals(), response)
}

// serveOne answers with one response, or with errs if the operation cannot run.
func (e *Endpoint) serveOne(w http.ResponseWriter, r *http.Request, media string, op *graphql.OperationContext, errs gqlerror.List) {
	ctx, allowed := e.options.Answers.NewContext(graphql.WithOperationContext(r.Context(), op))
	defer allowed.Close()
	ctx, release := selection.Hold(ctx)
	defer release()
	status := http.StatusBadRequest
	var response *graphql.Response
	switch {
	case errs != nil:
		response = e.options.Executor.DispatchError(ctx, errs)
	case op.Operation.Operation == ast.Subscription:
		response = e.options.Executor.DispatchError(ctx, gqlerror.List{answer.AsGraphQL(fault.New(fault.BadInput,
			"Subscriptions need a stream. Accept %s, or open a WebSocket with %s.", mediaEvents, subprotocol))})
	default:
		status, response = e.dispatch(ctx, op)
	}
	e.options.Observer.Ran(ctx, op, response.Errors)
	if media == answer.MediaJSON {
		status = http.StatusOK
	}
	retryFields(w, response.Errors)
	answer.RetryAfter(w, allowed.Refusal())
	write(w, status, media, response, selection.Parts(ctx)...)
}

// dispatch executes a query or mutation and returns the status for
// application/graphql-response+json.
func (e *Endpoint) dispatch(ctx context.Context, op *graphql.OperationContext) (int, *graphql.Response) {
	ctx, cancel := context.WithTimeout(ctx, e.options.RequestTimeout)
	defer cancel()
	responses, ctx := e.options.Executor.DispatchOperation(ctx, op)
	response := fit(ctx, responses(ctx))
	switch err := allowance.FromContext(ctx).Refusal(); {
	case err != nil:
		return answer.StatusOf(err), answer.Failed(ctx, err)
	case response == nil: // the deadline passed, or the caller left
		return http.StatusGatewayTimeout, answer.Failed(ctx, context.Cause(ctx))
	case response.Data == nil:
		return http.StatusBadRequest, response
	}
	return http.StatusOK, response
}
