package resolvers

import (
	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/ground/viewer"
)

// ScopeOf is the scope that a root field asks of an access token: READ for queries and
// subscriptions. A mutation without an entry asks for ADMINISTER; a test holds every
// mutation to have one.
func ScopeOf(operation ast.Operation, field string) viewer.Scope {
	if operation != ast.Mutation {
		return viewer.Read
	}
	if scope, known := mutationScopes[field]; known {
		return scope
	}
	return viewer.Administer
}

// mutationScopes are the scopes of all mutations.
var mutationScopes = map[string]viewer.Scope{
	"sendMessage":                 viewer.Send,
	"startConversation":           viewer.Send,
	"addNote":                     viewer.Send,
	"retryMessage":                viewer.Send,
	"setTyping":                   viewer.Send,
	"markConversationsRead":       viewer.Send,
	"markConversationsUnread":     viewer.Send,
	"assignConversations":         viewer.Send,
	"setConversationTopic":        viewer.Send,
	"bulkMarkConversationsRead":   viewer.Send,
	"bulkMarkConversationsUnread": viewer.Send,
	"bulkAssignConversations":     viewer.Send,
	"pauseBulkOperation":          viewer.Send,
	"resumeBulkOperation":         viewer.Send,
	"cancelBulkOperation":         viewer.Send,
	"createQuickText":             viewer.Send,
	"updateQuickText":             viewer.Send,
	"useQuickText":                viewer.Send,
	"createMessagingUser":         viewer.Send,
	"updateMessagingUser":         viewer.Send,
	"setConsent":                  viewer.Send,
	"updateViewer":                viewer.Send,
	"setPreferences":              viewer.Send,
	"runCrmAction":                viewer.Send,
	"linkConversation":            viewer.Send,
	"unlinkConversation":          viewer.Send,
	"rejectLinkSuggestion":        viewer.Send,

	"updateOrganization":        viewer.Administer,
	"createAgent":               viewer.Administer,
	"updateAgent":               viewer.Administer,
	"deactivateAgent":           viewer.Administer,
	"activateAgent":             viewer.Administer,
	"createPermissionSet":       viewer.Administer,
	"updatePermissionSet":       viewer.Administer,
	"deletePermissionSet":       viewer.Administer,
	"grantPermissionSet":        viewer.Administer,
	"revokePermissionSet":       viewer.Administer,
	"createServiceAccount":      viewer.Administer,
	"createAccessToken":         viewer.Administer,
	"revokeAccessToken":         viewer.Administer,
	"revokeTokens":              viewer.Administer,
	"mergeMessagingUsers":       viewer.Administer,
	"unmergeMessagingUser":      viewer.Administer,
	"createChannel":             viewer.Administer,
	"updateChannel":             viewer.Administer,
	"activateChannel":           viewer.Administer,
	"deactivateChannel":         viewer.Administer,
	"addChannelMembers":         viewer.Administer,
	"removeChannelMembers":      viewer.Administer,
	"createQueue":               viewer.Administer,
	"updateQueue":               viewer.Administer,
	"deleteQueue":               viewer.Administer,
	"addQueueMembers":           viewer.Administer,
	"removeQueueMembers":        viewer.Administer,
	"createProviderAccount":     viewer.Administer,
	"updateProviderAccount":     viewer.Administer,
	"setProviderCredentials":    viewer.Administer,
	"retirePreviousCredentials": viewer.Administer,
	"deactivateProviderAccount": viewer.Administer,
	"activateProviderAccount":   viewer.Administer,
	"testProviderAccount":       viewer.Administer,
	"createObjectType":          viewer.Administer,
	"createCrmAction":           viewer.Administer,
	"createLinkingRule":         viewer.Administer,
	"updateLinkingRule":         viewer.Administer,
	"deleteLinkingRule":         viewer.Administer,
	"bulkLinkConversations":     viewer.Administer,
	"undoBulkOperation":         viewer.Administer,
	"updateCrmAction":           viewer.Administer,
	"renewCrmActionSecret":      viewer.Administer,
	"renewComponentSecret":      viewer.Administer,
	"rerunCrmAction":            viewer.Administer,
	"createCrmConnection":       viewer.Administer,
	"updateCrmConnection":       viewer.Administer,
	"deleteCrmConnection":       viewer.Administer,
	"startCrmConnection":        viewer.Administer,
	"pauseCrmConnection":        viewer.Administer,
	"renewCrmConnectionSecret":  viewer.Administer,
	"testCrmConnection":         viewer.Administer,
	"retryRejectedChanges":      viewer.Administer,
	"createComponent":           viewer.Administer,
	"updateComponent":           viewer.Administer,
	"cloneComponent":            viewer.Administer,
	"deleteComponent":           viewer.Administer,
	"deleteImage":               viewer.Administer,
	"deleteRecords":             viewer.Administer,
	"mergeRecords":              viewer.Administer,
	"upsertRecords":             viewer.Administer,
	"updateObjectType":          viewer.Administer,
}
