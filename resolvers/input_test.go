package resolvers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

const list = `query($view: ConversationView!, $filter: ConversationFilter, $first: Int, $after: String, $last: Int, $before: String) {
	conversations(view: $view, filterBy: $filter, first: $first, after: $after, last: $last, before: $before) {
		totalCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { id } } } }`

// Bad input is answered with a code, and names the argument or its limit.
func TestBadInputNamesItsFieldAndItsLimit(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begin("+12025550151", parleytest.Sales, 1)
	all, amy := vars{"kind": "ALL"}, d.As("amy")
	cursor := amy.Do(list, vars{"view": all}).Get("conversations", "edges", 0, "cursor").String()
	for _, c := range []struct {
		name             string
		v                vars
		code, field, say string
	}{
		{"a page of none", vars{"view": all, "first": 0}, "BAD_INPUT", "first", "1 to 100"},
		{"a negative page", vars{"view": all, "last": -1}, "BAD_INPUT", "last", "1 to 100"},
		{"a page of 101", vars{"view": all, "first": 101}, "", "", "100"},
		{"first and last", vars{"view": all, "first": 1, "last": 1}, "BAD_INPUT", "last", "pairs"},
		{"first and before", vars{"view": all, "first": 1, "before": cursor}, "BAD_INPUT", "before", "pairs"},
		{"last and after", vars{"view": all, "last": 1, "after": cursor}, "BAD_INPUT", "last", "pairs"},
		{"after and before", vars{"view": all, "after": cursor, "before": cursor}, "BAD_INPUT", "before", "pairs"},
		{"an empty cursor", vars{"view": all, "after": ""}, "BAD_INPUT", "after", "cursor"},
		{"no cursor of ours", vars{"view": all, "before": "nonsense"}, "BAD_INPUT", "before", "cursor"},
		{"a view that needs a subject", vars{"view": vars{"kind": "SENDER_ID"}}, "BAD_INPUT", "view.subject", "SENDER_ID"},
		{"an empty subject", vars{"view": vars{"kind": "OBJECT_TYPE", "subject": ""}}, "BAD_INPUT", "view.subject", "OBJECT_TYPE"},
		{"a view that takes none", vars{"view": vars{"kind": "ALL", "subject": id}}, "BAD_INPUT", "view.subject", "ALL"},
		{"a subject of the wrong kind", vars{"view": vars{"kind": "SENDER_ID", "subject": id}}, "NOT_FOUND", "view.subject", "sender ID"},
		{"a record of the wrong kind", vars{"view": vars{"kind": "RECORD", "subject": id}}, "NOT_FOUND", "view.subject", "record"},
		{"a team inbox without the permission", vars{"view": vars{"kind": "TEAM_INBOX", "subject": d.agentID("bo")}}, "NOT_FOUND", "view.subject", "team"},
		{"a channel filter of the wrong kind", vars{"view": all, "filter": vars{"channelId": id}}, "BAD_INPUT", "filterBy.channelId", "channel"},
		{"an owner filter of the wrong kind", vars{"view": all, "filter": vars{"ownerId": id}}, "BAD_INPUT", "filterBy.ownerId", "agent"},
		{"an empty object type", vars{"view": all, "filter": vars{"objectType": ""}}, "BAD_INPUT", "filterBy.objectType", "Contact"},
		{"no time", vars{"view": all, "filter": vars{"lastMessageFrom": "yesterday"}}, "", "", "RFC 3339"},
		{"a time before 1970", vars{"view": all, "filter": vars{"lastMessageFrom": "1969-12-31T23:59:59Z"}}, "", "", "1970"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := amy.Raw(list, c.v)
			require.NotEmpty(t, r.Errors)
			e := r.Errors[0]
			require.Contains(t, e.Message, c.say)
			require.NotEqual(t, "INTERNAL", e.Extensions.Code)
			if c.code != "" {
				require.Equal(t, c.code, e.Extensions.Code)
				require.Equal(t, c.field, e.Extensions.Field)
			}
		})
	}
}

// Filters that contradict one another, or the view, leave nothing over; they are
// no error.
func TestContradictionsAreEmptyLists(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.begin("+12025550151", parleytest.Direct, 1) // amy's alone
	for i, c := range []struct{ view, filter vars }{
		{vars{"kind": "UNASSIGNED"}, vars{"isAssigned": true}},
		{vars{"kind": "UNASSIGNED"}, vars{"ownerId": d.agentID("amy")}},
		{vars{"kind": "MY_INBOX"}, vars{"ownerId": d.agentID("bo")}},
		{vars{"kind": "MY_INBOX"}, vars{"isAssigned": false}},
		{vars{"kind": "OBJECT_TYPE", "subject": "Lead"}, vars{"objectType": "Contact"}},
		{vars{"kind": "ALL"}, vars{"lastMessageFrom": "2030-01-01T00:00:00Z", "lastMessageBefore": "2020-01-01T00:00:00Z"}},
	} {
		got := d.As("amy").Do(list, vars{"view": c.view, "filter": c.filter}).Get("conversations")
		require.Empty(t, got.Get("edges").List(), fmt.Sprint(i))
		require.Zero(t, got.Get("totalCount").Int())
	}
	mine := d.As("amy").Do(list, vars{"view": vars{"kind": "MY_INBOX"}, "filter": vars{"ownerId": d.agentID("amy"), "isAssigned": true, "lastMessageFrom": "2026-11-23T10:00:00+01:00"}})
	require.Equal(t, 1, mine.Get("conversations", "totalCount").Int())
}

// A name that comes with a later message is the conversation's from then on.
func TestACustomerGetsTheirNameWhenItIsFirstTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	names := func() string {
		c := d.As("ada").Do(`{ conversations(view: {kind: ALL}) { nodes { name messagingUser { name } } } }`, nil).Get("conversations", "nodes", 0)
		return c.Get("name").String() + "|" + c.Get("messagingUser", "name").String()
	}
	for _, step := range []struct{ told, want string }{
		{"", "+12025550151|"}, {"Cleo Client", "Cleo Client|Cleo Client"}, {"Somebody Else", "Cleo Client|Cleo Client"},
	} {
		d.sayAs(step.told)
		require.Equal(t, step.want, names())
	}
}
