package directory

import (
	"cmp"
	"slices"

	"parley/ent"
	"parley/internal/desk/match"
	"parley/internal/ground/publicid"
)

// LinkingRule is a linking rule as it is defined now.
type LinkingRule struct {
	match.Rule

	Key       int64
	ID        string
	ChannelID int64
}

// IsNode marks a GraphQL Node.
func (*LinkingRule) IsNode() {}

// Definition is what the rule says.
func (r *LinkingRule) Definition() *match.Rule { return &r.Rule }

// IsConditional reports whether the rule is applied and has a condition.
func (r *LinkingRule) IsConditional() bool { return r.Active && r.Condition != "" }

// linking are the linking rules, those of each channel in their order, and those that link
// records of an object type by themselves.
type linking struct {
	byKey     map[int64]*LinkingRule
	ofChannel map[int64][]*LinkingRule
	automatic map[string][]*LinkingRule
}

func (s *snapshot) addLinking(ids *publicid.Codec, rs *rows) {
	s.linking = linking{byKey: make(map[int64]*LinkingRule, len(rs.linking)), ofChannel: map[int64][]*LinkingRule{}, automatic: map[string][]*LinkingRule{}}
	for _, row := range rs.linking {
		r := &LinkingRule{Rule: LinkingRuleOf(row), Key: row.ID, ID: ids.Encode(publicid.LinkingRule, row.ID), ChannelID: row.ChannelID}
		s.linking.byKey[r.Key] = r
		s.linking.ofChannel[r.ChannelID] = append(s.linking.ofChannel[r.ChannelID], r)
		if r.Active && r.Mode == match.Automatic {
			s.linking.automatic[r.ObjectType] = append(s.linking.automatic[r.ObjectType], r)
		}
	}
	for _, rules := range s.linking.ofChannel {
		slices.SortFunc(rules, func(a, b *LinkingRule) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Key, b.Key)) })
	}
}

// LinkingRuleOf is a linking rule as a row has it.
func LinkingRuleOf(row *ent.LinkingRule) match.Rule {
	return match.Rule{
		Name: row.Name, Description: row.Description, Active: row.Active, Order: row.Place, ObjectType: row.ObjectType,
		Fields: row.MatchFields, Condition: row.Condition, Mode: match.Mode(row.Mode), Timing: match.Timing(row.Timing),
	}
}

// LinkingRules are the linking rules of a channel, in their order.
func (d *Directory) LinkingRules(channel int64) []*LinkingRule {
	return d.now.Load().linking.ofChannel[channel]
}

// LinkingRule returns the linking rule with the key, nil when there is none.
func (d *Directory) LinkingRule(key int64) *LinkingRule { return d.now.Load().linking.byKey[key] }

// Linking are the active rules that link records of an object type by themselves.
func (d *Directory) Linking(objectType string) []*LinkingRule {
	return d.now.Load().linking.automatic[objectType]
}
