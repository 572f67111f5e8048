package composer_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
)

// admin runs a mutation of ada's with an input.
func (b *bundle) admin(mutation, kind string, input vars) parleytest.Tree {
	b.T.Helper()
	payload := b.As("ada").Do(`mutation($i: `+kind+`!) { `+mutation+`(input: $i) { errors { field message } `+map[string]string{
		"createPermissionSet": "permissionSet { id }", "upsertRecords": "results { error { message } }",
	}[mutation]+` } }`, vars{"i": input}).Get(mutation)
	require.Empty(b.T, payload.Get("errors").List(), payload.String())
	return payload
}

// orders is a desk with records: amy reads orders and the names of their shops, and the
// secret of neither.
func orders(t *testing.T, options ...func(*app.Config)) *bundle {
	b := setup(t, options...)
	field := func(name, kind string, more vars) vars {
		f := vars{"name": name, "label": name, "type": kind}
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	b.admin("createObjectType", "CreateObjectTypeInput", vars{"name": "Shop", "label": "Shop", "idempotencyKey": "shop", "messaging": vars{"name": "Name"}, "fields": []vars{field("Name", "TEXT", nil)}})
	b.admin("createObjectType", "CreateObjectTypeInput", vars{"name": "Order", "label": "Order", "idempotencyKey": "order", "messaging": vars{"name": "Number"}, "fields": []vars{
		field("Number", "TEXT", nil), field("Total", "CURRENCY", vars{"isFilterable": true}), field("Secret", "TEXT", vars{"isSensitive": true, "isFilterable": true}),
		field("State", "PICKLIST", vars{"choices": []string{"Open", "Paid"}, "isFilterable": true}), field("Shop", "REFERENCE", vars{"targets": []string{"Shop"}}),
	}})
	set := b.admin("createPermissionSet", "CreatePermissionSetInput", vars{"name": "Orders", "permissions": []string{}, "idempotencyKey": "set", "recordRights": []vars{
		{"objectType": "Order", "access": "READ"}, {"objectType": "Shop", "access": "READ"},
	}})
	b.admin("grantPermissionSet", "GrantPermissionSetInput", vars{"id": set.Get("permissionSet", "id").String(), "agentIds": []string{b.Directory.AgentNamed("amy").ID}})
	records := []vars{{"objectType": "Shop", "externalId": "S1", "fields": []vars{{"name": "Name", "text": "Corner"}}}}
	for i := 1; i <= 5; i++ {
		records = append(records, vars{"objectType": "Order", "externalId": fmt.Sprint("O", i), "fields": []vars{
			{"name": "Number", "text": fmt.Sprint("A-", i)},
			{"name": "Total", "text": fmt.Sprintf("%d.50", i*10)},
			{"name": "Secret", "text": "hush"},
			{"name": "State", "text": []string{"Paid", "Open"}[i%2]},
			{"name": "Shop", "text": "Shop/S1"},
		}})
	}
	b.admin("upsertRecords", "UpsertRecordsInput", vars{"records": records})
	return b
}

func (b *bundle) record(objectType, id string) string {
	b.T.Helper()
	return b.As("ada").Do(`query($t: String!, $e: String!) { record(objectType: $t, externalId: $e) { id } }`, vars{"t": objectType, "e": id}).Get("record", "id").String()
}

func linkTo(title string) vars {
	return vars{
		"parameters": []vars{{"name": "Order", "type": "RECORD", "objectType": "Order"}, {"name": "Count", "type": "NUMBER", "isOptional": true}},
		"formats":    []vars{{"format": "RICH_LINK", "title": title, "url": "https://example.com/{!$Parameters.Order.Number}"}},
	}
}

func (b *bundle) preview(username string, input vars) parleytest.Tree {
	b.T.Helper()
	input["channelTypes"] = []string{"WEB"}
	return b.As(username).Do(previewing, vars{"i": input}).Get("previewComponent", 0)
}

func TestPreparingReadsWhatTheViewerMayRead(t *testing.T) {
	t.Parallel()
	b := orders(t)
	conversation := b.conversation(customer, parleytest.Sales)
	id := b.component("ENHANCED_LINK", linkTo(`{!$Parameters.Order.Shop.Name & " " & TEXT($Parameters.Order.Total * 2)}`))
	order := b.record("Order", "O1")
	given := vars{"componentId": id, "conversationId": conversation, "parameters": []vars{{"name": "order", "recordId": order}}}
	shown := b.preview("amy", given)
	require.Equal(t, `{"format":"RICH_LINK","image":null,"isPopup":false,"text":"","title":"Corner 21.00","url":"https://example.com/A-1"}`, shown.Get("shape").String(), shown.String())
	delete(given, "channelTypes")
	require.Empty(t, b.prepare("amy", given).Get("missing").List())
	reasons := func(username string, input vars) (reasons []string) {
		for _, m := range b.prepare(username, input).Get("missing").List() {
			reasons = append(reasons, m.Get("path").String()+" "+m.Get("reason").String())
		}
		return reasons
	}
	// bo, who may read no order, learns nothing of one.
	missing := []string{"$Parameters.Order.Number NOT_FOUND", "$Parameters.Order.Shop.Name NOT_FOUND", "$Parameters.Order.Total NOT_FOUND"}
	require.Subset(t, reasons("bo", given), missing)
	require.Subset(t, reasons("amy", vars{"componentId": id, "conversationId": conversation}), []string{"$Parameters.Order.Number NOT_GIVEN"})
	require.Subset(t, reasons("amy", vars{"componentId": id, "conversationId": conversation, "parameters": []vars{{"name": "Order", "recordId": b.record("Shop", "S1")}}}), missing)
	secret := b.component("ENHANCED_LINK", linkTo("{!$Parameters.Order.Secret}"))
	given["componentId"] = secret
	require.Subset(t, reasons("amy", given), []string{"$Parameters.Order.Secret FIELD_NOT_READABLE"})
	refused := b.send("amy", conversation, b.prepare("amy", given).Get("token").String(), "missing")
	require.Equal(t, "VALUES_MISSING", refused.Get("refusals", 0, "code").String())
	require.Equal(t, []string{"NOT_FOUND"}, b.As("sue").Raw(preparing, vars{"i": given}).Codes(), "who does not see the conversation")
}

func TestSamplesStandForRecords(t *testing.T) {
	t.Parallel()
	b := orders(t)
	id := b.component("ENHANCED_LINK", linkTo(`{!$Parameters.Order.Shop.Name & " " & TEXT($Parameters.Order.Total * 2)}`))
	shown := b.preview("amy", vars{"componentId": id, "samples": []vars{
		{"path": "$Parameters.Order.Number", "value": "X"}, {"path": "$parameters.order.shop.name", "value": "Here"}, {"path": "$Parameters.Order.Total", "value": "3.50"},
	}})
	require.Equal(t, "Here 7.00", shown.Get("shape", "title").String(), shown.String())
	require.Equal(t, "Here 7.00\nhttps://example.com/X", shown.Get("text").String())
	require.Empty(t, shown.Get("missing").List())
	for path, value := range map[string]string{"$Parameters.Order.Nothing": "1", "$Parameters.Order.Total": "much", "$Constants.X": "1"} {
		raw := b.As("amy").Raw(previewing, vars{"i": vars{"componentId": id, "channelTypes": []string{"WEB"}, "samples": []vars{{"path": path, "value": value}}}})
		require.Equal(t, []string{"BAD_INPUT"}, raw.Codes(), path)
	}
}

func TestOptionsAreFoundByAQuery(t *testing.T) {
	t.Parallel()
	b := orders(t)
	conversation := b.conversation(customer, parleytest.Sales)
	id := b.component("DYNAMIC_QUESTION", vars{
		"parameters": []vars{{"name": "State", "type": "TEXT"}},
		"options": vars{"title": `Number & " - " & Shop.Name`, "query": vars{
			"objectType": "Order", "limit": 2, "condition": "Total > 20", "filters": []vars{{"field": "State", "value": "{!$Parameters.State}"}},
		}},
		"formats": []vars{{"format": "BUTTONS", "text": "Which order?"}},
	})
	given := vars{"componentId": id, "conversationId": conversation, "parameters": []vars{{"name": "State", "value": "Open"}}}
	shown := b.preview("amy", given)
	require.Equal(t, "Which order?\n1. A-3 - Corner\n2. A-5 - Corner", shown.Get("text").String(), shown.String())
	shown = b.preview("bo", given)
	require.Contains(t, shown.Get("missing").String(), `"options.query","reason":"FIELD_NOT_READABLE"`)
	require.NotContains(t, shown.String(), "A-3")
	lacking := b.preview("amy", vars{"componentId": id, "conversationId": conversation})
	require.Contains(t, lacking.Get("missing").String(), `{"detail":"","path":"$Parameters.State","reason":"NOT_GIVEN"}`)
	list := b.component("DYNAMIC_QUESTION", vars{
		"parameters": []vars{{"name": "Orders", "type": "LIST", "objectType": "Order"}}, "options": vars{"title": "Number", "parameter": "Orders"},
		"formats": []vars{{"format": "BUTTONS", "text": "Which order?"}},
	})
	shown = b.preview("amy", vars{"componentId": list, "conversationId": conversation, "parameters": []vars{{"name": "Orders", "recordIds": []string{b.record("Order", "O4"), b.record("Order", "O2")}}}})
	require.Equal(t, "Which order?\n1. A-4\n2. A-2", shown.Get("text").String(), shown.String())
}

func TestOptionsComeInTheOrderOfAField(t *testing.T) {
	t.Parallel()
	b := orders(t)
	b.admin("upsertRecords", "UpsertRecordsInput", vars{"records": []vars{
		{"objectType": "Order", "externalId": "O6", "fields": []vars{{"name": "Number", "text": "A-0"}}},
		{"objectType": "Order", "externalId": "O7", "fields": []vars{{"name": "State", "text": "Open"}, {"name": "Total", "text": "5"}}},
	}})
	shown := func(username string, order vars, limit int, condition string) string {
		id := b.component("DYNAMIC_QUESTION", vars{
			"options": vars{"title": `BLANKVALUE(Number, "none")`, "query": vars{"objectType": "Order", "limit": limit, "order": order, "condition": condition}},
			"formats": []vars{{"format": "BUTTONS", "text": "Which order?"}},
		})
		p := b.preview(username, vars{"componentId": id, "conversationId": b.conversation(customer, parleytest.Sales)})
		return strings.Join(strings.Fields(strings.NewReplacer("Which order?", "", ".", "").Replace(p.Get("text").String())), " ") + p.Get("missing").String()
	}
	require.Equal(t, "1 A-5 2 A-4[]", shown("amy", vars{"field": "total", "isDescending": true}, 2, ""), "the greatest, as numbers")
	require.Equal(t, "1 none 2 A-1 3 A-2 4 A-3 5 A-4 6 A-5 7 A-0[]", shown("amy", vars{"field": "Total"}, 13, ""), "blank ones last")
	require.Equal(t, "1 A-5 2 A-4 3 A-3 4 A-2 5 A-1 6 none 7 A-0[]", shown("amy", vars{"field": "Total", "isDescending": true}, 13, ""), "blank ones last here too")
	require.Equal(t, "1 A-3 2 A-2[]", shown("amy", vars{"field": "Total", "isDescending": true}, 2, "Total < 40"))
	require.Equal(t, "1 A-5 2 A-4[]", shown("amy", vars{"isDescending": true}, 2, ""), "by name")
	require.Equal(t, "1 A-0 2 A-1 3 A-2 4 A-3 5 A-4 6 A-5 7 none[]", shown("amy", nil, 13, ""), "one without a name last")
	require.Contains(t, shown("amy", vars{"field": "Secret"}, 2, ""), `"reason":"FIELD_NOT_READABLE"`, "an order says what a field holds")
}

// What options read of parameters is read under the viewer's rights, as other texts are.
func TestOptionsReadParametersUnderTheViewersRights(t *testing.T) {
	t.Parallel()
	b := orders(t)
	conversation := b.conversation(customer, parleytest.Sales)
	design := func(title string) vars {
		return vars{
			"constants":  []vars{{"name": "Like", "type": "TEXT", "text": "like"}},
			"parameters": []vars{{"name": "Order", "type": "RECORD", "objectType": "Order"}},
			"options":    vars{"title": title, "query": vars{"objectType": "Order", "limit": 2, "condition": "Total > $Parameters.Order.Total && Shop = $Parameters.Order.Shop"}},
			"formats":    []vars{{"format": "BUTTONS", "text": "Which order?"}},
		}
	}
	given := func(component string) vars {
		return vars{"componentId": component, "conversationId": conversation, "parameters": []vars{{"name": "Order", "recordId": b.record("Order", "O3")}}}
	}
	id := b.component("DYNAMIC_QUESTION", design(`Number & " " & $Constants.Like & " " & $Parameters.Order.Shop.Name`))
	require.Equal(t, "Which order?\n1. A-4 like Corner\n2. A-5 like Corner", b.preview("amy", given(id)).Get("text").String())
	require.Contains(t, b.preview("bo", given(id)).Get("missing").String(), `"path":"$Parameters.Order.Shop.Name","reason":"NOT_FOUND"`)
	secret := b.component("DYNAMIC_QUESTION", design("Number & $Parameters.Order.Secret"))
	shown := b.preview("amy", given(secret))
	require.Contains(t, shown.Get("missing").String(), `"path":"$Parameters.Order.Secret","reason":"FIELD_NOT_READABLE"`)
	require.NotContains(t, shown.String(), "hush")
}

// A customer's zone is that of the times that they can choose; other texts are in the
// organisation's.
func TestTextsAreInTheOrganisationsZone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conversation := b.conversation(customer, parleytest.Sales)
	require.Empty(t, b.As("ada").Do(`mutation { updateOrganization(input: {timeZone: "America/New_York"}) { errors { message } } }`, nil).Get("updateOrganization", "errors").List())
	require.Empty(t, b.As("ada").Do(`mutation($id: ID!) { updateMessagingUser(input: {id: $id, timeZone: "Asia/Tokyo"}) { errors { message } } }`, vars{"id": b.customerOf(conversation)}).Get("updateMessagingUser", "errors").List())
	id := b.component("TIME_SELECTOR", vars{
		"parameters": []vars{{"name": "At", "type": "DATETIME"}}, "formats": []vars{{"format": "BUTTONS", "text": "It is {!$Parameters.At}. When?"}},
	})
	shown := b.preview("amy", vars{
		"componentId": id, "conversationId": conversation, "slots": []vars{{"start": "2026-11-30T18:00:00Z", "durationMinutes": 30}},
		"parameters": []vars{{"name": "At", "value": "2026-11-30T18:00:00Z"}},
	})
	require.Equal(t, "It is 2026-11-30 13:00:00-05:00. When?\n1. 2026-12-01 03:00", shown.Get("text").String(), shown.String())
}

func TestSlotsThatAreOverAreNotOffered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conversation := b.conversation(customer, parleytest.Sales)
	id := b.component("TIME_SELECTOR", vars{"formats": []vars{{"format": "BUTTONS", "text": "When?"}}})
	shown := b.preview("amy", vars{"componentId": id, "conversationId": conversation, "timeZone": "Europe/Berlin", "slots": []vars{
		{"start": "2026-11-30T09:30:00Z", "durationMinutes": 30}, {"start": "2026-11-23T08:00:00Z", "durationMinutes": 30}, {"start": "2026-11-30T08:00:00Z", "durationMinutes": 30},
	}})
	require.Equal(t, "When?\n1. 2026-11-30 09:00\n2. 2026-11-30 10:30", shown.Get("text").String())
	none := b.preview("amy", vars{"componentId": id, "conversationId": conversation})
	require.Contains(t, none.Get("missing").String(), "NO_OPTIONS")
	none = b.preview("amy", vars{"componentId": id, "conversationId": conversation, "slots": []vars{{"start": "2026-11-23T08:00:00Z", "durationMinutes": 30}}})
	require.Equal(t, "options", none.Get("missing", 0, "path").String(), none.String())
	require.Contains(t, none.Get("missing", 0, "detail").String(), "has begun")
	require.Len(t, none.Get("missing").List(), 1)
}

func TestAutomaticResponsesArePreviewedAndNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conversation := b.conversation(customer, parleytest.Sales)
	id := b.component("AUTO_RESPONSE", vars{"formats": []vars{{"format": "WEB_PAGE", "text": "Thanks", "title": "Survey", "url": "https://example.com/s", "isPopup": true}}})
	shown := b.As("amy").Do(previewing, vars{"i": vars{"componentId": id, "channelTypes": []string{"WEB", "IN_APP", "SMS_LONG_CODE"}}}).Get("previewComponent").List()
	require.Equal(t, "WEB_PAGE", shown[0].Get("format").String())
	require.Equal(t, "TEXT", shown[1].Get("format").String(), "popups are of the web only")
	require.True(t, shown[2].Get("format").IsNull())
	sent := b.send("amy", conversation, b.prepare("amy", vars{"componentId": id, "conversationId": conversation}).Get("token").String(), "auto")
	require.Equal(t, "NOT_SENT_BY_AGENTS", sent.Get("refusals", 0, "code").String())
}

func TestAWebPageGivesItsAddressValues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.component("AUTO_RESPONSE", vars{
		"parameters": []vars{{"name": "Level", "type": "TEXT"}, {"name": "Code", "type": "TEXT", "isOptional": true}},
		"formats": []vars{{"format": "WEB_PAGE", "title": "Survey", "url": "https://example.com/s?v=1#top", "parameters": []vars{
			{"name": "level", "value": "{!$Parameters.Level}"}, {"name": "code", "value": "{!$Parameters.Code}"},
		}}},
	})
	shown := b.preview("amy", vars{"componentId": id, "parameters": []vars{{"name": "Level", "value": "gold & up"}}})
	require.Empty(t, shown.Get("missing").List(), "a blank value is left out")
	require.Equal(t, "https://example.com/s?v=1&level=gold%20%26%20up#top", shown.Get("shape", "url").String())
	require.Equal(t, "Survey\nhttps://example.com/s?v=1&level=gold%20%26%20up#top", shown.Get("text").String(), "TEXT, which was made of it, says the same")
	design := b.As("amy").Do(`query($id: ID!) { component(id: $id) { design { formats { ... on WebPageFormat { parameters { name value } } ... on TextFormat { text } } } } }`, vars{"id": id}).Get("component", "design", "formats")
	require.Equal(t, `[{"parameters":[{"name":"level","value":"{!$Parameters.Level}"},{"name":"code","value":"{!$Parameters.Code}"}]},{"text":"Survey\n{!$Link.Url}"}]`, design.String())
}

// Preparing costs these statements, however many fields, options and records there are; a
// preview of what was prepared costs none.
func TestPreparingCostsSoManyStatements(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	b := orders(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			if !strings.Contains(statement, "log_heads") && !strings.Contains(statement, "processes") { // asked in the background too
				statements.Add(1)
			}
			return nil
		}
	})
	conversation := b.conversation(customer, parleytest.Sales)
	cost := func(do func()) int {
		from := statements.Load()
		do()
		return int(statements.Load() - from)
	}
	query := func(limit int, title string) vars {
		id := b.component("DYNAMIC_QUESTION", vars{
			"options": vars{"title": title, "query": vars{"objectType": "Order", "limit": limit}}, "formats": []vars{{"format": "BUTTONS", "text": "Which?"}},
		})
		return vars{"componentId": id, "conversationId": conversation}
	}
	one, many := query(1, "Number"), query(5, "Number & TEXT(Total) & State")
	first := cost(func() { b.prepare("amy", one) })
	var token string
	require.Equal(t, first, cost(func() { token = b.prepare("amy", many).Get("token").String() }))
	require.LessOrEqual(t, first, 8)
	far := query(5, "Shop.Name")
	require.Equal(t, first+2, cost(func() { b.prepare("amy", far) }), "the lookup and its record")
	require.Zero(t, cost(func() { b.preview("amy", vars{"component": token, "conversationId": conversation}) }))
}
