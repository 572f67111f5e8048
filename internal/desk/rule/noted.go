package rule

import (
	"context"

	"entgo.io/ent"
)

type noteKey struct{}

// WithNotes returns a context whose writes of types with the hook Noted are told to note:
// the type, and the row's key, which is 0 when one statement wrote many rows.
func WithNotes(ctx context.Context, note func(kind string, key int64)) context.Context {
	return context.WithValue(ctx, noteKey{}, note)
}

// Noted is the hook of types whose writes are told to the notes of the context, if it has
// any.
func Noted(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		v, err := next.Mutate(ctx, m)
		note, asked := ctx.Value(noteKey{}).(func(string, int64))
		if err != nil || !asked {
			return v, err
		}
		var key int64
		if one, is := m.(interface{ ID() (int64, bool) }); is && m.Op().Is(ent.OpCreate|ent.OpUpdateOne|ent.OpDeleteOne) {
			key, _ = one.ID()
		}
		note(m.Type(), key)
		return v, nil
	})
}
