package rule

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/intercept"
	"parley/ent/privacy"
	"parley/internal/ground/viewer"
)

// Administers reports whether v may create and change agents, permission sets, channels
// and queues, and see who has which rights.
func Administers(v *viewer.Viewer) bool { return v != nil && v.Can(viewer.ConfigureMessaging) }

// SeesQueue reports whether v may know of the queue with the key.
func SeesQueue(v *viewer.Viewer, key int64) bool {
	return v != nil && (v.HasQueue(key) || v.Can(viewer.ViewAllData) || Administers(v))
}

// Defines reports whether v sees every object type and all of its fields, whatever they
// may read of records.
func Defines(v *viewer.Viewer) bool { return Administers(v) || v != nil && v.Can(viewer.ManageRecords) }

// Queue is Directory, and administrators remove queues too, one at a time.
func Queue() privacy.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{denyWithoutViewer(), privacy.AlwaysAllowRule()},
		Mutation: administratorsWrite(ent.OpDeleteOne),
	}
}

// Directory lets everybody read agents, channels and queues, and administrators create
// and change one at a time.
func Directory() privacy.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{denyWithoutViewer(), privacy.AlwaysAllowRule()},
		Mutation: administratorsWrite(),
	}
}

// PermissionSet lets administrators read permission sets, and create, change and remove
// one at a time. Other agents see none.
func PermissionSet() privacy.Policy { return administratorsOnly(ent.OpDeleteOne) }

// ProviderAccount lets administrators read provider accounts, and create and change one
// at a time. For other agents there are none.
func ProviderAccount() privacy.Policy { return administratorsOnly() }

// ObjectType lets administrators read object types, and create and change one at a time.
// Other agents know them by the directory, as far as they may read their records.
func ObjectType() privacy.Policy { return administratorsOnly() }

// CrmAction lets administrators read definitions of actions, and create and change one at
// a time. Other agents know them by the directory, as far as they concern them.
func CrmAction() privacy.Policy { return administratorsOnly() }

// ComponentVersion lets everybody read what components say. Whoever changes a component
// adds a version as the system.
func ComponentVersion() privacy.Policy {
	return privacy.Policy{Query: privacy.QueryPolicy{denyWithoutViewer(), privacy.AlwaysAllowRule()}, Mutation: onlySystemWrites()}
}

// Component lets everybody read components, and administrators create, change and delete
// one at a time.
func Component() privacy.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{denyWithoutViewer(), privacy.AlwaysAllowRule()},
		Mutation: administratorsWrite(ent.OpDeleteOne),
	}
}

// CrmConnection lets administrators read connections, and create, change and delete one at
// a time. For other agents there are none.
func CrmConnection() privacy.Policy { return administratorsOnly(ent.OpDeleteOne) }

// LinkingRule lets administrators read linking rules, and create, change and remove one at
// a time.
func LinkingRule() privacy.Policy { return administratorsOnly(ent.OpDeleteOne) }

func administratorsOnly(also ...ent.Op) privacy.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{denyWithoutViewer(), allowSystem(), allowHolders(viewer.ConfigureMessaging), narrowToNone(), privacy.AlwaysAllowRule()},
		Mutation: administratorsWrite(also...),
	}
}

// AccessToken shows agents their own access tokens, and administrators all. The use
// cases decide who creates and revokes them, and write as the system.
func AccessToken() privacy.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{denyWithoutViewer(), allowSystem(), allowHolders(viewer.ConfigureMessaging), narrowToOwn("agent_id"), privacy.AlwaysAllowRule()},
		Mutation: onlySystemWrites(),
	}
}

// administratorsWrite keeps even administrators from changing many rows at once, and from
// what is not also allowed, such as removing one.
func administratorsWrite(also ...ent.Op) privacy.MutationPolicy {
	return privacy.MutationPolicy{
		denyWithoutViewer(), allowSystem(),
		privacy.MutationRuleFunc(func(ctx context.Context, m ent.Mutation) error {
			if (m.Op().Is(ent.OpCreate|ent.OpUpdateOne) || slices.Contains(also, m.Op())) && Administers(viewer.FromContext(ctx)) {
				return privacy.Allow
			}
			return privacy.Deny
		}),
	}
}

func narrowToNone() privacy.QueryRule {
	return narrow(func(context.Context, *sql.Selector) *sql.Predicate { return sql.False() })
}

// narrowToOwn leaves the rows whose column names the viewer.
func narrowToOwn(column string) privacy.QueryRule {
	return narrow(func(ctx context.Context, s *sql.Selector) *sql.Predicate {
		return sql.EQ(s.C(column), viewer.FromContext(ctx).AgentID)
	})
}

func narrow(to func(context.Context, *sql.Selector) *sql.Predicate) privacy.QueryRule {
	return privacy.QueryRuleFunc(func(ctx context.Context, q ent.Query) error {
		query, err := intercept.NewQuery(q)
		if err != nil {
			return err
		}
		query.WhereP(func(s *sql.Selector) { s.Where(to(ctx, s)) })
		return privacy.Skip
	})
}
