package crmaction_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
	"parley/internal/desk/crmaction"
	"parley/internal/ground/viewer"
)

type task struct {
	victim.Task

	Action, Conversation string
}

func runUntilKilled(t task) error {
	a, begin, err := t.Open()
	if err != nil {
		return err
	}
	v, err := a.Directory.Viewer("amy")
	if err != nil {
		return err
	}
	begin()
	_, err = a.Schema.Actions.Run(viewer.NewContext(context.Background(), v), crmaction.RunInput{ActionID: t.Action, ConversationID: t.Conversation, IdempotencyKey: "once"})
	return err
}

// Every kind of action, killed at each of its statements: everything is there or nothing,
// and the same request finishes it.
func TestAnActionKilledAtAnyStepLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]vars{
		"update": {"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Amount", "VALUE", "7"), param("Name", "FIELD", "Farm.Name", "Visit__c")}},
		"create": {"performs": "CREATE_RECORD", "parameters": []vars{param("ObjectName", "VALUE", "Visit__c"), param("Name", "VALUE", "New"), param("LinkConversation", "VALUE", "true")}},
		"link":   {"performs": "LINK_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("RecordId", "FIELD", "Farm", "Visit__c")}},
		"open":   {"performs": "OPEN_URL", "parameters": []vars{param("Url", "URL", "https://crm.example.com/")}},
		"call":   {"performs": "CALL_WEBHOOK", "parameters": []vars{param("Url", "URL", "https://crm.example.com/hook")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, key := parleytest.Database(t), t.TempDir()+"/key"
			b := &bundle{Parley: parleytest.OpenAt(t, database, func(c *app.Config) { c.KeyFile = key })}
			b.define()
			b.upsert("Farm__c", "F1", "Name", "Hilltop")
			b.upsert("Visit__c", "V1", "Name", "Ann", "Farm", "F1")
			conversation := b.conversation("+12025550190")
			b.link(conversation)
			id := b.action(in)
			before := b.whole()
			b.Stop()
			for statement := int64(1); ; statement++ {
				killed := victim.Run(t.Context(), t, task{victim.Task{Database: database, Key: key, Statement: statement}, id, conversation})
				after := whole(t, database, key)
				if !killed {
					require.NotEqual(t, before, after, "the run did something")
					require.Equal(t, "1", after["runs of it"])
					require.Greater(t, statement, int64(5), "it has several steps")
					return
				}
				if after["runs of it"] == "1" { // killed after its commit
					continue
				}
				require.Equal(t, before, after, "killed at statement %d", statement)
			}
		})
	}
}

func whole(t *testing.T, database, key string) map[string]string {
	t.Helper()
	b := &bundle{Parley: parleytest.OpenAt(t, database, func(c *app.Config) { c.KeyFile = key })}
	defer b.Stop()
	return b.whole()
}

// whole is all that a run writes.
func (b *bundle) whole() map[string]string {
	b.T.Helper()
	rows := map[string]string{}
	for name, statement := range map[string]string{
		"records": "SELECT object_type, name, body FROM records ORDER BY id", "lookups": "SELECT record_id, field, target_id FROM lookups ORDER BY id",
		"conversations": "SELECT id, record_id, object_type, name, last_seq FROM conversations ORDER BY id", "messages": "SELECT id, kind, text FROM messages ORDER BY id",
		"runs":       "SELECT action_id, outcome, record_id FROM crm_action_runs ORDER BY id",
		"runs of it": "SELECT COUNT(*) - 1 FROM crm_action_runs", // one is that of bundle.link
		"deliveries": "SELECT url, status FROM webhook_deliveries ORDER BY id", "events": "SELECT cause, conversation_id FROM events ORDER BY id",
		"counts": "SELECT owner_id, channel_id, object_type, conversations FROM count_cells ORDER BY 1, 2, 3", "keys": "SELECT mutation, result_id FROM idempotency_keys ORDER BY id",
		"jobs": "SELECT kind, args FROM river_job WHERE kind IN ('deliver_webhook', 'run_crm_actions') ORDER BY id",
	} {
		rows[name] = strings.Join(parleytest.Rows(b.T, b.Store, statement), "\n")
	}
	return rows
}
