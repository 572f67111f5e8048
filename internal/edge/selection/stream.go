package selection

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"

	"parley/internal/ground/allowance"
	"parley/internal/ground/viewer"
)

// Source gives the values of a subscription, one with each call; false at its
// end, and at the context's.
type Source func(ctx context.Context) (v any, ok bool)

// Channel is the Source that a resolver's channel is.
func Channel[T any](values <-chan T) Source {
	return func(ctx context.Context) (any, bool) {
		select {
		case v, ok := <-values:
			return v, ok
		case <-ctx.Done():
			return nil, false
		}
	}
}

// Event is a value of a subscription that many subscribers get, each as a value of
// their own: what does not depend on the viewer is written once for all of them.
// Shared returns what load returned when key was first asked for.
type Event interface {
	Shared(key any, load func() (any, error)) (any, error)
}

// share is the key of what is written once: a field of a plan, for an object.
type share struct {
	field  *field
	object any
	rights any // of the viewers who share it; nil for everybody
}

// subscription opens a stream; nil when the executor must.
func (s *Schema) subscription(ctx context.Context, p *plan, op *graphql.OperationContext) graphql.ResponseHandler {
	if len(p.root.fields) != 1 || p.root.fields[0].Stream == nil {
		return nil
	}
	f := p.root.fields[0]
	source, ok := f.open(ctx, op)
	if !ok {
		return nil
	}
	s.counts.compiled.Inc()
	return func(ctx context.Context) *graphql.Response {
		v, ok := source(ctx)
		if !ok {
			return nil
		}
		data, ok := p.frame(ctx, f, v, op.Variables)
		if !ok && allowance.FromContext(ctx).Refusal() != nil { // the executor would meet it again
			return &graphql.Response{}
		}
		if !ok {
			data = f.execute(ctx, v)
		}
		return &graphql.Response{Data: data}
	}
}

// open calls the field's resolver. Its error is reported here, as the executor would.
// The executor must not call it again, since a limit may have counted the call.
func (f *field) open(ctx context.Context, op *graphql.OperationContext) (source Source, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false // the executor meets the panic again, and reports it
		}
	}()
	var fc Call
	var err error
	if f.Args != nil {
		if fc.Args, err = f.Args(ctx, f.field.ArgumentMap(op.Variables)); err != nil {
			return nil, false
		}
	}
	if source, err = f.Stream(ctx, fc); err != nil {
		const root = "Subscription"
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: root})
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: root, Field: f.field, Args: fc.Args, IsMethod: true, IsResolver: true})
		op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
	}
	return source, true
}

// execute writes a value as the executor does, errors and all.
func (f *field) execute(ctx context.Context, v any) []byte {
	b := bytes.NewBufferString(f.key)
	f.Execute(ctx, f.field, v).MarshalGQL(b)
	b.WriteByte('}')
	return b.Bytes()
}

// frame writes a value of a stream; false when the executor must.
func (p *plan) frame(ctx context.Context, f *field, v any, variables map[string]any) ([]byte, bool) {
	return p.alone(ctx, func(r *run) bool {
		r.w.b = append(r.w.b, f.key...)
		on, v := f.pick(f.One(v))
		event, shares := v.(Event)
		if v == nil || !shares {
			return r.whole(ctx, f, v, variables) && r.close()
		}
		for _, f := range on.staged {
			if f.shared == SharedByNone && !r.stage(ctx, f, []any{v}, variables) {
				return false
			}
		}
		for _, f := range on.fields {
			r.w.b = append(r.w.b, f.key...)
			if f.shared == SharedByNone {
				r.value(f, v)
			} else if !p.splice(ctx, r, f, event, f.One(v), variables) {
				return false
			}
		}
		r.w.b = append(r.w.b, on.end...)
		return r.close()
	})
}

// large stands for a value that is too large to be shared: more than a chunk. A shared
// value stays until the last subscriber has taken it, and counts toward nobody's bound.
// A larger one is written by each subscriber, within their own bound. Writing stops as
// soon as it proves too large, since the others wait meanwhile.
type large struct{}

// splice writes what all subscribers of an event share.
func (p *plan) splice(ctx context.Context, r *run, f *field, event Event, v any, variables map[string]any) bool {
	rights := p.rightsFor(ctx, f)
	got, err := event.Shared(share{f, v, rights}, func() (any, error) {
		tooLarge := false
		data, ok := p.alone(ctx, func(r *run) bool {
			r.sharing = true
			ok := r.whole(ctx, f, v, variables)
			tooLarge = r.tooLarge
			return ok
		})
		switch {
		case tooLarge:
			return large{}, nil
		case !ok || p.rightsFor(ctx, f) != rights: // they changed while it was written
			return nil, errNotWritten
		}
		return data, nil
	})
	if err != nil {
		return false
	}
	data, shared := got.([]byte)
	if !shared {
		return r.whole(ctx, f, v, variables)
	}
	r.w.b = append(r.w.b, data...)
	return true
}

// rightsFor are the rights of the viewer that a field depends on; nil for none.
func (p *plan) rightsFor(ctx context.Context, f *field) any {
	if f.shared == SharedByRights {
		return p.rights(viewer.FromContext(ctx))
	}
	return nil
}

// whole fetches and writes an object of a field.
func (r *run) whole(ctx context.Context, f *field, v any, variables map[string]any) bool {
	if f.stagedBelow() && !r.fetchBelow(ctx, f, []any{v}, variables) {
		return false
	}
	r.object(f, v, f.NonNull)
	return !r.w.invalid
}

func (r *run) close() bool {
	r.w.b = append(r.w.b, '}')
	return !r.w.invalid
}

// alone runs what writes a part of an answer, which it returns.
func (p *plan) alone(ctx context.Context, write func(r *run) bool) (data []byte, ok bool) {
	r := p.begin(ctx)
	defer func() {
		if recover() != nil {
			ok = false // what the run holds is not to be trusted
		}
	}()
	defer r.release()
	if !write(r) {
		return nil, false
	}
	return r.joined(), true
}

// shareable says which of the viewers who see a field's object get the same selection on
// it: none do if any of it is resolved for each viewer, or depends on a variable.
func (f *field) shareable() Sharing {
	if f.Of == "" || f.Many != nil || f.One == nil || f.Resolve != nil || f.Batch != nil {
		return SharedByNone
	}
	return f.alike()
}

// alike is the least sharing of everything below.
func (f *field) alike() Sharing {
	least := SharedByAll
	for _, o := range f.selections() {
		for _, below := range o.fields {
			if below.Resolve != nil || variable(below.field) {
				return SharedByNone
			}
			if below.Batch != nil {
				least = min(least, below.Shared)
			}
			least = min(least, below.alike())
		}
	}
	return least
}
