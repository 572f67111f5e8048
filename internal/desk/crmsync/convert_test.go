package crmsync_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/check/parleytest"
	"parley/internal/connector/salesforce/salesforcetest"
	"parley/internal/desk/message"
	"parley/internal/desk/object"
	"parley/internal/desk/objecttype"
)

// relate has an object type be related to the leads that became its records.
func (b *bundle) relate(objectType, field string) {
	b.T.Helper()
	_, err := b.Schema.ObjectTypes.Update(b.Context("ada"), objecttype.UpdateInput{ID: b.Directory.ObjectType(objectType).ID, Related: []object.Mapping{
		{Label: "Leads", Path: []object.Step{{Direction: object.Down, Object: "Lead", Field: field}}},
	}})
	require.NoError(b.T, err)
}

// start starts a conversation with a lead.
func (b *bundle) start(lead string) {
	b.T.Helper()
	record, err := b.Conversations.RecordNamed(b.Context("ada"), "Lead", lead)
	require.NoError(b.T, err)
	id := record.ID()
	for _, c := range b.Directory.Channels() {
		if c.Address == parleytest.Support {
			_, err := b.Messenger.Start(b.Context("ada"), message.StartInput{ChannelID: c.ID, RecordID: &id, Text: "Hello", IdempotencyKey: lead})
			require.NoError(b.T, err)
		}
	}
}

// related are the names of the conversations that are related to a record.
func (b *bundle) related(objectType, id string) (names []string) {
	b.T.Helper()
	got := b.As("ada").Do(`query($t: String!, $id: String!) { record(objectType: $t, externalId: $id) { relatedConversations { groups { conversations(first: 9) { nodes { name } } } } } }`,
		vars{"t": objectType, "id": id})
	for _, g := range got.Get("record", "relatedConversations", "groups").List() {
		for _, c := range g.Get("conversations", "nodes").List() {
			names = append(names, c.Get("name").String())
		}
	}
	return names
}

// The account and the opportunity that came of a lead keep what was written with it, though
// the contact has its place.
func TestAConvertedLeadStaysRelatedToAccountAndOpportunity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.sync(0, vars{"objectType": "Account"}, vars{"objectType": "Contact"}, vars{"objectType": "Lead"}, vars{"objectType": "Opportunity"})
	b.relate("Account", "ConvertedAccountId")
	b.relate("Opportunity", "ConvertedOpportunityId")
	lead := s.org.Create("Lead", salesforcetest.Values{"LastName": "Newman", "MobilePhone": "+12025550144"})
	s.settle()
	b.start(lead)

	s.Clock.Advance(time.Minute)
	account := s.org.Create("Account", salesforcetest.Values{"Name": "Acme"})
	opportunity := s.org.Create("Opportunity", salesforcetest.Values{"Name": "A sale", "StageName": "Prospecting", "CloseDate": "2026-12-01"})
	s.org.Convert(lead, s.org.Create("Contact", salesforcetest.Values{"LastName": "Newman-Smith"}), account, opportunity)
	s.settle()
	require.Empty(t, s.state().Get("rejectedChanges").List(), s.state().String())
	require.Equal(t, []string{"Newman-Smith"}, b.related("Account", account))
	require.Equal(t, []string{"Newman-Smith"}, b.related("Opportunity", opportunity))
}

// leads are those of an org, and the contacts that some became.
type leads struct {
	*synced
	fresh  []string
	became map[string]string
}

func (l *leads) create() {
	l.fresh = append(l.fresh, l.org.Create("Lead", salesforcetest.Values{"LastName": fmt.Sprint("Lead", len(l.fresh))}))
}

// convert converts a lead to a contact, if there are both.
func (l *leads) convert(r *rapid.T, contact string) {
	if len(l.fresh) == 0 || contact == "" {
		return
	}
	lead := rapid.SampledFrom(l.fresh).Draw(r, "lead")
	l.org.Convert(lead, contact, "", "")
	l.fresh = slices.DeleteFunc(l.fresh, func(id string) bool { return id == lead })
	l.became[lead] = contact
}

// merge notes that a contact was merged into another, and so are the leads that it was.
func (l *leads) merge(loser, winner string) {
	for lead, contact := range l.became {
		if contact == loser {
			l.became[lead] = winner
		}
	}
}

// requireSame requires that leads are there until they are converted, and then lead to
// their contacts, if these are there.
func (l *leads) requireSame(contacts []string) {
	l.T.Helper()
	want, have := l.org.Names("Lead"), l.namesOf("Lead")
	maps.DeleteFunc(want, func(id, _ string) bool { return !slices.Contains(l.fresh, id) })
	require.Equal(l.T, want, have)
	for lead, contact := range l.became {
		if slices.Contains(contacts, contact) {
			require.Equal(l.T, contact, l.place("Lead", lead))
		}
	}
}

// place is the external id of the record that has the place of another.
func (b *bundle) place(objectType, id string) string {
	b.T.Helper()
	return b.As("ada").Do(`query($t: String!, $id: String!) { record(objectType: $t, externalId: $id) { externalId } }`, vars{"t": objectType, "id": id}).Get("record", "externalId").String()
}

// Conversions and merges that a webhook brings in any order, and again, end as the same.
func TestAWebhookBringsConversionsInAnyOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(nil)
	require.Equal(t, []string{"-into.objectType", "-into"}, h.send(
		vars{"operation": "CONVERSION", "objectType": "Lead", "externalId": "L", "into": vars{"externalId": "C"}},
		vars{"operation": "CONVERSION", "objectType": "Lead", "externalId": "L"},
	))
	nth := 0
	rapid.Check(t, func(r *rapid.T) {
		nth++
		id := func(name string) string { return fmt.Sprint(name, "-", nth) }
		is := func(operation, objectType, name string, more vars) vars {
			change := vars{"operation": operation, "objectType": objectType, "externalId": id(name)}
			maps.Copy(change, more)
			return change
		}
		into := func(objectType, name string) vars {
			return vars{"into": vars{"objectType": objectType, "externalId": id(name)}}
		}
		named := func(name string) vars {
			return vars{"modifiedAt": at(5), "fields": vars{"LastName": name, "Name": name}}
		}
		first := named("Lead 1")
		first["fields"].(vars)["ConvertedAccountId"] = id("A")
		changes := []vars{
			is("UPSERT", "Lead", "L1", first), is("UPSERT", "Lead", "L2", named("Lead 2")), is("UPSERT", "Lead", "L3", named("Lead 3")),
			is("UPSERT", "Contact", "C1", named("Contact 1")), is("UPSERT", "Contact", "C2", named("Contact 2")),
			is("CONVERSION", "Lead", "L1", into("Contact", "C1")), is("CONVERSION", "Lead", "L2", into("Contact", "C2")),
			is("MERGE", "Contact", "C2", into("Contact", "C1")), is("MERGE", "Lead", "L3", into("Lead", "L1")),
			is("DELETE", "Lead", "L3", vars{"modifiedAt": at(6)}),
		}
		all := rapid.Permutation(append(changes, changes...)).Draw(r, "changes")
		for some := range slices.Chunk(all, rapid.IntRange(1, len(all)).Draw(r, "at once")) {
			for _, outcome := range h.send(some...) {
				require.NotContains(r, outcome, "-", "nothing is rejected")
			}
		}
		require.Equal(r, map[string]string{id("C1"): "Contact 1"}, h.named("Contact", id("")))
		require.Empty(r, h.named("Lead", id("")))
		for _, name := range []string{"L1", "L2", "L3"} {
			require.Equal(r, id("C1"), h.place("Lead", id(name)), name)
		}
		require.Equal(r, id("C1"), h.place("Contact", id("C2")))
		require.Equal(r, []string{id("L1")}, parleytest.Rows(t, h.Store, "SELECT r.external_id FROM lookups l JOIN records r ON r.id = l.record_id JOIN records a ON a.id = l.target_id WHERE a.external_id = '"+id("A")+"'"),
			"the account keeps the lead")
	})
}

// named are the records of an object type that are there, whose ids end like that.
func (b *bundle) named(objectType, end string) map[string]string {
	b.T.Helper()
	found := b.namesOf(objectType)
	maps.DeleteFunc(found, func(id, _ string) bool { return !strings.HasSuffix(id, end) })
	return found
}
