package staff

import (
	"context"
	"slices"

	"parley/ent"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Settings are what agents set for themselves, and administrators for them. A nil field
// stays as it is, and an empty one is set to none.
type Settings struct {
	DefaultChannelID *string
	TimeZone         *string
	Locale           *string
}

// check refuses what is no time zone or language, and brings the language tag to its
// usual form.
func (s *Settings) check() error {
	if zone := s.TimeZone; zone != nil && *zone != "" {
		if err := administration.CheckTimeZone("input.timeZone", *zone); err != nil {
			return err
		}
	}
	if s.Locale == nil {
		return nil
	}
	locale, err := administration.CleanLocale("input.locale", *s.Locale)
	s.Locale = &locale
	return err
}

// apply puts the settings into an update of an agent, and reports whether they change
// anything.
func (s *Settings) apply(ctx context.Context, ids *publicid.Codec, row *ent.Agent, update *ent.AgentUpdateOne) (changes bool, err error) {
	update.SetNillableTimeZone(s.TimeZone).SetNillableLocale(s.Locale)
	changes = administration.Differs(s.TimeZone, row.TimeZone) || administration.Differs(s.Locale, row.Locale)
	switch {
	case s.DefaultChannelID == nil:
		return changes, nil
	case *s.DefaultChannelID == "":
		update.ClearDefaultChannelID()
		return changes || row.DefaultChannelID != nil, nil
	}
	key, _ := ids.Decode(publicid.Channel, *s.DefaultChannelID)
	own, err := row.QueryChannels().IDs(ctx)
	if err == nil && !slices.Contains(own, key) {
		err = fault.Input("input.defaultChannelId", "The agent may not send from such a channel. Choose one of the agent's sender IDs.")
	}
	update.SetDefaultChannelID(key)
	return changes || row.DefaultChannelID == nil || *row.DefaultChannelID != key, err
}

// UpdateViewer changes the settings of the agent who asks. Nothing happens when nothing
// changes.
func (s *Service) UpdateViewer(ctx context.Context, in Settings) (*directory.Agent, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := quota.Spend(ctx, s.Settings).Take(); err != nil {
		return nil, err
	}
	key := viewer.FromContext(ctx).AgentID
	err := s.Directory.Apply(ctx, directory.Edit{Do: func(ctx context.Context, tx *store.Tx) (bool, error) {
		ctx = viewer.AsSystem(ctx, "own settings")
		row, err := tx.Ent.Agent.Get(ctx, key)
		if err != nil {
			return false, err
		}
		update := tx.Ent.Agent.UpdateOne(row)
		if changes, err := in.apply(ctx, s.IDs, row, update); err != nil || !changes {
			return false, err
		}
		return true, update.Exec(ctx)
	}})
	if err != nil {
		return nil, err
	}
	return s.agent(ctx, key)
}
