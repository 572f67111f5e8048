package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/object"
	"parley/internal/desk/rule"
)

// ObjectType is a type of CRM records: its fields, and what of them conversations use.
type ObjectType struct{ ent.Schema }

// Mixin of ObjectType.
func (ObjectType) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of ObjectType.
func (ObjectType) Annotations() []schema.Annotation {
	return table("object_types", "A type of CRM records: its fields, and what of them conversations use.")
}

// Fields of ObjectType.
func (ObjectType) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique().Immutable().NotEmpty().MaxLen(80).Comment("As the CRM writes it."),
		field.String("label").NotEmpty().MaxLen(800),
		field.String("plural_label").Default("").MaxLen(800),
		field.String("icon").Default("").MaxLen(80),
		field.String("description").Default("").MaxLen(4000),
		field.JSON("fields", []object.Field{}).Comment("The place of a field in the list is its number for ever."),
		field.JSON("messaging", object.Messaging{}),
		field.JSON("related", []object.Mapping{}).Optional().Comment("Paths of lookups to records whose conversations are related."),
	}
}

// Hooks of ObjectType.
func (ObjectType) Hooks() []ent.Hook { return rule.Audited(ObjectType{}) }

// Policy of ObjectType.
func (ObjectType) Policy() ent.Policy { return rule.ObjectType() }

// RecordValue is a value of a field that records are filtered and sorted by.
type RecordValue struct{ ent.Schema }

// Mixin of RecordValue.
func (RecordValue) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of RecordValue.
func (RecordValue) Annotations() []schema.Annotation {
	return table("record_values", "A value of a field that records are filtered and sorted by.")
}

// Fields of RecordValue.
func (RecordValue) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("record_id").Immutable(),
		field.Int64("slot").Immutable().Comment("The object type's key and the field's number in it."),
		field.Bytes("value").Immutable().MaxLen(400).Comment("Bytes in the order of the values."),
	}
}

// Edges of RecordValue.
func (RecordValue) Edges() []ent.Edge {
	return []ent.Edge{edge.To("record", Record.Type).Field("record_id").Unique().Required().Immutable()}
}

// Indexes of RecordValue.
func (RecordValue) Indexes() []ent.Index {
	return []ent.Index{index.Fields("slot", "value", "record_id"), index.Fields("record_id")}
}

// Policy of RecordValue.
func (RecordValue) Policy() ent.Policy { return rule.SystemOnly() }

// RecordPhone is a number of a record, in each of its phone fields.
type RecordPhone struct{ ent.Schema }

// Mixin of RecordPhone.
func (RecordPhone) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of RecordPhone.
func (RecordPhone) Annotations() []schema.Annotation {
	return table("record_phones", "A number of a record, in each of its phone fields.")
}

// Fields of RecordPhone.
func (RecordPhone) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("record_id").Immutable(),
		field.Int64("slot").Immutable().Comment("The object type's key and the field's number in it."),
		field.Int("place").Immutable().Comment("Its place among the phone fields, from 0."),
		field.String("number").Immutable().MaxLen(40).Comment("E.164; empty where it is no number."),
		field.String("own").Immutable().MaxLen(200).Comment("Its digits as the CRM holds them."),
	}
}

// Edges of RecordPhone.
func (RecordPhone) Edges() []ent.Edge {
	return []ent.Edge{edge.To("record", Record.Type).Field("record_id").Unique().Required().Immutable()}
}

// Indexes of RecordPhone.
func (RecordPhone) Indexes() []ent.Index {
	return []ent.Index{index.Fields("number", "record_id"), index.Fields("own", "record_id"), index.Fields("record_id")}
}

// Policy of RecordPhone.
func (RecordPhone) Policy() ent.Policy { return rule.SystemOnly() }

// FormerAnchor is the record that a conversation was anchored to until it was deleted: one
// that comes back, or turns out to be merged, gets its conversations back.
type FormerAnchor struct{ ent.Schema }

// Mixin of FormerAnchor.
func (FormerAnchor) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of FormerAnchor.
func (FormerAnchor) Annotations() []schema.Annotation {
	return table("former_anchors", "The record that a conversation was anchored to until it was deleted.")
}

// Fields of FormerAnchor.
func (FormerAnchor) Fields() []ent.Field {
	return []ent.Field{field.Int64("conversation_id").Immutable(), field.Int64("record_id")}
}

// Edges of FormerAnchor.
func (FormerAnchor) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("conversation", Conversation.Type).Field("conversation_id").Unique().Required().Immutable(),
		edge.To("record", Record.Type).Field("record_id").Unique().Required(),
	}
}

// Indexes of FormerAnchor.
func (FormerAnchor) Indexes() []ent.Index {
	return []ent.Index{index.Fields("conversation_id").Unique(), index.Fields("record_id")}
}

// Policy of FormerAnchor.
func (FormerAnchor) Policy() ent.Policy { return rule.SystemOnly() }
