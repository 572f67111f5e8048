package app

import (
	"cmp"
	"slices"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/access"
	"parley/internal/desk/account"
	"parley/internal/desk/audit"
	"parley/internal/desk/bulk"
	"parley/internal/desk/composer"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/customer"
	"parley/internal/desk/feed"
	"parley/internal/desk/formula/trial"
	"parley/internal/desk/inbound"
	"parley/internal/desk/live"
	"parley/internal/desk/merge"
	"parley/internal/desk/message"
	"parley/internal/desk/objecttype"
	"parley/internal/desk/organization"
	"parley/internal/desk/presence"
	"parley/internal/desk/quicktext"
	"parley/internal/desk/responder"
	"parley/internal/desk/search"
	"parley/internal/desk/staff"
	"parley/internal/desk/switchboard"
	"parley/internal/desk/textindex"
	"parley/internal/edge/server"
	"parley/internal/ground/clock"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/job"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/resolvers"
)

// wireDesk gives the use cases what they work with.
func (a *App) wireDesk(ids *publicid.Codec, cursors *feed.Cursors, providers channel.Providers) {
	named := providers.ByName()
	a.Conversations = &conversation.Service{Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors}
	records := &crm.Service{Store: a.Store, IDs: ids, Cursors: cursors, Definitions: a.Directory, Conversations: a.Conversations}
	messages := message.Reader{Store: a.Store, Cursors: cursors, Conversations: a.Conversations}
	a.Messenger = &message.Messenger{
		Reader: messages, Directory: a.Directory, IDs: ids, Providers: named, Records: records, PublicURL: a.Config.PublicURL,
		CallTimeout: a.Config.CallTimeout, Lease: a.Config.Lease, Metrics: message.NewMetrics(a.Store),
		Sends:  quota.New("send", "messages", cmp.Or(a.Config.Sends, 600), clock.Real{}),
		Starts: quota.New("start", "conversations", cmp.Or(a.Config.Starts, 180), clock.Real{}),
	}
	a.Conversations.KeepOptOut = a.Messenger.KeepOptOut
	a.Config.Jobs.News = a.Messenger.Waiting()
	composing := a.wireComponents(ids, cursors, records)
	a.Receiver = &inbound.Receiver{
		Store: a.Store, Directory: a.Directory, IDs: ids, Conversations: a.Conversations, Messenger: a.Messenger, Providers: named,
		Entries: inbound.NewEntries(), Received: a.Responder.Received,
	}
	searcher := &search.Searcher{Store: a.Store, Directory: a.Directory, Cursors: cursors, Conversations: a.Conversations}
	a.Bulk = &bulk.Service{
		Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors, Conversations: a.Conversations, Search: searcher,
		Begins: quota.New("begin", "bulk operations", cmp.Or(a.Config.Bulks, 60), clock.Real{}),
	}
	syncs := a.wireSync(ids, records)
	actions := a.wireActions(ids, cursors, messages, records, syncs)
	links := a.wireLinking(ids, records)
	a.Bulk.Linker, actions.WouldLink = links, links.WouldLink
	a.refusals.Store = a.Store
	a.board = presence.New(presence.Options{Signals: a.bus})
	streams := &live.Streams{Service: a.Conversations, Hub: a.Hub, Board: a.board, Bulk: a.Bulk, Reader: messages}
	texts := &quicktext.Service{Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors, Live: streams}
	a.Schema = resolvers.Resolver{
		Directory: a.Directory, IDs: ids,
		ConversationService: a.Conversations, Messenger: a.Messenger, Bulk: a.Bulk, Live: streams, Searcher: searcher, Texts: texts,
		Accounts: &account.Service{
			Store: a.Store, Directory: a.Directory, IDs: ids, Vault: a.vault, Providers: providers, Messenger: a.Messenger, Others: []account.Sealed{actions, syncs, composing},
			PublicURL: a.PublicURL, Loopback: a.Config.Mode == server.Development, Tests: quota.New("test", "provider accounts", testsAnHour, clock.Real{}),
		},
		Organization: &organization.Service{Directory: a.Directory},
		Staff:        &staff.Service{Store: a.Store, Directory: a.Directory, IDs: ids, Conversations: a.Conversations, Settings: quota.New("change", "settings", settingsAnHour, clock.Real{})},
		Customers: &customer.Service{
			Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors, Conversations: a.Conversations, Messenger: a.Messenger,
			Creates: quota.New("create", "customers", customersAnHour, clock.Real{}),
		},
		Audit:       &audit.Service{Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors, Live: streams, Keep: cmp.Or(a.Config.AuditKeep, audit.DefaultKeep)},
		Merger:      &merge.Service{Store: a.Store, IDs: ids, Conversations: a.Conversations},
		ObjectTypes: &objecttype.Service{Directory: a.Directory, IDs: ids, Reindex: records.Reindex},
		Records:     records,
		Switchboard: &switchboard.Service{
			Store: a.Store, Directory: a.Directory, IDs: ids, Conversations: a.Conversations, Texts: texts, Composer: composing, Providers: named,
			PublicURL: strings.TrimSuffix(a.Config.PublicURL, "/"),
		},
		Actions:  actions,
		Composer: composing, Pictures: composing.Pictures, Linking: links, Syncs: syncs,
		Formulas: &trial.Service{Clock: a.Config.Clock, Rates: a.Directory.Rates},
		Access: &access.Service{
			Store: a.Store, Directory: a.Directory, IDs: ids, Clock: clock.Real{}, Uses: &access.Uses{Store: a.Store, Clock: clock.Real{}},
			Seen: access.NewSeen(a.Store, clock.Real{}, a.Directory), Unseen: unseen(a.Config.Issuers),
		},
	}
}

// wireComponents gives what fills components in, with their images, and what sends them by
// itself.
func (a *App) wireComponents(ids *publicid.Codec, cursors *feed.Cursors, records *crm.Service) *composer.Service {
	local := a.Config.Mode == server.Development
	pictures := a.wirePictures(ids, cursors)
	a.Messenger.Renew = pictures.Links.Renew
	s := &composer.Service{
		Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors, Conversations: a.Conversations, Records: records, Pictures: pictures,
		Providers: a.Messenger.Providers, Vault: a.vault, Call: webhooks(local, providerTimeout), Local: local,
		Calls: quota.NewCallers(quota.Rate{PerSecond: 1, Burst: 10}, composer.MostProviders, clock.Real{}),
	}
	a.Responder = &responder.Service{
		Store: a.Store, Directory: a.Directory, Conversations: a.Conversations, Composer: s, Messenger: a.Messenger, Responses: responder.NewResponses(),
	}
	return s
}

// Jobs are the jobs of all subjects.
func (a *App) Jobs() []job.Job {
	return slices.Concat(a.Messenger.Jobs(), a.Conversations.Jobs(), idempotency.Jobs(a.Store), a.Receiver.Jobs(),
		feed.Jobs(a.Store, a.Config.Log), textindex.Jobs(a.Store), a.Bulk.Jobs(), a.Responder.Jobs(), a.Schema.Audit.Jobs(), a.Schema.Access.Jobs(), a.Schema.Records.Jobs(), a.Schema.Actions.Jobs(), a.Schema.Linking.Jobs(), a.Schema.Syncs.Jobs(), a.Schema.Pictures.Jobs())
}
