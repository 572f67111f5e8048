package app

import (
	"net/http"

	"parley/internal/channel/wire"
	"parley/internal/connector/registry"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmsync"
	"parley/internal/edge/answer"
	"parley/internal/edge/server"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
)

// crmProvider is the provider in the webhook URLs of CRMs. No carrier is called so.
const crmProvider = "crm"

// wireSync makes the use cases of connections to CRMs, whose connectors call, in
// production, the public internet alone.
func (a *App) wireSync(ids *publicid.Codec, records *crm.Service) *crmsync.Service {
	local := a.Config.Mode == server.Development
	transport := wire.NewPublicTransport()
	if local {
		transport = wire.NewTransport()
	}
	return &crmsync.Service{
		Store: a.Store, Directory: a.Directory, IDs: ids, Vault: a.vault, Records: records, Connectors: registry.Connectors(transport),
		PublicURL: a.PublicURL, Loopback: local, Tests: quota.New("test", "connections", testsAnHour, clock.Real{}), Changes: crmsync.NewChanges(),
		Writes: crmsync.NewWrites(), Pauses: a.Config.WebhookPauses,
	}
}

// webhook serves what carriers and CRMs post.
func (a *App) webhook(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("provider") == crmProvider {
		a.Schema.Syncs.Handler(answer.Refuse).ServeHTTP(w, r)
		return
	}
	a.Receiver.Handler(a.PublicURL(), answer.Refuse).ServeHTTP(w, r)
}
