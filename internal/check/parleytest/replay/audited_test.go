package replay_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/graph"
	"parley/internal/check/parleytest"
)

// unaudited are the mutations that write nothing to the audit, and why.
var unaudited = map[string]string{
	"sendMessage": work, "startConversation": work, "addNote": work, "retryMessage": work, "setTyping": work,
	"markConversationsRead": work, "markConversationsUnread": work, "assignConversations": work,
	"bulkMarkConversationsRead": work, "bulkMarkConversationsUnread": work, "bulkAssignConversations": work,
	"pauseBulkOperation": work, "resumeBulkOperation": work, "cancelBulkOperation": work,
	"linkConversation": work, "unlinkConversation": work, "rejectLinkSuggestion": work, "bulkLinkConversations": work, "undoBulkOperation": work, "setConversationTopic": work,
	"createQuickText": work, "updateQuickText": work, "useQuickText": work, "setPreferences": work,
	"runCrmAction": "crmActionRuns is its log", "rerunCrmAction": "crmActionRuns is its log",
	"upsertRecords":             "the CRM keeps the history of its records",
	"testProviderAccount":       "it changes nothing",
	"testCrmConnection":         "it changes nothing",
	"retryRejectedChanges":      "it writes records, as upsertRecords does",
	"pauseCrmConnection":        idle,
	"unmergeMessagingUser":      "the stored document parts nobody; package merge tests it",
	"updateMessagingUser":       "the stored document changes nothing; package customer tests it",
	"removeChannelMembers":      idle,
	"removeQueueMembers":        idle,
	"revokePermissionSet":       idle,
	"activateAgent":             idle,
	"activateChannel":           idle,
	"activateProviderAccount":   idle,
	"retirePreviousCredentials": idle,
	"deleteQueue":               "the stored document is a dry run; package switchboard tests it",
}

const (
	work = "agents' work, which the event log and the conversation show"
	idle = "the stored document changes nothing; the hook of its type is that of its siblings"
)

// entries counts what is in the audit.
func (p *player) entries() string {
	return parleytest.Rows(p.t, p.Store, "SELECT COUNT(*) FROM audit_entries WHERE action <> 'SIGN_IN_REFUSED'")[0]
}

// requireAudited wants whatever administers to write an entry, or to say above why not:
// a mutation that is added does one or the other. wrote has those that were played, and
// whether they wrote one.
func requireAudited(t *testing.T, wrote map[string]bool) {
	t.Helper()
	var silent, listed []string
	for _, field := range graph.NewExecutableSchema(graph.Config{}).Schema().Mutation.Fields {
		switch why := unaudited[field.Name]; {
		case why == "" && !wrote[field.Name]:
			silent = append(silent, field.Name)
		case why != "" && wrote[field.Name]:
			listed = append(listed, field.Name)
		}
	}
	require.Empty(t, silent, "have these write an audit entry, or say in unaudited why they do not")
	require.Empty(t, listed, "these write an audit entry, and are among unaudited")
}

// rootOf is the field of an operation that has one.
func rootOf(o *ast.OperationDefinition) string {
	if field, is := o.SelectionSet[0].(*ast.Field); is && len(o.SelectionSet) == 1 {
		return field.Name
	}
	return ""
}
