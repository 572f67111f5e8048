package match_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/match"
	"parley/internal/desk/object"
)

// A rule may get its condition between the read of the records and the decision.
func TestFieldsThatWereNotReadAreNotTakenForBlank(t *testing.T) {
	t.Parallel()
	visit := &object.Definition{Name: "Visit__c", Fields: []object.Field{{Name: "Mobile", Kind: object.Phone}, {Name: "Closed", Kind: object.Text}}}
	rule := &match.Rule{Active: true, Mode: match.Automatic, ObjectType: visit.Name, Condition: "ISBLANK(Closed)"}
	env := &match.Environment{Defined: func(string) *object.Definition { return visit }}
	finds := func(held map[string]object.Value) int {
		return len(match.Candidates([]*match.Rule{rule}, func(r *match.Rule) *match.Rule { return r },
			[]match.Record{{Key: 1, ObjectType: visit.Name, Field: "Mobile", Held: held}}, env))
	}
	require.Equal(t, 1, finds(map[string]object.Value{}))
	require.Zero(t, finds(map[string]object.Value{"Closed": {Text: "yesterday"}}))
	require.Zero(t, finds(nil))
}
