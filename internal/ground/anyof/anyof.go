// Package anyof writes that a column is one of many values.
package anyof

import (
	"encoding/json"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// Keys writes that a column is one of the keys, which are one argument, so that the
// statement's text does not depend on how many there are.
func Keys(b *entsql.Builder, column string, keys []int64) {
	b.WriteString(column).WriteString(" IN (")
	if b.Dialect() == dialect.Postgres {
		b.WriteString("SELECT k.value::bigint FROM json_array_elements_text(").Arg(JSON(keys)).WriteString("::json) AS k(value))")
		return
	}
	b.WriteString("SELECT value FROM json_each(").Arg(JSON(keys)).WriteString("))")
}

// JSON is a list of keys as JSON.
func JSON(keys []int64) string {
	if len(keys) == 0 {
		return "[]" // and not null, which PostgreSQL takes for no list
	}
	b, _ := json.Marshal(keys) // int64s always marshal
	return string(b)
}

// Args are values as arguments of a statement, one each.
func Args[T any](values []T) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}
