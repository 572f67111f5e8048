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
)

// actionsAnHour is how many actions an agent may run.
const actionsAnHour = 600

// wireActions makes the use cases of actions, and has them hear of what sets actions off.
func (a *App) wireActions(ids *publicid.Codec, cursors *feed.Cursors, messages message.Reader, records *crm.Service, syncs *crmsync.Service) *crmaction.Service {
	local := a.Config.Mode == server.Development
	actions := &crmaction.Service{
		Store: a.Store, Directory: a.Directory, IDs: ids, Cursors: cursors, Conversations: a.Conversations, Records: records, Messages: messages, Syncs: syncs,
		Vault: a.vault, Call: webhooks(local), Local: local, Pauses: a.Config.WebhookPauses,
		Runs: quota.New("run", "actions", actionsAnHour, clock.Real{}),
	}
	records.Changed = actions.Changed
	a.Receiver.Happened, a.Messenger.Happened = actions.Happened, actions.Happened
	return actions
}

// wireLinking makes the use cases of linking, and has rules hear of messages and of numbers.
func (a *App) wireLinking(ids *publicid.Codec, records *crm.Service) *linking.Service {
	links := &linking.Service{Store: a.Store, Directory: a.Directory, IDs: ids, Conversations: a.Conversations, Records: records}
	a.Receiver.Link, records.Numbered = links.Received, links.Numbered
	return links
}

// webhookTimeout bounds a call of a webhook.
const webhookTimeout = 15 * time.Second

// webhooks calls webhooks: in production those of the public internet alone.
func webhooks(local bool) func(context.Context, *crmaction.Call) (*crmaction.Answer, error) {
	transport := wire.NewPublicTransport()
	if local {
		transport = wire.NewTransport()
	}
	client := wire.New(transport, webhookTimeout)
	return func(ctx context.Context, c *crmaction.Call) (*crmaction.Answer, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, strings.NewReader(c.Body))
		if err != nil {
			return nil, err
		}
		for name, value := range c.Header {
			req.Header.Set(name, value)
		}
		answer, err := client.Do(req)
		if wire.IsNotPublic(err) {
			return nil, crmaction.ErrNotPublic
		}
		if err != nil {
			return nil, err
		}
		return &crmaction.Answer{Status: answer.Status, Body: string(answer.Body)}, nil
	}
}
