package recordfields_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/recordfields"
	"parley/internal/desk/object"
)

func types(name string) *object.Definition {
	return map[string]*object.Definition{
		"Visit": {Name: "Visit", Fields: []object.Field{
			{Name: "Name", Kind: object.Text},
			{Name: "Old", Kind: object.Text, Retired: true},
			{Name: "New", Kind: "HOLOGRAM"},
			{Name: "Amount", Kind: object.Currency},
			{Name: "Weight", Kind: object.Number, BlankAsZero: new(bool)},
			{Name: "With", Kind: object.Reference, Targets: []string{"Farm", "Person"}},
		}},
		"Farm":   {Name: "Farm", Fields: []object.Field{{Name: "Name", Kind: object.Text}}},
		"Person": {Name: "Person", Fields: []object.Field{{Name: "Born", Kind: object.Date}, {Name: "With", Kind: object.Reference, Targets: []string{"Person"}}}},
	}[name]
}

func TestFieldsAreFoundAlongLookups(t *testing.T) {
	t.Parallel()
	visit := recordfields.Of("Visit", types)
	for path, want := range map[string]formula.Field{
		"amount":         {Name: "Amount", Type: formula.Currency},
		"Weight":         {Name: "Weight", Type: formula.Number, KeepsBlank: true},
		"With":           {Name: "With", Type: formula.ID, KeepsBlank: true},
		"With.name":      {Name: "With.Name", Type: formula.Text, KeepsBlank: true},
		"With.With.Born": {Name: "With.With.Born", Type: formula.Date, KeepsBlank: true},
	} {
		got, ok := visit.Find(path)
		require.True(t, ok, path)
		require.Equal(t, want, got)
	}
	for _, path := range []string{"Old", "New", "Nope", "Name.Name", "With.Nope", "", "With."} {
		_, ok := visit.Find(path)
		require.False(t, ok, path)
	}
	_, ok := recordfields.Of("Nope", types).Find("Name")
	require.False(t, ok)
}

func TestValuesAreThoseOfFormulas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind object.Kind
		held object.Value
		want string
	}{
		{object.Text, object.Value{Text: "Ann"}, "Ann"},
		{object.Currency, object.Value{Text: "12.50"}, "12.50"},
		{object.Percent, object.Value{Text: "50"}, "0.5"},
		{object.Boolean, object.Value{Text: "true"}, "true"},
		{object.DateTime, object.Value{Text: "2026-11-28T15:04:05.000Z"}, "2026-11-28 15:04:05Z"},
		{object.MultiPicklist, object.Value{List: []string{"a", "b"}}, "a;b"},
		{object.Reference, object.Value{Text: "Farm/F1"}, "F1"},
	} {
		require.Equal(t, c.want, recordfields.ValueOf(c.kind, c.held).String(), c.kind)
		require.True(t, recordfields.ValueOf(c.kind, object.Value{}).IsBlank(), c.kind)
	}
	require.True(t, recordfields.ValueOf(object.Number, object.Value{Text: "of a newer version"}).IsBlank())
}

// People who know Salesforce write the name of the relationship.
func TestTheFieldOfARelationshipIsSuggested(t *testing.T) {
	t.Parallel()
	types := func(name string) *object.Definition {
		return map[string]*object.Definition{
			"Contact": {Name: "Contact", Fields: []object.Field{
				{Name: "AccountId", Kind: object.Reference, Targets: []string{"Account"}}, {Name: "Home_Shop__c", Kind: object.Reference, Targets: []string{"Account"}},
			}},
			"Account": {Name: "Account", Fields: []object.Field{{Name: "Name", Kind: object.Text}, {Name: "ParentId", Kind: object.Reference, Targets: []string{"Account"}}}},
		}[name]
	}
	for written, want := range map[string]string{
		"Account.Name": "AccountId.Name", "home_shop__r.name": "Home_Shop__c.Name", "Account.Parent.Name": "AccountId.ParentId.Name",
		"AccountId.Parent.Name": "AccountId.ParentId.Name", "Owner.Name": "", "__r.Name": "", "Account.Nope": "",
	} {
		_, err := formula.Expression(written, recordfields.Of("Contact", types), formula.Options{})
		var failed *formula.Error
		require.ErrorAs(t, err, &failed, written)
		require.Equal(t, want, failed.Suggestion, written)
	}
}
