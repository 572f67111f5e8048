package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/rule"
)

// Message is one inbound or outbound item, or a note, in a conversation.
type Message struct{ ent.Schema }

// Mixin of Message.
func (Message) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Message.
func (Message) Annotations() []schema.Annotation {
	return table("messages", "One inbound or outbound item, or a note, in a conversation.")
}

// Fields of Message.
func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("conversation_id").Immutable(),
		field.Int64("seq").Immutable().Comment("Dense number in the conversation, from 1."),
		field.String("direction").GoType(content.Direction("")).Default("").Immutable(),
		field.String("kind").GoType(content.Kind("")).Immutable(),
		field.String("source").GoType(content.Source("")).Immutable(),
		field.Text("text").Default("").Comment("What search and previews read."),
		field.Bytes("rest").Optional().Nillable().Comment("The rest of the content as JSON."),
		field.String("template_type").GoType(content.TemplateType("")).Default("").Immutable(),
		field.Int64("author_id").Optional().Nillable().Immutable(),
		field.String("status").GoType(channel.Status("")).Default("").Comment("Of the latest attempt; empty for what is never sent."),
		field.String("error_code").GoType(channel.ErrorCode("")).Default(""),
		field.Int64("inbound_ordinal").Default(0).Immutable().Comment("Inbound messages in the conversation up to here."),
		field.Int64("provider_account_id").Optional().Nillable().Immutable(),
		field.String("provider_id").Optional().Nillable().Immutable().MaxLen(200).Comment("Of an inbound, at the provider."),
		instant("provider_time"),
		createdAt(),
	}
}

// Edges of Message.
func (Message) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("conversation", Conversation.Type).Ref("messages").Field("conversation_id").Unique().Required().Immutable(),
		edge.To("author", Agent.Type).Field("author_id").Unique().Immutable(),
		edge.To("attempts", Attempt.Type),
	}
}

// Indexes of Message.
func (Message) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("conversation_id", "seq").Unique(),
		index.Fields("provider_account_id", "provider_id").Unique().
			Annotations(entsql.IndexWhere("provider_id IS NOT NULL")),
	}
}

// Policy of Message.
func (Message) Policy() ent.Policy { return rule.OfConversation("id", "conversation_id") }

// Attempt is one attempt to send a message.
type Attempt struct{ ent.Schema }

// Mixin of Attempt.
func (Attempt) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Attempt.
func (Attempt) Annotations() []schema.Annotation {
	return table("attempts", "One attempt to send a message.")
}

// Fields of Attempt.
func (Attempt) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("conversation_id").Immutable(),
		field.Int64("message_id").Immutable(),
		field.Int("number").Immutable(),
		field.String("status").GoType(channel.Status("")),
		field.String("error_code").GoType(channel.ErrorCode("")).Default(""),
		field.String("detail").Default("").MaxLen(500).Comment("The carrier's own words, for operators."),
		field.Int64("provider_account_id").Immutable(),
		field.String("provider_id").Optional().Nillable().MaxLen(200),
		field.Int("throttled").Default(0).Comment("How many attempts in a row the carrier put off before this one."),
		instant("turn_at"), // when it may leave on a channel that is paced; 0 before that is known
		instant("updated_at"),
		createdAt(),
	}
}

// Edges of Attempt.
func (Attempt) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("message", Message.Type).Ref("attempts").Field("message_id").Unique().Required().Immutable(),
	}
}

// Indexes of Attempt. The lane reads the partial one: what still waits or hangs
// in a conversation, in order.
func (Attempt) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("message_id", "number").Unique(),
		index.Fields("conversation_id", "message_id").StorageKey("attempt_lane").
			Annotations(entsql.IndexWhere("status = 'QUEUED' OR status = 'SENDING'")),
		index.Fields("provider_account_id", "provider_id").
			Annotations(entsql.IndexWhere("provider_id IS NOT NULL")),
	}
}

// Policy of Attempt.
func (Attempt) Policy() ent.Policy { return rule.OfConversation("id", "conversation_id") }

// Lane is the lease under which one worker drains a conversation's queue.
type Lane struct{ ent.Schema }

// Mixin of Lane.
func (Lane) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Lane.
func (Lane) Annotations() []schema.Annotation {
	return table("lanes", "The lease under which one worker drains a conversation's queue; the id is the conversation's.")
}

// Fields of Lane.
func (Lane) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("token").Comment("Names the holder; a worker whose token is gone has lost the lane."),
		instant("leased_until"),
	}
}

// Policy of Lane.
func (Lane) Policy() ent.Policy { return rule.SystemOnly() }

// Pace spreads what a channel sends, for all processes.
type Pace struct{ ent.Schema }

// Mixin of Pace.
func (Pace) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Pace.
func (Pace) Annotations() []schema.Annotation {
	return table("paces", "The next free turn of a channel with a limit of messages a second; the id is the channel's.")
}

// Fields of Pace.
func (Pace) Fields() []ent.Field {
	return []ent.Field{
		instant("next_at"),
		instant("programs_at"), // when what programs send asks for a turn next, while none is near
	}
}

// Policy of Pace.
func (Pace) Policy() ent.Policy { return rule.SystemOnly() }

// RawInbound is a webhook entry as it came.
type RawInbound struct{ ent.Schema }

// Mixin of RawInbound.
func (RawInbound) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of RawInbound.
func (RawInbound) Annotations() []schema.Annotation {
	return table("raw_inbounds", "A webhook entry as it came; unique by account and provider event.")
}

// Fields of RawInbound.
func (RawInbound) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("provider_account_id").Immutable(),
		field.String("event_id").Immutable().MaxLen(300),
		field.String("state").Comment("DONE, PENDING (a receipt that matches nothing yet) or FAILED."),
		field.String("provider_id").Default("").Immutable().MaxLen(200).Comment("Of the message a receipt speaks of."),
		field.Bytes("payload"),
		field.String("error").Default("").MaxLen(500),
		createdAt(),
	}
}

// Indexes of RawInbound.
func (RawInbound) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("provider_account_id", "event_id").Unique(),
		index.Fields("provider_account_id", "provider_id").StorageKey("raw_inbound_pending").
			Annotations(entsql.IndexWhere("state = 'PENDING'")),
		index.Fields("created_at").StorageKey("raw_inbound_failed").
			Annotations(entsql.IndexWhere("state = 'FAILED'")),
	}
}

// Policy of RawInbound.
func (RawInbound) Policy() ent.Policy { return rule.SystemOnly() }
