package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/action"
	"parley/internal/desk/object"
	"parley/internal/desk/rule"
)

// RecordWrite is what a run of an action changed of a record, on its way to the CRM.
type RecordWrite struct{ ent.Schema }

// Mixin of RecordWrite.
func (RecordWrite) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of RecordWrite.
func (RecordWrite) Annotations() []schema.Annotation {
	return table("record_writes", "What a run of an action changed of a record, on its way to the CRM.")
}

// Fields of RecordWrite.
func (RecordWrite) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("connection_id").Immutable(),
		field.Int64("run_id").Immutable(),
		field.Int64("record_id").Immutable(),
		field.String("object_type").Immutable().MaxLen(80),
		field.Bool("creates").Immutable().Comment("The CRM does not have the record yet."),
		field.JSON("fields", map[string]object.Value{}).Immutable().Comment("The values that changed, by field."),
		instant("base"),      // the version of the record in the CRM that was changed: its time of change there
		instant("edited_at"), // what the change set records.updated_at to
		field.Int("depth").Default(0).Immutable().Comment("How many actions had set the run off."),
		field.String("status").MaxLen(20),
		field.Bool("open").Default(true).Comment("Something is to be done: it is to be written or, after that, the record is to be read again."),
		field.Bool("sent").Default(false).Comment("A creation was sent, and what came of it is not known."),
		field.Int("tries").Default(0).Comment("Since it was asked for last."),
		field.JSON("attempts", []action.Attempt{}),
		instant("due_at"),
		field.Int64("holder").Default(0).Comment("Who works on it; 0 for nobody."),
		instant("held_until"),
		createdAt(),
	}
}

// Edges of RecordWrite.
func (RecordWrite) Edges() []ent.Edge {
	return []ent.Edge{
		ofConnection(),
		edge.To("run", CrmActionRun.Type).Field("run_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of RecordWrite.
func (RecordWrite) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("run_id").Unique(), index.Fields("record_id", "created_at"), index.Fields("open", "due_at"), index.Fields("connection_id", "status"),
	}
}

// Policy of RecordWrite.
func (RecordWrite) Policy() ent.Policy { return rule.SystemOnly() }
