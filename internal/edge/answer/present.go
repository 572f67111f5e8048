// Package answer turns errors into what callers see, and writes the JSON of GraphQL
// responses. It knows neither transport nor executor.
//
//	ctx = answer.NewContext(ctx, &answer.Scope{RequestID: id, Logger: logger, Production: true})
//	answer.Refuse(w, r.WithContext(ctx), http.StatusForbidden, err)
package answer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/ground/fault"
)

// Scope is what Present needs to know about the request.
type Scope struct {
	RequestID string // every error carries it
	// Logger takes the errors that callers must not see.
	Logger *slog.Logger
	// Production drops suggestions from validation errors.
	Production bool
	// Passing reports whether an error will pass by itself, such as that of a database
	// that cannot be reached. Nil: none will.
	Passing func(error) bool
}

type scopeKey struct{}

// NewContext returns a context in which Present answers for scope.
func NewContext(ctx context.Context, scope *Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope)
}

// scopeOf returns the scope of ctx; without one, a stand-in that answers as
// production does.
func scopeOf(ctx context.Context) *Scope {
	if s, ok := ctx.Value(scopeKey{}).(*Scope); ok {
		return s
	}
	return &Scope{Logger: slog.Default(), Production: true}
}

func (s *Scope) passes(err error) bool { return s.Passing != nil && s.Passing(err) }

// Present turns any error into the one that the caller sees. A *fault.Error keeps its
// message, and its code, field, retryAfter (seconds) and cursor become extensions.
// Parse and validation errors keep message and place, in production without
// suggestions. A deadline that has passed is TIMEOUT. Everything else is logged whole
// and shown as INTERNAL, or as UNAVAILABLE (and logged as a warning) if it is
// passing. All carry the request's id.
func Present(ctx context.Context, err error) *gqlerror.Error {
	scope := scopeOf(ctx)
	out := &gqlerror.Error{Path: graphql.GetPath(ctx), Extensions: map[string]any{}}
	var placed *gqlerror.Error
	if errors.As(err, &placed) {
		out.Locations = placed.Locations
		if placed.Path != nil {
			out.Path = placed.Path
		}
	}
	f := faultOf(ctx, err, placed)
	if f.Code == fault.Internal {
		level, says := slog.LevelError, "internal error"
		if scope.passes(err) {
			level, says = slog.LevelWarn, "the database cannot serve"
			f = fault.New(fault.Unavailable, "The database is unavailable. Try again shortly; repeat a change with the same idempotency key.")
		}
		scope.Logger.Log(ctx, level, says, "requestId", scope.RequestID, "path", out.Path.String(), "error", err)
	}
	out.Message = f.Message
	if scope.Production && f.Code == fault.ValidationFailed {
		out.Message, _, _ = strings.Cut(f.Message, " Did you mean ")
	}
	maps.Copy(out.Extensions, extensions(f))
	out.Extensions["requestId"] = scope.RequestID
	return out
}

// faultOf returns the fault in err, or chooses one.
func faultOf(ctx context.Context, err error, placed *gqlerror.Error) *fault.Error {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		if f.Code == fault.Internal {
			return internal()
		}
		return f
	case placed != nil && isDocumentError(placed):
		return fault.New(documentCode(placed), "%s", documentMessage(placed))
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded):
		// Drivers say "interrupted" in their own words once the deadline has passed.
		return fault.New(fault.Timeout, "The request took too long and was stopped. Ask for less, or try again.")
	case errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled):
		return fault.New(fault.Unavailable, "The request was cancelled. Try again.")
	case placed != nil && isUnreadableArgument(ctx):
		return fault.New(fault.BadInput, "%s", placed.Message)
	}
	return internal()
}

func internal() *fault.Error {
	return fault.New(fault.Internal, "Something failed on the server. Report the request id.")
}

func documentCode(err *gqlerror.Error) fault.Code {
	code, _ := err.Extensions["code"].(string)
	return fault.Code(code)
}

// documentMessage completes gqlgen's messages that do not say enough: the one about a
// variable has its name only in the path, and the one about a missing operationName
// does not mention it.
func documentMessage(err *gqlerror.Error) string {
	if err.Message == "operation  not found" {
		return "The document does not have exactly one operation. Set operationName to the one to run."
	}
	if name, found := strings.CutPrefix(err.Path.String(), "variable."); found {
		return "Variable $" + name + ": " + sentence(err.Message)
	}
	return err.Message
}

func sentence(words string) string {
	if strings.HasSuffix(words, ".") || strings.HasSuffix(words, "?") {
		return words
	}
	return words + "."
}

func isDocumentError(err *gqlerror.Error) bool {
	code := documentCode(err)
	return code == fault.ParseFailed || code == fault.ValidationFailed
}

// isUnreadableArgument reports whether gqlgen was reading a field's arguments: it has
// them in the document, but not yet as values. The error of a custom scalar is then
// meant for the caller.
func isUnreadableArgument(ctx context.Context) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && field.Args == nil && field.Field.Field != nil && len(field.Field.Arguments) > 0
}

func extensions(f *fault.Error) map[string]any {
	out := map[string]any{"code": f.Code}
	if f.Field != "" {
		out["field"] = f.Field
	}
	if wait := f.RetrySeconds(); wait != nil {
		out["retryAfter"] = *wait
	}
	if f.Cursor != "" {
		out["cursor"] = f.Cursor
	}
	return out
}

// Recovered turns a panic into an error that Present logs whole, with the stack. It
// is for the deferred function that recovers; gqlgen takes it as its RecoverFunc.
func Recovered(_ context.Context, p any) error {
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}

// Failed returns the response of an operation that err stopped.
func Failed(ctx context.Context, err error) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{Present(ctx, err)}}
}

// AsGraphQL carries a fault through gqlgen to Present.
func AsGraphQL(err error) *gqlerror.Error {
	return &gqlerror.Error{Err: err, Message: err.Error()}
}
