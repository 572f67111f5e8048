package action_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/action"
	"parley/internal/desk/object"
)

var fields = map[object.Kind]*object.Field{
	object.Text: {Name: "T", Kind: object.Text}, object.Currency: {Name: "C", Kind: object.Currency}, object.Date: {Name: "D", Kind: object.Date},
	object.Picklist: {Name: "P", Kind: object.Picklist, Choices: []string{"Open", "Won"}}, object.MultiPicklist: {Name: "M", Kind: object.MultiPicklist, Choices: []string{"a", "b"}},
	object.Boolean: {Name: "B", Kind: object.Boolean},
}

func TestConditionsCompareAsTheirFieldsDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     object.Kind
		held     string
		operator action.Operator
		with     string
		want     bool
	}{
		{object.Currency, "10.50", action.Equals, "10.5", true},
		{object.Currency, "9", action.LessThan, "10", true},
		{object.Currency, "-2", action.LessThan, "-1", true},
		{object.Currency, "10", action.MoreThan, "9.99", true},
		{object.Currency, "10", action.AtLeast, "10.00", true},
		{object.Currency, "10", action.AtMost, "9", false},
		{object.Text, "Ann", action.Equals, "ANN", true},
		{object.Text, "Ann", action.StartsWith, "an", true},
		{object.Text, "Ann", action.NotEquals, "Bo", true},
		{object.Text, "", action.NotEquals, "Bo", true},
		{object.Text, "", action.Equals, "Bo", false},
		{object.Text, "", action.LessThan, "Bo", false},
		{object.Text, "", action.IsBlank, "", true},
		{object.Text, "x", action.IsNotBlank, "", true},
		{object.Date, "2026-11-28", action.MoreThan, "2026-02-01", true},
		{object.Picklist, "Open", action.Equals, "Open", true},
		{object.Picklist, "Open", action.Equals, "Gone", false},
		{object.Picklist, "Open", action.NotEquals, "Gone", true},
		{object.MultiPicklist, "a;b", action.Equals, "b", true},
		{object.MultiPicklist, "a", action.NotEquals, "b", true},
		{object.Boolean, "true", action.Equals, "TRUE", true},
		{object.Text, "x", action.OtherOperator, "x", false},
	} {
		f := fields[c.kind]
		v, err := f.Parse(c.held, nil)
		require.NoError(t, err)
		condition := action.Condition{Operator: c.operator, Value: c.with}
		require.Equal(t, c.want, condition.Holds(f, v), "%+v", c)
	}
	for _, o := range action.Operators {
		condition := action.Condition{Operator: o, Value: "x"}
		require.Equal(t, o == action.IsBlank || o == action.NotEquals, condition.Holds(nil, object.Value{}), "where the path leads nowhere: %s", o)
	}
}

// Of any two values exactly one of LESS_THAN, EQUALS and MORE_THAN holds, and the others
// follow from these.
func TestComparisonsAreAnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]object.Kind{object.Text, object.Currency, object.Date}).Draw(t, "kind")
		value := map[object.Kind]*rapid.Generator[string]{
			object.Text: rapid.StringMatching(`[a-cA-C ]{0,3}[a-c]`), object.Currency: rapid.StringMatching(`-?[0-9]{1,3}(\.[0-9]{1,2})?`),
			object.Date: rapid.StringMatching(`20[0-9]{2}-0[1-9]-[0-2][1-8]`),
		}[kind]
		held, with := value.Draw(t, "held"), value.Draw(t, "with")
		f := fields[kind]
		v, err := f.Parse(held, nil)
		require.NoError(t, err)
		holds := func(o action.Operator) bool {
			c := action.Condition{Operator: o, Value: with}
			return c.Holds(f, v)
		}
		n := 0
		for _, o := range []action.Operator{action.LessThan, action.Equals, action.MoreThan} {
			if holds(o) {
				n++
			}
		}
		require.Equal(t, 1, n)
		require.Equal(t, holds(action.Equals), !holds(action.NotEquals))
		require.Equal(t, holds(action.AtMost), !holds(action.MoreThan))
		require.Equal(t, holds(action.AtLeast), !holds(action.LessThan))
	})
}

// Whatever values are, an address keeps its host, and each value comes out of it as it
// went in.
func TestValuesCannotLeaveTheirPlaceInAnAddress(t *testing.T) {
	t.Parallel()
	d := action.Definition{Kind: action.OpenURL, Parameters: []action.Parameter{{Key: action.Address, Source: action.URL, Value: "https://crm.example.com/v/{A}?q={A}&r=1#{A}"}}}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		built, err := d.BuildURL(func(string) string { return value })
		if value == "." || value == ".." {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		u := parse(t, built)
		require.Equal(t, "crm.example.com", u.Host)
		require.Equal(t, value, u.Query().Get("q"))
		require.Equal(t, "1", u.Query().Get("r"))
		require.Equal(t, "/v/"+value, u.Path)
	})
}

func parse(t *rapid.T, address string) *url.URL {
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}
