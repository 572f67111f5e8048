package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/action"
	"parley/internal/desk/rule"
)

// CrmAction is something that agents, or triggers, do with a CRM record from a
// conversation.
type CrmAction struct{ ent.Schema }

// Mixin of CrmAction.
func (CrmAction) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of CrmAction.
func (CrmAction) Annotations() []schema.Annotation {
	return table("crm_actions", "Something that agents, or triggers, do with a CRM record from a conversation.")
}

// Fields of CrmAction.
func (CrmAction) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(800),
		field.String("developer_name").Unique().Immutable().NotEmpty().MaxLen(80),
		field.String("performs").Immutable().NotEmpty().MaxLen(40),
		field.String("type").NotEmpty().MaxLen(20).Comment("MANUAL or AUTOMATIC."),
		field.String("description").Default("").MaxLen(4000),
		field.Bool("active").Default(true),
		field.JSON("object_types", []string{}),
		field.JSON("parameters", []action.Parameter{}),
		field.String("trigger").Default("").MaxLen(40),
		field.JSON("conditions", []action.Condition{}),
		field.Bytes("sealed").Optional().Sensitive().MaxLen(4000).Comment("What webhooks are signed with, encrypted."),
	}
}

// Hooks of CrmAction.
func (CrmAction) Hooks() []ent.Hook { return rule.Audited(CrmAction{}) }

// Policy of CrmAction.
func (CrmAction) Policy() ent.Policy { return rule.CrmAction() }

// CrmActionRun is a run of an action.
type CrmActionRun struct{ ent.Schema }

// Mixin of CrmActionRun.
func (CrmActionRun) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of CrmActionRun.
func (CrmActionRun) Annotations() []schema.Annotation {
	return table("crm_action_runs", "A run of an action, with what became of it.")
}

// Fields of CrmActionRun.
func (CrmActionRun) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("action_id").Immutable(),
		field.Int64("conversation_id").Optional().Nillable().Immutable(),
		field.Int64("record_id").Default(0).Comment("The record that was created, changed, linked or watched; 0 for none."),
		field.Int64("subject_id").Default(0).Immutable().Comment("What runs are counted by: the record before the run, or else minus the conversation."),
		field.Int64("agent_id").Default(0).Immutable().Comment("Who ran it; 0 for a trigger."),
		field.String("trigger").Default("").Immutable().MaxLen(40),
		field.String("outcome").MaxLen(20),
		field.String("code").Default("").MaxLen(40).Comment("Why it was refused."),
		field.String("problem").Default("").MaxLen(2000),
		field.Int("depth").Default(0).Immutable(),
		field.String("cause").Optional().Nillable().Immutable().MaxLen(40).Comment("What set it off: an action runs once for each."),
		field.Int64("rerun_of").Default(0).Immutable(),
		field.Int64("message_id").Default(0).Immutable().Comment("The answer that set it off; 0 for none."),
		createdAt(),
	}
}

// Edges of CrmActionRun.
func (CrmActionRun) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("action", CrmAction.Type).Field("action_id").Unique().Required().Immutable(),
		edge.To("conversation", Conversation.Type).Field("conversation_id").Unique().Immutable(),
	}
}

// Indexes of CrmActionRun.
func (CrmActionRun) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("cause", "action_id").Unique(), index.Fields("action_id", "subject_id", "created_at"),
		index.Fields("conversation_id"), index.Fields("created_at"),
	}
}

// Policy of CrmActionRun.
func (CrmActionRun) Policy() ent.Policy { return rule.CrmActionRun() }

// WebhookDelivery is a call of a webhook that a run asked for.
type WebhookDelivery struct{ ent.Schema }

// Mixin of WebhookDelivery.
func (WebhookDelivery) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of WebhookDelivery.
func (WebhookDelivery) Annotations() []schema.Annotation {
	return table("webhook_deliveries", "A call of a webhook that a run asked for, and how it went.")
}

// Fields of WebhookDelivery.
func (WebhookDelivery) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("run_id").Immutable(),
		field.String("event_id").Immutable().MaxLen(40).Comment("The same for every try."),
		field.String("url").Immutable().MaxLen(8000),
		field.Text("body").Comment("Empty once it was delivered."),
		field.String("status").MaxLen(20),
		field.Int("tries").Default(0).Comment("Since it was asked for last."),
		field.JSON("attempts", []action.Attempt{}),
		instant("due_at"),
		createdAt(),
	}
}

// Edges of WebhookDelivery.
func (WebhookDelivery) Edges() []ent.Edge {
	return []ent.Edge{edge.To("run", CrmActionRun.Type).Field("run_id").Unique().Required().Immutable()}
}

// Indexes of WebhookDelivery.
func (WebhookDelivery) Indexes() []ent.Index { return []ent.Index{index.Fields("run_id").Unique()} }

// Policy of WebhookDelivery.
func (WebhookDelivery) Policy() ent.Policy { return rule.SystemOnly() }
