package resolvers

import (
	"parley/internal/desk/conversation"
	"parley/internal/ground/price"
)

// What walking through many rows costs before it begins. How many they are is not
// known then: counts and selections are charged for them as they go (price.Charge),
// and wait their turn (store.Scan).
const (
	walkUnits   = 1_000 // a page whose filter no index serves
	countUnits  = 500
	sentUnits   = 100
	freezeUnits = 1_000
	foundUnits  = 2_000
	staffUnits  = 500
	trailUnits  = 100
	moveUnits   = 4_000
)

// Prices are what the fields cost that visit more than the row they stand on. A
// test holds them to the rows that the fields visit, and bench to the processor.
var Prices = price.Table{
	"Query.conversations": {
		Units: func(a price.Args) int { return 10 + walk(a) },
		Total: total,
		Why:   "A page visits its rows, whose fields pay for them; a filter that no index serves walks through the list.",
	},
	"Record.conversations": {
		Units: price.Flat(10), Total: price.Flat(50),
		Why: "The rows of a record, which are few.",
	},
	"Record.relatedConversations":            {Units: price.Flat(trailUnits), Why: whyTrail},
	"Conversation.relatedConversations":      {Units: price.Flat(trailUnits), Why: whyTrail},
	"RelatedConversationGroup.conversations": {Units: price.Flat(10), Why: "The conversations of a record that were counted, which it sorts."},
	"Query.search": {
		Units: price.Flat(1_200),
		Why:   "The index, and up to 20,000 rows before a page has to end.",
	},
	"Query.checkFormula": {
		Units: func(a price.Args) int {
			in := a.Object("input")
			return 5 + (in.Length("expression")+in.Length("template"))/250 + in.Count("fields")/10
		},
		Why: "The formula is compiled; what it then does is charged as it goes.",
	},
	"Viewer.inboxes": {
		Units: price.Flat(150),
		Why:   "All standing counts that the viewer sees.",
	},
	"Query.quickTexts": {
		Units: price.Flat(200),
		Why:   "All that the viewer sees, 6,000 at most, are sorted or searched for a page.",
	},
	"Query.components": {
		Units: price.Flat(100),
		Why:   "All of them, 2,000 at most, are sorted or searched for a page.",
	},
	"Query.auditEntries": {
		Units: func(a price.Args) int {
			if a.Has("filterBy") {
				return walkUnits
			}
			return 10
		},
		Why: "A page of an index; with a filter as many as it passes over.",
	},
	"Query.crmActionRuns": {
		Units: func(a price.Args) int {
			if a.Has("filterBy") {
				return walkUnits
			}
			return 10
		},
		Why: "A page of an index; with a filter as many as it passes over.",
	},
	"Query.accessTokens": {
		Units: price.Flat(30),
		Why:   "1,000 rows at most.",
	},
	"Query.permissionSets": {
		Units: price.Flat(20),
		Why:   "500 rows at most.",
	},
	"Query.permissionHolders": {
		Units: price.Flat(25),
		Why:   "500 rows at most, and all agents in memory.",
	},
	"Viewer.preferences": {Units: price.Flat(2), Why: "A row of up to 8 kB."},
	"PermissionSet.agents": {
		Units: price.Flat(5),
		Why:   "All agents are looked through, in memory.",
	},
	"Viewer.bulkOperations": {
		Units: price.Flat(10),
		Why:   "A statement.",
	},
	"BulkOperation.results": {
		Units: func(a price.Args) int {
			if a.Has("outcome") {
				return 100
			}
			return 10
		},
		Why: "A batch of a hundred; with an outcome as many as it passes over.",
	},
	"BulkResult.conversation": {Units: price.Flat(2), Why: "A row."},

	"Conversation.messagingUser": {Units: price.Flat(5), Why: "A row, and what its record and its name follow from."},
	"Query.messagingUsers": {
		Units: price.Flat(walkUnits),
		Why:   "As many customers as it passes over, each of whom is asked whether the viewer sees them.",
	},
	"Query.records": {
		Units: func(a price.Args) int {
			if a.Has("filterBy") {
				return walkUnits
			}
			return 10
		},
		Why: "A page of an index; with a filter all that it matches are sorted for the page.",
	},
	"Record.fields":          {Units: price.Flat(20), Why: "A row, of which 500 fields are read at most."},
	"RecordField.reference":  {Units: price.Flat(2), Why: "A row."},
	"Mutation.upsertRecords": {Units: listed("records"), Why: whyListed},
	"Mutation.deleteRecords": {Units: listed("records"), Why: whyListed},
	"Mutation.mergeRecords":  {Units: listed("records"), Why: whyListed},

	"MessagingUser.consentHistory": {Units: price.Flat(2), Why: "Rows, few as a rule."},
	"MessagingUser.identifiers":    {Units: price.Flat(2), Why: "Rows, one as a rule."},
	"MessagingUser.mergedInto":     {Units: price.Flat(2), Why: "A row."},
	"MessagingUser.mergedFrom":     {Units: price.Flat(5), Why: "Rows, none as a rule and 20 at most."},
	"Conversation.mergedInto":      {Units: price.Flat(2), Why: "A row."},
	"Conversation.record":          {Units: price.Flat(2), Why: "A row."},
	"Conversation.lastMessage":     {Units: price.Flat(2), Why: "A row."},
	"Conversation.messages":        {Units: price.Flat(2), Why: "A range of the index; its rows pay by their fields."},
	"Conversation.sendability": {
		Units: func(a price.Args) int { return 20 + (a.Length("draft")+a.Length("component"))/25 },
		Why:   "A statement for each conversation, and every character of the draft, which is cleaned and cut into segments, or of the token, which is opened.",
	},
	"Message.attempts":       {Units: price.Flat(2), Why: "Rows, one as a rule."},
	"Message.conversation":   {Units: price.Flat(2), Why: "A row."},
	"Message.content":        {Units: price.Flat(1), Why: "The text is read with it."},
	"TextContent.text":       {Units: price.Flat(1), Why: "Up to 20,000 characters."},
	"QuickText.text":         {Units: price.Flat(1), Why: "Up to 10,000 characters."},
	"NoteContent.text":       {Units: price.Flat(1), Why: "Up to 10,000 characters."},
	"MediaContent.text":      {Units: price.Flat(1), Why: "Up to 20,000 characters."},
	"SearchHit.conversation": {Units: price.Flat(2), Why: "A row."},
	"SearchHit.message":      {Units: price.Flat(2), Why: "A row."},

	"Mutation.bulkMarkConversationsRead":   {Units: freeze, Why: whyFreeze},
	"Mutation.bulkMarkConversationsUnread": {Units: freeze, Why: whyFreeze},
	"Mutation.bulkAssignConversations":     {Units: freeze, Why: whyFreeze},
	"Mutation.bulkLinkConversations":       {Units: freeze, Why: whyFreeze},
	"Mutation.undoBulkOperation":           {Units: price.Flat(freezeUnits), Why: "The results of the operation are read, 250,000 at most."},
	"Mutation.markConversationsRead":       {Units: listed("conversations"), Why: whyListed},
	"Mutation.markConversationsUnread":     {Units: listed("ids"), Why: whyListed},
	"Mutation.assignConversations":         {Units: listed("ids", "conversations"), Why: whyListed},

	"Mutation.updateOrganization":        {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.createAgent":               {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateAgent":               {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.deactivateAgent":           {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.activateAgent":             {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.createPermissionSet":       {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updatePermissionSet":       {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.deletePermissionSet":       {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.grantPermissionSet":        {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.revokePermissionSet":       {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateViewer":              {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.createChannel":             {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateChannel":             {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.activateChannel":           {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.deactivateChannel":         {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.addChannelMembers":         {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.removeChannelMembers":      {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.createQueue":               {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateQueue":               {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.deleteQueue":               {Units: price.Flat(moveUnits), Why: "It moves up to 2,000 conversations."},
	"Mutation.addQueueMembers":           {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.removeQueueMembers":        {Units: price.Flat(staffUnits), Why: whyStaff},
	"Query.providerAccounts":             {Units: price.Flat(100), Why: whyAccounts},
	"Query.providerAccount":              {Units: price.Flat(100), Why: whyAccounts},
	"Mutation.createProviderAccount":     {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateProviderAccount":     {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.setProviderCredentials":    {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.retirePreviousCredentials": {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.deactivateProviderAccount": {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.activateProviderAccount":   {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.testProviderAccount":       {Units: price.Flat(staffUnits), Why: "A call to the carrier, and whatever waits to be sent is counted."},
	"Query.objectTypes":                  {Units: price.Flat(200), Why: "200 object types at most, and the viewer's access to each of their fields."},
	"Query.objectType":                   {Units: price.Flat(10), Why: "The viewer's access to each of its fields, 500 at most."},
	"AgentRights.recordRights":           {Units: price.Flat(200), Why: "200 object types at most, and the agent's access to each of their fields."},
	"Query.crmActions":                   {Units: price.Flat(50), Why: "200 actions at most, and the viewer's access to their object types."},
	"Conversation.availableActions":      {Units: price.Flat(100), Why: "200 actions at most, and the viewer's access to each field that they read and write."},
	"Mutation.createCrmAction":           {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateCrmAction":           {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.renewCrmActionSecret":      {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.renewComponentSecret":      {Units: price.Flat(staffUnits), Why: whyStaff},
	"Query.linkingRules":                 {Units: price.Flat(5), Why: "20 rules at most, in memory."},
	"Conversation.linkSuggestions":       {Units: price.Flat(20), Why: "The numbers of a few records as a rule, of 1,000 at most, and 10 records."},
	"MessagingUser.links":                {Units: price.Flat(5), Why: "Rows, one or two as a rule, and their records."},
	"Mutation.createLinkingRule":         {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateLinkingRule":         {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.deleteLinkingRule":         {Units: price.Flat(staffUnits), Why: whyStaff},
	"Query.crmConnections":               {Units: price.Flat(20), Why: "50 rows at most, with their progress."},
	"CrmConnection.rejectedChanges":      {Units: price.Flat(10), Why: "Up to 100 rows for each connection, in one statement."},
	"Mutation.createCrmConnection":       {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateCrmConnection":       {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.deleteCrmConnection":       {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.startCrmConnection":        {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.pauseCrmConnection":        {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.renewCrmConnectionSecret":  {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.testCrmConnection":         {Units: price.Flat(staffUnits), Why: "Calls to the CRM."},
	"Mutation.retryRejectedChanges":      {Units: price.Flat(400), Why: "200 records at most, written as upsertRecords does."},
	"Mutation.createObjectType":          {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.updateObjectType":          {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.createServiceAccount":      {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.createAccessToken":         {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.revokeAccessToken":         {Units: price.Flat(staffUnits), Why: whyStaff},
	"Mutation.revokeTokens":              {Units: price.Flat(staffUnits), Why: whyStaff},
	"Query.prepareComponent":             {Units: price.Flat(100), Why: "Up to 100 records are read for a query, and every text is filled in; what its formulas do is charged as they go."},
	"Query.previewComponent": {
		Units: func(a price.Args) int { return 100 + a.Object("input").Length("component")/25 },
		Why:   "As prepareComponent; a document for each type of channel, or a token that is opened.",
	},
	"ComponentDesign.images":   {Units: price.Flat(4), Why: "The rows of its images."},
	"Image.isUsed":             {Units: price.Flat(2), Why: "A look into an index."},
	"Component.design":         {Units: price.Flat(4), Why: "A row of up to 200 kB."},
	"Mutation.createComponent": {Units: price.Flat(staffUnits), Why: "Every text of it, up to 200 kB, is parsed and checked."},
	"Mutation.updateComponent": {Units: price.Flat(staffUnits), Why: "Every text of it, up to 200 kB, is parsed and checked."},

	"Subscription.conversationsChanged": {
		Units: func(a price.Args) int { return 10 + total(a) },
		Why:   "The view is counted when the stream opens.",
	},
	"Subscription.inboxCountsChanged": {Units: price.Flat(150), Why: "All standing counts that the viewer sees."},
}

const (
	whyAccounts = "200 rows at most, and whatever waits to be sent is counted."
	whyFreeze   = "Every conversation of the selection, read and decided, in a dry run too."
	whyListed   = "Two statements for each conversation that changes."
	whyTrail    = "Records along up to 20 paths of 5 steps, which are bounded; their conversations are charged for as they are counted."
	whyStaff    = "The rights of all agents, 5,000 at most, are read before and after the change, and by every process afterwards."
)

// total is what it costs to count a view: standing counts are summed, what they do
// not hold is counted row by row.
func total(a price.Args) int {
	_, counted := conversation.FilterCost(a.Object("filterBy").Has)
	switch kind := a.Object("view").Text("kind"); {
	case kind == "RECORD":
		return 50
	case kind == "SENT":
		return sentUnits
	case kind == "RECORD_TRAIL":
		return countUnits
	case !counted:
		return countUnits
	}
	return 50
}

// walk is what a page costs more whose filter is not the index's that the page is
// read by.
func walk(a price.Args) int {
	passed, _ := conversation.FilterCost(a.Object("filterBy").Has)
	switch a.Object("view").Text("kind") {
	case "RECORD":
		return 0
	case "RECORD_TRAIL":
		return trailUnits
	case "ALL":
	default:
		passed += conversation.OwnIndex
	}
	if passed > conversation.OwnIndex {
		return walkUnits
	}
	return 0
}

// freeze is what a selection costs.
func freeze(a price.Args) int {
	selection := a.Object("input").Object("selection")
	switch {
	case selection.Has("search"):
		return foundUnits
	case selection.Has("ids"):
		return selection.Count("ids")
	}
	return freezeUnits
}

// listed is what changing each conversation of some lists costs.
func listed(names ...string) func(price.Args) int {
	return func(a price.Args) (units int) {
		for _, name := range names {
			units += 20 * a.Object("input").Count(name)
		}
		return units
	}
}
