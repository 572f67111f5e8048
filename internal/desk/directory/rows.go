package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/ent"
	"parley/ent/agent"
	entchannel "parley/ent/channel"
	"parley/ent/permissionset"
	"parley/ent/provideraccount"
	"parley/ent/queue"
	"parley/internal/desk/feed"
)

// rows are what snapshots are made of, as it was read. A row that refers to one which is
// not here yet waits for it: its event is on the way.
type rows struct {
	organization *ent.Organization
	agents       map[int64]*ent.Agent
	sets         map[int64]*ent.PermissionSet // those that agents have
	channels     map[int64]*ent.Channel
	queues       map[int64]*ent.Queue
	accounts     map[int64]*Account
	tokens       map[int64]*ent.AccessToken
	keys         map[int64]*ent.SigningKey
	objects      map[int64]*ent.ObjectType
	actions      map[int64]*ent.CrmAction
	linking      map[int64]*ent.LinkingRule

	having, sending, working links // an agent's permission sets, channels and queues
}

// links are the keys of what agents have, ascending, by the agent's key.
type links map[int64][]int64

// of sets what an agent has.
func (l links) of(agent int64, keys []int64) {
	slices.Sort(keys)
	l[agent] = keys
}

// to sets which agents have the row with a key.
func (l links) to(key int64, agents []int64) {
	has := make(map[int64]bool, len(agents))
	for _, a := range agents {
		has[a] = true
		if at, found := slices.BinarySearch(l[a], key); !found {
			l[a] = slices.Insert(slices.Clone(l[a]), at, key)
		}
	}
	for a, keys := range l {
		if at, found := slices.BinarySearch(keys, key); found && !has[a] {
			l[a] = slices.Delete(slices.Clone(keys), at, at+1)
		}
	}
}

// reading reads rows into rs. Its methods read one row each, with what belongs to it.
type reading struct {
	*Directory
	client *ent.Client
	rs     *rows
}

// readers read a row of a type that has changed. Whatever joins the directory has the
// mixin inDirectory in its ent schema, a line in reading.all, and one here; for a type
// without one everything is read.
var readers = map[string]func(r *reading, ctx context.Context, key int64) error{
	ent.TypeAgent:           (*reading).agent,
	ent.TypePermissionSet:   (*reading).set,
	ent.TypeChannel:         (*reading).channel,
	ent.TypeQueue:           (*reading).queue,
	ent.TypeProviderAccount: (*reading).account,
	ent.TypeAccessToken:     (*reading).token,
	ent.TypeSigningKey:      (*reading).key,
	ent.TypeObjectType:      (*reading).object,
	ent.TypeCrmAction:       (*reading).action,
	ent.TypeLinkingRule:     (*reading).linkingRule,
	ent.TypeOrganization:    func(r *reading, ctx context.Context, _ int64) error { return r.organization(ctx) },
}

// row reads a row of a type that is among the readers.
func (r *reading) row(ctx context.Context, row feed.Row) error {
	if err := readers[row.Type](r, ctx, row.Key); err != nil {
		return fmt.Errorf("directory: %s: %w", row.Type, err)
	}
	return nil
}

// keep puts a row that was read into its map, or takes it out when it is gone.
func keep[T any](into map[int64]T, key int64, row T, err error) error {
	switch {
	case ent.IsNotFound(err):
		delete(into, key)
	case err != nil:
		return err
	default:
		into[key] = row
	}
	return nil
}

func (r *reading) organization(ctx context.Context) (err error) {
	r.rs.organization, err = r.client.Organization.Query().Only(ctx)
	return err
}

func (r *reading) agent(ctx context.Context, key int64) error {
	agents, err := readAgents(ctx, r.client.Agent.Query().Where(agent.ID(key)))
	for _, a := range agents {
		r.rs.addAgent(a)
	}
	return err
}

func (rs *rows) addAgent(a *ent.Agent) {
	for _, set := range a.Edges.PermissionSets {
		rs.sets[set.ID] = set
	}
	rs.having.of(a.ID, keysOf(a.Edges.PermissionSets, func(s *ent.PermissionSet) int64 { return s.ID }))
	rs.sending.of(a.ID, keysOf(a.Edges.Channels, func(c *ent.Channel) int64 { return c.ID }))
	rs.working.of(a.ID, keysOf(a.Edges.Queues, func(q *ent.Queue) int64 { return q.ID }))
	a.Edges = ent.AgentEdges{}
	rs.agents[a.ID] = a
}

func keysOf[T any](rows []T, key func(T) int64) []int64 {
	keys := make([]int64, len(rows))
	for i, row := range rows {
		keys[i] = key(row)
	}
	return keys
}

func (r *reading) set(ctx context.Context, key int64) error {
	row, err := r.client.PermissionSet.Get(ctx, key)
	if err != nil {
		r.rs.having.to(key, nil)
		return keep(r.rs.sets, key, nil, err)
	}
	agents, err := r.client.Agent.Query().Where(agent.HasPermissionSetsWith(permissionset.ID(key))).IDs(ctx)
	if err != nil {
		return err
	}
	r.rs.sets[key] = row
	r.rs.having.to(key, agents)
	return nil
}

func (r *reading) channel(ctx context.Context, key int64) error {
	row, err := r.client.Channel.Get(ctx, key)
	if err != nil {
		return keep(r.rs.channels, key, nil, err)
	}
	agents, err := r.client.Agent.Query().Where(agent.HasChannelsWith(entchannel.ID(key))).IDs(ctx)
	if err != nil {
		return err
	}
	r.rs.channels[key] = row
	r.rs.sending.to(key, agents)
	return nil
}

func (r *reading) queue(ctx context.Context, key int64) error {
	row, err := r.client.Queue.Get(ctx, key)
	if err != nil {
		r.rs.working.to(key, nil)
		return keep(r.rs.queues, key, nil, err)
	}
	agents, err := r.client.Agent.Query().Where(agent.HasQueuesWith(queue.ID(key))).IDs(ctx)
	if err != nil {
		return err
	}
	channels, err := r.client.Channel.Query().Where(entchannel.QueueID(key)).All(ctx)
	for _, c := range channels {
		r.rs.channels[c.ID] = c
	}
	r.rs.queues[key] = row
	r.rs.working.to(key, agents)
	return err
}

func (r *reading) account(ctx context.Context, key int64) error {
	row, err := r.client.ProviderAccount.Query().Where(provideraccount.ID(key)).Only(ctx)
	if err != nil {
		return keep(r.rs.accounts, key, nil, err)
	}
	r.rs.accounts[key] = r.Directory.account(row)
	return nil
}

func (r *reading) token(ctx context.Context, key int64) error {
	row, err := r.client.AccessToken.Get(ctx, key)
	return keep(r.rs.tokens, key, row, err)
}

func (r *reading) key(ctx context.Context, key int64) error {
	row, err := r.client.SigningKey.Get(ctx, key)
	return keep(r.rs.keys, key, row, err)
}

func (r *reading) object(ctx context.Context, key int64) error {
	row, err := r.client.ObjectType.Get(ctx, key)
	return keep(r.rs.objects, key, row, err)
}

func (r *reading) action(ctx context.Context, key int64) error {
	row, err := r.client.CrmAction.Get(ctx, key)
	return keep(r.rs.actions, key, row, err)
}

func (r *reading) linkingRule(ctx context.Context, key int64) error {
	row, err := r.client.LinkingRule.Get(ctx, key)
	return keep(r.rs.linking, key, row, err)
}

// setsOf are the permission sets of an agent that are here.
func (rs *rows) setsOf(agent int64) []*ent.PermissionSet {
	sets := make([]*ent.PermissionSet, 0, len(rs.having[agent]))
	for _, key := range rs.having[agent] {
		if set := rs.sets[key]; set != nil {
			sets = append(sets, set)
		}
	}
	return sets
}

// all reads everything.
func (r *reading) all(ctx context.Context) error {
	r.rs = &rows{agents: map[int64]*ent.Agent{}, sets: map[int64]*ent.PermissionSet{}, accounts: map[int64]*Account{}, having: links{}, sending: links{}, working: links{}}
	if err := r.organization(ctx); err != nil {
		return fmt.Errorf("directory: organisation: %w", err)
	}
	agents, err := readAgents(ctx, r.client.Agent.Query())
	if err != nil {
		return err
	}
	for _, a := range agents {
		r.rs.addAgent(a)
	}
	accounts, err := r.client.ProviderAccount.Query().All(ctx)
	for _, a := range accounts {
		r.rs.accounts[a.ID] = r.Directory.account(a)
	}
	return errors.Join(err,
		into(&r.rs.channels, func(c *ent.Channel) int64 { return c.ID })(r.client.Channel.Query().All(ctx)),
		into(&r.rs.queues, func(q *ent.Queue) int64 { return q.ID })(r.client.Queue.Query().All(ctx)),
		into(&r.rs.tokens, func(t *ent.AccessToken) int64 { return t.ID })(r.client.AccessToken.Query().All(ctx)),
		into(&r.rs.keys, func(k *ent.SigningKey) int64 { return k.ID })(r.client.SigningKey.Query().All(ctx)),
		into(&r.rs.objects, func(o *ent.ObjectType) int64 { return o.ID })(r.client.ObjectType.Query().All(ctx)),
		into(&r.rs.actions, func(a *ent.CrmAction) int64 { return a.ID })(r.client.CrmAction.Query().All(ctx)),
		into(&r.rs.linking, func(l *ent.LinkingRule) int64 { return l.ID })(r.client.LinkingRule.Query().All(ctx)))
}

// into puts what a query read into a map by key.
func into[T any](m *map[int64]T, key func(T) int64) func(rows []T, err error) error {
	return func(rows []T, err error) error {
		*m = make(map[int64]T, len(rows))
		for _, row := range rows {
			(*m)[key(row)] = row
		}
		if err != nil {
			return fmt.Errorf("directory: %w", err)
		}
		return nil
	}
}
