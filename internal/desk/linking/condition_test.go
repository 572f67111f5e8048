package linking_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARecordThatDoesNotMeetTheConditionIsNotLinked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	id := b.rule(vars{"condition": " 100 / LEN(Name) > 20 "})
	require.Equal(t, "100 / LEN(Name) > 20", b.As("ada").Do(`query($id: ID!) { node(id: $id) { ... on LinkingRule { condition } } }`, vars{"id": id}).Get("node", "condition").String())
	for name, meets := range map[string]bool{"Ann": true, "Far too long": false, "": false} { // the last divides by zero
		from := fmt.Sprintf("+12025550%03d", 180+len(name))
		b.upsert("Visit__c", "V"+name, "Name", name, "Mobile", from)
		c := b.say(from)
		b.settled()
		require.Equal(t, meets, b.anchor(c) != "", name)
	}
	b.upsert("Visit__c", "V1", "Name", "Too long a name", "Mobile", ann)
	c := b.say(ann)
	b.settled()
	require.Empty(t, b.anchor(c))
	b.upsert("Visit__c", "V1", "Name", "Ann")
	b.Eventually(func() bool { return b.anchor(c) == "V1" }, "the record meets the condition now")
	b.upsert("Visit__c", "V1", "Name", "Too long again")
	b.say(ann)
	b.settled()
	require.Equal(t, "V1", b.anchor(c), "what is linked stays")
}

func TestASuggestionEndsWhenItsRecordMeetsTheConditionNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.rule(vars{"mode": "SUGGESTED", "condition": `BEGINS(Name, "Open")`})
	b.rule(vars{"mode": "SUGGESTED", "order": 2, "objectType": "Farm__c"})
	b.upsert("Visit__c", "V1", "Name", "Open 1", "Mobile", ann)
	b.upsert("Visit__c", "V2", "Name", "Done 2", "Mobile", ann)
	b.upsert("Farm__c", "F1", "Name", "Hilltop", "Mobile", ann)
	c := b.say(ann)
	require.Equal(t, []string{"V1 ONLY_MATCH Mobile", "F1 ONLY_MATCH Mobile"}, b.suggested("amy", c))
	b.upsert("Visit__c", "V1", "Name", "Done 1")
	require.Equal(t, []string{"F1 ONLY_MATCH Mobile"}, b.suggested("amy", c))
	b.ok("updateLinkingRule", "UpdateLinkingRuleInput", vars{"id": id, "condition": ""})
	require.Len(t, b.suggested("amy", c), 3)
}

// A bulk operation links as messages do.
func TestABulkOperationAsksTheCondition(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	b.upsert("Visit__c", "V1", "Name", "Open", "Mobile", ann)
	b.upsert("Visit__c", "V2", "Name", "Done", "Mobile", bob)
	a, c := b.say(ann), b.say(bob)
	b.rule(vars{"condition": `Name = "Open"`})
	b.ok("bulkLinkConversations", "BulkLinkConversationsInput", vars{"selection": vars{"ids": []string{a, c}}, "idempotencyKey": b.key()})
	b.Eventually(func() bool { return b.anchor(a) == "V1" }, "the operation links")
	require.Empty(t, b.anchor(c))
}
