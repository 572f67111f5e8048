// Package switchboard is the administration of channels and queues: which addresses the
// business has, who answers on them, and where conversations wait.
//
// Package administration says how every change is made. A change of a channel's queue or
// members holds from the next conversation on; those that exist stay where they are.
package switchboard

import (
	"context"

	"parley/ent"
	"parley/ent/agent"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/composer"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/quicktext"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds: how many there may be, and characters of a developer name.
const (
	mostChannels      = 2_000
	mostQueues        = 2_000
	mostDeveloperName = 80
)

// Service has the use cases. All fields are required, but for PublicURL.
type Service struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Conversations *conversation.Service
	Texts         *quicktext.Service
	Composer      *composer.Service
	Providers     map[string]channel.Provider
	PublicURL     string // where carriers reach Parley; empty when it is not configured
}

// Queues are the queues that the viewer of ctx may know of, by name.
func (s *Service) Queues(ctx context.Context) []*directory.Queue {
	v, queues := viewer.FromContext(ctx), []*directory.Queue{}
	for _, q := range s.Directory.Queues() {
		if rule.SeesQueue(v, q.Key) {
			queues = append(queues, q)
		}
	}
	return queues
}

// Queue is the queue with a key; nil when there is none that the viewer of ctx may know
// of.
func (s *Service) Queue(ctx context.Context, key int64) *directory.Queue {
	if !rule.SeesQueue(viewer.FromContext(ctx), key) {
		return nil
	}
	return s.Directory.Queue(key)
}

// WebhookURLs are the addresses to enter at a channel's carrier.
type WebhookURLs struct {
	Messages string // for what customers write
	Statuses string // for what became of what was sent
}

// WebhookURLs are a channel's; nil for a viewer who is no administrator, when no public
// URL is configured, and for an account without a carrier.
func (s *Service) WebhookURLs(ctx context.Context, c *directory.Channel) *WebhookURLs {
	if s.PublicURL == "" || s.Providers[c.Account.Provider] == nil || !rule.Administers(viewer.FromContext(ctx)) {
		return nil
	}
	url := s.PublicURL + "/webhooks/" + c.Account.Provider + "/" + c.Account.Key
	return &WebhookURLs{Messages: url, Statuses: url}
}

// agentKeys are the keys of agents by their ids, each once and ascending.
func (s *Service) agentKeys(ctx context.Context, tx *store.Tx, field string, ids []string) ([]int64, error) {
	keys, err := administration.Keys(s.IDs, publicid.Agent, field, ids)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	n, err := tx.Ent.Agent.Query().Where(agent.IDIn(keys...)).Count(ctx)
	if err == nil && n < len(keys) {
		err = fault.At(field, fault.Missing("agent"))
	}
	return keys, err
}

// MembersInput names a channel or a queue, and agents who are to become its members or
// to stop being so.
type MembersInput struct {
	ID       string
	AgentIDs []string
}

// check refuses a list that is empty or too long.
func (in *MembersInput) check() error {
	if n := len(in.AgentIDs); n < 1 || n > administration.MostListed {
		return fault.Input("input.agentIds", "Give 1 to %d ids of agents, not %d.", administration.MostListed, n)
	}
	return nil
}

// members reads the agents of an input, and those who are members already.
func (s *Service) members(ctx context.Context, tx *store.Tx, in MembersInput, present *ent.AgentQuery) (agents, members []int64, err error) {
	if agents, err = s.agentKeys(ctx, tx, "input.agentIds", in.AgentIDs); err != nil {
		return nil, nil, err
	}
	members, err = present.IDs(ctx)
	return agents, members, err
}

// join has an update add the agents who are no members yet, and reports whether there
// are any.
func join[U interface{ AddMemberIDs(...int64) U }](update U, agents, members []int64) bool {
	added := administration.Without(agents, members)
	update.AddMemberIDs(added...)
	return len(added) > 0
}

// leave has an update remove the agents who are members, and reports whether there are
// any.
func leave[U interface{ RemoveMemberIDs(...int64) U }](update U, agents, members []int64) bool {
	removed := administration.Without(agents, administration.Without(agents, members))
	update.RemoveMemberIDs(removed...)
	return len(removed) > 0
}
