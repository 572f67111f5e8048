package resolvers_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

const checkFormula = `query($input: CheckFormulaInput!) { checkFormula(input: $input) { type value error { code message line column suggestion } } }`

func TestFormulasAreCheckedAndRun(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	field := func(name, kind string, value any) vars { return vars{"name": name, "type": kind, "value": value} }
	for _, test := range []struct {
		input vars
		want  string
	}{
		{
			vars{"expression": `CaseNumber & " - " & Subject`, "fields": []vars{field("CaseNumber", "TEXT", "00001006"), field("Subject", "TEXT", "Generator")}},
			`{"type":"TEXT","value":"00001006 - Generator","error":null}`,
		},
		{
			vars{"template": "Due {!Due + 7}", "fields": []vars{field("due", "DATE", "2026-11-27")}},
			`{"type":"TEXT","value":"Due 2026-12-04","error":null}`,
		},
		{
			vars{"expression": "TODAY()", "now": "2026-11-27T23:30:00Z", "timeZone": "Europe/Vienna"},
			`{"type":"DATE","value":"2026-11-28","error":null}`,
		},
		{
			vars{"expression": "Price * CURRENCYRATE(\"eur\")", "fields": []vars{field("Price", "CURRENCY", "12.50")}, "rates": []vars{{"code": "EUR", "rate": "0.92"}}},
			`{"type":"CURRENCY","value":"11.5000","error":null}`,
		},
		{
			vars{"expression": "N + 1", "fields": []vars{field("N", "NUMBER", nil)}, "keepsBlank": true},
			`{"type":"BLANK","value":null,"error":null}`,
		},
		{
			vars{"template": "{!$ListTemplates.L}", "fields": []vars{{
				"name": "$ListTemplates.L", "type": "LIST", "template": "{!$ListItem.Index}. {!$ListItem.Value.Name} ",
				"items": []vars{{"fields": []vars{field("Name", "TEXT", "Cancel")}}, {"fields": []vars{field("Name", "TEXT", "Change")}}},
			}}},
			`{"type":"TEXT","value":"1. Cancel 2. Change ","error":null}`,
		},
		{
			vars{"expression": "1 +\n  Amout", "fields": []vars{field("Amount", "NUMBER", "1")}},
			`{"type":null,"value":null,"error":{"code":"UNKNOWN_FIELD","message":"There is no field Amout. Did you mean Amount?","line":2,"column":3,"suggestion":"Amount"}}`,
		},
		{
			vars{"expression": "1 / 0"},
			`{"type":null,"value":null,"error":{"code":"DIVISION_BY_ZERO","message":"/ divides by zero. Guard it, such as IF(x = 0, NULL, y / x).","line":1,"column":3,"suggestion":null}}`,
		},
		{
			vars{"expression": "1", "fields": []vars{field("N", "NUMBER", "one")}},
			`{"type":null,"value":null,"error":{"code":"BAD_INPUT","message":"The value of \"N\" is not a number: write it as 12.50.","line":null,"column":null,"suggestion":null}}`,
		},
	} {
		got := p.As("amy").Do(checkFormula, vars{"input": test.input}).Get("checkFormula")
		require.JSONEq(t, test.want, got.String(), "%v", test.input)
	}
	now := p.As("amy").Do(checkFormula, vars{"input": vars{"expression": "NOW()"}}).Get("checkFormula", "value").String()
	require.Equal(t, "2026-11-23T09:00:00Z", now, "the domain's clock")
	for _, input := range []vars{{}, {"expression": "1", "template": "1"}} {
		require.Equal(t, []string{"BAD_INPUT"}, p.As("amy").Raw(checkFormula, vars{"input": input}).Codes())
	}
	require.Equal(t, []string{"UNAUTHENTICATED"}, p.With("").Raw(checkFormula, vars{"input": vars{"expression": "1"}}).Codes())
}

// A long formula costs more than a short one.
func TestFormulasArePriced(t *testing.T) {
	t.Parallel()
	price := func(source string) int {
		return costOf(t, `{ checkFormula(input: {template: "`+source+`"}) { value } }`)
	}
	require.Greater(t, price(strings.Repeat("x", 20_000)), 10*price("x"))
}
