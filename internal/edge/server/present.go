package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/ground/fault"
)

// maxErrors bounds the errors of one answer; one bad document can have as many
// as it has fields.
const maxErrors = 5

// Present turns any error into the one a caller sees. A *fault.Error keeps its
// message and gives its code, field, retryAfter (seconds) and cursor as
// extensions; parse and validation errors keep message and place, without
// suggestions in production; a passed deadline is TIMEOUT. Everything else is
// logged whole and answered as INTERNAL, or UNAVAILABLE (and logged as a warning)
// when it will pass. All carry the request's id.
func Present(ctx context.Context, err error) *gqlerror.Error {
	request := requestOf(ctx)
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
		if request.passing(err) {
			level, says = slog.LevelWarn, "the database cannot serve"
			f = fault.New(fault.Unavailable, "The database is unavailable. Try again shortly; repeat a change with the same idempotency key.")
		}
		request.logger.Log(ctx, level, says, "requestId", request.id, "path", out.Path.String(), "error", err)
	}
	out.Message = f.Message
	if request.production && f.Code == fault.ValidationFailed {
		out.Message, _, _ = strings.Cut(f.Message, " Did you mean ")
	}
	maps.Copy(out.Extensions, extensions(f))
	out.Extensions["requestId"] = request.id
	return out
}

// faultOf finds or chooses the fault that stands for err.
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

// documentMessage puts gqlgen's words where they alone do not say what is wrong:
// of a variable they have only the path, of a missing operationName nothing.
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

// isUnreadableArgument reports whether gqlgen was reading a field's arguments:
// it has them in the document, but not yet as values. What a custom scalar says
// of its input then is meant for the caller.
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

// asGraphQL carries a fault through gqlgen to Present.
func asGraphQL(err error) *gqlerror.Error {
	return &gqlerror.Error{Err: err, Message: err.Error()}
}

// outcome names how an operation ended, for metrics: "ok" or the code of its
// first error.
func outcome(errs gqlerror.List) string {
	if len(errs) == 0 {
		return "ok"
	}
	code, _ := errs[0].Extensions["code"].(fault.Code)
	return string(code)
}
