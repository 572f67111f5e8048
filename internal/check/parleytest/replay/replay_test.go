package replay_test

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
)

func unquoted(t *testing.T, quoted []byte) (text string) {
	t.Helper()
	require.NoError(t, json.Unmarshal(quoted, &text))
	return text
}

// TestStoredDocumentsReplay runs every operation of every stored document on
// demo data as an agent: the server takes it and answers without an error, and a
// subscription gives its first frame. All of them together stay within the rate and
// the quotas that an agent has by default.
func TestStoredDocumentsReplay(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	p := parleytest.New(t, func(c *app.Config) {
		c.Sends, c.Starts, c.Server, c.KeyFile, c.WebhookPauses = 0, 0, nil, key, []time.Duration{}
	})
	p.Clock.Advance(7 * 24 * time.Hour) // documents tell of changes before
	require.NoError(t, seed.Demo(t.Context(), p.Directory, p.Store))
	p.Run()
	documents := stored(t)
	require.NotEmpty(t, documents)
	wrote := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		t.Run(name, func(t *testing.T) {
			player := &player{p, t, wrote}
			t.Cleanup(player.rest)
			player.play(documents[name])
		})
	}
	requireAudited(t, wrote)
}

// player plays a document as amy, in a conversation of its own; what only
// administrators do, as ada.
type player struct {
	*parleytest.Parley
	t     *testing.T
	wrote map[string]bool // mutations that wrote to the audit
}

var administers = regexp.MustCompile(`\b(?:createServiceAccount|updateOrganization|(?:create|update)ObjectType|crmActionRuns|(?:create|update|rerun)CrmAction|renewCrmActionSecret|(?:create|update|clone|delete)Component|crmConnections?|(?:create|update|delete|start|pause|test)CrmConnection|renewCrmConnectionSecret|retryRejectedChanges|linkingRules|(?:create|update|delete)LinkingRule|(?:un)?linkConversation|rejectLinkSuggestion|bulkLinkConversations|undoBulkOperation|objectType|agentRights|(?:create|update|deactivate|activate)(?:Agent|Channel)|(?:create|update|grant|revoke|delete)PermissionSet|(?:create|update|delete)Queue|(?:add|remove)(?:Channel|Queue)Members|mergeMessagingUsers|unmergeMessagingUser|(?:create|update)MessagingUser|setConsent|records|(?:upsert|delete|merge)Records|providers|providerAccounts?|(?:create|update|deactivate|activate|test)ProviderAccount|setProviderCredentials|retirePreviousCredentials|deleteImage|renewComponentSecret|customerToken)\b`)

func (p *player) play(text string) {
	who := "amy"
	if administers.MatchString(text) {
		who = "ada"
	}
	conversation := p.conversation()
	text = strings.ReplaceAll(text, "obj_…", p.Directory.ObjectType("Account").ID)
	if strings.Contains(text, "acc_…") { // there can be few
		text = strings.ReplaceAll(text, "acc_…", p.account())
	}
	text = strings.NewReplacer("cnv_…", conversation, "msg_…", p.last(conversation), "usr_…", p.bo(), "agt_…", p.bo(), "chn_…", p.channel(), `"UUID"`, `"`+rand.Text()+`"`).Replace(text)
	document, err := parser.ParseQuery(&ast.Source{Input: text})
	require.NoError(p.t, err)
	for _, operation := range document.Operations {
		variables := p.variables(operation.VariableDefinitions)
		if operation.Operation == ast.Subscription {
			socket := p.As(who).Dial()
			socket.StartOf("1", text, operation.Name, variables)
			socket.Next()
			socket.Close()
			continue
		}
		before := p.entries()
		answer := p.As(who).RawOf(text, operation.Name, variables)
		require.Empty(p.t, answer.Errors)
		if operation.Operation == ast.Mutation {
			p.requireDone(answer.Data)
			p.wrote[rootOf(operation)] = p.wrote[rootOf(operation)] || p.entries() != before
		}
	}
}

// rest waits until amy has no bulk operation left that has not ended, of which
// she may have but a few.
func (p *player) rest() {
	p.Eventually(func() bool {
		for _, begun := range p.As("amy").Do(`{ viewer { bulkOperations(first: 10) { nodes { finishedAt } } } }`, nil).
			Get("viewer", "bulkOperations", "nodes").List() {
			if begun.Get("finishedAt").IsNull() {
				return false
			}
		}
		return true
	}, "bulk operations ended")
}

// requireDone wants payloads without errors.
func (p *player) requireDone(data json.RawMessage) {
	var payloads map[string]struct {
		Errors  []any
		Results []struct{ Error any }
	}
	require.NoError(p.t, json.Unmarshal(data, &payloads))
	for field, payload := range payloads {
		require.Empty(p.t, payload.Errors, field)
		for _, result := range payload.Results {
			require.Nil(p.t, result.Error, field)
		}
	}
}

// variables gives the variables that must be given.
func (p *player) variables(definitions ast.VariableDefinitionList) parleytest.Vars {
	variables := parleytest.Vars{}
	for _, d := range definitions {
		if d.Type.NonNull && d.DefaultValue == nil {
			variables[d.Variable] = p.value(d.Variable, d.Type.Name())
		}
	}
	return variables
}

// value is one for a required variable; a document with a type that is not here
// needs it added.
func (p *player) value(name, typeName string) any {
	type object = map[string]any
	conversation := func(more object) object {
		more["conversationId"] = p.conversation()
		return more
	}
	switch typeName {
	case "ID":
		switch name {
		case "operation":
			return p.paused()
		case "quickText":
			return p.quickText()
		case "component":
			return p.component()
		case "image":
			return p.image()
		case "customer", "messagingUser":
			return p.customer()
		case "agent":
			return p.agent()
		case "channelId":
			return p.channel()
		case "account":
			return p.account()
		case "connection":
			return p.connection()
		case "record":
			return p.record().Get("id").String()
		}
		return p.conversation()
	case "Int":
		return 2
	case "String":
		switch name {
		case "query":
			return "hello"
		case "frontend":
			return "desk"
		case "name":
			return "Lead"
		case "component":
			return nil
		case "token":
			return p.customerToken()
		}
		return p.record().Get(name).String() // objectType, externalId
	case "ConversationView":
		return object{"kind": "ALL"}
	case "CreateComponentInput":
		return object{"name": "New", "developerName": "C" + rand.Text(), "kind": "ENHANCED_LINK", "idempotencyKey": rand.Text(), "design": object{
			"formats": []object{{"format": "RICH_LINK", "title": "Home", "url": "https://example.com/"}},
		}}
	case "UpdateComponentInput":
		return object{"id": p.component(), "description": rand.Text()}
	case "CloneComponentInput":
		return object{"id": p.component(), "name": "Copy", "developerName": "C" + rand.Text(), "idempotencyKey": rand.Text()}
	case "DeleteComponentInput":
		return object{"id": p.component()}
	case "DeleteImageInput":
		return object{"id": p.image()}
	case "PrepareComponentInput":
		return conversation(object{"componentId": p.component()})
	case "PreviewComponentInput":
		return conversation(object{"componentId": p.component(), "channelTypes": []string{"WEB", "SMS_LONG_CODE"}})
	case "SendMessageInput", "AddNoteInput":
		return conversation(object{"text": "Hello", "idempotencyKey": rand.Text()})
	case "CheckFormulaInput":
		return object{"template": "{!Name}", "fields": []object{{"name": "Name", "type": "TEXT", "value": "Maya"}}}
	case "SetTypingInput":
		return conversation(object{"isTyping": true})
	case "StartConversationInput":
		return object{"channelId": p.channel(), "number": "+12025559999", "text": "Hello", "idempotencyKey": rand.Text()}
	case "CreateQuickTextInput":
		return object{"title": "Hello", "text": "Hello", "scope": "MINE", "idempotencyKey": rand.Text()}
	case "UpdateQuickTextInput", "UseQuickTextInput":
		return object{"id": p.quickText()}
	case "CreateAgentInput":
		return object{"username": rand.Text(), "name": "New", "role": "STANDARD", "idempotencyKey": rand.Text()}
	case "MergeMessagingUsersInput":
		return object{"ids": []string{p.customer(), p.customer()}, "idempotencyKey": rand.Text()}
	case "CreateMessagingUserInput":
		return object{"channelId": p.channel(), "address": "+12025558888", "idempotencyKey": rand.Text()}
	case "SetConsentInput":
		return object{"id": p.customer(), "status": "EXPLICIT_OPT_IN", "reason": "on the phone"}
	case "UpdateMessagingUserInput", "UnmergeMessagingUserInput":
		return object{"id": p.customer()}
	case "UpdateAgentInput":
		return object{"id": p.agent(), "name": rand.Text()}
	case "CreateCrmConnectionInput":
		return object{"name": rand.Text(), "kind": "WEBHOOK", "idempotencyKey": rand.Text()}
	case "UpdateCrmConnectionInput":
		return object{"id": p.connection(), "name": rand.Text()}
	case "DeleteCrmConnectionInput", "StartCrmConnectionInput", "PauseCrmConnectionInput", "RenewCrmConnectionSecretInput",
		"TestCrmConnectionInput", "RetryRejectedChangesInput":
		return object{"id": p.connection()}
	case "DeactivateAgentInput", "ActivateAgentInput":
		return object{"id": p.agent()}
	case "CreateServiceAccountInput":
		return object{"username": rand.Text(), "name": "New", "idempotencyKey": rand.Text()}
	case "CreateAccessTokenInput":
		return object{"agentId": p.me(), "name": "New", "scopes": []string{"READ"}, "expiresAt": clock.Of(time.Now().Add(time.Hour)).String(), "idempotencyKey": rand.Text()}
	case "RevokeAccessTokenInput":
		return object{"id": p.token()}
	case "RevokeTokensInput":
		return object{"agentId": p.me(), "before": clock.Of(time.Now().Add(-time.Hour)).String()}
	case "CreatePermissionSetInput":
		return object{"name": rand.Text(), "permissions": []string{"MANAGE_RECORDS"}, "idempotencyKey": rand.Text()}
	case "DeletePermissionSetInput":
		return object{"id": p.permissionSet()}
	case "UpdatePermissionSetInput":
		return object{"id": p.permissionSet(), "permissions": []string{"MANAGE_RECORDS"}}
	case "GrantPermissionSetInput", "RevokePermissionSetInput":
		return object{"id": p.permissionSet(), "agentIds": []string{p.agent()}}
	case "Permission":
		return "SEND_ONE_TO_MANY"
	case "CreateChannelInput":
		return object{"providerAccountId": p.account(), "type": "WEB", "address": rand.Text(), "name": "New", "idempotencyKey": rand.Text()}
	case "UpdateChannelInput":
		return object{"id": p.newChannel(), "name": "Renamed"}
	case "ActivateChannelInput", "DeactivateChannelInput":
		return object{"id": p.newChannel()}
	case "AddChannelMembersInput", "RemoveChannelMembersInput":
		return object{"id": p.newChannel(), "agentIds": []string{p.agent()}}
	case "CreateQueueInput":
		return object{"name": rand.Text(), "idempotencyKey": rand.Text()}
	case "DeleteQueueInput":
		return object{"id": p.queue(), "dryRun": true}
	case "UpdateQueueInput":
		return object{"id": p.queue(), "name": rand.Text()}
	case "AddQueueMembersInput", "RemoveQueueMembersInput":
		return object{"id": p.queue(), "agentIds": []string{p.agent()}}
	case "UpsertRecordsInput":
		return object{"records": []object{p.newRecord()}}
	case "DeleteRecordsInput":
		p.As("ada").Do(`mutation($r: UpsertRecordInput!) { upsertRecords(input: {records: [$r]}) { errors { message } } }`, parleytest.Vars{"r": p.newRecord()})
		return object{"records": []object{{"objectType": "Contact", "externalId": newRecord}}}
	case "MergeRecordsInput":
		return object{"records": []object{{"objectType": "Contact", "externalId": rand.Text(), "intoExternalId": rand.Text()}}}
	case "UpdateOrganizationInput":
		return object{"name": "Acme"}
	case "UpdateViewerInput":
		return object{"timeZone": "Europe/Berlin"}
	case "SetPreferencesInput":
		return object{"frontend": "desk", "value": `{"theme": "dark"}`}
	case "CreateProviderAccountInput":
		return object{"provider": "sandbox", "name": rand.Text(), "credentials": []object{{"name": "secret", "value": "hush"}}, "idempotencyKey": rand.Text()}
	case "SetProviderCredentialsInput":
		return object{"id": p.account(), "credentials": []object{{"name": "secret", "value": rand.Text()}}}
	case "UpdateProviderAccountInput":
		return object{"id": p.account(), "name": rand.Text()}
	case "RetirePreviousCredentialsInput", "DeactivateProviderAccountInput", "ActivateProviderAccountInput", "TestProviderAccountInput":
		return object{"id": p.account()}
	case "CreateObjectTypeInput":
		return object{"name": "T" + rand.Text(), "label": "New", "fields": []object{{"name": "Name", "label": "Name", "type": "TEXT"}}, "idempotencyKey": rand.Text()}
	case "UpdateObjectTypeInput":
		return object{"id": p.Directory.ObjectTypes()[0].ID, "description": rand.Text()}
	case "CreateCrmActionInput":
		return object{
			"name": "New", "developerName": "A" + rand.Text(), "performs": "OPEN_URL", "type": "MANUAL", "idempotencyKey": rand.Text(),
			"parameters": []object{{"label": "Address", "key": "Url", "type": "URL", "value": "https://crm.example.com/"}},
		}
	case "UpdateCrmActionInput":
		return object{"id": p.action(), "description": rand.Text()}
	case "RenewCrmActionSecretInput":
		return object{"id": p.calling()}
	case "RenewComponentSecretInput":
		return object{"id": p.timeSelector()}
	case "RunCrmActionInput":
		return conversation(object{"actionId": p.action(), "idempotencyKey": rand.Text()})
	case "RerunCrmActionInput":
		return object{"runId": p.refused(), "idempotencyKey": rand.Text()}
	case "CreateLinkingRuleInput":
		return object{"channelId": p.channel(), "name": rand.Text(), "objectType": "Contact", "mode": "SUGGESTED", "idempotencyKey": rand.Text()}
	case "UpdateLinkingRuleInput":
		return object{"id": p.linkingRule(), "name": rand.Text()}
	case "DeleteLinkingRuleInput":
		return object{"id": p.linkingRule()}
	case "LinkConversationInput", "RejectLinkSuggestionInput":
		return conversation(object{"recordId": p.recordID()})
	case "UnlinkConversationInput":
		return conversation(object{})
	case "SetConversationTopicInput":
		return conversation(object{"topic": "Roof repair"})
	case "UndoBulkOperationInput":
		return object{"id": p.linked(), "idempotencyKey": rand.Text()}
	case "RetryMessageInput":
		return object{"messageId": p.failed(), "idempotencyKey": rand.Text()}
	case "MarkConversationsReadInput":
		return object{"conversations": []object{{"id": p.conversation()}}}
	case "MarkConversationsUnreadInput":
		return object{"ids": []string{p.conversation()}}
	case "PauseBulkOperationInput", "ResumeBulkOperationInput", "CancelBulkOperationInput":
		return object{"id": p.paused()}
	case "BulkMarkConversationsReadInput", "BulkMarkConversationsUnreadInput", "BulkAssignConversationsInput", "BulkLinkConversationsInput":
		return object{"selection": object{"ids": []string{p.conversation()}}, "idempotencyKey": rand.Text()}
	case "AssignConversationsInput":
		return object{"ids": []string{p.conversation()}, "agentId": p.bo()}
	}
	require.Fail(p.t, "no value for the variable $"+name+": "+typeName)
	return nil
}
