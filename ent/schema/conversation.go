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
	"parley/internal/ground/clock"
)

// MessagingUser is one customer address on one channel.
type MessagingUser struct{ ent.Schema }

// Mixin of MessagingUser.
func (MessagingUser) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of MessagingUser.
func (MessagingUser) Annotations() []schema.Annotation {
	return table("messaging_users", "One customer address on one channel.")
}

// Fields of MessagingUser.
func (MessagingUser) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("channel_id").Immutable(),
		field.String("address").Immutable().NotEmpty().MaxLen(200).Comment("E.164 for phones."),
		field.String("name").Default("").MaxLen(200),
		field.String("name_source").Default("").MaxLen(20).Comment("Who gave the name; empty while there is none, and for names older than the column."),
		field.String("country").Default("").MaxLen(2),
		field.String("locale").Default("").MaxLen(35),
		field.String("time_zone").Default("").MaxLen(64).Comment("IANA name; empty for the organisation's."),
		field.String("external_id").Default("").MaxLen(800).Comment("The customer's id in another system."),
		field.String("consent_status").GoType(channel.Consent("")),
		field.Int64("merged_into").Optional().Nillable().Comment("The customer they were found to be, who is merged into nobody."),
		field.Int64("merged_with").Optional().Nillable().Comment("The customer merged_into was when they were merged, who may have been merged since."),
		instant("merged_at"), // kept when the merge is undone, until others are merged into them
		field.String("own_consent").GoType(channel.Consent("")).Default("").Comment("Given by themselves, while the consent of others merged into them counts too."),
		createdAt(),
	}
}

// Edges of MessagingUser.
func (MessagingUser) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("channel", Channel.Type).Ref("messaging_users").Field("channel_id").Unique().Required().Immutable(),
		edge.To("conversation", Conversation.Type).Unique(),
		edge.To("identifiers", Identifier.Type),
	}
}

// Indexes of MessagingUser.
func (MessagingUser) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("channel_id", "address").Unique(), index.Fields("address"),
		index.Fields("external_id").Annotations(entsql.IndexWhere("external_id <> ''")),
		index.Fields("merged_into").StorageKey("messaging_user_merged").Annotations(entsql.IndexWhere("merged_into IS NOT NULL")),
	}
}

// Policy of MessagingUser.
func (MessagingUser) Policy() ent.Policy {
	return rule.MessagingUser()
}

// Identifier is a name by which carriers know a messaging user. It is looked up by
// its own column, so that this may become a keyed hash of what is shown.
type Identifier struct{ ent.Schema }

// Mixin of Identifier.
func (Identifier) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Identifier.
func (Identifier) Annotations() []schema.Annotation {
	return table("identifiers", "A name by which carriers know a messaging user.")
}

// Fields of Identifier.
func (Identifier) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("channel_id").Immutable(),
		field.Int64("messaging_user_id").Immutable(),
		field.String("kind").GoType(channel.IdentifierKind("")),
		field.String("lookup").NotEmpty().MaxLen(200).Comment("What a sender is found by."),
		field.String("display").NotEmpty().MaxLen(200).Comment("What agents see: E.164 for phones."),
		field.String("received").Default("").MaxLen(200).Comment("As it first came; empty when that was not kept."),
		field.Bool("is_primary").Comment("Copied to messaging_users.address, and sent to."),
		createdAt(),
	}
}

// Edges of Identifier.
func (Identifier) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("messaging_user", MessagingUser.Type).Ref("identifiers").Field("messaging_user_id").Unique().Required().Immutable(),
	}
}

// Indexes of Identifier.
func (Identifier) Indexes() []ent.Index {
	return []ent.Index{index.Fields("channel_id", "lookup").Unique(), index.Fields("messaging_user_id")}
}

// Policy of Identifier.
func (Identifier) Policy() ent.Policy {
	return rule.OfConversation("messaging_user_id", "messaging_user_id")
}

// Record is a row of the CRM.
type Record struct{ ent.Schema }

// Mixin of Record.
func (Record) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Record.
func (Record) Annotations() []schema.Annotation { return table("records", "A row of the CRM.") }

// Fields of Record.
func (Record) Fields() []ent.Field {
	return []ent.Field{
		field.String("object_type").Immutable().NotEmpty().MaxLen(80),
		field.String("external_id").Immutable().NotEmpty().MaxLen(200),
		field.String("name").Default("").MaxLen(200),
		field.String("mobile_number").Default("").MaxLen(200).Comment("As the CRM holds it."),
		field.Bool("opted_out").Default(false).Comment("The CRM's own opt-out field."),
		instant("updated_at"),
		field.Text("body").Default("").Comment("Its fields by name, as JSON."),
		field.Bytes("name_key").Optional().Nillable().MaxLen(400).Comment("What records are sorted and searched by; null until the name is indexed."),
		field.Bool("stub").Default(false).Comment("It is referenced and has not come yet."),
		instant("deleted_at"),
		field.Int64("merged_into").Default(0).Comment("The record that took its place; 0 for none."),
	}
}

// Edges of Record.
func (Record) Edges() []ent.Edge {
	return []ent.Edge{edge.To("conversations", Conversation.Type)}
}

// Indexes of Record.
func (Record) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("object_type", "external_id").Unique(), index.Fields("mobile_number"),
		index.Fields("object_type", "name_key", "id").StorageKey("record_name"),
		index.Fields("id").StorageKey("record_unindexed").Annotations(entsql.IndexWhere("name_key IS NULL")),
		index.Fields("merged_into").StorageKey("record_merged").Annotations(entsql.IndexWhere("merged_into > 0")),
	}
}

// Policy of Record.
func (Record) Policy() ent.Policy { return rule.RecordPolicy() }

// Conversation is the thread between one messaging user and the business. Its
// row carries what a list shows and what a filter asks.
type Conversation struct{ ent.Schema }

// Mixin of Conversation.
func (Conversation) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Conversation.
func (Conversation) Annotations() []schema.Annotation {
	return table("conversations", "The thread between one messaging user and the business.")
}

// Fields of Conversation.
func (Conversation) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("channel_id").Immutable(),
		field.Int64("messaging_user_id").Immutable(),
		field.Int64("record_id").Optional().Nillable(),
		field.Int64("owner_id").Optional().Nillable(),
		field.Int64("queue_id").Optional().Nillable(),
		field.String("object_type").Default("").MaxLen(80).Comment("Of the anchor record; empty when there is none."),
		field.Bool("assigned").Default(false).Comment("The owner was assigned, so sending does not move them."),
		field.String("name").Default("").MaxLen(200).Comment("Copy of the customer's name."),
		field.String("address").Immutable().MaxLen(200).Comment("Copy of the customer's address."),
		field.String("topic").Default("").MaxLen(800).Comment("What it is about, as agents say; 200 characters."),
		field.String("preview").Default("").MaxLen(600),
		field.Int64("last_message_at").GoType(clock.Time(0)).Default(0).Comment("Below 0 while it is merged into another, where no list looks."),
		field.Int64("last_message_id").Default(0),
		field.String("last_direction").GoType(content.Direction("")).Default(""),
		instant("last_incoming_at"),
		field.Int64("due_at").GoType(clock.Time(0)).Default(0).Comment("When time alone changes it next; 0 for never."),
		field.Bool("is_unread").Default(false),
		field.Int64("inbound_count").Default(0).Comment("Ordinal of the last inbound."),
		field.Int64("read_count").Default(0).Comment("Inbound ordinal read up to."),
		field.Int64("first_seq").Default(1).Comment("Number of the first message or note: below 1 where older history was brought in."),
		field.Int64("last_seq").Default(0).Comment("Number of the last message or note."),
		field.JSON("sent_by", []int64{}).Optional().Comment("Agents who sent an outbound."),
		field.Int64("merged_into").Optional().Nillable().Comment("The conversation whose earlier stretch it is; that one is merged into none."),
		field.Int64("earlier_messages").Default(0).Comment("Messages and notes of the conversations merged into it."),
		field.Int64("earlier_inbound").Default(0).Comment("Of these, the inbound: part of inbound_count."),
		field.Int64("own_read").Default(0).Comment("Inbound ordinal up to which its own were read when another was last merged into it."),
		field.Int64("asked_id").Default(0).Comment("The last question that was sent as text and is not answered; 0 for none."),
		field.String("own_state").Default("").Comment("READ or UNREAD as it was by itself when others were merged into it; SEEN when it was read since."),
		createdAt(),
	}
}

// Edges of Conversation.
func (Conversation) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("channel", Channel.Type).Ref("conversations").Field("channel_id").Unique().Required().Immutable(),
		edge.From("messaging_user", MessagingUser.Type).Ref("conversation").Field("messaging_user_id").Unique().Required().Immutable(),
		edge.From("record", Record.Type).Ref("conversations").Field("record_id").Unique(),
		edge.From("queue", Queue.Type).Ref("conversations").Field("queue_id").Unique(),
		edge.To("owner", Agent.Type).Field("owner_id").Unique(),
		edge.To("messages", Message.Type),
		edge.To("participants", Participant.Type),
	}
}

// Indexes of Conversation. Every branch of the visibility predicate has one that
// ends in (last_message_at, id), so that a page merges the tops of its branches
// and visits no row it does not show; the unread ones are partial and small.
func (Conversation) Indexes() []ent.Index {
	newest := []string{"last_message_at", "id"}
	by := func(name, where string, columns ...string) ent.Index {
		i := index.Fields(append(columns, newest...)...).StorageKey(name)
		if where != "" {
			i = i.Annotations(entsql.IndexWhere(where))
		}
		return i
	}
	return []ent.Index{
		by("conversation_newest", ""),
		by("conversation_owner", "", "owner_id"),
		by("conversation_channel", "", "channel_id"),
		by("conversation_queue", "queue_id IS NOT NULL", "queue_id"),
		by("conversation_record", "record_id IS NOT NULL", "record_id"),
		by("conversation_object", "object_type <> ''", "object_type"),
		by("conversation_channel_unassigned", "owner_id IS NULL", "channel_id"),
		by("conversation_unread", "is_unread"),
		by("conversation_owner_unread", "is_unread", "owner_id"),
		by("conversation_channel_unread", "is_unread", "channel_id"),
		index.Fields("due_at").StorageKey("conversation_due").Annotations(entsql.IndexWhere("due_at > 0")),
		index.Fields("merged_into").StorageKey("conversation_merged").Annotations(entsql.IndexWhere("merged_into IS NOT NULL")),
	}
}

// Policy of Conversation.
func (Conversation) Policy() ent.Policy { return rule.ConversationPolicy() }

// Participant is an agent who sent an outbound in a conversation.
type Participant struct{ ent.Schema }

// Mixin of Participant.
func (Participant) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Participant.
func (Participant) Annotations() []schema.Annotation {
	return table("participants", "An agent who sent an outbound in a conversation.")
}

// Fields of Participant.
func (Participant) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("conversation_id").Immutable(),
		field.Int64("agent_id").Immutable(),
		instant("last_message_at"),
	}
}

// Edges of Participant.
func (Participant) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("conversation", Conversation.Type).Ref("participants").Field("conversation_id").Unique().Required().Immutable(),
		edge.To("agent", Agent.Type).Field("agent_id").Unique().Required().Immutable(),
	}
}

// Indexes of Participant. Its last_message_at is a copy of the conversation's,
// so that "Sent" sorts as every other view does.
func (Participant) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("conversation_id", "agent_id").Unique(),
		index.Fields("agent_id", "last_message_at", "conversation_id"),
	}
}

// Policy of Participant.
func (Participant) Policy() ent.Policy { return rule.OfConversation("id", "conversation_id") }
