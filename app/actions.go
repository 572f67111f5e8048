package app

import (
	"context"
	"net/http"
	"strings"
	"time"

	"parley/internal/channel/wire"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmaction"
	"parley/internal/desk/crmsync"
	"parley/internal/desk/feed"
	"parley/internal/desk/linking"
	"parley/internal/desk/message"
	"parley/internal/edge/server"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/webhook"
)

// actionsAnHour is how many actions an agent may run.
const actionsAnHour = 600

// wireActions makes the use cases of actions, and has them hear of what sets actions off.
func (a *App) wireActions(ids *publicid.Codec, cursors *feed.Cursors, messages message.Reader, records *crm.Service, syncs *crmsync.Service) *crmaction.Service {
	local := a.Config.Mode == server.Development
	actions := &crmaction.Service{
		Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors, Conversations: a.Conversations, Records: records, Messages: messages, Syncs: syncs,
		Vault: a.vault, Call: webhooks(local, webhookTimeout), Local: local, Pauses: a.Config.WebhookPauses,
		Runs: quota.New("run", "actions", actionsAnHour, clock.Real{}),
	}
	records.Changed = actions.Changed
	a.Receiver.Happened, a.Messenger.Happened = actions.Happened, actions.Happened
	a.Receiver.Answered = actions.Answered
	return actions
}

// wireLinking makes the use cases of linking, and has rules hear of messages and of numbers.
func (a *App) wireLinking(ids *publicid.Codec, records *crm.Service) *linking.Service {
	links := &linking.Service{Store: a.Store, Directory: a.Directory, IDs: ids, Conversations: a.Conversations, Records: records}
	a.Receiver.Link, records.Numbered, records.Conditional = links.Received, links.Numbered, links.Conditional
	return links
}

// What a call of a webhook may take, and one of a provider, for which somebody waits.
const (
	webhookTimeout  = 15 * time.Second
	providerTimeout = 5 * time.Second
)

// webhooks calls webhooks: in production those of the public internet alone.
func webhooks(local bool, timeout time.Duration) webhook.Caller {
	transport := wire.NewPublicTransport()
	if local {
		transport = wire.NewTransport()
	}
	client := wire.New(transport, timeout)
	return func(ctx context.Context, c *webhook.Call) (*webhook.Answer, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, strings.NewReader(c.Body))
		if err != nil {
			return nil, err
		}
		for name, value := range c.Header {
			req.Header.Set(name, value)
		}
		answer, err := client.Do(req)
		if wire.IsNotPublic(err) {
			return nil, webhook.ErrNotPublic
		}
		if err != nil {
			return nil, err
		}
		return &webhook.Answer{Status: answer.Status, Body: string(answer.Body)}, nil
	}
}
