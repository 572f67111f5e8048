package rule

import (
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/intercept"
	"parley/ent/privacy"
	"parley/internal/ground/viewer"
)

// ErrNoViewer is why the data layer denies a request that nobody makes.
var ErrNoViewer = errors.New("rule: no viewer in context")

// SystemOnly keeps a type from agents altogether.
func SystemOnly() privacy.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{denyWithoutViewer(), allowSystem(), privacy.AlwaysDenyRule()},
		Mutation: onlySystemWrites(),
	}
}

// ConversationPolicy lets an agent read the conversations they see.
func ConversationPolicy() privacy.Policy {
	return seen(func(s *sql.Selector, sight Visibility) { s.Where(inVisibleConversation(s, sight, "id", "id")) })
}

// OfConversation lets an agent read rows of a type that belong to a conversation
// they see: those for which a visible conversation has conversationColumn equal
// to the type's ownColumn.
func OfConversation(conversationColumn, ownColumn string) privacy.Policy {
	return seen(func(s *sql.Selector, sight Visibility) {
		s.Where(inVisibleConversation(s, sight, conversationColumn, ownColumn))
	})
}

// MessagingUser lets an agent read the customers of conversations they see, and all those
// of the sender IDs they own or share, who may not have written yet.
func MessagingUser() privacy.Policy {
	return seen(func(s *sql.Selector, sight Visibility) {
		seen := inVisibleConversation(s, sight, "messaging_user_id", "id")
		if channels := sight.Channels(); len(channels) > 0 {
			seen = sql.Or(seen, Term{"channel_id", channels}.sql(s.C))
		}
		s.Where(seen)
	})
}

// RecordPolicy lets an agent read the records that anchor a conversation they see, and
// those of the object types that their permission sets name; with ManageRecords, every
// record. What they may read of its fields, object.Rights say.
func RecordPolicy() privacy.Policy {
	return privacy.Policy{
		Query: privacy.QueryPolicy{
			denyWithoutViewer(), allowSystem(), allowHolders(viewer.ManageRecords),
			narrow(func(ctx context.Context, s *sql.Selector) *sql.Predicate {
				v := viewer.FromContext(ctx)
				seen := inVisibleConversation(s, Visible(v), "record_id", "id")
				if len(v.Objects) == 0 {
					return seen
				}
				return sql.Or(ofReadableType(s, v), seen)
			}),
			privacy.AlwaysAllowRule(),
		},
		Mutation: onlySystemWrites(),
	}
}

// CrmActionRun lets administrators read the runs of actions in conversations they see,
// and with ManageRecords also those in none.
func CrmActionRun() privacy.Policy {
	return privacy.Policy{
		Query: privacy.QueryPolicy{denyWithoutViewer(), allowSystem(), narrow(func(ctx context.Context, s *sql.Selector) *sql.Predicate {
			v := viewer.FromContext(ctx)
			if !Administers(v) {
				return sql.False()
			}
			seen := inVisibleConversation(s, Visible(v), "id", "conversation_id")
			if v.Can(viewer.ManageRecords) {
				seen = sql.Or(sql.IsNull(s.C("conversation_id")), seen)
			}
			return seen
		}), privacy.AlwaysAllowRule()},
		Mutation: onlySystemWrites(),
	}
}

// ofReadableType are the records of the object types that v may read by right.
func ofReadableType(s *sql.Selector, v *viewer.Viewer) *sql.Predicate {
	names := make([]any, len(v.Objects))
	for i, name := range v.Objects {
		names[i] = name
	}
	return sql.In(s.C("object_type"), names...)
}

func inVisibleConversation(s *sql.Selector, sight Visibility, conversationColumn, ownColumn string) *sql.Predicate {
	t := sql.Dialect(s.Dialect()).Table("conversations").As("seen")
	visible := sql.Dialect(s.Dialect()).Select(t.C("id")).From(t).Where(sql.ColumnsEQ(t.C(conversationColumn), s.C(ownColumn)))
	sight.Narrow(visible, t)
	return sql.Exists(visible)
}

// seen is the policy of what is read through a viewer's sight and written by the
// system: use cases decide under the agent's viewer and write as the system.
func seen(narrow func(*sql.Selector, Visibility)) privacy.Policy {
	return privacy.Policy{
		Query: privacy.QueryPolicy{
			denyWithoutViewer(), allowSystem(), narrowTo(narrow), privacy.AlwaysAllowRule(),
		},
		Mutation: onlySystemWrites(),
	}
}

func onlySystemWrites() privacy.MutationPolicy {
	return privacy.MutationPolicy{denyWithoutViewer(), allowSystem(), privacy.AlwaysDenyRule()}
}

func denyWithoutViewer() privacy.QueryMutationRule {
	return privacy.ContextQueryMutationRule(func(ctx context.Context) error {
		if viewer.FromContext(ctx) == nil {
			return privacy.Denyf("%w", ErrNoViewer)
		}
		return privacy.Skip
	})
}

func allowSystem() privacy.QueryMutationRule {
	return privacy.ContextQueryMutationRule(func(ctx context.Context) error {
		if viewer.FromContext(ctx).System != "" {
			return privacy.Allow
		}
		return privacy.Skip
	})
}

func allowHolders(p viewer.Permission) privacy.QueryRule {
	return privacy.ContextQueryMutationRule(func(ctx context.Context) error {
		if viewer.FromContext(ctx).Can(p) {
			return privacy.Allow
		}
		return privacy.Skip
	})
}

func narrowTo(narrow func(*sql.Selector, Visibility)) privacy.QueryRule {
	return privacy.QueryRuleFunc(func(ctx context.Context, q ent.Query) error {
		sight := Visible(viewer.FromContext(ctx))
		if sight.All() {
			return privacy.Skip
		}
		query, err := intercept.NewQuery(q)
		if err != nil {
			return err
		}
		query.WhereP(func(s *sql.Selector) { narrow(s, sight) })
		return privacy.Skip
	})
}
