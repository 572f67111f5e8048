// urql with its normalised cache for Parley: what a frontend sets up once.
import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { cacheExchange, type CacheExchangeOpts } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { authorized } from "../parley/authorized";
import { type Change, fold, type List } from "../parley/fold";
import { resuming } from "../parley/resuming";
import type { Server } from "../parley/server";

type Row = { id: string; lastMessageAt: string };
type Lists = { conversations: List<Row> };

/** What folding needs of a list; the rows keep whatever else was asked for. */
const listDocument = gql<Lists>`
  query ($view: ConversationView!, $filterBy: ConversationFilter, $orderBy: ConversationOrder, $first: Int, $after: String) {
    conversations(view: $view, filterBy: $filterBy, orderBy: $orderBy, first: $first, after: $after) {
      totalCount
      edges { cursor node { id lastMessageAt } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

/** The types without an id: each is a part of the object around it. */
export const parts = [
  "AccountFailure", "ActionContent", "Actor", "AgentPresence", "AgentRights", "AnswerContent", "AuditChange", "AuditEntryChange", "AuditEntryConnection",
  "AuditEntryEdge", "AutoResponse", "AutoResponseParameter", "AvailableCrmAction", "BulkOperationChange", "BulkOperationConnection", "BulkOperationEdge", "BulkPreview", "BulkRefusalCount",
  "BulkResult", "BulkResultConnection", "BulkResultEdge", "ChannelCapabilities", "ChannelFileRule", "ChannelFormatRule", "ChannelLimits", "ChannelTextLimit",
  "ChannelWebhookUrls", "ChoiceShape", "ComponentConnection", "ComponentConstant", "ComponentContent", "ComponentDesign", "ComponentEdge", "ComponentImage",
  "ComponentItem", "ComponentListTemplate", "ComponentMisfit", "ComponentOption", "ComponentParameter", "ComponentPlaceholder", "ComponentPreview", "ComponentQueryFilter", "ComponentQueryOrder",
  "ComponentTemplate",  "ComponentTranslated", "ComponentTranslation", "ComponentURLParameter", "ConsentEntry", "ConversationConnection", "ConversationEdge", "ConversationPresence", "ConversationResult",
  "ConversationUpdated", "ConversationsChange", "CredentialField", "CrmActionCondition", "CrmActionParameter", "CrmActionProblem", "CrmActionReason",
  "CrmActionRequest", "CrmActionRunConnection", "CrmActionRunEdge", "CrmConnectionTest", "CrmFieldChange", "CrmFieldMapping", "CrmSyncedObjectType", "CurrencyRate", "CustomerToken",
  "DeliveryError", "DraftSegments", "EventContent", "FieldRight", "FormulaCheck", "FormulaError", "Identifier", "ImageConnection", "ImageEdge", "InboxCountsChange", "InboxList", "LinkFormat",
  "LinkShape", "LinkSuggestion", "ListFormat", "Location", "LookupStep", "MediaContent", "MediaFile", "MessageAdded", "MessageChanged", "MessageConnection",
  "MessageEdge", "MessageStatusChanged", "MessagingUserConnection", "MessagingUserEdge", "MissingComponentValue", "NoteContent", "ObjectField",
  "ObjectMessaging", "ObjectPhone", "OptionDisplay", "Organization", "OwnedConversations", "PageInfo", "PermissionGrant", "PermissionHolder",
  "PreparedComponent", "PreviousCredentials", "Provider", "ProviderAccountTest", "QueryOptions", "QuestionFormat", "QuickTextChange", "QuickTextConnection",
  "QuickTextEdge", "RecordConnection", "RecordEdge", "RecordField", "RecordLink", "RecordOptions", "RecordResult", "RecordRight", "RejectedChange",
  "RejectedComponentFormat", "RelatedConversationGroup", "RelatedConversationMapping", "RelatedConversations", "Reset", "SearchConnection", "SearchEdge",
  "SearchHighlight", "SearchHit", "SendAttempt", "SendRefusal", "Sendability", "SlotOptions", "StaticOptions", "TemplateFormat", "TemplatePlaceholder", "TemplateShape", "TestedObjectType", "TextContent", "TextFormat",
  "TextShape", "UserError", "ViewCounts", "Viewer", "WebPageFormat", "WebhookAttempt", "WebhookDelivery",
];

/** The introspected schema, which a build makes of schema.graphql, has the cache tell kinds of content apart. */
export function urql({ url, token, webSocketImpl }: Server, schema?: CacheExchangeOpts["schema"]): Client {
  const socket = resuming({ url: url.replace(/^http/, "ws"), token, webSocketImpl });
  return new Client({
    url,
    preferGetMethod: false,
    fetch: authorized(token),
    exchanges: [
      cacheExchange({
        schema,
        keys: Object.fromEntries(parts.map((name) => [name, () => null])),
        resolvers: {
          Query: { conversations: relayPagination() },
          Conversation: { messages: relayPagination() },
          Record: { conversations: relayPagination() },
        },
        updates: {
          Subscription: {
            conversationsChanged(data, { view, filterBy }, cache) {
              for (const { fieldName, arguments: shown } of cache.inspectFields("Query")) {
                if (fieldName !== "conversations" || !same([shown!.view, shown!.filterBy], [view, filterBy])) continue;
                cache.updateQuery({ query: listDocument, variables: shown! }, (lists) =>
                  lists && { ...lists, conversations: fold(lists.conversations, data.conversationsChanged as Change<Row>) });
              }
            },
          },
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query!, variables }, sink) }),
        }),
      }),
    ],
  });
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
