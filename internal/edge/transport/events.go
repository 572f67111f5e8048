package transport

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/observe"
	"parley/internal/ground/fault"
	"parley/internal/ground/stream"
)

// mediaEvents selects GraphQL over Server-Sent Events in its distinct connections
// mode: one request, one operation, one stream
// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).
const mediaEvents = "text/event-stream"

// The parts of a stream. The empty data of complete is needed: a browser ignores an
// event without data, reconnects and runs the operation again.
const (
	eventNext     = "event: next\n"
	eventComplete = "event: complete\ndata:\n\n"
	heartbeat     = ":\n\n" // a comment
)

// LastEventID names the header in which a browser's EventSource says, when it
// reconnects, which event it saw last. The id is the event's cursor.
const LastEventID = "Last-Event-ID"

// eventStream is one operation whose answer is a stream of events.
type eventStream struct {
	*Endpoint
	w       http.ResponseWriter
	control *http.ResponseController

	// stopped ends when the subscription is cut short; its cause says why.
	stopped context.Context
	stop    context.CancelCauseFunc

	mu   sync.Mutex // one writes at a time
	beat *time.Timer
	over bool // nothing more is written
}

// Reasons to cut a subscription short.
var (
	errExpired  = fault.New(fault.Unauthenticated, "The token has expired. Get a new one and subscribe from the last cursor.")
	errStopping = &fault.Error{
		Code: fault.Unavailable, RetryAfter: time.Second,
		Message: "The server is stopping. Subscribe again from the last cursor.",
	}
	errUnwritable = errors.New("the caller does not read")
)

// serveEvents answers with a stream: of the operation's events, or of errs if it
// cannot run. A stream that gets no place is refused with a status instead.
func (e *Endpoint) serveEvents(w http.ResponseWriter, r *http.Request, op *graphql.OperationContext, errs gqlerror.List) {
	ctx := graphql.WithOperationContext(r.Context(), op)
	events := &eventStream{Endpoint: e, w: w, control: http.NewResponseController(w)}
	events.stopped, events.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	defer events.stop(nil)
	leave, err := e.options.Gate.Stream(ctx, func() { events.stop(errStopping) }, func(why error) { events.stop(why) })
	if err != nil {
		answer.Refuse(w, r, turnedAway(err), err)
		return
	}
	defer leave()
	events.open()
	defer events.close()
	if errs == nil {
		errs = events.run(ctx, op)
	} else {
		errs = events.next(e.options.Executor.DispatchError(ctx, errs))
	}
	events.send([]byte(eventComplete))
	e.options.Observer.Ran(ctx, op, errs)
	observe.Streamed(ctx)
}

// open sends what comes before the first event.
func (e *eventStream) open() {
	e.w.Header().Set("Content-Type", mediaEvents+"; charset=utf-8")
	e.w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps events back
	e.w.WriteHeader(http.StatusOK)
	e.send([]byte(heartbeat))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.beat = time.AfterFunc(e.options.PingInterval, e.heartbeat)
}

// heartbeat keeps proxies from closing an idle stream, and detects callers who have
// left silently.
func (e *eventStream) heartbeat() {
	e.send([]byte(heartbeat))
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		e.beat.Reset(e.options.PingInterval)
	}
}

// close prevents writes after the handler has returned.
func (e *eventStream) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	e.beat.Stop()
}

// run executes the operation, sends its events and returns the errors it ended
// with.
func (e *eventStream) run(ctx context.Context, op *graphql.OperationContext) (errs gqlerror.List) {
	defer func() {
		if p := recover(); p != nil {
			errs = e.next(answer.Failed(ctx, answer.Recovered(ctx, p)))
		}
	}()
	if op.Operation.Operation != ast.Subscription {
		leave, err := e.options.Gate.Board(ctx)
		if err != nil {
			return e.next(answer.Failed(ctx, err))
		}
		defer leave()
		ctx, allowed := e.options.Answers.NewContext(ctx)
		defer allowed.Close()
		_, response := e.dispatch(ctx, op)
		return e.next(response)
	}
	e.options.Observer.Subscribed()
	defer e.options.Observer.Unsubscribed()
	if expiry := e.options.Gate.Expiry(ctx); !expiry.IsZero() {
		left := expiry.Sub(e.options.Clock.Now().Std())
		defer time.AfterFunc(left, func() { e.stop(errExpired) }).Stop()
	}
	streaming, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(e.stopped, cancel)()
	defer cancel()
	return e.follow(streaming, op)
}

// follow sends a subscription's events until it ends, then the reason if it was cut
// short.
func (e *eventStream) follow(ctx context.Context, op *graphql.OperationContext) gqlerror.List {
	ctx, end := stream.NewContext(ctx, nil)
	responses, answering := e.options.Executor.DispatchOperation(ctx, op)
	m, last := e.frames(answering, op), ""
	defer m.allowed.Close()
	next := func() *graphql.Response {
		m.settle(answering)
		return m.next(responses, func() string { return last })
	}
	for response := next(); response != nil; response = next() {
		errs := e.next(response)
		if response.Data == nil && len(errs) > 0 {
			return errs
		}
		last = cmp.Or(cursorOf(response.Data), last)
		m.allowed.Close()
	}
	err := end.Err()
	if err == nil {
		err = context.Cause(e.stopped)
	}
	if err == nil || errors.Is(err, errUnwritable) {
		return nil
	}
	return e.next(answer.Failed(ctx, err))
}

// next sends a response and returns its errors.
func (e *eventStream) next(response *graphql.Response) gqlerror.List {
	payload, err := answer.Append(nil, response)
	if err != nil {
		panic(err) // extensions hold plain values only
	}
	if bytes.ContainsAny(payload, "\r\n") { // between tokens: within texts they are escaped
		var line bytes.Buffer
		if err := json.Compact(&line, payload); err != nil {
			panic(err) // the executor writes JSON
		}
		payload = line.Bytes()
	}
	event := make([]byte, 0, len(payload)+128)
	event = append(event, eventNext...)
	if cursor := cursorOf(response.Data); cursor != "" {
		event = append(append(append(event, "id: "...), cursor...), '\n')
	}
	event = append(append(event, "data: "...), payload...)
	e.send(append(event, "\n\n"...))
	return response.Errors
}

// send writes and flushes. It ends the stream of a caller who does not read in time;
// they can resume from the last cursor they saw.
func (e *eventStream) send(event []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return
	}
	err := e.control.SetWriteDeadline(time.Now().Add(e.options.WriteTimeout))
	if err == nil {
		_, err = e.w.Write(event)
	}
	if err == nil {
		err = e.control.Flush()
	}
	if err != nil {
		e.over = true
		e.stop(errUnwritable)
	}
}

// cursorOf returns the cursor of a subscription's event, if it was selected without
// an alias.
func cursorOf(data []byte) string {
	if !bytes.Contains(data, []byte(`"cursor":"`)) {
		return ""
	}
	var fields map[string]struct{ Cursor string }
	if json.Unmarshal(data, &fields) != nil || len(fields) != 1 {
		return ""
	}
	for _, field := range fields {
		if strings.ContainsAny(field.Cursor, "\x00\r\n") {
			return ""
		}
		return field.Cursor
	}
	return ""
}

// resume lets an EventSource continue where it was: the id of its last event replaces
// the variable after.
func resume(r *http.Request, params *graphql.RawParams) {
	if id := r.Header.Get(LastEventID); id != "" {
		if params.Variables == nil {
			params.Variables = map[string]any{}
		}
		params.Variables["after"] = id
	}
}
