package bulkload

import (
	"slices"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"

	"parley/ent/migrate"
)

// leftOut are columns that no batch gives a value, and why the default is right.
var leftOut = map[string]string{
	"attempts.turn_at":            "what is loaded was sent long ago",
	"messaging_users.merged_into": "nobody is merged by a load",
	"messaging_users.merged_with": "as above",
	"messaging_users.merged_at":   "as above",
	"messaging_users.own_consent": "as above",
	"messaging_users.external_id": "no file of messages has it",
	"records.body":                "no file of messages has it; the name and number stand for it",
	"records.name_key":            "the job index_records makes it",
	"records.stub":                "what is loaded has come",
	"records.deleted_at":          "as above",
	"records.merged_into":         "nothing is merged by a load",
	"messages.rest":               "what is loaded is text, which has no rest",
	"participants.id":             "nothing refers to it",
	"attempts.id":                 "nothing loaded refers to it",
	"identifiers.id":              "nothing refers to it",
	"lookups.id":                  "nothing refers to it",
}

// A column that is added to the schema is added to the batch too, or said here to
// be right as it is.
func TestABatchKnowsEveryColumn(t *testing.T) {
	t.Parallel()
	left := map[string]bool{}
	for _, table := range tables {
		at := slices.IndexFunc(migrate.Tables, func(s *schema.Table) bool { return s.Name == table.name })
		require.GreaterOrEqual(t, at, 0, table.name)
		var columns []string
		for _, c := range migrate.Tables[at].Columns {
			name := table.name + "." + c.Name
			if leftOut[name] == "" {
				columns = append(columns, c.Name)
			}
			left[name] = leftOut[name] != ""
		}
		require.ElementsMatch(t, columns, table.columns, table.name)
	}
	for name := range leftOut {
		require.True(t, left[name], "%s is a column", name)
	}
}
