package resolvers_test

// ownRules are root fields that show no conversation, and the test that holds them to
// the rights of their subject.
var ownRules = map[string]string{
	"Query.quickTexts": quickTextRights, "Query.quickText": quickTextRights, "Mutation.createQuickText": quickTextRights,
	"Mutation.updateQuickText": quickTextRights, "Mutation.useQuickText": quickTextRights, "Subscription.quickTextsChanged": "quicktext.TestTheStreamShowsWhatIsSeen",
	"Query.messagingUsers": customerRights, "Mutation.createMessagingUser": customerRights, "Mutation.updateMessagingUser": customerRights, "Mutation.setConsent": customerRights,
	"Query.records": recordRights, "Mutation.upsertRecords": recordRights, "Mutation.deleteRecords": recordRights, "Mutation.mergeRecords": recordRights,
	"Query.crmActions": actionRights, "Mutation.createCrmAction": actionRights, "Mutation.updateCrmAction": actionRights, "Mutation.renewCrmActionSecret": "crmaction.TestAWebhookThatIsGivenUpCanBeTriedAgain",
	"Mutation.runCrmAction": "crmaction.TestARunIsRefusedForTheReasonsThatWereShown", "Query.crmActionRuns": "crmaction.TestRunsAreSeenWithTheirConversations",
	"Query.linkingRules": linkingRights, "Mutation.createLinkingRule": linkingRights, "Mutation.updateLinkingRule": linkingRights, "Mutation.deleteLinkingRule": linkingRights,
	"Mutation.linkConversation": linkRights, "Mutation.unlinkConversation": linkRights, "Mutation.rejectLinkSuggestion": linkRights, "Mutation.bulkLinkConversations": linkingRights, "Mutation.undoBulkOperation": linkingRights,
	"Mutation.rerunCrmAction": "crmaction.TestARefusedRunLeavesTheMessageAndRunsAgain",
	"Query.crmConnections":    syncRights, "Query.crmConnection": syncRights, "Mutation.createCrmConnection": syncRights, "Mutation.updateCrmConnection": syncRights, "Mutation.deleteCrmConnection": syncRights, "Mutation.startCrmConnection": syncRights, "Mutation.pauseCrmConnection": syncRights, "Mutation.renewCrmConnectionSecret": syncRights, "Mutation.testCrmConnection": syncRights, "Mutation.retryRejectedChanges": syncRights,
	"Query.components": componentRights, "Query.component": componentRights, "Mutation.createComponent": componentRights, "Mutation.updateComponent": componentRights,
	"Mutation.cloneComponent": componentRights, "Mutation.deleteComponent": componentRights,
	"Mutation.renewComponentSecret": "composer.TestSlotsComeFromAProvider", "Query.customerToken": "responder.TestAChannelAcknowledgesTheFirstMessageOnce",
	"Query.prepareComponent": "composer.TestPreparingReadsWhatTheViewerMayRead", "Query.previewComponent": "composer.TestPreparingReadsWhatTheViewerMayRead",
	"Query.images": imageRights, "Query.image": imageRights, "Mutation.deleteImage": imageRights,
	"Query.auditEntries": auditRights, "Subscription.auditEntriesChanged": auditRights,
	"Query.serviceAccounts": tokenRights, "Query.accessTokens": tokenRights, "Mutation.createServiceAccount": "access.TestATokenGivesNobodyWhatTheyLack",
	"Mutation.createAccessToken": "access.TestWhoCreatesTokensForWhom", "Mutation.revokeAccessToken": tokenRights, "Mutation.revokeTokens": tokenRights,
	"Query.permissionSets": staffRights, "Query.agentRights": staffRights, "Mutation.createAgent": staffRights, "Mutation.updateAgent": staffRights,
	"Mutation.deactivateAgent": staffRights, "Mutation.activateAgent": staffRights, "Mutation.createPermissionSet": staffRights,
	"Mutation.updatePermissionSet": staffRights, "Mutation.deletePermissionSet": staffRights, "Mutation.grantPermissionSet": staffRights, "Mutation.revokePermissionSet": staffRights,
	"Mutation.mergeMessagingUsers": mergeRights, "Mutation.unmergeMessagingUser": mergeRights,
	"Query.permissionHolders": "staff.TestWhoHoldsAPermission", "Mutation.updateViewer": "staff.TestAgentsSetTheirOwn", "Mutation.setPreferences": "staff.TestPreferencesAreTheAgentsOwn",
	"Query.organization": "organization.TestAdministratorsSetWhatEverybodySees", "Mutation.updateOrganization": "organization.TestAdministratorsSetWhatEverybodySees",
	"Query.objectTypes": objectRights, "Query.objectType": objectRights, "Mutation.createObjectType": objectRights, "Mutation.updateObjectType": objectRights, "Query.channelTypes": "the same for everybody", "Query.queues": "switchboard.TestWhatChannelsAndQueuesShow",
	"Mutation.createChannel": channelRights, "Mutation.updateChannel": channelRights, "Mutation.activateChannel": channelRights,
	"Mutation.deactivateChannel": channelRights, "Mutation.addChannelMembers": channelRights, "Mutation.removeChannelMembers": channelRights,
	"Mutation.createQueue": channelRights, "Mutation.updateQueue": channelRights, "Mutation.deleteQueue": channelRights, "Mutation.addQueueMembers": channelRights, "Mutation.removeQueueMembers": channelRights,
	"Query.providers": accountRights, "Query.providerAccounts": accountRights, "Query.providerAccount": accountRights, "Mutation.createProviderAccount": accountRights,
	"Mutation.updateProviderAccount": accountRights, "Mutation.setProviderCredentials": accountRights, "Mutation.retirePreviousCredentials": accountRights,
	"Mutation.deactivateProviderAccount": accountRights, "Mutation.activateProviderAccount": accountRights, "Mutation.testProviderAccount": accountRights,
}

const (
	quickTextRights = "quicktext.TestEveryoneSeesAndEditsWhatTheirShelfAllows"
	customerRights  = "customer.TestCustomersAreSeenWithTheirConversationsAndSenderIDs"
	recordRights    = "crm.TestFieldsThatMayNotBeReadSayNothing"
	actionRights    = "crmaction.TestOnlyAdministratorsDefineActions"
	linkingRights   = "linking.TestOnlyAdministratorsSetRules"
	linkRights      = "linking.TestWhoLinksWhat"
	syncRights      = "crmsync.TestOnlyAdministratorsManageConnections"
	componentRights = "composer.TestOnlyAdministratorsDesignComponents"
	imageRights     = "picture.TestOnlyAdministratorsUploadAndDeleteImages"
	auditRights     = "audit.TestOnlyAdministratorsReadTheAudit"
	accountRights   = "account.TestOnlyAdministratorsManageAccounts"
	tokenRights     = "access.TestOnlyItsAgentAndAdministratorsSeeATokenOrRevokeIt"
	staffRights     = "staff.TestOnlyAdministratorsManageAgents"
	mergeRights     = "merge.TestOnlyAdministratorsMergeWhatTheySee"
	objectRights    = "objecttype.TestAgentsSeeWhatTheyMayRead and TestOnlyAdministratorsDefineObjectTypes"
	channelRights   = "switchboard.TestOnlyAdministratorsManageChannels"
)
