// Package directory keeps the organisation's agents, channels and provider accounts in
// memory. They are few (5,000 agents, 2,000 channels) and needed by every request, so
// every process holds a snapshot, which a DIRECTORY_CHANGED event refreshes.
package directory

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Agent is a person who works conversations, or a service account, as colleagues see
// them.
type Agent struct {
	Key        int64
	ID         string
	Username   string
	Name       string
	Role       viewer.Role
	IsLicensed bool
	IsActive   bool
	Kind       viewer.Kind

	rights    *viewer.Viewer
	validFrom clock.Time // tokens issued before are refused
	sets      []int64    // keys of permission sets
}

// IsNode marks a GraphQL Node.
func (*Agent) IsNode() {}

// HasSet reports whether the agent has been given the permission set with the key.
func (a *Agent) HasSet(key int64) bool { return slices.Contains(a.sets, key) }

// Rights are what the agent may do, or could if they were active.
func (a *Agent) Rights() *viewer.Viewer { return a.rights }

// Channel is one address of the business.
type Channel struct {
	Key      int64
	ID       string
	Name     string
	Type     channel.Type
	Address  string
	Country  string
	IsActive bool
	Queue    int64
	// Required is the consent level a customer must have given; empty for none.
	Required channel.Consent
	// Account is the provider account it belongs to.
	Account *Account

	members []*Agent
}

// IsNode marks a GraphQL Node.
func (*Channel) IsNode() {}

// Members are the active agents who may send from it, by name.
func (c *Channel) Members() []*Agent { return c.members }

// RequiredConsent is Required, nil for none.
func (c *Channel) RequiredConsent() *channel.Consent {
	if c.Required == "" {
		return nil
	}
	required := c.Required.AsRequired()
	return &required
}

// SoleOwner is the key of the one person who owns the channel, 0 when it is shared or
// nobody's. Service accounts own none.
func (c *Channel) SoleOwner() (key int64) {
	for _, m := range c.members {
		switch {
		case m.Kind == viewer.Service:
		case key != 0:
			return 0
		default:
			key = m.Key
		}
	}
	return key
}

// Queue is where conversations wait for one of its members.
type Queue struct {
	Key  int64
	ID   string
	Name string
}

// IsNode marks a GraphQL Node.
func (*Queue) IsNode() {}

// Account is a provider account with its credentials. It never reaches the graph.
type Account struct {
	channel.Account
	Provider string
	Active   bool
}

// snapshot is the directory at one moment. It is never changed.
type snapshot struct {
	agents     map[int64]*Agent
	byUsername map[string]*Agent
	agentList  []*Agent
	channels   map[int64]*Channel
	byAddress  map[address]*Channel
	chanList   []*Channel
	accounts   map[string]*Account
	queues     map[int64]*Queue
	access     access
}

type address struct {
	account int64
	address string
}

// Directory answers from the present snapshot. It is safe for concurrent use.
type Directory struct {
	store     *store.Store
	ids       *publicid.Codec
	providers channel.Providers
	now       atomic.Pointer[snapshot]
	// reading serialises refreshes, so that a slow one cannot put back what a
	// later one has replaced.
	reading sync.Mutex
}

// Load reads the directory. The providers read the accounts' credentials.
func Load(ctx context.Context, s *store.Store, ids *publicid.Codec, providers channel.Providers) (*Directory, error) {
	d := &Directory{store: s, ids: ids, providers: providers}
	return d, d.Refresh(ctx)
}

// Refresh reads agents, channels, accounts, queues, access tokens and signing keys again.
func (d *Directory) Refresh(ctx context.Context) error {
	d.reading.Lock()
	defer d.reading.Unlock()
	ctx = viewer.AsSystem(ctx, "directory")
	agents, err := readAgents(ctx, d.store.Ent)
	if err != nil {
		return err
	}
	accounts, err := d.store.Ent.ProviderAccount.Query().WithChannels().All(ctx)
	if err != nil {
		return fmt.Errorf("directory: channels: %w", err)
	}
	queues, err := d.store.Ent.Queue.Query().All(ctx)
	if err != nil {
		return fmt.Errorf("directory: queues: %w", err)
	}
	s := d.build(agents, accounts, queues)
	if s.access, err = d.readAccess(ctx, s); err != nil {
		return err
	}
	d.now.Store(s)
	return nil
}

func (d *Directory) build(agents []*ent.Agent, accounts []*ent.ProviderAccount, queues []*ent.Queue) *snapshot {
	s := &snapshot{
		agents: map[int64]*Agent{}, byUsername: map[string]*Agent{}, accounts: map[string]*Account{},
		channels: map[int64]*Channel{}, byAddress: map[address]*Channel{}, queues: map[int64]*Queue{},
	}
	for _, q := range queues {
		s.queues[q.ID] = &Queue{q.ID, d.ids.Encode(publicid.Queue, q.ID), q.Name}
	}
	for _, a := range accounts {
		s.addAccount(d.ids, a, d.credentials(a))
	}
	for _, a := range agents {
		s.addAgent(d.ids, a)
	}
	byName := func(a, b *Agent) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) }
	slices.SortFunc(s.agentList, byName)
	slices.SortFunc(s.chanList, func(a, b *Channel) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	for _, c := range s.chanList {
		slices.SortFunc(c.members, byName)
	}
	return s
}

// credentials are the account's, nil when they cannot be read: without them nothing is
// sent, and webhooks are answered 503.
func (d *Directory) credentials(a *ent.ProviderAccount) channel.Credentials {
	provider := d.providers.Named(a.Provider)
	if provider == nil { // a newer version's, or an import's
		return nil
	}
	stored := channel.Stored{Document: channel.Secret(a.Credentials), SID: a.Sid, Secret: channel.Secret(a.Secret)}
	credentials, err := stored.Credentials(provider)
	if err != nil {
		slog.Error("cannot use a provider account; correct its credentials", "provider", a.Provider, "account", a.Key, "error", err)
		return nil
	}
	return credentials
}

func (s *snapshot) addAccount(ids *publicid.Codec, a *ent.ProviderAccount, credentials channel.Credentials) {
	account := &Account{
		Account:  channel.Account{ID: a.ID, Key: a.Key, Credentials: credentials, BaseURL: a.BaseURL},
		Provider: a.Provider, Active: a.Active,
	}
	s.accounts[a.Key] = account
	for _, row := range a.Edges.Channels {
		c := &Channel{
			Key: row.ID, ID: ids.Encode(publicid.Channel, row.ID), Name: row.Name, Type: row.Type.Known(), Address: row.Address,
			Country: row.Country, IsActive: row.Active, Required: row.RequiredConsent, Account: account,
		}
		if row.QueueID != nil {
			c.Queue = *row.QueueID
		}
		s.channels[c.Key] = c
		s.byAddress[address{a.ID, c.Address}] = c
		s.chanList = append(s.chanList, c)
	}
}

func (s *snapshot) addAgent(ids *publicid.Codec, row *ent.Agent) {
	a := &Agent{
		Key: row.ID, ID: ids.Encode(publicid.Agent, row.ID), Username: row.Username, Name: row.Name,
		Role: row.Role.Known(), IsLicensed: row.Licensed, IsActive: row.Active, Kind: row.Kind.Known(),
		rights: rightsOf(row), validFrom: row.TokensValidFrom,
	}
	for _, set := range row.Edges.PermissionSets {
		a.sets = append(a.sets, set.ID)
	}
	if a.IsActive {
		for _, c := range a.rights.Channels {
			s.channels[c].members = append(s.channels[c].members, a)
		}
	}
	s.agents[a.Key], s.byUsername[a.Username] = a, a
	s.agentList = append(s.agentList, a)
}

// Agents are all agents, service accounts too, by name.
func (d *Directory) Agents() []*Agent { return d.now.Load().agentList }

// People are the agents who are no service accounts and are active, or those who are not,
// by name; all for nil.
func (d *Directory) People(isActive *bool) []*Agent {
	return slices.DeleteFunc(slices.Clone(d.Agents()), func(a *Agent) bool {
		return a.Kind != viewer.Person || isActive != nil && a.IsActive != *isActive
	})
}

// ServiceAccounts are all service accounts, by name.
func (d *Directory) ServiceAccounts() []*Agent {
	return slices.DeleteFunc(slices.Clone(d.Agents()), func(a *Agent) bool { return a.Kind != viewer.Service })
}

// Channels are all channels, by name.
func (d *Directory) Channels() []*Channel { return d.now.Load().chanList }

// Agent returns the agent with the key, nil when there is none.
func (d *Directory) Agent(key int64) *Agent { return d.now.Load().agents[key] }

// Queue returns the queue with the key, nil when there is none.
func (d *Directory) Queue(key int64) *Queue { return d.now.Load().queues[key] }

// QueuesOf are the queues that v works, by name.
func (d *Directory) QueuesOf(v *viewer.Viewer) []*Queue {
	queues := make([]*Queue, 0, len(v.Queues))
	for _, key := range v.Queues {
		if q := d.Queue(key); q != nil {
			queues = append(queues, q)
		}
	}
	slices.SortFunc(queues, func(a, b *Queue) int { return strings.Compare(a.Name, b.Name) })
	return queues
}

// AgentNamed returns the agent with the username, nil when there is none.
func (d *Directory) AgentNamed(username string) *Agent { return d.now.Load().byUsername[username] }

// Channel returns the channel with the key, nil when there is none.
func (d *Directory) Channel(key int64) *Channel {
	return d.orNewer(func(s *snapshot) *Channel { return s.channels[key] })
}

// orNewer finds a channel, and reads the directory again before it says that
// there is none: another process may have made it a moment ago, and its
// conversations are here as soon as it is.
func (d *Directory) orNewer(find func(*snapshot) *Channel) *Channel {
	if c := find(d.now.Load()); c != nil {
		return c
	}
	ctx, cancel := context.WithTimeout(context.Background(), retryEvery)
	defer cancel()
	if err := d.Refresh(ctx); err != nil {
		slog.ErrorContext(ctx, "cannot look for a channel that another process may have created", "error", err)
	}
	return find(d.now.Load())
}

// ChannelsOf are the channels that v owns or shares, by name.
func (d *Directory) ChannelsOf(v *viewer.Viewer) []*Channel {
	out := make([]*Channel, 0, len(v.Channels))
	for _, c := range d.Channels() {
		if v.HasChannel(c.Key) {
			out = append(out, c)
		}
	}
	return out
}

// ChannelAt returns the account's channel with the address, nil when there is none.
func (d *Directory) ChannelAt(account int64, at string) *Channel {
	return d.orNewer(func(s *snapshot) *Channel { return s.byAddress[address{account, at}] })
}

// Account returns the provider account with the webhook key, nil when there is none.
func (d *Directory) Account(key string) *Account { return d.now.Load().accounts[key] }

// Accounts are all provider accounts, in no order.
func (d *Directory) Accounts() iter.Seq[*Account] { return maps.Values(d.now.Load().accounts) }

// Viewer returns the agent with the username as who asks, with the rights they
// have now: UNAUTHENTICATED for one who is unknown or switched off.
func (d *Directory) Viewer(username string) (*viewer.Viewer, error) {
	a := d.AgentNamed(username)
	if a == nil || !a.IsActive {
		return nil, errInactive
	}
	return a.rights, nil
}

var errInactive = fault.New(fault.Unauthenticated, "This token's agent is unknown or no longer active. Ask an administrator.")

// retryEvery is how long Observe waits before it reads again, and the most that
// looking again for a channel takes.
const retryEvery = time.Second

// Observe refreshes the snapshot when e says that it is stale. The hub calls it
// before any stream sees e, and it returns when the snapshot is fresh or ctx
// ends: no stream may go on under rights that e has taken away.
func (d *Directory) Observe(ctx context.Context, e *feed.Event) {
	if e.Cause != feed.DirectoryChanged {
		return
	}
	for {
		err := d.Refresh(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		slog.ErrorContext(ctx, "cannot read agents and channels; streams wait, and requests use the old state", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryEvery):
		}
	}
}
