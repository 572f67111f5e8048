package store

import (
	"context"
	"sync"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"parley/internal/ground/trace"
)

// note shows a statement to the trace. The function returned must be called when
// the statement is done with.
func (s *Store) note(ctx context.Context, statement string) (done func(error)) {
	if s.trace != nil {
		if done := s.trace(ctx, statement); done != nil {
			return done
		}
	}
	return untraced
}

func untraced(error) {}

// traced shows ent's statements to the trace, when there is one.
func (s *Store) traced(d dialect.Driver) dialect.Driver {
	if s.trace == nil {
		return d
	}
	return tracedDriver{d, s}
}

type tracedDriver struct {
	dialect.Driver
	store *Store
}

// Exec implements dialect.Driver.
func (d tracedDriver) Exec(ctx context.Context, query string, args, v any) error {
	done := d.store.note(ctx, query)
	err := d.Driver.Exec(ctx, query, args, v)
	done(err)
	return err
}

// Query implements dialect.Driver.
func (d tracedDriver) Query(ctx context.Context, query string, args, v any) error {
	done := d.store.note(ctx, query)
	err := d.Driver.Query(ctx, query, args, v)
	if rows, ok := v.(*entsql.Rows); ok && err == nil {
		rows.ColumnScanner = &tracedRows{ColumnScanner: rows.ColumnScanner, done: done}
		return nil
	}
	done(err)
	return err
}

// tracedRows ends a statement when its rows are closed: SQLite does its work
// while they are read.
type tracedRows struct {
	entsql.ColumnScanner
	once sync.Once
	done func(error)
}

// Close implements entsql.ColumnScanner.
func (r *tracedRows) Close() error {
	r.once.Do(func() { r.done(r.Err()) })
	return r.ColumnScanner.Close()
}

// traceGroup begins the span of a group's transaction. It stands in the trace of
// the first item that is traced; the other items and it are linked both ways.
func (s *Store) traceGroup(items []*item) (context.Context, oteltrace.Span) {
	ctx := context.Background()
	var span oteltrace.Span = noop.Span{}
	if s.trace == nil {
		return ctx, span
	}
	for _, it := range items {
		caller := oteltrace.SpanFromContext(it.ctx)
		switch {
		case !caller.IsRecording():
		case span.IsRecording():
			span.AddLink(oteltrace.Link{SpanContext: caller.SpanContext()})
			caller.AddLink(oteltrace.Link{SpanContext: span.SpanContext()})
		default:
			ctx, span = trace.Start(oteltrace.ContextWithSpan(ctx, caller), "write group")
		}
	}
	return ctx, span
}

func endGroup(span oteltrace.Span, items, events int, err error) {
	if span.IsRecording() {
		span.SetAttributes(attribute.Int("parley.items", items), attribute.Int("parley.events", events))
	}
	trace.End(span, err)
}

func (s *Store) parentOf(it *item) string {
	if s.trace == nil {
		return ""
	}
	return trace.Parent(it.ctx)
}

// withParent has a job go on in the trace of the write that adds it: its metadata
// carry a traceparent (see trace.Continue).
func withParent(opts *river.InsertOpts, parent string) *river.InsertOpts {
	if parent == "" || opts != nil && opts.Metadata != nil {
		return opts
	}
	with := river.InsertOpts{}
	if opts != nil {
		with = *opts
	}
	with.Metadata = []byte(`{"traceparent":"` + parent + `"}`)
	return &with
}
