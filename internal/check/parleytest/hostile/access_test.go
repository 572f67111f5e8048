package hostile_test

import (
	"encoding/json"
	"regexp"
	"slices"
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
	aToken        = []naming{{kinds: []publicid.Kind{publicid.AccessToken}}}
	aQuickText    = []naming{{kinds: []publicid.Kind{publicid.QuickText}}}
	aQueue        = []naming{{kinds: []publicid.Kind{publicid.Queue}, open: true}}
	aSubject      = []naming{
		{kinds: []publicid.Kind{publicid.Record}, view: "RECORD"},
		{kinds: []publicid.Kind{publicid.Agent}, view: "TEAM_INBOX"},
		{kinds: []publicid.Kind{publicid.Channel}, view: "SENDER_ID", open: true},
	}
	anything = []naming{{kinds: []publicid.Kind{publicid.Conversation, publicid.Message, publicid.Record, publicid.MessagingUser, publicid.BulkOperation, publicid.QuickText, publicid.PermissionSet, publicid.AccessToken}}}
)

// namings are all spots that take an id. A new one fails the test until it stands
// here.
var namings = map[string][]naming{
	"Query.node.id":                          anything,
	"Query.conversation.id":                  aConversation,
	"Query.bulkOperation.id":                 anOperation,
	"Query.conversations.view.subject":       aSubject,
	"Query.conversations.filterBy.channelId": aChannel,
	"Query.conversations.filterBy.ownerId":   anAgent,
	"Query.search.view.subject":              aSubject,
	"Query.quickTexts.filterBy.queueId":      aQueue,
	"Query.quickText.id":                     aQuickText,
	"Query.agentRights.agentId":              anAgent,
	"Query.auditEntries.filterBy.actorId":    anAgent,
	"Query.auditEntries.filterBy.subjectId":  anAgent,
	"Mutation.createQuickText.input.queueId": aQueue,
	"Mutation.updateQuickText.input.id":      aQuickText,
	"Mutation.useQuickText.input.id":         aQuickText,

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
	"Mutation.grantPermissionSet.input.id":        aSet,
	"Mutation.grantPermissionSet.input.agentIds":  anAgent,
	"Mutation.revokePermissionSet.input.id":       aSet,
	"Mutation.revokePermissionSet.input.agentIds": anAgent,

	"Mutation.bulkMarkConversationsRead.input.selection.ids":                  aConversation,
	"Mutation.bulkMarkConversationsRead.input.selection.view.subject":         aSubject,
	"Mutation.bulkMarkConversationsRead.input.selection.filterBy.channelId":   aChannel,
	"Mutation.bulkMarkConversationsRead.input.selection.filterBy.ownerId":     anAgent,
	"Mutation.bulkMarkConversationsUnread.input.selection.ids":                aConversation,
	"Mutation.bulkMarkConversationsUnread.input.selection.view.subject":       aSubject,
	"Mutation.bulkMarkConversationsUnread.input.selection.filterBy.channelId": aChannel,
	"Mutation.bulkMarkConversationsUnread.input.selection.filterBy.ownerId":   anAgent,
	"Mutation.bulkAssignConversations.input.selection.ids":                    aConversation,
	"Mutation.bulkAssignConversations.input.selection.view.subject":           aSubject,
	"Mutation.bulkAssignConversations.input.selection.filterBy.channelId":     aChannel,
	"Mutation.bulkAssignConversations.input.selection.filterBy.ownerId":       anAgent,
	"Mutation.bulkAssignConversations.input.agentId":                          anAgent,
	"Mutation.pauseBulkOperation.input.id":                                    anOperation,
	"Mutation.resumeBulkOperation.input.id":                                   anOperation,
	"Mutation.cancelBulkOperation.input.id":                                   anOperation,
	"Mutation.markConversationsRead.input.conversations.id":                   aConversation,
	"Mutation.markConversationsRead.input.conversations.upToMessageId":        aMessage,
	"Mutation.markConversationsUnread.input.ids":                              aConversation,
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

// own are ids that the attacker may use.
func (a *agent) own(o object) map[string]string {
	a.t.Helper()
	var mine struct {
		Viewer struct {
			Agent    struct{ ID string }
			Channels []struct{ ID string }
		}
	}
	a.do(&mine, `{ viewer { agent { id } channels { id } } }`, nil)
	return map[string]string{
		"id": o.ID, "ids": o.ID, "conversationId": o.ID, "messageId": o.LastMessage.ID, "upToMessageId": o.LastMessage.ID,
		"agentId": mine.Viewer.Agent.ID, "expectedOwner": mine.Viewer.Agent.ID, "channelId": mine.Viewer.Channels[0].ID, "number": "+12025550777", "objectType": "Contact",
	}
}

// hidden are some ids of a kind of which the attacker sees nothing.
func (w *world) hidden(kind publicid.Kind, s *sights) (ids []string) {
	w.t.Helper()
	switch kind {
	case publicid.BulkOperation:
		ids = w.as("ada").operations(s.hidden[0].ID)
		for _, id := range ids {
			s.secret[id] = true
		}
		return ids
	case publicid.QuickText:
		var all struct {
			QuickTexts struct {
				Nodes []struct{ ID, Title string }
			}
		}
		w.as("sue").do(&all, `{ quickTexts(filterBy: {scope: QUEUE}) { nodes { id title } } }`, nil)
		require.Len(w.t, all.QuickTexts.Nodes, 1)
		s.secret[all.QuickTexts.Nodes[0].ID], s.secret[all.QuickTexts.Nodes[0].Title] = true, true
		return []string{all.QuickTexts.Nodes[0].ID}
	case publicid.PermissionSet:
		var all struct{ PermissionSets []struct{ ID, Name string } }
		w.as("ada").do(&all, `{ permissionSets { id name } }`, nil)
		require.NotEmpty(w.t, all.PermissionSets)
		s.secret[all.PermissionSets[0].ID], s.secret[all.PermissionSets[0].Name] = true, true
		return []string{all.PermissionSets[0].ID}
	case publicid.AccessToken:
		var all struct{ AccessTokens []struct{ ID string } }
		w.as("ada").do(&all, `{ accessTokens { id } }`, nil)
		require.NotEmpty(w.t, all.AccessTokens)
		s.secret[all.AccessTokens[0].ID] = true
		return []string{all.AccessTokens[0].ID}
	case publicid.AuditEntry:
		var all struct {
			AuditEntries struct{ Nodes []struct{ ID string } }
		}
		w.as("ada").do(&all, `{ auditEntries(first: 2) { nodes { id } } }`, nil)
		for _, entry := range all.AuditEntries.Nodes {
			ids = append(ids, entry.ID)
			s.secret[entry.ID] = true
		}
		require.NotEmpty(w.t, ids)
		return ids
	case publicid.Queue:
		var mine struct {
			Viewer struct{ Queues []struct{ ID string } }
		}
		w.as("sue").do(&mine, `{ viewer { queues { id } } }`, nil)
		return []string{mine.Viewer.Queues[0].ID}
	case publicid.Agent, publicid.Channel:
		var all struct{ Agents, Channels []struct{ ID string } }
		w.as("ada").do(&all, `{ agents { id } channels { id } }`, nil)
		theirs := all.Agents[2:] // bo and sue
		if kind == publicid.Channel {
			theirs = all.Channels[1:3] // not amy's alone
		}
		for _, x := range theirs {
			ids = append(ids, x.ID)
		}
		return ids
	}
	for _, o := range s.hidden {
		if id := o.of(kind); id != "" && s.secret[id] && !slices.Contains(ids, id) {
			if ids = append(ids, id); len(ids) == 2 {
				return ids
			}
		}
	}
	require.NotEmpty(w.t, ids, kind)
	return ids
}

// operations are the ids of one bulk operation, begun once.
func (a *agent) operations(conversation string) []string {
	a.t.Helper()
	var begun struct {
		BulkMarkConversationsUnread struct{ Operation *struct{ ID string } }
	}
	a.do(&begun, `mutation($id: ID!) { bulkMarkConversationsUnread(input: {selection: {ids: [$id]}, idempotencyKey: "hidden"}) { operation { id } errors { code } } }`,
		vars{"id": conversation})
	require.NotNil(a.t, begun.BulkMarkConversationsUnread.Operation)
	return []string{begun.BulkMarkConversationsUnread.Operation.ID}
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
