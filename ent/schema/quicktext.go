package schema

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	gen "parley/ent"
	"parley/ent/hook"
	"parley/internal/desk/rule"
	"parley/internal/ground/word"
)

// QuickText is a sentence that agents have ready.
type QuickText struct{ ent.Schema }

// Mixin of QuickText.
func (QuickText) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of QuickText.
func (QuickText) Annotations() []schema.Annotation {
	return table("quick_texts", "A sentence that agents have ready.")
}

// Fields of QuickText.
func (QuickText) Fields() []ent.Field {
	return []ent.Field{
		field.String("title").NotEmpty().MaxLen(800),
		field.String("title_key").NotEmpty().MaxLen(40_000).Comment("The title without case and accents: the order of lists, and what a search begins with."),
		field.String("text").NotEmpty().MaxLen(40_000),
		field.String("folder").Default("").MaxLen(800),
		field.String("scope").Immutable().MaxLen(20).Comment("Whose it is: MINE, QUEUE or ALL."),
		field.Int64("queue_id").Optional().Nillable().Immutable().Comment("Of the scope QUEUE."),
		field.Int64("creator_id").Immutable(),
		field.Int64("use_count").Default(0),
		field.Bool("archived").Default(false),
		createdAt(),
		instant("updated_at"),
	}
}

// Edges of QuickText.
func (QuickText) Edges() []ent.Edge {
	return []ent.Edge{edge.To("queue", Queue.Type).Field("queue_id").Unique().Immutable()}
}

// Indexes of QuickText.
func (QuickText) Indexes() []ent.Index {
	return []ent.Index{index.Fields("scope", "creator_id"), index.Fields("queue_id")}
}

// Hooks of QuickText: the key follows from the title.
func (QuickText) Hooks() []ent.Hook {
	return []ent.Hook{hook.On(func(next ent.Mutator) ent.Mutator {
		return hook.QuickTextFunc(func(ctx context.Context, m *gen.QuickTextMutation) (ent.Value, error) {
			if title, changed := m.Title(); changed {
				m.SetTitleKey(word.Title(title))
			}
			return next.Mutate(ctx, m)
		})
	}, ent.OpCreate|ent.OpUpdateOne)}
}

// Policy of QuickText.
func (QuickText) Policy() ent.Policy { return rule.QuickText() }
