package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
)

// BulkOperation is one change that is made to each of a frozen set of
// conversations, and how far it has come.
type BulkOperation struct{ ent.Schema }

// Mixin of BulkOperation.
func (BulkOperation) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of BulkOperation.
func (BulkOperation) Annotations() []schema.Annotation {
	return table("bulk_operations", "One change made to each of a frozen set of conversations.")
}

// Fields of BulkOperation.
func (BulkOperation) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("creator_id").Immutable().Comment("Agent under whose rights it is done."),
		field.String("action").Immutable().MaxLen(40),
		field.Int64("assignee_id").Default(0).Immutable().Comment("Who gets them; 0 for nobody."),
		field.Bool("confirmed").Default(false).Immutable().Comment("A colleague's read state may change."),
		field.String("idempotency_key").Immutable().MaxLen(64),
		field.String("state").MaxLen(20),
		field.String("stop_reason").Default("").MaxLen(40),
		field.Int64("total").Immutable(),
		field.Int64("batch_size").Immutable().Comment("Items in each batch but the last."),
		field.Int64("done").Default(0).Comment("Items decided; those before are, those after are not."),
		field.Int64("changed").Default(0),
		field.JSON("refused", map[string]int64{}).Comment("How many were refused, by code."),
		field.Int64("holder").Default(0).Comment("Token of the worker; 0 for none."),
		instant("held_until"),
		createdAt(),
		instant("started_at"),
		instant("touched_at"),
		instant("finished_at"),
	}
}

// Indexes of BulkOperation.
func (BulkOperation) Indexes() []ent.Index {
	return []ent.Index{index.Fields("creator_id", "id"), index.Fields("finished_at")}
}

// Policy of BulkOperation.
func (BulkOperation) Policy() ent.Policy { return rule.SystemOnly() }

// BulkBatch is the items of an operation that one transaction decides. Nobody
// asks for one of them alone, so they are packed.
type BulkBatch struct{ ent.Schema }

// Mixin of BulkBatch.
func (BulkBatch) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of BulkBatch.
func (BulkBatch) Annotations() []schema.Annotation {
	return table("bulk_batches", "The items of a bulk operation that one transaction decides.")
}

// Fields of BulkBatch.
func (BulkBatch) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("operation_id").Immutable(),
		field.Int64("number").Immutable().Comment("From 0."),
		field.Bytes("items").Immutable().Comment("Key and inbound ordinal of each conversation when the set was frozen; of an undo, when it was changed."),
		field.Bytes("outcomes").Optional().Comment("A byte for each item; absent until they are decided."),
		field.Int64("decided_at").GoType(clock.Time(0)).Default(0).Comment("Time of the write that decided them, which its rows have too; 0 before."),
	}
}

// Indexes of BulkBatch.
func (BulkBatch) Indexes() []ent.Index {
	return []ent.Index{index.Fields("operation_id", "number").Unique()}
}

// Policy of BulkBatch.
func (BulkBatch) Policy() ent.Policy { return rule.SystemOnly() }
