package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/persisted"
	"parley/internal/edge/selection"
	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
)

// httpTransport serves queries and mutations by the GraphQL over HTTP draft
// (https://graphql.github.io/graphql-over-http/draft/): application/json answers
// 200 to every well-formed request, application/graphql-response+json 400 when
// the operation did not run.
type httpTransport struct{ *Server }

// refusal is an error with the HTTP status it takes.
type refusal struct {
	status int
	err    error
}

func (t *httpTransport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	accepts := negotiate(r.Header.Values("Accept"))
	if accepts.media == "" {
		answer.Refuse(w, r, http.StatusNotAcceptable,
			fault.New(fault.BadInput, "Accept %s, %s or %s.", mediaResponse, answer.MediaJSON, mediaEvents))
		return
	}
	leave, err := t.flight.board(r.Context()) // before anything is read, for what is read takes room
	if err != nil {
		t.metrics.limit("flight")
		answer.RefuseAs(w, r, http.StatusTooManyRequests, accepts.refusals(), err)
		return
	}
	defer func() { leave() }()
	start := graphql.Now()
	params, refused := t.read(r)
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
	op, errs := t.prepare(r.Context(), params)
	t.rate.refused(r.Context(), params.Query, errs)
	switch {
	case rateLimited(errs) != nil:
		t.refuse(w, r, op, accepts, refusal{http.StatusTooManyRequests, rateLimited(errs)})
	case errs == nil && op.Operation.Operation == ast.Mutation && r.Method == http.MethodGet:
		w.Header().Set("Allow", http.MethodPost)
		t.refuse(w, r, op, accepts, refusal{http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Send mutations by POST.")})
	case accepts.media == mediaEvents, errs == nil && accepts.events && op.Operation.Operation == ast.Subscription:
		leave() // a stream is bounded by itself, and what it runs boards again
		leave = func() {}
		t.serveEvents(w, r, op, errs)
	default:
		t.serveOne(w, r, accepts.media, op, errs)
	}
}

// refuse answers an operation that has a status of its own, before any stream.
func (t *httpTransport) refuse(w http.ResponseWriter, r *http.Request, op *graphql.OperationContext, a accepted, refused refusal) {
	answer.RetryAfter(w, refused.err)
	response := answer.Failed(r.Context(), refused.err)
	t.observer.Ran(r.Context(), op, response.Errors)
	write(w, refused.status, a.refusals(), response)
}

// serveOne answers by one response, or with the errors for which there is none.
func (t *httpTransport) serveOne(w http.ResponseWriter, r *http.Request, media string, op *graphql.OperationContext, errs gqlerror.List) {
	ctx, allowed := t.answers.NewContext(graphql.WithOperationContext(r.Context(), op))
	defer allowed.Close()
	ctx, release := selection.Hold(ctx)
	defer release()
	status := http.StatusBadRequest
	var response *graphql.Response
	switch {
	case errs != nil:
		response = t.exec.DispatchError(ctx, errs)
	case op.Operation.Operation == ast.Subscription:
		response = t.exec.DispatchError(ctx, gqlerror.List{answer.AsGraphQL(fault.New(fault.BadInput,
			"Subscriptions need a stream. Accept %s, or open a WebSocket with %s.", mediaEvents, subprotocol))})
	default:
		status, response = t.dispatch(ctx, op)
	}
	t.observer.Ran(ctx, op, response.Errors)
	if media == answer.MediaJSON {
		status = http.StatusOK
	}
	retryFields(w, response.Errors)
	answer.RetryAfter(w, allowed.Refusal())
	write(w, status, media, response, selection.Parts(ctx)...)
}

// dispatch executes a query or mutation and returns the status for
// application/graphql-response+json.
func (s *Server) dispatch(ctx context.Context, op *graphql.OperationContext) (int, *graphql.Response) {
	ctx, cancel := context.WithTimeout(ctx, s.options.RequestTimeout)
	defer cancel()
	responses, ctx := s.exec.DispatchOperation(ctx, op)
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

func (s *Server) read(r *http.Request) (*graphql.RawParams, *refusal) {
	var params *graphql.RawParams
	var err error
	if r.Method == http.MethodGet {
		if err = s.rate.read(r.Context(), len(r.URL.RawQuery)); err == nil {
			params, err = fromURL(r)
		}
	} else {
		if !isJSON(r.Header.Get("Content-Type")) {
			return nil, &refusal{
				http.StatusUnsupportedMediaType,
				fault.New(fault.BadInput, "Send the request as Content-Type: application/json in UTF-8."),
			}
		}
		params, err = s.fromBody(r)
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &refusal{http.StatusRequestEntityTooLarge, answer.TooLarge(large.Limit)}
	case retryLater(err):
		return nil, &refusal{http.StatusTooManyRequests, err}
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, err}
	case strings.TrimSpace(params.Query) == "" && !persisted.Names(params):
		return nil, &refusal{http.StatusBadRequest, fault.Input("query", "The request has no query. Add one.")}
	}
	return params, nil
}

func isJSON(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	return err == nil && media == answer.MediaJSON && isUTF8(parameters)
}

func isUTF8(parameters map[string]string) bool {
	charset, found := parameters["charset"]
	return !found || strings.EqualFold(charset, "utf-8")
}

func fromURL(r *http.Request) (*graphql.RawParams, error) {
	values := r.URL.Query()
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	if !utf8.ValidString(params.Query) || !utf8.ValidString(params.OperationName) {
		return nil, fault.Input("query", "Encode the URL's parameters as UTF-8 with percent-encoding.")
	}
	for name, into := range map[string]*map[string]any{
		"variables":  &params.Variables,
		"extensions": &params.Extensions,
	} {
		if text := values.Get(name); text != "" && decode([]byte(text), into) != nil {
			return nil, fault.Input(name, "The parameter %s must be a JSON object.", name)
		}
	}
	name(params, values.Get(persisted.DocumentID))
	return params, nil
}

// name moves the name of a document to where the executor's extensions see it.
func name(params *graphql.RawParams, id string) {
	if id == "" {
		return
	}
	if params.Extensions == nil {
		params.Extensions = map[string]any{}
	}
	params.Extensions[persisted.DocumentID] = id
}

// parseParams reads the JSON of a request.
func parseParams(text []byte) (*graphql.RawParams, error) {
	var body struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
		DocumentID    string         `json:"documentId"`
	}
	if err := decode(text, &body); err != nil {
		return nil, err
	}
	params := &graphql.RawParams{
		Query: body.Query, OperationName: body.OperationName, Variables: body.Variables, Extensions: body.Extensions,
	}
	name(params, body.DocumentID)
	return params, nil
}

func (s *Server) fromBody(r *http.Request) (*graphql.RawParams, error) {
	text, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, err
	case err != nil:
		return nil, fault.New(fault.BadInput, "The body ended before its stated length. Send it again.")
	}
	if err := s.rate.read(r.Context(), len(text)); err != nil {
		return nil, err
	}
	params, err := parseParams(text)
	if err != nil {
		return nil, malformed(err)
	}
	return params, nil
}

// malformed says what is wrong with a request in words of ours: those of
// encoding/json tell of Go, and the body is not for errors.
func malformed(err error) error {
	if fault.CodeOf(err) == fault.LimitExceeded {
		return err
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fault.Input(wrong.Field, "The member %s has the wrong type.", wrong.Field)
	}
	return fault.New(fault.BadInput, "The request must be one JSON object with query or documentId, operationName, variables and extensions.")
}

// mostValues is how many values a request may hold: twice as many as any operation
// takes ids. Each takes a hundred times its text once it is read.
const mostValues = 20_000

// fewValues refuses JSON that holds too many values, which are counted, about, by
// what stands between them.
func fewValues(text []byte) error {
	values, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '{' || c == '['):
			values++
		}
	}
	if values > mostValues {
		return fault.New(fault.LimitExceeded, "The request contains more than %d JSON values. Send fewer at once.", mostValues)
	}
	return nil
}

var errTrailing = errors.New("text after the JSON value")

// decode reads exactly one JSON value, with numbers as they are written.
func decode(text []byte, into any) error {
	if !utf8.Valid(text) {
		return errors.New("not UTF-8")
	}
	if err := fewValues(text); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}
