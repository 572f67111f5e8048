// Package staff is the administration of agents: who they are, which permissions they
// hold, and through what. Administrators use it, and operators on the command line.
//
// Package administration says how every change is made.
package staff

import (
	"context"
	"slices"

	"parley/ent"
	"parley/ent/agent"
	"parley/ent/permissionset"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Service has the use cases. All fields are required but Settings.
type Service struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Conversations *conversation.Service // counts what somebody still owns
	Settings      *quota.Quota          // how often an agent may change their own settings; nil for any
}

// PermissionSet is a named set of permissions, as it was read.
type PermissionSet struct {
	Key         int64
	Name        string
	Permissions []viewer.Permission // those that this version knows, in the order of viewer.Permissions
	// RecordRights are what it gives of CRM records.
	RecordRights []object.Right

	service *Service
}

// IsNode marks a GraphQL Node.
func (*PermissionSet) IsNode() {}

// ID is the opaque id.
func (p *PermissionSet) ID() string {
	return p.service.IDs.Encode(publicid.PermissionSet, p.Key)
}

// Agents are those who have been given the set, by name, deactivated ones too.
func (p *PermissionSet) Agents() []*directory.Agent {
	agents := []*directory.Agent{}
	for _, a := range p.service.Directory.Agents() {
		if a.HasSet(p.Key) {
			agents = append(agents, a)
		}
	}
	return agents
}

func (s *Service) of(row *ent.PermissionSet) *PermissionSet {
	return &PermissionSet{Key: row.ID, Name: row.Name, Permissions: known(row.Permissions), RecordRights: row.RecordRights, service: s}
}

// known are the permissions that this version knows, each once, in one order.
func known(permissions []viewer.Permission) []viewer.Permission {
	return slices.DeleteFunc(slices.Clone(viewer.Permissions), func(p viewer.Permission) bool { return !slices.Contains(permissions, p) })
}

// PermissionSets are all permission sets, by name; none for a viewer who is no
// administrator.
func (s *Service) PermissionSets(ctx context.Context) ([]*PermissionSet, error) {
	return s.sets(ctx, s.Store.Ent.PermissionSet.Query())
}

func (s *Service) sets(ctx context.Context, query *ent.PermissionSetQuery) ([]*PermissionSet, error) {
	rows, err := query.Order(permissionset.ByName(), permissionset.ByID()).All(ctx)
	sets := make([]*PermissionSet, len(rows))
	for i, row := range rows {
		sets[i] = s.of(row)
	}
	return sets, err
}

// ByKey reads permission sets by key, as far as the viewer of ctx sees them.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*PermissionSet, error) {
	sets, err := s.sets(ctx, s.Store.Ent.PermissionSet.Query().Where(permissionset.IDIn(keys...)))
	found := make(map[int64]*PermissionSet, len(sets))
	for _, set := range sets {
		found[set.Key] = set
	}
	return found, err
}

// AgentRights are what an agent may do, and through what.
type AgentRights struct {
	Agent          *directory.Agent
	Permissions    []*Grant
	PermissionSets []*PermissionSet // by name
	Channels       []*directory.Channel
	Queues         []*directory.Queue
	LastSeenAt     *clock.Time // by an outside issuer, to the day; nil for never

	directory *directory.Directory
}

// RecordRights are what the agent may do with CRM records, by object type, where it is
// anything.
func (r *AgentRights) RecordRights() []object.Right {
	rights := []object.Right{}
	for _, t := range r.directory.ObjectTypes() {
		if right := r.directory.RecordRights(r.Agent.Rights()).Of(&t.Definition); right.Known() != object.None {
			rights = append(rights, right)
		}
	}
	return rights
}

// Grant is a permission that an agent holds.
type Grant struct {
	Permission     viewer.Permission
	ByRole         bool
	PermissionSets []*PermissionSet // that hold it, by name
}

// Rights reads what an agent may do, or could if they were active. To a viewer who is no
// administrator there is no such agent.
func (s *Service) Rights(ctx context.Context, id string) (*AgentRights, error) {
	key, _ := s.IDs.Decode(publicid.Agent, id)
	a := s.Directory.Agent(key)
	if a == nil || !rule.Administers(viewer.FromContext(ctx)) {
		return nil, fault.Missing("agent")
	}
	sets, err := s.sets(ctx, s.Store.Ent.PermissionSet.Query().Where(permissionset.HasAgentsWith(agent.ID(key))))
	if err != nil {
		return nil, err
	}
	seen, err := s.lastSeen(ctx, key)
	if err != nil {
		return nil, err
	}
	r := &AgentRights{
		Agent: a, PermissionSets: sets, LastSeenAt: seen,
		Channels: s.Directory.ChannelsOf(a.Rights()), Queues: s.Directory.QueuesOf(a.Rights()), directory: s.Directory,
	}
	for _, p := range viewer.Permissions {
		g := &Grant{Permission: p, ByRole: slices.Contains(a.Role.Defaults(), p), PermissionSets: []*PermissionSet{}}
		for _, set := range sets {
			if slices.Contains(set.Permissions, p) {
				g.PermissionSets = append(g.PermissionSets, set)
			}
		}
		if g.ByRole || len(g.PermissionSets) > 0 {
			r.Permissions = append(r.Permissions, g)
		}
	}
	return r, nil
}

// Holder is an agent who holds a permission, and through what.
type Holder struct {
	Agent          *directory.Agent
	ByRole         bool
	PermissionSets []*PermissionSet // that hold it, by name
}

// Holders are the active agents who hold a permission, by name; none for a viewer who is
// no administrator.
func (s *Service) Holders(ctx context.Context, p viewer.Permission) ([]*Holder, error) {
	holders := []*Holder{}
	if !rule.Administers(viewer.FromContext(ctx)) {
		return holders, nil
	}
	sets, err := s.PermissionSets(ctx)
	if err != nil {
		return nil, err
	}
	sets = slices.DeleteFunc(sets, func(set *PermissionSet) bool { return !slices.Contains(set.Permissions, p) })
	for _, a := range s.Directory.Agents() {
		if !a.IsActive {
			continue
		}
		h := &Holder{Agent: a, ByRole: slices.Contains(a.Role.Defaults(), p), PermissionSets: []*PermissionSet{}}
		for _, set := range sets {
			if a.HasSet(set.Key) {
				h.PermissionSets = append(h.PermissionSets, set)
			}
		}
		if h.ByRole || len(h.PermissionSets) > 0 {
			holders = append(holders, h)
		}
	}
	return holders, nil
}
