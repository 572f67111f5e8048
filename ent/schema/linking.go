package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/rule"
)

// LinkingRule says which records the customers of a channel may belong to.
type LinkingRule struct{ ent.Schema }

// Mixin of LinkingRule.
func (LinkingRule) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of LinkingRule.
func (LinkingRule) Annotations() []schema.Annotation {
	return table("linking_rules", "Which records the customers of a channel may belong to.")
}

// Fields of LinkingRule.
func (LinkingRule) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("channel_id").Immutable(),
		field.String("name").NotEmpty().MaxLen(800),
		field.String("description").Default("").MaxLen(4000),
		field.Bool("active").Default(true),
		field.Int("place").Default(0).Comment("The lowest goes first."),
		field.String("object_type").NotEmpty().MaxLen(80),
		field.JSON("match_fields", []string{}).Comment("Phone fields of the object type; empty for all."),
		field.Text("condition").Default("").Comment("A formula over the record's fields; empty for none."),
		field.String("mode").NotEmpty().MaxLen(20),
		field.String("timing").NotEmpty().MaxLen(20),
	}
}

// Edges of LinkingRule.
func (LinkingRule) Edges() []ent.Edge {
	return []ent.Edge{edge.To("channel", Channel.Type).Field("channel_id").Unique().Required().Immutable()}
}

// Indexes of LinkingRule.
func (LinkingRule) Indexes() []ent.Index { return []ent.Index{index.Fields("channel_id")} }

// Hooks of LinkingRule.
func (LinkingRule) Hooks() []ent.Hook { return rule.Audited(LinkingRule{}) }

// Policy of LinkingRule.
func (LinkingRule) Policy() ent.Policy { return rule.LinkingRule() }

// RecordLink ties a customer to a record: one of each object type.
type RecordLink struct{ ent.Schema }

// Mixin of RecordLink.
func (RecordLink) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of RecordLink.
func (RecordLink) Annotations() []schema.Annotation {
	return table("record_links", "A customer's record: one of each object type.")
}

// Fields of RecordLink.
func (RecordLink) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("messaging_user_id").Immutable(),
		field.String("object_type").Immutable().NotEmpty().MaxLen(80).Comment("The record's when they were linked."),
		field.Int64("record_id"),
		field.String("reason").MaxLen(20),
		field.String("field").Default("").MaxLen(80).Comment("The phone field that had the customer's number; empty if nobody looked."),
		field.Int64("rule_id").Default(0).Comment("The linking rule; 0 for none."),
		field.Int64("agent_id").Default(0).Comment("Who linked them; 0 for a rule or a trigger."),
		instant("linked_at"),
	}
}

// Edges of RecordLink.
func (RecordLink) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("messaging_user", MessagingUser.Type).Field("messaging_user_id").Unique().Required().Immutable(),
		edge.To("record", Record.Type).Field("record_id").Unique().Required(),
	}
}

// Indexes of RecordLink.
func (RecordLink) Indexes() []ent.Index {
	return []ent.Index{index.Fields("messaging_user_id", "object_type").Unique(), index.Fields("record_id")}
}

// Policy of RecordLink.
func (RecordLink) Policy() ent.Policy { return rule.SystemOnly() }

// LinkRefusal is a record that somebody said is not the customer's.
type LinkRefusal struct{ ent.Schema }

// Mixin of LinkRefusal.
func (LinkRefusal) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of LinkRefusal.
func (LinkRefusal) Annotations() []schema.Annotation {
	return table("link_refusals", "A record that somebody said is not the customer's.")
}

// Fields of LinkRefusal.
func (LinkRefusal) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("messaging_user_id").Immutable(),
		field.Int64("record_id").Immutable(),
		field.Bool("unlinked").Comment("They were linked before: no rule links the customer by itself any more."),
		field.Int64("agent_id"),
		createdAt(),
	}
}

// Edges of LinkRefusal.
func (LinkRefusal) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("messaging_user", MessagingUser.Type).Field("messaging_user_id").Unique().Required().Immutable(),
		edge.To("record", Record.Type).Field("record_id").Unique().Required().Immutable(),
	}
}

// Indexes of LinkRefusal.
func (LinkRefusal) Indexes() []ent.Index {
	return []ent.Index{index.Fields("messaging_user_id", "record_id").Unique(), index.Fields("record_id")}
}

// Policy of LinkRefusal.
func (LinkRefusal) Policy() ent.Policy { return rule.SystemOnly() }
