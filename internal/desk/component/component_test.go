package component_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/formula"
	"parley/internal/desk/formula/recordfields"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
)

// types are a case that references an account.
func types(name string) *object.Definition {
	switch name {
	case "Case":
		return &object.Definition{Name: "Case", Fields: []object.Field{
			{Name: "CaseNumber", Kind: object.Text},
			{Name: "Subject", Kind: object.Text},
			{Name: "Status", Kind: object.Picklist, Filterable: true},
			{Name: "Total", Kind: object.Currency},
			{Name: "AccountId", Kind: object.Reference, Targets: []string{"Account"}},
		}}
	case "Account":
		return &object.Definition{Name: "Account", Fields: []object.Field{{Name: "Name", Kind: object.Text}, {Name: "Share", Kind: object.Percent}}}
	}
	return nil
}

func question() component.Design {
	return component.Design{
		Constants: []component.Constant{
			{Name: "Ask", Type: component.TextConstant, Text: "How can we help?"},
			{Name: "Topics", Type: component.ListConstant, Items: []component.Item{{Name: "Billing"}, {Name: "Repairs", Subtitle: "of anything"}}},
		},
		Options: &component.Options{Constant: "Topics"},
		Formats: []component.Format{{Format: channel.Buttons, Text: "{!$Constants.Ask}"}},
		Translations: []component.Translation{{Locale: "de", Constants: []component.Translated{
			{Name: "Ask", Text: "Wie können wir helfen?"}, {Name: "Topics", Items: []component.Item{{Name: "Rechnung"}, {Name: "Reparatur"}}},
		}}},
	}
}

// registered is a question that goes as a registered template too.
func registered() component.Design {
	d := question()
	d.Constants = append(d.Constants, component.Constant{Name: "Language", Type: component.TextConstant, Text: "en_US"})
	d.Translations[0].Constants = append(d.Translations[0].Constants, component.Translated{Name: "Language", Text: "de"})
	d.Formats = append([]component.Format{{Format: channel.RegisteredTemplate, Template: &component.Template{
		Name: "how_can_we_help", Language: "{!$Constants.Language}", Header: "{!$Constants.Ask}", Body: []component.Placeholder{{Text: "{!$Constants.Ask}"}, {Text: "two\n\tlines"}},
	}}}, d.Formats...)
	return d
}

func link() component.Design {
	return component.Design{
		Constants: []component.Constant{
			{Name: "Home", Type: component.URLConstant, Text: "https://example.com/"},
			{Name: "Logo", Type: component.ImageConstant, Text: "https://example.com/logo.png", Alt: "Our logo"},
		},
		Parameters: []component.Parameter{{Name: "Case", Type: formula.Record, ObjectType: "Case"}, {Name: "Discount", Type: formula.Percent, Optional: true}},
		Formats: []component.Format{
			{Format: channel.MediaCard, Title: "Case {!$Parameters.Case.CaseNumber}", URL: "{!$Constants.Home}", ImageURL: "{!$Constants.Logo}", ImageAlt: "{!$Constants.Logo.Alt}"},
			{Format: channel.RichLink, Text: "{!$Parameters.Case.AccountId.Name}", Title: "Case", URL: "{!$Constants.Home & $Parameters.Case.CaseNumber}"},
		},
	}
}

func TestADesignIsCheckedWhenItIsSaved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, at, says string
		kind           component.Kind
		of             func() component.Design
		change         func(d *component.Design)
	}{
		{"fine", "", "", component.StaticQuestion, question, func(*component.Design) {}},
		{"fine", "", "", component.EnhancedLink, link, func(*component.Design) {}},
		{"an unknown constant", "input.design.formats.0.text", "Line 2, column 3: There is no field $Constants.Aks. Did you mean $Constants.Ask?", component.StaticQuestion, question, func(d *component.Design) { d.Formats[0].Text = "\n{!$Constants.Aks}" }},
		{"an unknown field", "input.design.formats.0.title", "Did you mean $Parameters.Case.CaseNumber?", component.EnhancedLink, link, func(d *component.Design) { d.Formats[0].Title = "{!$Parameters.Case.CaseNumbr}" }},
		{"a lookup of nothing", "input.design.formats.0.title", "There is no field", component.EnhancedLink, link, func(d *component.Design) { d.Formats[0].Title = "{!$Parameters.Case.Subject.Name}" }},
		{"a record as text", "input.design.formats.0.title", "A record has no text", component.EnhancedLink, link, func(d *component.Design) { d.Formats[0].Title = "{!$Parameters.Case}" }},
		{"a property of another format", "input.design.formats.0.label", "The format BUTTONS has no label", component.StaticQuestion, question, func(d *component.Design) { d.Formats[0].Label = "x" }},
		{"a format of another kind", "input.design.formats.0.format", "has no format MEDIA", component.StaticQuestion, question, func(d *component.Design) { d.Formats[0].Format = channel.MediaCard }},
		{"text not last", "input.design.formats.0.format", "TEXT is the last format", component.StaticQuestion, question, func(d *component.Design) {
			d.Formats = []component.Format{{Format: channel.PlainText, Text: "a"}, d.Formats[0]}
		}},
		{"no format", "input.design.formats", "Give 1 to 8, not 0", component.StaticQuestion, question, func(d *component.Design) { d.Formats = nil }},
		{"no options", "input.design.options", "A question needs options", component.StaticQuestion, question, func(d *component.Design) { d.Options = nil }},
		{"options of a link", "input.design.options", "has no options", component.EnhancedLink, link, func(d *component.Design) { d.Options = &component.Options{} }},
		{"two alike", "input.design.constants.1.items.1.name", "there twice", component.StaticQuestion, question, func(d *component.Design) { d.Constants[1].Items[1].Name = "BILLING" }},
		{"an address of no web", "input.design.constants.0.text", "begins with https://", component.EnhancedLink, link, func(d *component.Design) { d.Constants[0].Text = "javascript:alert(1)" }},
		{"a name with a user", "input.design.constants.0.text", "without a user name", component.EnhancedLink, link, func(d *component.Design) { d.Constants[0].Text = "https://bank.com@evil.com/" }},
		{"an image without words", "input.design.constants.1.alt", "what the image shows", component.EnhancedLink, link, func(d *component.Design) { d.Constants[1].Alt = "" }},
		{"a translation of other length", "input.design.translations.0.constants.1.items", "has 2 items", component.StaticQuestion, question, func(d *component.Design) {
			d.Translations[0].Constants[1].Items = d.Translations[0].Constants[1].Items[:1]
		}},
		{"a parameter of no type", "input.design.parameters.0.objectType", "no object type", component.EnhancedLink, link, func(d *component.Design) { d.Parameters[0].ObjectType = "Nothing" }},
		{"a template in no text", "input.design.listTemplates.0.template", "column 3", component.StaticQuestion, question, func(d *component.Design) {
			d.ListTemplates = []component.ListTemplate{{Name: "Bad", List: "$Options", Template: "{!$ListItem.Value.Nam}"}}
		}},
		{"a template of its own", "", "", component.StaticQuestion, registered, func(*component.Design) {}},
		{"a template of another format", "input.design.formats.0.template", "Only a REGISTERED_TEMPLATE", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Format, d.Formats[0].Text = channel.Buttons, "x"
		}},
		{"no template", "input.design.formats.0.template.name", "needs a template.name", component.StaticQuestion, registered, func(d *component.Design) { d.Formats[0].Template = nil }},
		{"a template of no name", "input.design.formats.0.template", "a name of 1 to 512", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.Name, d.Formats[0].Template.Language = "order ready", "en"
		}},
		{"a template alone", "input.design.formats", "Add TEXT", component.StaticQuestion, registered, func(d *component.Design) { d.Formats = d.Formats[:1] }},
		{"a suffix without a link", "input.design.formats.0.template.linkSuffix", "has no template.linkSuffix", component.StaticQuestion, registered, func(d *component.Design) { d.Formats[0].Template.Suffix = "x" }},
		{"a blank placeholder", "input.design.formats.0.template.placeholders.1.text", "Give a text", component.StaticQuestion, registered, func(d *component.Design) { d.Formats[0].Template.Body[1].Text = "" }},
		{"a placeholder with a name", "input.design.formats.0.template.placeholders.1.name", "Either each", component.StaticQuestion, registered, func(d *component.Design) { d.Formats[0].Template.Body[1].Name = "x" }},
		{"names of placeholders alike", "input.design.formats.0.template.placeholders.1.name", "there twice", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.Body[0].Name, d.Formats[0].Template.Body[1].Name = "x", "x"
		}},
		{"a placeholder in capitals", "input.design.formats.0.template.placeholders.0.name", "a-z, 0-9 and underscore", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.Body = []component.Placeholder{{Name: "firstName", Text: "x"}}
		}},
		{"a header without the name", "input.design.formats.0.template.headerName", "that of the header too", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.Body = []component.Placeholder{{Name: "first", Text: "x"}}
		}},
		{"a header with a name", "", "", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.HeaderName, d.Formats[0].Template.Body = "order", []component.Placeholder{{Name: "1st", Text: "x"}}
		}},
		{"a header in capitals", "input.design.formats.0.template.headerName", "a-z, 0-9 and underscore", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.HeaderName, d.Formats[0].Template.Body = "Order", nil
		}},
		{"a name of no header", "input.design.formats.0.template.headerName", "Leave the name out", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.HeaderName, d.Formats[0].Template.Header = "order", ""
		}},
		{"values of an address", "", "", component.EnhancedLink, queried, func(*component.Design) {}},
		{"a value of no address", "input.design.formats.0.parameters", "The format BUTTONS has no address", component.StaticQuestion, question, func(d *component.Design) {
			d.Formats[0].Query = []component.URLParameter{{Name: "a", Value: "b"}}
		}},
		{"a value without a name", "input.design.formats.0.parameters.1.name", "1 to 80 characters, not 0", component.EnhancedLink, queried, func(d *component.Design) { d.Formats[0].Query[1].Name = "" }},
		{"no value", "input.design.formats.0.parameters.0.value", "Give a text", component.EnhancedLink, queried, func(d *component.Design) { d.Formats[0].Query[0].Value = "" }},
		{"a value of an unknown constant", "input.design.formats.0.parameters.0.value", "Did you mean $Constants.Home?", component.EnhancedLink, queried, func(d *component.Design) {
			d.Formats[0].Query[0].Value = "{!$Constants.Hom}"
		}},
		{"too many values", "input.design.formats.0.parameters", "at most 20, not 21", component.EnhancedLink, queried, func(d *component.Design) {
			d.Formats[0].Query = make([]component.URLParameter, 21)
		}},
		{"the link in another text", "input.design.formats.0.title", "There is no field $Link.Url", component.EnhancedLink, queried, func(d *component.Design) { d.Formats[0].Title = "{!$Link.Url}" }},
		{"a list in an option", "input.design.options.title", "There is no field $ListTemplates.Options", component.DynamicQuestion, newest, func(d *component.Design) { d.Options.Title = "$ListTemplates.Options" }},
		{"an unknown constant in a placeholder", "input.design.formats.0.template.placeholders.0.text", "Did you mean $Constants.Ask?", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.Body[0].Text = "{!$Constants.Aks}"
		}},
		{"too many placeholders", "input.design.formats.0.template.placeholders", "at most 50, not 51", component.StaticQuestion, registered, func(d *component.Design) {
			d.Formats[0].Template.Body = make([]component.Placeholder, 51)
		}},
		{"an order", "", "", component.DynamicQuestion, newest, func(*component.Design) {}},
		{"an order by name", "", "", component.DynamicQuestion, newest, func(d *component.Design) { d.Options.Query.Order.Field = "" }},
		{"an order by no index", "input.design.options.query.order.field", `Case has no filterable field "Subject"`, component.DynamicQuestion, newest, func(d *component.Design) { d.Options.Query.Order.Field = "Subject" }},
		{"too long a name", "input.design.constants.0.name", "1 to 80", component.StaticQuestion, question, func(d *component.Design) { d.Constants[0].Name = strings.Repeat("x", 81) }},
	} {
		d := test.of()
		test.change(&d)
		err := d.Check(test.kind, types)
		if test.at == "" {
			require.NoError(t, err, test.name)
			continue
		}
		var f *fault.Error
		require.ErrorAs(t, err, &f, test.name)
		require.Equal(t, test.at, f.Field, "%s: %v", test.name, err)
		require.Contains(t, f.Message, test.says, test.name)
	}
}

// newest is a question whose options are the cases that a query finds.
func newest() component.Design {
	return component.Design{
		Options: &component.Options{Title: "CaseNumber", Query: &component.Query{ObjectType: "Case", Limit: 3, Order: &component.Order{Field: "status", Descending: true}}},
		Formats: []component.Format{{Format: channel.Buttons, Text: "Which case?"}},
	}
}

// queried is a link whose address has values.
func queried() component.Design {
	d := link()
	d.Formats = d.Formats[1:]
	d.Formats[0].Text = ""
	d.Formats[0].Query = []component.URLParameter{{Name: "case no.", Value: "{!$Parameters.Case.CaseNumber}"}, {Name: "of", Value: "{!$Parameters.Case.Subject}"}}
	return d
}

func filled(t *testing.T, kind component.Kind, d component.Design, locale string, v component.Values) *component.Filled {
	t.Helper()
	require.NoError(t, d.Check(kind, types))
	c, err := d.In(locale).Compile(kind, types)
	require.NoError(t, err)
	if v.Zone == nil {
		v.Zone = time.UTC
	}
	return c.Fill(&v)
}

func TestTextIsMadeOfTheFirstFormat(t *testing.T) {
	t.Parallel()
	f := filled(t, component.StaticQuestion, question(), "", component.Values{})
	require.Empty(t, f.Missing)
	require.Equal(t, "How can we help?\n1. Billing\n2. Repairs", f.Formats[0].Plain)
	require.Equal(t, "How can we help?", f.All()[0].Text)
	require.Equal(t, "of anything", f.All()[0].Options[1].Subtitle)
}

func TestARegisteredTemplateIsFilledInInOneLineEach(t *testing.T) {
	t.Parallel()
	f := filled(t, component.StaticQuestion, registered(), "de", component.Values{})
	require.Equal(t, &channel.Template{Name: "how_can_we_help", Language: "de", Header: "Wie können wir helfen?", Body: []channel.Placeholder{
		{Text: "Wie können wir helfen?"}, {Text: "two lines"},
	}}, f.Formats[0].Template)
	require.Equal(t, "Wie können wir helfen?\n1. Rechnung\n2. Reparatur", f.Formats[0].Plain, "TEXT is made of the first format with a text")
}

func TestACustomerReadsTheirLanguage(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]string{"de-AT": "Wie können wir helfen?\n1. Rechnung\n2. Reparatur", "fr": "How can we help?\n1. Billing\n2. Repairs"} {
		require.Equal(t, want, filled(t, component.StaticQuestion, question(), locale, component.Values{}).Formats[0].Plain)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	f := filled(t, component.EnhancedLink, link(), "", component.Values{
		Parameters: map[string]formula.Value{"$parameters.case.casenumber": formula.TextOf("007")},
		Missing:    []component.Missing{{Path: "$Parameters.Case.AccountId.Name", Reason: component.NotReadable}},
	})
	require.Equal(t, "Case 007", f.Formats[0].Link.Title)
	require.Equal(t, &channel.Image{URL: "https://example.com/logo.png", Alt: "Our logo"}, f.Formats[0].Link.Image)
	require.Equal(t, "https://example.com/007", f.Formats[1].Link.URL)
	require.Equal(t, []component.Missing{{Path: "$Parameters.Case.AccountId.Name", Reason: component.NotReadable}, {Path: "RICH_LINK.text", Reason: component.BlankText}}, f.Missing)
	d := link()
	d.Formats[1].URL = "javascript:{!$Parameters.Case.CaseNumber}"
	f = filled(t, component.EnhancedLink, d, "", component.Values{})
	require.Contains(t, f.Missing, component.Missing{Path: "RICH_LINK.url", Reason: component.BadURL})
}

func TestValuesAreEncodedIntoAnAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://example.com/a":        "https://example.com/a?case%20no.=A%26B%3D1%2B%23%20%C3%A9&of=x",
		"https://example.com/a?b=c#d?": "https://example.com/a?b=c&case%20no.=A%26B%3D1%2B%23%20%C3%A9&of=x#d?",
		"https://example.com/?":        "https://example.com/?case%20no.=A%26B%3D1%2B%23%20%C3%A9&of=x",
	} {
		d := queried()
		d.Formats[0].URL = address
		f := filled(t, component.EnhancedLink, d, "", component.Values{Parameters: map[string]formula.Value{
			"$parameters.case.casenumber": formula.TextOf(" A&B=1+# é"), "$parameters.case.subject": formula.TextOf("x"),
		}})
		require.Empty(t, f.Missing)
		require.Equal(t, want, f.Formats[0].Link.URL)
		require.Equal(t, "Case\n"+want, f.Formats[0].Plain, "TEXT has the same address")
	}
	f := filled(t, component.EnhancedLink, queried(), "", component.Values{Parameters: map[string]formula.Value{
		"$parameters.case.casenumber": formula.TextOf("7"), "$parameters.case.subject": formula.TextOf(" "),
	}})
	require.Empty(t, f.Missing)
	require.Equal(t, "https://example.com/7?case%20no.=7", f.Formats[0].Link.URL, "a blank value is left out")
	f = filled(t, component.EnhancedLink, queried(), "", component.Values{Parameters: map[string]formula.Value{"$parameters.case.casenumber": formula.TextOf(strings.Repeat("é", 200))}})
	require.Contains(t, f.Missing, component.Missing{Path: "RICH_LINK.url", Reason: component.BadURL}, "too long with its values")
}

func TestOptionsReadParametersAndConstants(t *testing.T) {
	t.Parallel()
	d := newest()
	d.Constants = []component.Constant{{Name: "Of", Type: component.TextConstant, Text: "of"}}
	d.Translations = []component.Translation{{Locale: "de", Constants: []component.Translated{{Name: "Of", Text: "von"}}}}
	d.Parameters = []component.Parameter{{Name: "Case", Type: formula.Record, ObjectType: "Case"}, {Name: "Least", Type: formula.Number}}
	d.Options.Title = `CaseNumber & " " & $constants.of & " " & $Parameters.Case.AccountId.Name`
	d.Options.Query.Condition = "Total >= $Parameters.Least"
	require.NoError(t, d.Check(component.DynamicQuestion, types))
	c, err := d.In("de").Compile(component.DynamicQuestion, types)
	require.NoError(t, err)
	require.Equal(t, []string{"CaseNumber", "Total"}, c.OptionPaths(), "fields of the record alone")
	require.Equal(t, []string{"$Parameters.Case.AccountId.Name", "$Parameters.Least"}, c.Paths(), "read before the options")
	total := map[string]formula.Value{"CaseNumber": formula.TextOf("7"), "Total": recordfields.ValueOf(object.Currency, object.Value{Text: "10"})}
	for least, want := range map[string]bool{"10": true, "11": false} {
		values := &component.Values{Zone: time.UTC, Parameters: map[string]formula.Value{
			"$parameters.case.accountid.name": formula.TextOf("Acme"), "$parameters.least": recordfields.ValueOf(object.Number, object.Value{Text: least}),
		}}
		o, holds, missing := c.Option(values, func(path string) formula.Value { return total[path] })
		require.Empty(t, missing)
		require.Equal(t, want, holds, least)
		if holds {
			require.Equal(t, "7 von Acme", o.Title)
		}
	}
}

func TestSlotsAreInTheCustomersZoneAndTextsInTheOrganisations(t *testing.T) {
	t.Parallel()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	slots := []component.Slot{{Start: time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC), Duration: time.Hour}}
	for title, want := range map[string]string{
		"": "2026-12-01 01:00", "Start": "2026-12-01 01:00:00+09:00", "TEXT(DATEVALUE(Start)) & TEXT(HOUR(TIMEVALUE(Start)))": "2026-12-011",
		`IF(DATEVALUE(Start) = TODAY(), "today", "later")`: "today",
	} {
		d := component.Design{Options: &component.Options{Title: title}, Formats: []component.Format{{Format: channel.Buttons, Text: "Today is {!TODAY()}. When?"}}}
		require.NoError(t, d.Check(component.TimeSelector, types))
		c, err := d.Compile(component.TimeSelector, types)
		require.NoError(t, err)
		v := &component.Values{Now: time.Date(2026, 11, 30, 15, 30, 0, 0, time.UTC), Zone: time.UTC, SlotZone: tokyo}
		var missing []component.Missing
		v.Options, missing = c.Slots(v, slots)
		require.Empty(t, missing)
		f := c.Fill(v)
		require.Equal(t, want, f.Options[0].Title, title)
		require.Equal(t, "Today is 2026-11-30. When?", f.Formats[0].Text)
	}
}

func TestATimeSelectorIsOverWhenEachTimeHasBegun(t *testing.T) {
	t.Parallel()
	of := func(kind component.Kind, starts ...int64) *component.Prepared {
		p := &component.Prepared{Kind: kind}
		for _, at := range starts {
			p.Options = append(p.Options, component.Option{Value: at})
		}
		return p
	}
	require.False(t, of(component.TimeSelector, 10, 20).IsOver(19))
	require.True(t, of(component.TimeSelector, 10, 20).IsOver(20))
	require.False(t, of(component.TimeSelector).IsOver(20), "without options it lacks them")
	require.False(t, of(component.DynamicQuestion, 10).IsOver(20), "records have no time")
}

func TestOptionsAreMadeOfRecordsAndSlots(t *testing.T) {
	t.Parallel()
	d := component.Design{
		Options: &component.Options{Title: `CaseNumber & " - " & Subject`, Query: &component.Query{
			ObjectType: "Case", Limit: 3, Condition: "Total > 10", Filters: []component.Filter{{Field: "status", Value: "New"}},
		}},
		Formats: []component.Format{{Format: channel.QuickReplies, Text: "Which case?"}},
	}
	require.NoError(t, d.Check(component.DynamicQuestion, types))
	c, err := d.Compile(component.DynamicQuestion, types)
	require.NoError(t, err)
	require.Equal(t, []string{"CaseNumber", "Subject", "Total"}, c.OptionPaths())
	values := &component.Values{Zone: time.UTC, SlotZone: time.UTC, Now: time.Unix(1000, 0)}
	record := func(total int64) func(string) formula.Value {
		return func(path string) formula.Value {
			if path == "Total" {
				return recordfields.ValueOf(object.Currency, object.Value{Text: map[int64]string{5: "5.00", 50: "50.00"}[total]})
			}
			return formula.TextOf(path)
		}
	}
	o, holds, missing := c.Option(values, record(50))
	require.Empty(t, missing)
	require.True(t, holds)
	require.Equal(t, "CaseNumber - Subject", o.Title)
	_, holds, _ = c.Option(values, record(5))
	require.False(t, holds)

	d = component.Design{Formats: []component.Format{{Format: channel.Buttons, Text: "When?"}}}
	require.NoError(t, d.Check(component.TimeSelector, types))
	c, err = d.Compile(component.TimeSelector, types)
	require.NoError(t, err)
	options, missing := c.Slots(values, []component.Slot{{Start: time.Unix(1000, 0)}, {Start: time.Unix(86_400, 0).UTC(), Duration: time.Hour}})
	require.Empty(t, missing)
	require.Equal(t, []component.Option{{Title: "1970-01-02 00:00", Value: 86_400_000_000, Minutes: 60}}, options, "what is over is not offered")
	require.Equal(t, []component.Missing{{Path: "options", Reason: component.NoOptions}}, c.Fill(values).Missing)
}
