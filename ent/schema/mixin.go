// Package schema is the ent schema: what is stored, with its indexes and the
// policy of every type. Times are microseconds since 1970 (clock.Time), zero
// meaning never; optional references are NULL.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"

	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
)

// row gives every type an int64 key. Keys stay inside: the graph shows them as
// keyed permutations.
type row struct{ mixin.Schema }

func (row) Fields() []ent.Field {
	return []ent.Field{field.Int64("id").Immutable()}
}

// inDirectory is of the types that processes hold in memory: a change of the directory
// notes each row that it writes, so that only those are read again.
type inDirectory struct{ mixin.Schema }

func (inDirectory) Hooks() []ent.Hook { return []ent.Hook{rule.Noted} }

// instant is a field that holds a clock.Time.
func instant(name string) ent.Field {
	return field.Int64(name).GoType(clock.Time(0)).Default(0)
}

// createdAt is when the row was written.
func createdAt() ent.Field {
	return field.Int64("created_at").GoType(clock.Time(0)).Immutable()
}

// table names the table of a type.
func table(name, comment string) []schema.Annotation {
	return []schema.Annotation{entsql.Table(name), schema.Comment(comment)}
}
