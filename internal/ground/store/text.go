package store

import (
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
)

// Text is a statement whose words never differ. Statements that many callers run
// are kept so: putting one together costs as much as running it.
type Text struct{ sqlite, postgres string }

// Fixed makes a Text of SQL that both databases understand, in which each question
// mark stands for an argument.
func Fixed(words string) Text {
	t := Text{sqlite: words}
	var b strings.Builder
	for i, part := range strings.Split(words, "?") {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	t.postgres = b.String()
	return t
}

// Locking makes a Text that reads rows to change them, locked where other processes
// write at the same time: those of table when the SQL names several.
func Locking(words, table string) Text {
	t := Fixed(words)
	t.postgres += " FOR UPDATE OF " + table
	return t
}

// With gives the statement its arguments.
func (t Text) With(args ...any) Query { return bound{t, args} }

// bound is a text with its arguments.
type bound struct {
	text Text
	args []any
}

// Query implements Query, in SQLite's words.
func (b bound) Query() (string, []any) { return b.text.sqlite, b.args }

// words are the statement's in the store's dialect.
func (s *Store) words(q Query) (string, []any) {
	if b, ok := q.(bound); ok && s.dialect == dialect.Postgres {
		return b.text.postgres, b.args
	}
	return q.Query()
}
