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

// List writes keys as a table with this name and the column value, one argument however many
// there are.
func List(b *entsql.Builder, name string, keys []int64) {
	if b.Dialect() == dialect.Postgres {
		b.WriteString("(SELECT e.value::bigint AS value FROM json_array_elements_text(").Arg(JSON(keys)).WriteString("::json) AS e(value)) AS " + name)
		return
	}
	b.WriteString("json_each(").Arg(JSON(keys)).WriteString(") AS " + name)
}

// Pairs writes pairs of keys as a table with this name and these two columns, as List does.
func Pairs(b *entsql.Builder, name string, columns [2]string, pairs [][2]int64) {
	list, _ := json.Marshal(pairs) // int64s always marshal
	if b.Dialect() == dialect.Postgres {
		b.WriteString("(SELECT (e.value->>0)::bigint AS " + columns[0] + ", (e.value->>1)::bigint AS " + columns[1] + " FROM json_array_elements(").
			Arg(string(list)).WriteString("::json) AS e(value)) AS " + name)
		return
	}
	b.WriteString("(SELECT json_extract(value, '$[0]') AS " + columns[0] + ", json_extract(value, '$[1]') AS " + columns[1] + " FROM json_each(").
		Arg(string(list)).WriteString(")) AS " + name)
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
