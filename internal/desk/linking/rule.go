package linking

import (
	"context"
	"reflect"
	"strings"

	"parley/ent"
	"parley/ent/linkingrule"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/journal"
	"parley/internal/desk/match"
	"parley/internal/desk/object"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// CreateInput is a new rule.
type CreateInput struct {
	ChannelID      string
	Name           string
	Description    *string
	IsActive       *bool
	Order          *int
	ObjectType     string
	MatchFields    []string
	Condition      *string `json:",omitempty"`
	Mode           match.Mode
	Timing         *match.Timing // During for nil
	IdempotencyKey string
}

// UpdateInput is what changes of a rule; a nil field stays as it is.
type UpdateInput struct {
	ID          string
	Name        *string
	Description *string
	IsActive    *bool
	Order       *int
	ObjectType  *string
	MatchFields []string
	Condition   *string
	Mode        *match.Mode
	Timing      *match.Timing
}

// Rules are the linking rules of a channel in their order, for administrators; nobody else
// sees any.
func (s *Service) Rules(ctx context.Context, channelID string) ([]*directory.LinkingRule, error) {
	key, _ := s.IDs.Decode(publicid.Channel, channelID)
	switch {
	case !rule.Administers(viewer.FromContext(ctx)):
		return []*directory.LinkingRule{}, nil
	case s.Directory.Channel(key) == nil:
		return nil, fault.At("channelId", fault.Missing("channel"))
	}
	return append([]*directory.LinkingRule{}, s.Directory.LinkingRules(key)...), nil
}

// ByKey is the rule with a key; NOT_FOUND if the viewer of ctx sees none.
func (s *Service) ByKey(ctx context.Context, key int64) (*directory.LinkingRule, error) {
	if !rule.Administers(viewer.FromContext(ctx)) {
		return nil, fault.Missing("linking rule")
	}
	return administration.Find(ctx, s.Directory, "linking rule", func() *directory.LinkingRule { return s.Directory.LinkingRule(key) })
}

// Create makes a rule of a channel, once for an idempotency key.
func (s *Service) Create(ctx context.Context, in CreateInput) (*directory.LinkingRule, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	channelKey, err := s.channel(in.ChannelID)
	if err != nil {
		return nil, err
	}
	r := match.Rule{Active: true, Timing: match.During}
	change := UpdateInput{
		Name: &in.Name, Description: in.Description, IsActive: in.IsActive, Order: in.Order,
		ObjectType: &in.ObjectType, MatchFields: in.MatchFields, Condition: in.Condition, Mode: &in.Mode, Timing: in.Timing,
	}
	if err := s.apply(&change, &r); err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createLinkingRule", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		names, err := tx.Ent.LinkingRule.Query().Where(linkingrule.ChannelID(channelKey)).Select(linkingrule.FieldName).Strings(ctx)
		if err != nil {
			return 0, err
		}
		if len(names) >= match.MostRules {
			return 0, fault.New(fault.LimitExceeded, "The channel has %d linking rules, which is the limit. Delete one first.", len(names))
		}
		if err := administration.Unused("input.name", r.Name, names); err != nil {
			return 0, err
		}
		row, err := tx.Ent.LinkingRule.Create().SetChannelID(channelKey).SetName(r.Name).SetDescription(r.Description).SetActive(r.Active).SetPlace(r.Order).
			SetObjectType(r.ObjectType).SetMatchFields(r.Fields).SetCondition(r.Condition).SetMode(string(r.Mode)).SetTiming(string(r.Timing)).Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return s.ByKey(ctx, key)
}

// channel is the key of the channel of a new rule.
func (s *Service) channel(id string) (int64, error) {
	key, _ := s.IDs.Decode(publicid.Channel, id)
	ch := s.Directory.Channel(key)
	switch {
	case ch == nil:
		return 0, fault.At("input.channelId", fault.Missing("channel"))
	case !match.Links(ch.Type):
		return 0, fault.Input("input.channelId", "Rules find records by phone numbers, and the customers of a channel of type %s are not known by one.", ch.Type)
	}
	return key, nil
}

// Update changes a rule. Nothing happens when nothing changes. What it linked stays.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*directory.LinkingRule, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	key, err := s.changeRule(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.LinkingRule) (bool, error) {
		before := directory.LinkingRuleOf(row)
		r := before
		if err := s.apply(&in, &r); err != nil || reflect.DeepEqual(r, before) {
			return false, err
		}
		others, err := tx.Ent.LinkingRule.Query().Where(linkingrule.ChannelID(row.ChannelID), linkingrule.IDNEQ(row.ID)).Select(linkingrule.FieldName).Strings(ctx)
		if err != nil {
			return false, err
		}
		if err := administration.Unused("input.name", r.Name, others); err != nil {
			return false, err
		}
		return true, tx.Ent.LinkingRule.UpdateOne(row).SetName(r.Name).SetDescription(r.Description).SetActive(r.Active).SetPlace(r.Order).
			SetObjectType(r.ObjectType).SetMatchFields(r.Fields).SetCondition(r.Condition).SetMode(string(r.Mode)).SetTiming(string(r.Timing)).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return s.ByKey(ctx, key)
}

// Delete removes a rule and returns its id. What it linked stays.
func (s *Service) Delete(ctx context.Context, id string) (*string, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	_, err := s.changeRule(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.LinkingRule) (bool, error) {
		ctx = rule.WithJournal(ctx, func(ctx context.Context, w *rule.Written) error { // by its name, which a deletion does not tell
			e := journal.Entry{Action: journal.Deleted, SubjectType: w.Type, SubjectKey: row.ID, SubjectName: row.Name}
			return e.Write(ctx, tx)
		})
		return true, tx.Ent.LinkingRule.DeleteOne(row).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return &id, nil
}

// changeRule changes the rule with an id.
func (s *Service) changeRule(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.LinkingRule) (bool, error)) (int64, error) {
	key, _ := s.IDs.Decode(publicid.LinkingRule, id)
	return key, administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.LinkingRule.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("linking rule"))
		}
		if err != nil {
			return false, err
		}
		return do(ctx, tx, row)
	})
}

// apply changes what a rule says, and checks it.
func (s *Service) apply(in *UpdateInput, r *match.Rule) (err error) {
	if in.Name != nil {
		if r.Name, err = administration.CleanName("input.name", *in.Name); err != nil {
			return err
		}
	}
	if in.Description != nil {
		if r.Description = channel.CleanText(*in.Description); len([]rune(r.Description)) > object.MostText {
			return fault.Input("input.description", "Use at most %d characters, not %d.", object.MostText, len([]rune(r.Description)))
		}
	}
	administration.Set(&r.Active, in.IsActive)
	administration.Set(&r.Order, in.Order)
	administration.Set(&r.ObjectType, in.ObjectType)
	administration.Set(&r.Mode, in.Mode)
	administration.Set(&r.Timing, in.Timing)
	if in.Condition != nil {
		r.Condition = strings.TrimSpace(channel.CleanText(*in.Condition))
	}
	fields := r.Fields
	if in.MatchFields != nil {
		fields = in.MatchFields
	}
	r.Fields = append([]string{}, fields...)
	if in.switchesOff() {
		return nil
	}
	return r.Check(s.Directory.Defined)
}

// switchesOff reports whether the rule is only switched off. That is not checked against the
// object types: the fields that the rule names may be gone.
func (in *UpdateInput) switchesOff() bool {
	same := in.Order == nil && in.ObjectType == nil && in.Mode == nil && in.Timing == nil && in.MatchFields == nil && in.Condition == nil
	return in.ID != "" && same && in.IsActive != nil && !*in.IsActive
}
