package hostile_test

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/publicid"
)

// naming is what an id at a spot may name.
type naming struct {
	kinds []publicid.Kind
	view  string // whose subject it is
	open  bool   // agents and sender IDs are for everybody
}

var (
	aConversation = []naming{{kinds: []publicid.Kind{publicid.Conversation}}}
	aMessage      = []naming{{kinds: []publicid.Kind{publicid.Message}}}
	aRecord       = []naming{{kinds: []publicid.Kind{publicid.Record}}}
	anOperation   = []naming{{kinds: []publicid.Kind{publicid.BulkOperation}}}
	anAgent       = []naming{{kinds: []publicid.Kind{publicid.Agent}, open: true}}
	aChannel      = []naming{{kinds: []publicid.Kind{publicid.Channel}, open: true}}
	aSet          = []naming{{kinds: []publicid.Kind{publicid.PermissionSet}}}
	anAccount     = []naming{{kinds: []publicid.Kind{publicid.Account}}}
	aToken        = []naming{{kinds: []publicid.Kind{publicid.AccessToken}}}
	aQuickText    = []naming{{kinds: []publicid.Kind{publicid.QuickText}}}
	aCustomer     = []naming{{kinds: []publicid.Kind{publicid.MessagingUser}}}
	anObjectType  = []naming{{kinds: []publicid.Kind{publicid.ObjectType}}}
	anAction      = []naming{{kinds: []publicid.Kind{publicid.CrmAction}}}
	aConnection   = []naming{{kinds: []publicid.Kind{publicid.CrmConnection}}}
	aRun          = []naming{{kinds: []publicid.Kind{publicid.CrmActionRun}}}
	aLinkingRule  = []naming{{kinds: []publicid.Kind{publicid.LinkingRule}}}
	aComponent    = []naming{{kinds: []publicid.Kind{publicid.Component}, open: true}}
	anImage       = []naming{{kinds: []publicid.Kind{publicid.Image}, open: true}}
	aQueue        = []naming{{kinds: []publicid.Kind{publicid.Queue}}}
	aSubject      = []naming{
		{kinds: []publicid.Kind{publicid.Record}, view: "RECORD"},
		{kinds: []publicid.Kind{publicid.Agent}, view: "TEAM_INBOX"},
		{kinds: []publicid.Kind{publicid.Channel}, view: "SENDER_ID", open: true},
	}
	anything = []naming{{kinds: []publicid.Kind{publicid.Conversation, publicid.Message, publicid.Record, publicid.MessagingUser, publicid.BulkOperation, publicid.QuickText, publicid.PermissionSet, publicid.Queue, publicid.Account, publicid.AuditEntry, publicid.AccessToken, publicid.ObjectType, publicid.CrmAction, publicid.CrmActionRun, publicid.LinkingRule, publicid.CrmConnection}}}
)

// namings are all spots that take an id. A new one fails the test until it stands
// here.
var namings = map[string][]naming{
	"Query.node.id":                                anything,
	"Query.conversation.id":                        aConversation,
	"Query.bulkOperation.id":                       anOperation,
	"Query.conversations.view.subject":             aSubject,
	"Query.conversations.filterBy.channelId":       aChannel,
	"Query.conversations.filterBy.ownerId":         anAgent,
	"Query.search.view.subject":                    aSubject,
	"Query.quickTexts.filterBy.queueId":            aQueue,
	"Query.quickText.id":                           aQuickText,
	"Query.agentRights.agentId":                    anAgent,
	"Query.auditEntries.filterBy.actorId":          anAgent,
	"Query.auditEntries.filterBy.subjectId":        anAgent,
	"Query.messagingUsers.filterBy.channelId":      aChannel,
	"Mutation.createMessagingUser.input.channelId": aChannel,
	"Mutation.updateMessagingUser.input.id":        aCustomer,
	"Mutation.setConsent.input.id":                 aCustomer,
	"Mutation.createQuickText.input.queueId":       aQueue,
	"Mutation.updateQuickText.input.id":            aQuickText,
	"Mutation.useQuickText.input.id":               aQuickText,

	"Query.accessTokens.agentId":                           anAgent,
	"Mutation.createServiceAccount.input.permissionSetIds": aSet,
	"Mutation.createServiceAccount.input.channelIds":       aChannel,
	"Mutation.createAccessToken.input.agentId":             anAgent,
	"Mutation.revokeAccessToken.input.id":                  aToken,
	"Mutation.revokeTokens.input.agentId":                  anAgent,

	"Mutation.createAgent.input.permissionSetIds": aSet,
	"Mutation.updateAgent.input.id":               anAgent,
	"Mutation.updateAgent.input.permissionSetIds": aSet,
	"Mutation.deactivateAgent.input.id":           anAgent,
	"Mutation.activateAgent.input.id":             anAgent,
	"Mutation.updatePermissionSet.input.id":       aSet,
	"Mutation.deletePermissionSet.input.id":       aSet,
	"Mutation.grantPermissionSet.input.id":        aSet,
	"Mutation.grantPermissionSet.input.agentIds":  anAgent,
	"Mutation.revokePermissionSet.input.id":       aSet,
	"Mutation.revokePermissionSet.input.agentIds": anAgent,
	"Mutation.mergeMessagingUsers.input.ids":      aCustomer,
	"Mutation.unmergeMessagingUser.input.id":      aCustomer,

	"Mutation.updateAgent.input.defaultChannelId":    aChannel,
	"Mutation.updateViewer.input.defaultChannelId":   aChannel,
	"Mutation.createChannel.input.providerAccountId": anAccount,
	"Mutation.createChannel.input.queueId":           aQueue,
	"Mutation.createChannel.input.memberIds":         anAgent,
	"Mutation.updateChannel.input.id":                aChannel,
	"Mutation.updateChannel.input.queueId":           aQueue,
	"Mutation.activateChannel.input.id":              aChannel,
	"Mutation.deactivateChannel.input.id":            aChannel,
	"Mutation.addChannelMembers.input.id":            aChannel,
	"Mutation.addChannelMembers.input.agentIds":      anAgent,
	"Mutation.removeChannelMembers.input.id":         aChannel,
	"Mutation.removeChannelMembers.input.agentIds":   anAgent,
	"Mutation.createQueue.input.memberIds":           anAgent,
	"Mutation.updateQueue.input.id":                  aQueue,
	"Mutation.deleteQueue.input.id":                  aQueue,
	"Mutation.deleteQueue.input.moveToId":            aQueue,
	"Mutation.addQueueMembers.input.id":              aQueue,
	"Mutation.addQueueMembers.input.agentIds":        anAgent,
	"Mutation.removeQueueMembers.input.id":           aQueue,
	"Mutation.removeQueueMembers.input.agentIds":     anAgent,

	"Mutation.updateObjectType.input.id":         anObjectType,
	"Mutation.updateCrmAction.input.id":          anAction,
	"Query.crmConnection.id":                     aConnection,
	"Mutation.updateCrmConnection.input.id":      aConnection,
	"Mutation.deleteCrmConnection.input.id":      aConnection,
	"Mutation.startCrmConnection.input.id":       aConnection,
	"Mutation.pauseCrmConnection.input.id":       aConnection,
	"Mutation.renewCrmConnectionSecret.input.id": aConnection,
	"Mutation.testCrmConnection.input.id":        aConnection,
	"Mutation.retryRejectedChanges.input.id":     aConnection,
	"Mutation.renewCrmActionSecret.input.id":     anAction,
	"Mutation.runCrmAction.input.actionId":       anAction,
	"Mutation.runCrmAction.input.conversationId": aConversation,
	"Mutation.rerunCrmAction.input.runId":        aRun,
	"Query.crmActionRuns.filterBy.actionId":      anAction,

	"Query.component.id":                                                         aComponent,
	"Mutation.updateComponent.input.id":                                          aComponent,
	"Mutation.cloneComponent.input.id":                                           aComponent,
	"Mutation.deleteComponent.input.id":                                          aComponent,
	"Query.image.id":                                                             anImage,
	"Mutation.deleteImage.input.id":                                              anImage,
	"Mutation.createComponent.input.design.constants.imageId":                    anImage,
	"Mutation.createComponent.input.design.constants.items.imageId":              anImage,
	"Mutation.createComponent.input.design.translations.constants.imageId":       anImage,
	"Mutation.createComponent.input.design.translations.constants.items.imageId": anImage,
	"Mutation.updateComponent.input.design.constants.imageId":                    anImage,
	"Mutation.updateComponent.input.design.constants.items.imageId":              anImage,
	"Mutation.updateComponent.input.design.translations.constants.imageId":       anImage,
	"Mutation.updateComponent.input.design.translations.constants.items.imageId": anImage,
	"Query.prepareComponent.input.componentId":                                   aComponent,
	"Query.prepareComponent.input.conversationId":                                aConversation,
	"Query.prepareComponent.input.parameters.recordId":                           aRecord,
	"Query.prepareComponent.input.parameters.recordIds":                          aRecord,
	"Query.previewComponent.input.componentId":                                   aComponent,
	"Query.previewComponent.input.conversationId":                                aConversation,
	"Query.previewComponent.input.parameters.recordId":                           aRecord,
	"Query.previewComponent.input.parameters.recordIds":                          aRecord,
	"Mutation.renewComponentSecret.input.id":                                     aComponent,
	"Mutation.updateChannel.input.autoResponses.componentId":                     aComponent,

	"Query.crmActionRuns.filterBy.conversationId": aConversation,

	"Query.linkingRules.channelId":                       aChannel,
	"Mutation.createLinkingRule.input.channelId":         aChannel,
	"Mutation.updateLinkingRule.input.id":                aLinkingRule,
	"Mutation.deleteLinkingRule.input.id":                aLinkingRule,
	"Mutation.linkConversation.input.conversationId":     aConversation,
	"Mutation.linkConversation.input.recordId":           aRecord,
	"Mutation.unlinkConversation.input.conversationId":   aConversation,
	"Mutation.rejectLinkSuggestion.input.conversationId": aConversation,
	"Mutation.rejectLinkSuggestion.input.recordId":       aRecord,

	"Query.providerAccount.id":                    anAccount,
	"Mutation.updateProviderAccount.input.id":     anAccount,
	"Mutation.setProviderCredentials.input.id":    anAccount,
	"Mutation.retirePreviousCredentials.input.id": anAccount,
	"Mutation.deactivateProviderAccount.input.id": anAccount,
	"Mutation.activateProviderAccount.input.id":   anAccount,
	"Mutation.testProviderAccount.input.id":       anAccount,

	"Mutation.bulkMarkConversationsRead.input.selection.ids":                  aConversation,
	"Mutation.bulkMarkConversationsRead.input.selection.view.subject":         aSubject,
	"Mutation.bulkMarkConversationsRead.input.selection.filterBy.channelId":   aChannel,
	"Mutation.bulkMarkConversationsRead.input.selection.filterBy.ownerId":     anAgent,
	"Mutation.bulkMarkConversationsUnread.input.selection.ids":                aConversation,
	"Mutation.bulkMarkConversationsUnread.input.selection.view.subject":       aSubject,
	"Mutation.bulkMarkConversationsUnread.input.selection.filterBy.channelId": aChannel,
	"Mutation.bulkMarkConversationsUnread.input.selection.filterBy.ownerId":   anAgent,
	"Mutation.bulkLinkConversations.input.selection.ids":                      aConversation,
	"Mutation.bulkLinkConversations.input.selection.view.subject":             aSubject,
	"Mutation.bulkLinkConversations.input.selection.filterBy.channelId":       aChannel,
	"Mutation.bulkLinkConversations.input.selection.filterBy.ownerId":         anAgent,
	"Mutation.bulkAssignConversations.input.selection.ids":                    aConversation,
	"Mutation.bulkAssignConversations.input.selection.view.subject":           aSubject,
	"Mutation.bulkAssignConversations.input.selection.filterBy.channelId":     aChannel,
	"Mutation.bulkAssignConversations.input.selection.filterBy.ownerId":       anAgent,
	"Mutation.bulkAssignConversations.input.agentId":                          anAgent,
	"Mutation.undoBulkOperation.input.id":                                     anOperation,
	"Mutation.pauseBulkOperation.input.id":                                    anOperation,
	"Mutation.resumeBulkOperation.input.id":                                   anOperation,
	"Mutation.cancelBulkOperation.input.id":                                   anOperation,
	"Mutation.markConversationsRead.input.conversations.id":                   aConversation,
	"Mutation.markConversationsRead.input.conversations.upToMessageId":        aMessage,
	"Mutation.markConversationsUnread.input.ids":                              aConversation,
	"Mutation.setConversationTopic.input.conversationId":                      aConversation,
	"Mutation.assignConversations.input.ids":                                  aConversation,
	"Mutation.assignConversations.input.conversations.id":                     aConversation,
	"Mutation.assignConversations.input.conversations.expectedOwner":          anAgent,
	"Mutation.assignConversations.input.agentId":                              anAgent,
	"Mutation.sendMessage.input.conversationId":                               aConversation,
	"Mutation.sendMessage.input.upToMessageId":                                aMessage,
	"Mutation.startConversation.input.channelId":                              aChannel,
	"Mutation.startConversation.input.recordId":                               aRecord,
	"Mutation.addNote.input.conversationId":                                   aConversation,
	"Mutation.retryMessage.input.messageId":                                   aMessage,
	"Mutation.setTyping.input.conversationId":                                 aConversation,

	"Subscription.bulkOperationChanged.id":                 anOperation,
	"Subscription.messageAdded.conversationId":             aConversation,
	"Subscription.conversationsChanged.view.subject":       aSubject,
	"Subscription.conversationsChanged.filterBy.channelId": aChannel,
	"Subscription.conversationsChanged.filterBy.ownerId":   anAgent,
	"Subscription.conversationChanged.id":                  aConversation,
	"Subscription.conversationPresence.id":                 aConversation,
}

// hiddenIDsAreAbsent puts ids of hidden objects, and of nothing, wherever an id can
// be put: the answers are equal, word for word, and no answer shows what is hidden.
func hiddenIDsAreAbsent(w *world) {
	amy := w.as("amy")
	sights := amy.sights()
	walk := newWalk(amy.own(sights.own[0]))
	var missing []string
	tried := 0
	for _, s := range walk.spots("ID") {
		if namings[s.String()] == nil {
			missing = append(missing, s.String())
		}
		for _, n := range namings[s.String()] {
			for _, kind := range n.kinds {
				absent := amy.reply(walk, s, n, w.absent(kind))
				for _, id := range w.hidden(kind, &sights) {
					got := amy.reply(walk, s, n, id)
					require.Empty(w.t, sights.gives(got, id), "%s of %s", s, id)
					if !n.open {
						require.Equal(w.t, absent, strings.ReplaceAll(got, id, w.absent(kind)), "%s of %s", s, id)
					}
					tried++
				}
			}
		}
	}
	require.Empty(w.t, missing, "a new place for an id needs its line in namings")
	require.Greater(w.t, tried, 80)
	w.recordsByName(amy, &sights)
}

// recordsByName are the one thing that is named by a text.
func (w *world) recordsByName(amy *agent, sights *sights) {
	w.t.Helper()
	const document = `query($type: String!, $id: String!) { record(objectType: $type, externalId: $id) { id name conversations { totalCount } } }`
	nothing := amy.ask(document, vars{"type": "Contact", "id": "nobody"})
	require.Equal(w.t, "NOT_FOUND", nothing.code())
	tried := 0
	for _, o := range sights.hidden {
		if o.Record != nil && sights.secret[o.Record.ID] && tried < 5 {
			require.Equal(w.t, w.opened(nothing.body), w.opened(amy.ask(document, vars{"type": o.ObjectType, "id": o.Record.ExternalID}).body))
			tried++
		}
	}
	require.Positive(w.t, tried)
}

// reply is the answer to an id at a spot, with cursors opened: of subscriptions by
// event stream and by socket, which say the same.
func (a *agent) reply(walk *walk, s spot, n naming, id string) string {
	a.t.Helper()
	document, v := walk.document(s), walk.variables(s, id, n.view)
	if s.root.Name != "Subscription" {
		got := a.ask(document, v)
		require.NotContains(a.t, got.body, "GRAPHQL_VALIDATION_FAILED", document)
		require.NotContains(a.t, got.body, "BAD_USER_INPUT", document)
		return a.judged(got.body)
	}
	_, event := a.event(document, v)
	frame := a.frame(document, v)
	both, err := json.Marshal([]json.RawMessage{json.RawMessage(event), json.RawMessage(frame)})
	require.NoError(a.t, err, event)
	require.NotContains(a.t, event, "GRAPHQL_VALIDATION_FAILED", document)
	return a.judged(string(both))
}

// judged is an answer with its cursors opened. How far the log has come is not what
// is compared: somebody always writes.
func (a *agent) judged(body string) string {
	a.t.Helper()
	return logPlace.ReplaceAllString(a.opened(body), "of feed")
}

var logPlace = regexp.MustCompile(`of feed at \[\d+ \d+\]`)
