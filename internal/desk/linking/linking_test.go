package linking_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
)

func TestMain(m *testing.M) {
	victim.Work(runUntilKilled)
	os.Exit(m.Run())
}

type vars = parleytest.Vars

// bundle is a desk with CRM records that have two phone fields each: amy may read Visits and
// Farms, but not the second number of a Visit; bo reads none.
type bundle struct {
	*parleytest.Parley
	made int
}

func setup(t testing.TB, options ...func(*app.Config)) *bundle {
	b := &bundle{Parley: parleytest.New(t, options...)}
	b.define()
	return b
}

func (b *bundle) define() {
	b.T.Helper()
	for _, name := range []string{"Farm__c", "Visit__c"} {
		b.ok("createObjectType", "CreateObjectTypeInput", vars{
			"name": name, "label": name, "messaging": vars{"name": "Name", "phones": []vars{{"field": "Mobile"}, {"field": "Second"}}},
			"fields": []vars{
				{"name": "Name", "label": "Name", "type": "TEXT"},
				{"name": "Mobile", "label": "Mobile", "type": "PHONE"},
				{"name": "Second", "label": "Second", "type": "PHONE", "isSensitive": name == "Visit__c"},
			}, "idempotencyKey": b.key(),
		})
	}
	set := b.As("ada").Do(`mutation($i: CreatePermissionSetInput!) { createPermissionSet(input: $i) { permissionSet { id } errors { message } } }`, vars{"i": vars{
		"name": "Reader", "permissions": []string{"TAKE_ACTION"}, "idempotencyKey": b.key(),
		"recordRights": []vars{{"objectType": "Visit__c", "access": "READ"}, {"objectType": "Farm__c", "access": "READ"}},
	}}).Get("createPermissionSet", "permissionSet", "id").String()
	b.ok("grantPermissionSet", "GrantPermissionSetInput", vars{"id": set, "agentIds": []string{b.Directory.AgentNamed("amy").ID}})
}

func (b *bundle) key() string {
	b.made++
	return fmt.Sprintf("key-%d", b.made)
}

// do runs a mutation of a user, and returns the messages of its errors.
func (b *bundle) do(username, mutation, input string, in vars) (messages []string) {
	b.T.Helper()
	payload := b.As(username).Do(fmt.Sprintf(`mutation($i: %s!) { %s(input: $i) { errors { code message } } }`, input, mutation), vars{"i": in}).Get(mutation)
	for _, e := range payload.Get("errors").List() {
		messages = append(messages, e.Get("code").String()+" "+e.Get("message").String())
	}
	return messages
}

// ok is what ada does without errors.
func (b *bundle) ok(mutation, input string, in vars) {
	b.T.Helper()
	require.Empty(b.T, b.do("ada", mutation, input, in))
}

// rule adds a linking rule of the sender ID Sales and returns its id.
func (b *bundle) rule(in vars) string {
	b.T.Helper()
	full := vars{"channelId": b.sales(), "name": fmt.Sprint("Rule ", b.made), "mode": "AUTOMATIC", "objectType": "Visit__c", "idempotencyKey": b.key()}
	for k, v := range in {
		full[k] = v
	}
	made := b.As("ada").Do(`mutation($i: CreateLinkingRuleInput!) { createLinkingRule(input: $i) { rule { id } errors { message } } }`, vars{"i": full}).Get("createLinkingRule")
	require.Empty(b.T, made.Get("errors").List(), made.String())
	return made.Get("rule", "id").String()
}

// sales is the id of the sender ID whose rules these are.
func (b *bundle) sales() string { return channelAt(b.App, parleytest.Sales).ID }

func channelAt(a *app.App, address string) *directory.Channel {
	all := a.Directory.Channels()
	return all[slices.IndexFunc(all, func(c *directory.Channel) bool { return c.Address == address })]
}

// upsert writes a record of which it names the fields.
func (b *bundle) upsert(objectType, id string, fields ...string) {
	b.T.Helper()
	var list []vars
	for i := 0; i < len(fields); i += 2 {
		list = append(list, vars{"name": fields[i], "text": fields[i+1]})
	}
	b.ok("upsertRecords", "UpsertRecordsInput", vars{"records": []vars{{"objectType": objectType, "externalId": id, "fields": list}}})
}

func (b *bundle) merge(from, into string) {
	b.T.Helper()
	b.ok("mergeRecords", "MergeRecordsInput", vars{"records": []vars{{"objectType": "Visit__c", "externalId": from, "intoExternalId": into}}})
}

func (b *bundle) delete(objectType, id string) {
	b.T.Helper()
	b.ok("deleteRecords", "DeleteRecordsInput", vars{"records": []vars{{"objectType": objectType, "externalId": id}}})
}

// say has a customer write to Sales and returns the conversation's id.
func (b *bundle) say(from string) string {
	b.T.Helper()
	b.Say(from, parleytest.Sales, "Hello")
	return b.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
}

const shown = `query($id: ID!) { conversation(id: $id) { name objectType record { externalId }
	linkSuggestions { record { externalId } reason field ruleName }
	messagingUser { links { record { externalId } reason field ruleName linkedBy { username } } } } }`

// anchor is the external id of the conversation's record as ada sees it.
func (b *bundle) anchor(conversation string) string {
	b.T.Helper()
	record := b.As("ada").Do(shown, vars{"id": conversation}).Get("conversation", "record")
	if record.String() == "" {
		return ""
	}
	return record.Get("externalId").String()
}

// suggested are the records that are suggested to a user, and why.
func (b *bundle) suggested(username, conversation string) (all []string) {
	b.T.Helper()
	for _, s := range b.As(username).Do(shown, vars{"id": conversation}).Get("conversation", "linkSuggestions").List() {
		all = append(all, s.Get("record", "externalId").String()+" "+s.Get("reason").String()+" "+s.Get("field").String())
	}
	return all
}

// links are the records that the customer of a conversation is linked to.
func (b *bundle) links(username, conversation string) (all []string) {
	b.T.Helper()
	for _, l := range b.As(username).Do(shown, vars{"id": conversation}).Get("conversation", "messagingUser", "links").List() {
		by := l.Get("linkedBy")
		if by.String() != "" {
			by = by.Get("username")
		}
		all = append(all, l.Get("record", "externalId").String()+" "+l.Get("reason").String()+" "+by.String())
	}
	return all
}

func (b *bundle) record(objectType, id string) string {
	b.T.Helper()
	return b.As("ada").Do(`query($t: String!, $e: String!) { record(objectType: $t, externalId: $e) { id } }`, vars{"t": objectType, "e": id}).Get("record", "id").String()
}

// settled waits until no job of linking is under way.
func (b *bundle) settled() {
	b.T.Helper()
	b.Eventually(func() bool {
		return parleytest.Rows(b.T, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind IN ('link_conversations', 'link_records') AND state <> 'completed'")[0] == "0"
	}, "jobs of linking are done")
}

const ann, bob = "+12025550190", "+12025550191"

func TestAMessageIsLinkedByTheRuleOfItsChannel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.rule(vars{"name": "By number"})
	b.upsert("Visit__c", "V1", "Name", "Ann", "Second", "(202) 555-0190")
	c := b.say(ann)
	seen := b.As("ada").Do(shown, vars{"id": c}).Get("conversation")
	require.Equal(t, []string{"Ann", "Visit__c", "V1"}, []string{seen.Get("name").String(), seen.Get("objectType").String(), seen.Get("record", "externalId").String()})
	link := seen.Get("messagingUser", "links", 0)
	require.Equal(t, []string{"ONLY_MATCH", "Second", "By number", ""},
		[]string{link.Get("reason").String(), link.Get("field").String(), link.Get("ruleName").String(), link.Get("linkedBy").String()})
	require.Empty(t, b.As("amy").Do(shown, vars{"id": c}).Get("conversation", "messagingUser", "links", 0, "field").String(), "she may not read it")
	require.Empty(t, b.anchor(b.say(bob)), "nobody has this number")
	b.Say(ann, parleytest.Support, "Hello")
	other := b.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { record { externalId } } } }`, nil)
	require.Empty(t, other.Get("conversations", "nodes", 0, "record").String(), "the other channel has no rule")
}

func TestOfSeveralRecordsTheOneMessagedLastIsLinked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.rule(vars{"mode": "SUGGESTED"})
	b.upsert("Visit__c", "V1", "Name", "Ann", "Second", ann)
	b.upsert("Visit__c", "V2", "Name", "Ann", "Mobile", ann)
	b.upsert("Visit__c", "V3", "Name", "Ann", "Mobile", ann)
	c := b.say(ann)
	require.Equal(t, []string{"V2 FIELD_ORDER Mobile", "V3 FIELD_ORDER Mobile", "V1 FIELD_ORDER Second"}, b.suggested("ada", c))
	require.Equal(t, []string{"V2 FIELD_ORDER Mobile", "V3 FIELD_ORDER Mobile"}, b.suggested("amy", c), "she may not read the second number")
	require.Empty(t, b.suggested("bo", b.say(ann)), "he may read no Visits")

	other := b.say(bob)
	require.Empty(t, b.do("amy", "linkConversation", "LinkConversationInput", vars{"conversationId": other, "recordId": b.record("Visit__c", "V3")}))
	require.Equal(t, []string{"V3 LAST_MESSAGED Mobile", "V2 FIELD_ORDER Mobile"}, b.suggested("amy", c))
}

func TestSuggestionsAreAcceptedRejectedAndReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.rule(vars{"mode": "SUGGESTED"})
	for _, id := range []string{"V1", "V2", "V3"} {
		b.upsert("Visit__c", id, "Name", "Name of "+id, "Mobile", ann)
	}
	b.upsert("Farm__c", "F1", "Name", "Hilltop")
	c := b.say(ann)
	reject := func(id string) []string {
		return b.do("amy", "rejectLinkSuggestion", "RejectLinkSuggestionInput", vars{"conversationId": c, "recordId": b.record("Visit__c", id)})
	}
	link := func(objectType, id string) []string {
		return b.do("amy", "linkConversation", "LinkConversationInput", vars{"conversationId": c, "recordId": b.record(objectType, id)})
	}
	require.Empty(t, reject("V2"))
	require.Equal(t, []string{"V1 FIELD_ORDER Mobile", "V3 FIELD_ORDER Mobile"}, b.suggested("amy", c))
	b.upsert("Visit__c", "V2", "Name", "Changed")
	b.upsert("Visit__c", "V3", "Mobile", bob)
	require.Equal(t, []string{"V1 ONLY_MATCH Mobile"}, b.suggested("amy", c), "another number, and what was rejected stays so")
	b.delete("Visit__c", "V1")
	require.Empty(t, b.suggested("amy", c))
	b.upsert("Visit__c", "V4", "Mobile", ann)
	b.merge("V2", "V4")
	require.Empty(t, b.suggested("amy", c), "what a rejected record was merged into")
	b.upsert("Visit__c", "V5", "Mobile", ann)
	b.upsert("Visit__c", "V6", "Mobile", ann)
	b.merge("V5", "V6")
	require.Equal(t, []string{"V6 ONLY_MATCH Mobile"}, b.suggested("amy", c), "the winner")

	require.Empty(t, link("Visit__c", "V6"))
	require.Empty(t, b.suggested("amy", c))
	require.Equal(t, []string{"V6 CHOSEN amy"}, b.links("amy", c))
	require.Regexp(t, "CONFLICT", reject("V6"))
	require.Empty(t, link("Farm__c", "F1"))
	require.Equal(t, "F1", b.anchor(c), "any record, and the anchor follows")
	require.Equal(t, []string{"F1 CHOSEN amy", "V6 CHOSEN amy"}, b.links("amy", c))
	require.Empty(t, link("Visit__c", "V3"))
	require.Equal(t, []string{"V3 CHOSEN amy", "F1 CHOSEN amy"}, b.links("amy", c), "one of each object type")
}

func TestWhatAnAgentUnlinksNoRuleLinksAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	b.rule(nil)
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", ann)
	c := b.say(ann)
	require.Equal(t, "V1", b.anchor(c))
	unlink := func() []string {
		return b.do("amy", "unlinkConversation", "UnlinkConversationInput", vars{"conversationId": c})
	}
	require.Empty(t, unlink())
	require.Empty(t, b.anchor(c))
	require.Equal(t, ann, b.As("amy").Do(shown, vars{"id": c}).Get("conversation", "name").String())
	require.Empty(t, unlink(), "there is nothing to undo")
	b.say(ann)
	b.upsert("Visit__c", "V2", "Name", "Another", "Mobile", ann)
	b.settled()
	require.Empty(t, b.anchor(c))
	require.Equal(t, []string{"V2 ONLY_MATCH Mobile"}, b.suggested("amy", c), "other records are suggested")

	b.upsert("Farm__c", "F1", "Name", "Hilltop")
	for _, link := range [][2]string{{"Visit__c", "V1"}, {"Farm__c", "F1"}} {
		require.Empty(t, b.do("amy", "linkConversation", "LinkConversationInput", vars{"conversationId": c, "recordId": b.record(link[0], link[1])}))
	}
	require.Empty(t, unlink())
	require.Equal(t, "V1", b.anchor(c), "the one before")
	require.Equal(t, "Ann", b.As("amy").Do(shown, vars{"id": c}).Get("conversation", "name").String())
}

// Whoever opted out in the CRM stays so when their conversation leaves the record.
func TestAnOptOutStaysWithTheCustomer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	on, opted, name := "+12025550177", "true", "Ann"
	_, err := b.Schema.Records.Upsert(b.Context("ada"), []*crm.RecordInput{{ObjectType: "Contact", ExternalID: "C1", Fields: []*crm.FieldInput{
		{Name: "LastName", Text: &name}, {Name: "MobilePhone", Text: &on}, {Name: "HasOptedOutOfSMS", Text: &opted},
	}}})
	require.NoError(t, err)
	c := b.say(on)
	b.ok("linkConversation", "LinkConversationInput", vars{"conversationId": c, "recordId": b.record("Contact", "C1")})
	b.ok("unlinkConversation", "UnlinkConversationInput", vars{"conversationId": c})
	require.Empty(t, b.anchor(c))
	said := b.As("ada").Do(`query($id: ID!) { conversation(id: $id) { sendability { refusals { code } } } }`, vars{"id": c})
	require.Contains(t, said.Get("conversation", "sendability", "refusals").String(), "OPTED_OUT")
}

func TestRulesLinkByAJobToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	late := b.rule(vars{"timing": "AFTER"})
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", ann)
	c := b.say(ann)
	b.Eventually(func() bool { return b.anchor(c) == "V1" }, "the job links")

	other := b.say(bob)
	b.settled()
	require.Empty(t, b.anchor(other))
	b.upsert("Visit__c", "V1", "Mobile", bob)
	b.Eventually(func() bool { return b.anchor(other) == "V1" }, "the record has the number now")
	require.Equal(t, "V1", b.anchor(c), "what is linked stays")

	b.ok("updateLinkingRule", "UpdateLinkingRuleInput", vars{"id": late, "isActive": false})
	third := b.say("+12025550192")
	b.upsert("Visit__c", "V3", "Mobile", "+12025550192")
	b.settled()
	require.Empty(t, b.anchor(third), "the rule is switched off")
}

func TestTheFirstRuleThatFindsAnythingDecides(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.rule(vars{"order": 2, "objectType": "Visit__c"})
	b.rule(vars{"order": 1, "objectType": "Farm__c", "mode": "SUGGESTED", "matchFields": []string{"second"}})
	b.upsert("Visit__c", "V1", "Mobile", ann)
	b.upsert("Farm__c", "F1", "Mobile", ann)
	require.Equal(t, "V1", b.anchor(b.say(ann)), "the Farm has it in another field")
	b.upsert("Visit__c", "V2", "Mobile", bob)
	b.upsert("Farm__c", "F2", "Second", bob)
	c := b.say(bob)
	require.Empty(t, b.anchor(c))
	require.Equal(t, []string{"F2 ONLY_MATCH Second", "V2 ONLY_MATCH Mobile"}, b.suggested("ada", c))
}

// Records have numbers as people and carriers write them, with and without a country.
func TestANumberIsFoundAsRecordsHaveIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.rule(vars{"mode": "SUGGESTED"})
	for from, written := range map[string]string{
		"+12025550160": "202-555-0160", "+12025550161": "+1 (202) 555-0161", "+12025550162": "12025550162",
		"+525512345678": "+52 1 55 1234 5678", "+5511987654321": "+55 11 8765-4321",
	} {
		id := b.key()
		b.upsert("Visit__c", id, "Name", "Ann", "Mobile", written)
		require.Equal(t, []string{id + " ONLY_MATCH Mobile"}, b.suggested("ada", b.say(from)), written)
	}
	b.upsert("Visit__c", "Far", "Name", "Ann", "Mobile", "+44 20 2555 0163")
	require.Empty(t, b.suggested("ada", b.say("+12025550163")), "the same digits in another country")
}
