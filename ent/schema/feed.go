package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/rule"
)

// Event is one entry of the event log. Its id is its position: given under the
// tail lock, so positions are commit order without gaps.
type Event struct{ ent.Schema }

// Mixin of Event.
func (Event) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Event.
func (Event) Annotations() []schema.Annotation {
	return table("events", "The append-only event log; the id is the position.")
}

// Fields of Event.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.String("cause").Immutable().MaxLen(40),
		field.Int64("conversation_id").Default(0).Immutable(),
		field.Int64("message_id").Default(0).Immutable(),
		field.Int64("actor_id").Default(0).Immutable().Comment("Agent who caused it; 0 for the system."),
		field.String("idempotency_key").Default("").Immutable().MaxLen(64),
		field.Bytes("facts").Immutable().Comment("Before and after, as JSON; no text and no names."),
		createdAt(),
	}
}

// Policy of Event.
func (Event) Policy() ent.Policy { return rule.SystemOnly() }

// LogHead is the single row that holds the log's epoch and last position. Every
// writing transaction updates it last, which is the tail lock.
type LogHead struct{ ent.Schema }

// Mixin of LogHead.
func (LogHead) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of LogHead.
func (LogHead) Annotations() []schema.Annotation {
	return table("log_heads", "The event log's epoch and last position; one row with id 1.")
}

// Fields of LogHead.
func (LogHead) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("epoch").Comment("Changes when a backup is restored."),
		field.Int64("position").Default(0),
	}
}

// Policy of LogHead.
func (LogHead) Policy() ent.Policy { return rule.SystemOnly() }

// CountCell holds the standing counts of the conversations that share owner,
// channel, queue and object type. Zero and the empty text stand for none.
type CountCell struct{ ent.Schema }

// Mixin of CountCell.
func (CountCell) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of CountCell.
func (CountCell) Annotations() []schema.Annotation {
	return table("count_cells", "Standing counts by owner, channel, queue and object type.")
}

// Fields of CountCell.
func (CountCell) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Default(0).Immutable(),
		field.Int64("channel_id").Immutable(),
		field.Int64("queue_id").Default(0).Immutable(),
		field.String("object_type").Default("").Immutable(),
		field.Int64("conversations").Default(0),
		field.Int64("with_inbound").Default(0),
		field.Int64("unread").Default(0),
		field.Int64("unread_inbound").Default(0).Comment("Unread among those with an inbound."),
		field.Int64("new").Default(0),
	}
}

// Indexes of CountCell.
func (CountCell) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "channel_id", "queue_id", "object_type").Unique(),
		index.Fields("channel_id"),
	}
}

// Policy of CountCell.
func (CountCell) Policy() ent.Policy { return rule.SystemOnly() }

// IdempotencyKey remembers the result of a creating mutation for seven days.
type IdempotencyKey struct{ ent.Schema }

// Mixin of IdempotencyKey.
func (IdempotencyKey) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of IdempotencyKey.
func (IdempotencyKey) Annotations() []schema.Annotation {
	return table("idempotency_keys", "Results of creating mutations by agent, mutation and key.")
}

// Fields of IdempotencyKey.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("agent_id").Immutable(),
		field.String("mutation").Immutable().MaxLen(40),
		field.String("key").Immutable().MaxLen(64),
		field.Bytes("payload_hash").Immutable(),
		field.Int64("result_id").Default(0),
		createdAt(),
	}
}

// Indexes of IdempotencyKey.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("agent_id", "mutation", "key").Unique(),
		index.Fields("created_at"),
	}
}

// Policy of IdempotencyKey.
func (IdempotencyKey) Policy() ent.Policy { return rule.SystemOnly() }

// Secret is a key that all processes share.
type Secret struct{ ent.Schema }

// Mixin of Secret.
func (Secret) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Secret.
func (Secret) Annotations() []schema.Annotation {
	return table("secrets", "Keys that all processes share, made at first start.")
}

// Fields of Secret.
func (Secret) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique().Immutable().MaxLen(40),
		field.Bytes("value").Immutable().Sensitive(),
	}
}

// Policy of Secret.
func (Secret) Policy() ent.Policy { return rule.SystemOnly() }

// Process is one server on this database, as it last said itself.
type Process struct{ ent.Schema }

// Mixin of Process.
func (Process) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Process.
func (Process) Annotations() []schema.Annotation {
	return table("processes", "The servers on this database, each as it last said itself.")
}

// Fields of Process.
func (Process) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique().Immutable().MaxLen(64).Comment("Drawn at its start."),
		field.String("host").Immutable().MaxLen(255),
		field.String("version").Immutable().MaxLen(80),
		field.String("bus").Default("").MaxLen(80).Comment("What tells it of others' events; empty when nothing does."),
		instant("started_at"),
		instant("seen_at"),
	}
}

// Policy of Process.
func (Process) Policy() ent.Policy { return rule.SystemOnly() }
