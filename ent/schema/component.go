package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/component"
	"parley/internal/desk/rule"
)

// Component is a structured message that agents send.
type Component struct{ ent.Schema }

// Mixin of Component.
func (Component) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Component.
func (Component) Annotations() []schema.Annotation {
	return table("components", "A structured message that agents send.")
}

// Fields of Component.
func (Component) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(800),
		field.String("name_key").NotEmpty().MaxLen(40_000).Comment("The name without case and accents: the order of lists, and what a search begins with."),
		field.String("developer_name").Unique().Immutable().NotEmpty().MaxLen(80),
		field.String("kind").Immutable().NotEmpty().MaxLen(40),
		field.String("description").Default("").MaxLen(4000),
		field.Int("version").Positive().Comment("The number of the newest version."),
		field.Bool("archived").Default(false),
		field.Bool("used").Default(false).Comment("Whether a message was made of it."),
		field.Bytes("sealed").Optional().Sensitive().MaxLen(4000).Comment("The secret that calls of its provider are signed with, encrypted."),
		createdAt(),
		instant("updated_at"),
	}
}

// Indexes of Component.
func (Component) Indexes() []ent.Index { return []ent.Index{index.Fields("name_key")} }

// Hooks of Component.
func (Component) Hooks() []ent.Hook { return rule.Audited(Component{}) }

// Policy of Component.
func (Component) Policy() ent.Policy { return rule.Component() }

// ComponentVersion is what a component said from one change to the next.
type ComponentVersion struct{ ent.Schema }

// Mixin of ComponentVersion.
func (ComponentVersion) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of ComponentVersion.
func (ComponentVersion) Annotations() []schema.Annotation {
	return table("component_versions", "What a component said from one change to the next.")
}

// Fields of ComponentVersion.
func (ComponentVersion) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("component_id").Immutable(),
		field.Int("number").Immutable().Positive(),
		field.JSON("design", &component.Design{}).Immutable(),
		field.Int64("author_id").Immutable(),
		createdAt(),
	}
}

// Edges of ComponentVersion.
func (ComponentVersion) Edges() []ent.Edge {
	return []ent.Edge{edge.To("component", Component.Type).Field("component_id").Unique().Required().Immutable()}
}

// Indexes of ComponentVersion.
func (ComponentVersion) Indexes() []ent.Index {
	return []ent.Index{index.Fields("component_id", "number").Unique()}
}

// Policy of ComponentVersion.
func (ComponentVersion) Policy() ent.Policy { return rule.ComponentVersion() }

// ComponentAnswer is the first answer to a question that was sent.
type ComponentAnswer struct{ ent.Schema }

// Mixin of ComponentAnswer.
func (ComponentAnswer) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of ComponentAnswer.
func (ComponentAnswer) Annotations() []schema.Annotation {
	return table("component_answers", "The first answer to a question that was sent.")
}

// Fields of ComponentAnswer.
func (ComponentAnswer) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("message_id").Unique().Immutable().Comment("The question."),
		field.Int64("component_id").Immutable(),
		field.Int("option").Immutable().Comment("From 1."),
		createdAt(),
	}
}

// Indexes of ComponentAnswer.
func (ComponentAnswer) Indexes() []ent.Index { return []ent.Index{index.Fields("component_id")} }

// Policy of ComponentAnswer.
func (ComponentAnswer) Policy() ent.Policy { return rule.SystemOnly() }

// AutoResponse is a message that a conversation got by itself.
type AutoResponse struct{ ent.Schema }

// Mixin of AutoResponse.
func (AutoResponse) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of AutoResponse.
func (AutoResponse) Annotations() []schema.Annotation {
	return table("auto_responses", "A message that a conversation got by itself.")
}

// Fields of AutoResponse.
func (AutoResponse) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("conversation_id").Immutable(),
		field.String("moment").Immutable().NotEmpty().MaxLen(40),
		field.Int64("session_id").Default(0).Immutable().Comment("The session that it is of; 0 for the conversation as a whole."),
		field.Int64("message_id").Immutable(),
		createdAt(),
	}
}

// Indexes of AutoResponse.
func (AutoResponse) Indexes() []ent.Index {
	return []ent.Index{index.Fields("conversation_id", "moment", "session_id").Unique()}
}

// Policy of AutoResponse.
func (AutoResponse) Policy() ent.Policy { return rule.SystemOnly() }
