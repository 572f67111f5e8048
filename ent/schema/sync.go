package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/connector"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
)

// CrmConnection is a CRM that records come from, as administrators set it up.
type CrmConnection struct{ ent.Schema }

// Mixin of CrmConnection.
func (CrmConnection) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of CrmConnection.
func (CrmConnection) Annotations() []schema.Annotation {
	return table("crm_connections", "A CRM that records come from, as administrators set it up.")
}

// Fields of CrmConnection.
func (CrmConnection) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").Unique().Immutable().NotEmpty().MaxLen(64).Comment("The last element of its webhook URL."),
		field.String("name").NotEmpty().MaxLen(800),
		field.String("kind").Immutable().NotEmpty().MaxLen(40),
		field.Bool("active").Default(false),
		field.JSON("settings", connector.Settings{}),
		field.Bytes("sealed").Optional().Sensitive().MaxLen(16_000).Comment("Its credentials, encrypted."),
		createdAt(),
	}
}

// Hooks of CrmConnection.
func (CrmConnection) Hooks() []ent.Hook { return rule.Audited(CrmConnection{}) }

// Policy of CrmConnection.
func (CrmConnection) Policy() ent.Policy { return rule.CrmConnection() }

// CrmSync is how far a connection has come. It is written by jobs, and so kept apart from
// what is audited.
type CrmSync struct{ ent.Schema }

// Mixin of CrmSync.
func (CrmSync) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of CrmSync.
func (CrmSync) Annotations() []schema.Annotation {
	return table("crm_syncs", "How far a connection has come.")
}

// Fields of CrmSync.
func (CrmSync) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("connection_id").Immutable(),
		field.JSON("progress", []connector.Progress{}).Comment("By object type."),
		field.Int64("holder").Default(0).Comment("Who works on it; 0 for nobody."),
		instant("held_until"),
		instant("due_at"),
		field.Int("failures").Default(0).Comment("In a row."),
		field.String("problem").Default("").MaxLen(2000),
		instant("problem_at"),
		instant("changed_at"),
		field.Int64("taken").Default(0).Comment("Changes that were taken, ever."),
		field.Int64("rejected").Default(0).Comment("Changes that were rejected, ever."),
	}
}

// Edges of CrmSync.
func (CrmSync) Edges() []ent.Edge {
	return []ent.Edge{ofConnection()}
}

// Indexes of CrmSync.
func (CrmSync) Indexes() []ent.Index { return []ent.Index{index.Fields("connection_id").Unique()} }

// Policy of CrmSync.
func (CrmSync) Policy() ent.Policy { return rule.SystemOnly() }

// RejectedChange is a change that could not be taken, kept to be looked at and tried again.
type RejectedChange struct{ ent.Schema }

// Mixin of RejectedChange.
func (RejectedChange) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of RejectedChange.
func (RejectedChange) Annotations() []schema.Annotation {
	return table("rejected_changes", "A change that could not be taken, kept to be looked at and tried again.")
}

// Fields of RejectedChange.
func (RejectedChange) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("connection_id").Immutable(),
		field.String("object_type").Default("").Immutable().MaxLen(400),
		field.String("external_id").Default("").Immutable().MaxLen(1000),
		field.String("operation").Default("").Immutable().MaxLen(40),
		field.Text("body").Default("").Immutable().Comment("The change; empty for one that is too long to keep or cannot be read."),
		field.String("code").Immutable().MaxLen(40),
		field.String("field").Default("").Immutable().MaxLen(400),
		field.String("problem").Immutable().MaxLen(2000),
		field.Int64("changed_at").GoType(clock.Time(0)).Default(0).Immutable().Comment("When the record changed, by the CRM's clock; 0 if that is not known."),
		createdAt(),
	}
}

// Edges of RejectedChange.
func (RejectedChange) Edges() []ent.Edge {
	return []ent.Edge{ofConnection()}
}

// Indexes of RejectedChange.
func (RejectedChange) Indexes() []ent.Index {
	return []ent.Index{index.Fields("connection_id", "object_type", "external_id")}
}

// Policy of RejectedChange.
func (RejectedChange) Policy() ent.Policy { return rule.SystemOnly() }

// TakenWebhook is the id of a webhook of a CRM, so that none is taken twice.
type TakenWebhook struct{ ent.Schema }

// Mixin of TakenWebhook.
func (TakenWebhook) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of TakenWebhook.
func (TakenWebhook) Annotations() []schema.Annotation {
	return table("taken_webhooks", "The id of a webhook of a CRM, so that none is taken twice.")
}

// Fields of TakenWebhook.
func (TakenWebhook) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("connection_id").Immutable(),
		field.String("event_id").Immutable().NotEmpty().MaxLen(200),
		createdAt(),
	}
}

// Edges of TakenWebhook.
func (TakenWebhook) Edges() []ent.Edge {
	return []ent.Edge{ofConnection()}
}

// Indexes of TakenWebhook.
func (TakenWebhook) Indexes() []ent.Index {
	return []ent.Index{index.Fields("connection_id", "event_id").Unique(), index.Fields("created_at")}
}

// Policy of TakenWebhook.
func (TakenWebhook) Policy() ent.Policy { return rule.SystemOnly() }

// ofConnection ties a row to its connection, and removes it with that.
func ofConnection() ent.Edge {
	return edge.To("connection", CrmConnection.Type).Field("connection_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Cascade))
}
