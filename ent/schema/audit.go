package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/rule"
)

// AuditEntry is one administrative act, or what was refused.
type AuditEntry struct{ ent.Schema }

// Mixin of AuditEntry.
func (AuditEntry) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of AuditEntry.
func (AuditEntry) Annotations() []schema.Annotation {
	return table("audit_entries", "An administrative act, or what was refused.")
}

// Fields of AuditEntry. Copies of names stay what they were.
func (AuditEntry) Fields() []ent.Field {
	return []ent.Field{
		field.String("action").Immutable().NotEmpty().MaxLen(40),
		field.Int64("actor_id").Default(0).Immutable().Comment("Agent; 0 for the system and for strangers."),
		field.String("actor_name").Default("").Immutable().MaxLen(256),
		field.String("source").Default("").Immutable().MaxLen(64).Comment("Network address; empty for none."),
		field.String("subject_type").Default("").Immutable().MaxLen(40).Comment("As in the graph."),
		field.Int64("subject_id").Default(0).Immutable(),
		field.String("subject_name").Default("").Immutable().MaxLen(800),
		field.String("detail").Default("").Immutable().MaxLen(800),
		field.Bytes("changes").Optional().Immutable().Comment("JSON; no secrets."),
		field.Int64("count").Default(1).Immutable().Comment("How often it happened."),
		createdAt(),
	}
}

// Indexes of AuditEntry.
func (AuditEntry) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject_type", "subject_id"), index.Fields("actor_id"), index.Fields("created_at")}
}

// AuditMention is a row that an entry's changes name as added or removed.
type AuditMention struct{ ent.Schema }

// Mixin of AuditMention.
func (AuditMention) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of AuditMention.
func (AuditMention) Annotations() []schema.Annotation {
	return table("audit_mentions", "A row that an entry's changes name as added or removed.")
}

// Fields of AuditMention.
func (AuditMention) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("entry_id").Immutable(),
		field.String("subject_type").Immutable().MaxLen(40).Comment("As in the graph."),
		field.Int64("subject_id").Immutable(),
	}
}

// Indexes of AuditMention.
func (AuditMention) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject_type", "subject_id", "entry_id"), index.Fields("entry_id")}
}

// Policy of AuditMention.
func (AuditMention) Policy() ent.Policy { return rule.SystemOnly() }

// Policy of AuditEntry.
func (AuditEntry) Policy() ent.Policy { return rule.AuditEntry() }
