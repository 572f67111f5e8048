package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/channel"
	"parley/internal/desk/rule"
)

// ConsentEntry is a consent that a customer gave or took back. Entries are only added;
// the customer's consent_status is a copy of the last.
type ConsentEntry struct{ ent.Schema }

// Mixin of ConsentEntry.
func (ConsentEntry) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of ConsentEntry.
func (ConsentEntry) Annotations() []schema.Annotation {
	return table("consent_entries", "A consent that a customer gave or took back.")
}

// Fields of ConsentEntry.
func (ConsentEntry) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("messaging_user_id").Immutable(),
		field.String("status").GoType(channel.Consent("")).Immutable(),
		field.String("source").Immutable().MaxLen(20).Comment("Who brought it: CARRIER, AGENT or IMPORT."),
		field.String("reason").Default("").Immutable().MaxLen(2_000).Comment("The proof, in words."),
		field.Int64("actor_id").Default(0).Immutable().Comment("Agent who recorded it; 0 for the system."),
		instant("given_at"),
		createdAt(),
	}
}

// Indexes of ConsentEntry.
func (ConsentEntry) Indexes() []ent.Index { return []ent.Index{index.Fields("messaging_user_id")} }

// Policy of ConsentEntry.
func (ConsentEntry) Policy() ent.Policy { return rule.SystemOnly() }
