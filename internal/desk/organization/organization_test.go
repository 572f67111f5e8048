package organization_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

type vars = map[string]any

const change = `mutation($in: UpdateOrganizationInput!) { updateOrganization(input: $in) { organization { name timeZone locale country } errors { code field message } } }`

func update(p *parleytest.Parley, as string, in vars) parleytest.Tree {
	return p.As(as).Do(change, vars{"in": in}).Get("updateOrganization")
}

func seen(p *parleytest.Parley, as string) string {
	return p.As(as).Do(`{ organization { name timeZone locale country } }`, nil).Get("organization").String()
}

func TestAdministratorsSetWhatEverybodySees(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	require.Equal(t, `{"country":null,"locale":null,"name":"Parley","timeZone":"UTC"}`, seen(p, "amy"), "there is one from the start")
	require.Equal(t, "FORBIDDEN", update(p, "sue", vars{"name": "Sue's"}).Get("errors", 0, "code").String())
	got := update(p, "ada", vars{"name": "Acme", "timeZone": "Europe/Berlin", "locale": "DE-at", "country": "de"})
	require.Equal(t, `{"country":"DE","locale":"de-AT","name":"Acme","timeZone":"Europe/Berlin"}`, got.Get("organization").String(), got.String())
	require.Equal(t, got.Get("organization").String(), seen(p, "bo"))

	entries := p.As("ada").Do(`{ auditEntries(first: 1) { nodes { action actorName subjectType subjectName changes { field before after } } } }`, nil).Get("auditEntries", "nodes", 0)
	require.Equal(t, `{"action":"UPDATED","actorName":"ada","changes":[{"after":"Acme","before":"Parley","field":"name"},{"after":"Europe/Berlin","before":"UTC","field":"timeZone"},`+
		`{"after":"DE","before":null,"field":"country"},{"after":"de-AT","before":null,"field":"locale"}],"subjectName":"Acme","subjectType":"Organization"}`, entries.String())
	head, err := p.Store.Head(p.System())
	require.NoError(t, err)
	require.Empty(t, update(p, "ada", vars{"name": "Acme", "country": nil}).Get("errors").List())
	after, err := p.Store.Head(p.System())
	require.NoError(t, err)
	require.Equal(t, head, after, "nothing changed: no event and no entry")
	require.Contains(t, update(p, "ada", vars{"country": "", "locale": ""}).String(), `"country":null,"locale":null`)
}

func TestWhatTheOrganisationRefuses(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for field, in := range map[string]vars{
		"input.name":     {"name": "\u200b"},
		"input.timeZone": {"timeZone": "Local"},
		"input.country":  {"country": "XY"},
		"input.locale":   {"locale": "german please"},
	} {
		require.Equal(t, field, update(p, "ada", in).Get("errors", 0, "field").String(), in)
	}
	require.Equal(t, "input.timeZone", update(p, "ada", vars{"timeZone": ""}).Get("errors", 0, "field").String(), "it always has one")
}

// Formulas know the rates that the organisation keeps, by their codes.
func TestFormulasKnowTheOrganisationsRates(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	rates := func(in ...vars) parleytest.Tree {
		return p.As("ada").Do(`mutation($in: UpdateOrganizationInput!) { updateOrganization(input: $in) { organization { currencyRates { code rate } } errors { code field } } }`,
			vars{"in": vars{"currencyRates": append([]vars{}, in...)}}).Get("updateOrganization")
	}
	formula := func(given any) string {
		return p.As("amy").Do(`query($rates: [FormulaRateInput!]) { checkFormula(input: {expression: "100 * CURRENCYRATE(\"eur\")", rates: $rates}) { value error { code } } }`,
			vars{"rates": given}).Get("checkFormula").String()
	}
	const unknown = `{"error":{"code":"UNKNOWN_CURRENCY"},"value":null}`
	require.Equal(t, unknown, formula(nil))
	gbp, eur := vars{"code": "GBP", "rate": "0.79"}, vars{"code": "eur", "rate": "0.92"}
	want := `{"errors":[],"organization":{"currencyRates":[{"code":"EUR","rate":"0.92"},{"code":"GBP","rate":"0.79"}]}}`
	require.Equal(t, want, rates(gbp, eur).String())
	require.Equal(t, want, rates(eur, gbp).String(), "nothing changed")
	require.Equal(t, `{"error":null,"value":"92.00"}`, formula(nil))
	require.Equal(t, `{"error":null,"value":"50.0"}`, formula([]vars{{"code": "EUR", "rate": "0.5"}}), "those given stand in for the organisation's")
	require.Equal(t, unknown, formula([]vars{}))
	for field, in := range map[string][]vars{
		"input.currencyRates.0.code": {{"code": "EURO", "rate": "1"}},
		"input.currencyRates.1.code": {eur, {"code": "EUR", "rate": "1"}},
		"input.currencyRates.0.rate": {{"code": "EUR", "rate": "0"}},
		"input.currencyRates.1.rate": {eur, {"code": "GBP", "rate": "much"}},
		"input.currencyRates":        slices.Repeat([]vars{eur}, 301),
	} {
		require.Equal(t, field, rates(in...).Get("errors", 0, "field").String())
	}
	require.Equal(t, `{"errors":[],"organization":{"currencyRates":[]}}`, rates().String())
	require.Equal(t, unknown, formula(nil))
}

// Another process knows within a second.
func TestOtherProcessesKnowTheOrganisation(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database).Run(), parleytest.OpenAt(t, database).Run()
	update(here, "ada", vars{"name": "Acme"})
	require.Eventually(t, func() bool { return there.Directory.Organization().Name == "Acme" }, 5*time.Second, 5*time.Millisecond)
}

// What has no zone or country of its own has the organisation's.
func TestTheOrganisationIsTheDefault(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.As("ada")
	update(p, "ada", vars{"timeZone": "Europe/Berlin", "locale": "de", "country": "DE"})
	agent := p.As("ada").Do(`mutation { createAgent(input: {username: "eva", name: "Eva", role: STANDARD, idempotencyKey: "e"}) { agent { timeZone locale } } }`, nil)
	require.Equal(t, `{"locale":"de","timeZone":"Europe/Berlin"}`, agent.Get("createAgent", "agent").String())

	account := p.As("ada").Do(`{ providerAccounts { id } }`, nil).Get("providerAccounts", 0, "id").String()
	create := func(in vars) parleytest.Tree {
		in["providerAccountId"], in["name"], in["idempotencyKey"] = account, "New", in["type"]
		return p.As("ada").Do(`mutation($in: CreateChannelInput!) { createChannel(input: $in) { channel { id address country } errors { field message } } }`, vars{"in": in}).Get("createChannel")
	}
	for _, c := range []struct {
		in               vars
		address, country string
	}{
		{vars{"type": "SMS_LONG_CODE", "address": "030 901820"}, "+4930901820", "DE"},
		{vars{"type": "SMS_SHORT_CODE", "address": "66655"}, "66655", "DE"},
		{vars{"type": "SMS_TOLL_FREE", "address": "+12025550177"}, "+12025550177", "US"},
	} {
		made := create(c.in)
		require.Empty(t, made.Get("errors").List(), made.String())
		got := made.Get("channel")
		require.Equal(t, c.address, got.Get("address").String(), c.in)
		require.Equal(t, c.country, got.Get("country").String(), c.in)
	}
	site := create(vars{"type": "WEB", "address": "site"}).Get("channel")
	require.True(t, site.Get("country").IsNull(), "it has none of its own")
	for _, ch := range p.Directory.Channels() {
		if ch.ID == site.Get("id").String() {
			require.Equal(t, "DE", ch.Country, "national numbers are read there")
		}
	}
}
