package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/rule"
)

// Lookup is a field of a record that references another record.
type Lookup struct{ ent.Schema }

// Mixin of Lookup.
func (Lookup) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Lookup.
func (Lookup) Annotations() []schema.Annotation {
	return table("lookups", "A field of a record that references another record.")
}

// Fields of Lookup.
func (Lookup) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("record_id").Immutable(),
		field.String("field").Immutable().NotEmpty().MaxLen(80).Comment("Its name in the CRM; the target's object type where that is all that is known."),
		field.Int64("target_id"),
		field.String("record_type").Default("").MaxLen(80).Comment("Copy of the record's object type; empty until it is filled."),
	}
}

// Edges of Lookup.
func (Lookup) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("record", Record.Type).Field("record_id").Unique().Required().Immutable(),
		edge.To("target", Record.Type).Field("target_id").Unique().Required(),
	}
}

// Indexes of Lookup. The second finds the records of a type that reference one, the third
// those whose type is to be filled.
func (Lookup) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("record_id", "field").Unique(),
		index.Fields("target_id", "field", "record_type").StorageKey("lookup_children"),
		index.Fields("id").StorageKey("lookup_unfilled").Annotations(entsql.IndexWhere("record_type = ''")),
	}
}

// Policy of Lookup.
func (Lookup) Policy() ent.Policy { return rule.SystemOnly() }
